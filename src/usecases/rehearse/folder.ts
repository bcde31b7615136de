import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import type { Context } from '../context.ts';
import { fromWorkingDirectory } from '../init/options.ts';

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

/** A path as a person would type it: relative to where they stand when it is below. */
export function shownPath(path: string): string {
  const here = `${fromWorkingDirectory('.')}/`;
  return quoteForShell(path.startsWith(here) ? path.slice(here.length) : path);
}

/** What a person types to get rid of a rehearsal that was left. */
export function takeDownCommand(path: string): string {
  const project = shownPath(`${path}/project`);
  return `smesh-compose -C ${project} down --force && rm -r ${shownPath(path)}`;
}

/** What a rehearsal has made in its folder, by absolute path. */
export interface MadeByRehearsal {
  /** PoST directories, key and data. */
  readonly directories: readonly string[];
  /** Files and folders of the project: what lay there right after the tool's own commands. */
  readonly projectParts: readonly string[];
}

/**
 * Removes what the rehearsal made: throw-away data, keys and project. What a person put beside it stays, and so does the
 * folder then; answers what that is.
 */
export async function removeFolder(
  context: Context,
  folder: RehearsalFolder,
  made: MadeByRehearsal,
): Promise<readonly string[]> {
  const { files } = context.ports;
  for (const path of [...made.directories, ...made.projectParts]) await files.removeOwn(path);
  const foreign: string[] = [];
  const clear = async (path: string): Promise<void> => {
    const facts = await files.facts(path, 'nofollow');
    if (facts === undefined) return;
    const inside = facts.kind === 'directory' ? await files.list(path) : undefined;
    if (inside?.length === 0) await files.removeOwn(path);
    else if (inside === undefined) foreign.push(path);
    else foreign.push(...inside.map(({ name }) => `${path}/${name}`));
  };
  const disks = (await files.exists(folder.disks)) ? await files.list(folder.disks) : [];
  for (const { name } of disks) await clear(`${folder.disks}/${name}`);
  await clear(folder.disks);
  await clear(folder.project);
  if (!folder.existed) await clear(folder.path);
  // A folder that is kept for something inside it is not worth a line of its own.
  return foreign.filter((path) => !foreign.some((other) => other.startsWith(`${path}/`)));
}
