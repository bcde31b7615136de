import { dirname } from 'node:path';
import { isFuse, isNetworkFileSystem } from '../../domain/disk/resolve.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { METADATA_FILE } from '../../domain/post/metadata.ts';
import { judgePlace, type PlaceSeen, type PlaceUse, WRITE_TEST } from '../../domain/post-init/directories.ts';
import { jobFiles } from '../../domain/post-init/job-files.ts';
import type { JobLook } from '../../domain/post-init/job-state.ts';
import type { Room } from '../../domain/post-init/size.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { lookAtJobs } from './look-at-jobs.ts';

const ANSWERS_MS = 10_000;

/** A place that was named for new data, or whose data shall be gone on with. */
export interface Place extends Room {
  /** As named; absolute. */
  readonly path: string;
  readonly realPath: string;
  readonly use: Exclude<PlaceUse, { kind: 'refused' }>;
  readonly exists: boolean;
  readonly mountPoint: string;
  readonly fileSystem: string;
  /** As `scan` names it. */
  readonly disk: string;
  /** Whom it, or the first parent that is there, belongs to. */
  readonly owner: { readonly uid: number; readonly gid: number };
  /** That first parent, or itself. */
  readonly nearest: string;
}

/** Looks at one place and changes nothing. Refuses what cannot hold data (exit 3), and what does not answer. */
export async function lookAtPlace(
  context: Context,
  project: Project | undefined,
  path: string,
  jobs: readonly JobLook[],
): Promise<Place> {
  const { files } = context.ports;
  const host = await context.ports.host();
  if (!(await host.answers(path, ANSWERS_MS)))
    throw invalid(
      'place-silent',
      `${path} does not answer: is it a share that is gone, or a disk that dies?`,
    );
  const nearest = await nearestThere(context, path);
  const realNearest = await files.realPath(nearest);
  const realPath = realNearest + path.slice(nearest.length);
  const mount = await host.place(realNearest);
  const mountPoint = mount?.mountPoint ?? '/';
  const seen = await see(context, path, realPath === mountPoint && path === nearest);
  const use = judgePlace(path, seen);
  if (use.kind === 'refused')
    throw new SmeshError(use.code, ExitCode.invalid, use.message, {
      hint: `Nothing was changed. ${use.hint}`,
    });
  if (mount?.readOnly === true)
    throw invalid(
      'read-only',
      `${path} is on a read-only mount (${mountPoint}): data there can be proved, but not made`,
      `Mount it for writing: mount -o remount,rw ${mountPoint}   A disk that became read-only by itself has errors: dmesg`,
    );
  const owner = await files.facts(nearest);
  if (owner?.kind !== 'directory')
    throw invalid(
      'not-a-directory',
      `${path} cannot be made: ${nearest} is no directory`,
      'Name another one.',
    );
  const scanner = await context.ports.scanner();
  return {
    ...{ path, realPath, use, mountPoint, nearest },
    exists: seen.kind !== 'absent',
    fileSystem: mount?.fileSystem ?? 'unknown',
    disk: scanner.diskNames([realNearest]).get(realNearest) ?? mountPoint,
    freeBytes: await files.freeBytes(nearest),
    plannedBytes: project === undefined ? 0 : await plannedOn(context, project, jobs, mountPoint),
    owner: { uid: owner?.uid ?? 0, gid: owner?.gid ?? 0 },
  };
}

/** What jobs have yet to write on one file system, bytes. */
async function plannedOn(
  context: Context,
  project: Project,
  jobs: readonly JobLook[],
  mountPoint: string,
): Promise<number> {
  const host = await context.ports.host();
  let planned = 0;
  for (const { job, state, fileSystem } of jobs) {
    // A directory that is not there yet is on the file system of its parents.
    if ((fileSystem ?? (await host.place(job.data))?.mountPoint) !== mountPoint) continue;
    const { bytes, expectedBytes } = ('progress' in state ? state.progress : undefined) ?? {
      bytes: 0,
      expectedBytes: jobFiles(job, project.network).bytes,
    };
    planned += Math.max(0, expectedBytes - bytes);
  }
  return planned;
}

