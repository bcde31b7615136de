import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';

/** Where a rehearsal lives. All paths absolute. */
export interface RehearsalFolder {
  readonly path: string;
  /** A folder per "disk". */
  readonly disks: string;
  /** The project, as a person's would be. */
  readonly project: string;
  /** It was there before, empty: then it stays. */
  readonly existed: boolean;
  readonly owner: { readonly uid: number; readonly gid: number };
}

/** Takes an absent or empty folder for a rehearsal. Throws (exit 2) when anything is in it. */
export async function claimFolder(context: Context, path: string): Promise<RehearsalFolder> {
  const { files, system } = context.ports;
  const facts = await files.facts(path);
  if (facts !== undefined && facts.kind !== 'directory') {
    throw new SmeshError(
      'rehearsal-folder',
      ExitCode.usage,
      `${path} is not a folder. Nothing was changed.`,
      {
        hint: 'Name another place for the rehearsal: --dir DIRECTORY',
      },
    );
  }
  if (facts !== undefined && (await files.list(path)).length > 0) {
    const earlier = await files.exists(`${path}/project/smesh.yaml`);
    throw new SmeshError(
      'rehearsal-folder',
      ExitCode.usage,
      earlier
        ? `${path} holds an earlier rehearsal. Nothing was changed.`
        : `${path} is not empty. Nothing was changed.`,
      {
        hint: earlier
          ? `Take it down:  ${takeDownCommand(path)}   Or name another place: --dir DIRECTORY`
          : 'A rehearsal wants a folder of its own: --dir DIRECTORY',
      },
    );
  }
  const owner = system.sudoUser ?? system.user;
  await files.makeDirectory(path, { mode: 0o755, ...owner });
  return { path, disks: `${path}/disks`, project: `${path}/project`, existed: facts !== undefined, owner };
}

/** What a person types to get rid of a rehearsal that was left. */
export function takeDownCommand(path: string): string {
  return `smesh-compose -C ${path}/project down --force && rm -r ${path}`;
}

/**
 * Removes what the rehearsal made: throw-away data, keys and project. What a person put beside it stays, and so does the
 * folder then; answers what is left.
 */
export async function removeFolder(
  context: Context,
  folder: RehearsalFolder,
  directories: readonly string[],
): Promise<readonly string[]> {
  const { files } = context.ports;
  for (const directory of directories) await files.removeOwn(directory);
  const { project } = folder;
  for (const part of ['smesh.yaml', 'compose.yaml', 'node', 'node-data']) {
    await files.removeOwn(`${project}/${part}`);
  }
  await files.removeOwn(stateFolder(project));
  const disks = (await files.exists(folder.disks)) ? await files.list(folder.disks) : [];
  const emptied = [...disks.map(({ name }) => `${folder.disks}/${name}`), folder.disks, project];
  const left: string[] = [];
  for (const path of folder.existed ? emptied : [...emptied, folder.path]) {
    const facts = await files.facts(path, 'nofollow');
    if (facts === undefined) continue;
    const inside = facts.kind === 'directory' ? await files.list(path) : undefined;
    if (inside?.length === 0) await files.removeOwn(path);
    else left.push(path);
  }
  return left;
}
