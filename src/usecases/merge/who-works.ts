import { servedFolders } from '../../domain/compose/who-serves.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { isAlive } from '../engine-nodes.ts';
import { indexProject } from '../identity-index/project-index.ts';
import { lockHeld } from '../leases/still-served.ts';

export interface NodeFolder {
  readonly folder: string;
  readonly ids: readonly SmesherId[];
  /** Further files that its node holds a lock on. */
  readonly lockFiles: readonly string[];
}

/**
 * Who works on data folders of nodes, or may: containers of any origin that have the folder, whoever serves one of its
 * keys (S2, S23), and whoever holds a lock on its files, which a running node does (spacemesh.md §1.2). What cannot be
 * looked at counts as at work. One list of reasons per folder; empty: nobody.
 */
export async function lookWhoWorks(
  context: Context,
  project: Project,
  folders: readonly NodeFolder[],
): Promise<readonly (readonly string[])[]> {
  const index = await indexProject(context, project);
  const everywhere = [
    ...index.unseen,
    ...index.closed
      .filter(({ live }) => live)
      .map(({ path, who }) => `${who} runs, and its keys (${path}) may not be read`),
  ];
  const containers = index.unseen.length > 0 ? [] : await (await context.ports.docker()).containers();
  const real = (path: string) => context.ports.files.realPath(path).catch(() => path);
  const running = await Promise.all(
    containers
      .filter(({ state }) => isAlive(state))
      .map(async (container) => ({
        name: container.name,
        folders: await Promise.all(servedFolders(container).node.map(real)),
      })),
  );
  return Promise.all(
    folders.map(async ({ folder, ids, lockFiles }) => {
      const wanted = new Set(ids);
      const here = await real(folder);
      const holders = running.filter((one) => one.folders.includes(here));
      const serving = index.places.filter(
        ({ smesherId, by, use, runs }) => by === 'key' && use === 'serves' && runs && wanted.has(smesherId),
      );
      // Another folder with one of the keys, whose node comes up with the next `up` there.
      const elsewhere = await Promise.all(
        index.places
          .filter(
            ({ smesherId, by, use, runs, live, own }) =>
              by === 'key' && use === 'serves' && !runs && live && !own && wanted.has(smesherId),
          )
          .map(async ({ who, path }) =>
            path === undefined || (await real(path)) === (await real(`${folder}/identities`))
              ? []
              : [`${who} has one of its keys as well (${path})`],
          ),
      );
      const held = await Promise.all(
        [
          `${folder}/LOCK`,
          `${folder}/local.sql`,
          `${folder}/local.sql-shm`,
          `${folder}/state.sql`,
          `${folder}/state.sql-shm`,
          ...lockFiles,
        ].map((path) => lockHeld(context, path)),
      );
      const all = [
        ...holders.map(({ name }) => `container ${name} has this folder and runs`),
        // Whoever has the folder serves its keys: said once.
        ...serving
          .filter(({ who }) => !holders.some(({ name }) => who.includes(name)))
          .map(({ who }) => `${who} serves one of its keys`),
        ...elsewhere.flat(),
        ...held.filter((reason) => reason !== undefined),
        ...everywhere,
      ];
      return [...new Set(all)];
    }),
  );
}