/** What the jobs of the project have done; a project without jobs looks at nothing. */
export async function lookAtAllJobs(context: Context, project: Project): Promise<readonly JobLook[]> {
  return (project.initialisation?.jobs ?? []).length === 0 ? [] : lookAtJobs(context, project);
}

async function nearestThere({ ports: { files } }: Context, path: string): Promise<string> {
  let place = path;
  try {
    while ((await files.facts(place)) === undefined && place !== dirname(place)) {
      // Nothing could be made there, and whose disk it would be nobody knows.
      if (await files.exists(place))
        throw invalid('link-to-nowhere', `${place} is a link to what is not there`, 'Is its disk mounted?');
      place = dirname(place);
    }
    return place;
  } catch (error) {
    throw forbidden(path, error);
  }
}

async function see({ ports: { files } }: Context, path: string, isMountPoint: boolean): Promise<PlaceSeen> {
  const facts = await files.facts(path);
  if (facts === undefined) return { kind: 'absent', isMountPoint: false, entries: [] };
  if (facts.kind !== 'directory') return { kind: 'other', isMountPoint, entries: [] };
  try {
    const entries = (await files.list(path)).map(({ name, kind }) => ({
      name,
      isDirectory: kind === 'directory',
    }));
    const metadata = entries.some(({ name }) => name === METADATA_FILE)
      ? await files.readText(`${path}/${METADATA_FILE}`)
      : undefined;
    return { kind: 'directory', isMountPoint, entries, ...(metadata === undefined ? {} : { metadata }) };
  } catch (error) {
    throw forbidden(path, error);
  }
}

function forbidden(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code !== 'EACCES' && code !== 'EPERM') return error;
  return invalid('place-forbidden', `You may not look into ${path}`, 'Run it as its owner, or with sudo.');
}

function invalid(code: string, message: string, hint?: string): SmeshError {
  return new SmeshError(code, ExitCode.invalid, message, {
    hint: `Nothing was changed.${hint === undefined ? '' : ` ${hint}`}`,
  });
}

/** What is not wrong and yet to be known of a place before terabytes are written there. */
export function notesOf({ path, fileSystem, mountPoint, use }: Place): readonly string[] {
  const notes: string[] = [];
  if (isNetworkFileSystem(fileSystem))
    notes.push(
      `${path} is on a network share (${fileSystem}): every proof reads all of it through the network, and a break stops the initialisation.`,
    );
  else if (isFuse(fileSystem))
    notes.push(
      `${path} is on a FUSE mount (${fileSystem}): it is slower than the disk below it, and may spread the files over several disks.`,
    );
  else if (fileSystem === 'tmpfs' || fileSystem === 'ramfs')
    notes.push(`${path} is in memory (${fileSystem}): after a reboot the data is gone.`);
  if (mountPoint === '/' && use.kind !== 'data')
    notes.push(`${path} lies on the disk of the system (/): is the disk that you mean mounted?`);
  return notes;
}

/**
 * Writes a file and takes it away again: modes and mount options do not know access lists, root squash or a disk that has
 * become read-only (scenario S12). Refuses where it cannot be written (exit 3).
 */
export async function probeWriting(context: Context, place: Place, folder = place.nearest): Promise<void> {
  const { files, system } = context.ports;
  const probe = `${folder}/${WRITE_TEST}`;
  try {
    // Of a run that was killed.
    await files.removeLeftovers(folder);
    await files.removeOwn(probe);
    await files.writeNew(probe, 'smesh-compose looks whether it can write here\n', { mode: 0o600 });
    await files.removeOwn(probe);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'EROFS')
      throw invalid(
        'read-only',
        `${folder} is read-only: data there can be proved, but not made`,
        'A disk that became read-only by itself has errors: dmesg tells which.',
      );
    if (code === 'EACCES' || code === 'EPERM')
      throw invalid(
        'place-forbidden',
        `You may not write in ${folder} (it belongs to user ${place.owner.uid}, you are user ${system.user.uid})`,
        `Run it with sudo, or give the directory to yourself: sudo chown ${system.user.uid}:${system.user.gid} ${folder}`,
      );
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw invalid('no-room', `${folder} is full (${code})`, 'Name another disk.');
    throw error;
  }
}
