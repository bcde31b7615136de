import { JOB_RECORD, type JobRecord, readJobRecord, recordOf } from '../../domain/post-init/job-record.ts';
import type { JobLook } from '../../domain/post-init/job-state.ts';
import { type FolderSeen, judgeJob } from '../../domain/post-init/judge-job.ts';
import type { InitialisationJob, Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { within } from '../observe/question.ts';
import { lookAtFolder } from './look-at-folder.ts';

const PATIENCE_MS = 4000;
/** Thousands of files on a disk that somebody reads take their time. */
const LIST_MS = 30_000;
const LOOKS_AT_ONCE = 8;

interface Place {
  readonly folder: FolderSeen;
  readonly realPath?: string;
}

/**
 * What the files say of each initialisation job of the project, in the order of smesh.yaml. Changes nothing. A disk that
 * does not answer is `away`; nothing behind a mount point that hung once is touched again, because a thread that waits
 * there could not be ended.
 */
export async function lookAtJobs(context: Context, project: Project): Promise<readonly JobLook[]> {
  const jobs = project.initialisation?.jobs ?? [];
  if (jobs.length === 0) return [];
  const record = await loadJobRecord(context);
  const places = await lookAtPlaces(context, [
    ...new Set(jobs.flatMap(({ data, into }) => [data, ...(into === undefined ? [] : [into])])),
  ]);
  const scanner = await context.ports.scanner();
  const disks = scanner.diskNames([...places.values()].flatMap(({ realPath }) => realPath ?? []));
  return Promise.all(jobs.map((job) => judge(context, project, job, { places, disks, record })));
}

interface Seen {
  readonly places: ReadonlyMap<string, Place>;
  readonly disks: ReadonlyMap<string, string>;
  readonly record: JobRecord;
}

async function judge(
  context: Context,
  project: Project,
  job: InitialisationJob,
  { places, disks, record }: Seen,
): Promise<JobLook> {
  const { ports, clock } = context;
  const place = places.get(job.data);
  const folder = place?.folder;
  const into = job.into === undefined ? undefined : places.get(job.into)?.folder;
  const realPath = place?.realPath;
  const host = await ports.host();
  const mount = realPath === undefined ? undefined : await host.place(realPath);
  const last = recordOf(record, job);
  const state = judgeJob(job, project.network, {
    data: folder ?? { kind: 'missing' },
    ...(into === undefined ? {} : { into }),
    ...(mount === undefined ? {} : { readOnly: mount.readOnly, fileSystem: mount.mountPoint }),
    ...(last === undefined ? {} : { last }),
  });
  const free =
    realPath === undefined ? undefined : await within(clock, ports.files.freeBytes(realPath), PATIENCE_MS);
  const disk = disks.get(realPath ?? '');
  return {
    job,
    state,
    ...(folder?.kind === 'seen'
      ? {
          sizes: new Map(folder.files.map(({ index, size }) => [index, size])),
          ...(folder.writtenAt === undefined ? {} : { writtenAt: folder.writtenAt }),
        }
      : {}),
    ...(free === undefined ? {} : { freeBytes: free }),
    ...(mount === undefined ? {} : { fileSystem: mount.mountPoint }),
    ...(disk === undefined ? {} : { disk }),
  };
}

async function lookAtPlaces(context: Context, paths: readonly string[]): Promise<ReadonlyMap<string, Place>> {
  const { ports, clock } = context;
  const host = await ports.host();
  const seen = new Map<string, Place>();
  const hanging = new Set<string>();
  const queue = [...paths];
  const look = async (): Promise<void> => {
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      // By its name alone: to follow links is to touch it.
      const mount = (await host.place(path))?.mountPoint ?? '/';
      const answers = !hanging.has(mount) && (await host.answers(path, PATIENCE_MS));
      const place = answers ? await within(clock, lookAtPlace(context, path), LIST_MS) : undefined;
      if (place === undefined && mount !== '/') hanging.add(mount);
      seen.set(path, place ?? { folder: { kind: 'late' } });
    }
  };
  await Promise.all(Array.from({ length: LOOKS_AT_ONCE }, look));
  return seen;
}

async function lookAtPlace({ ports: { files } }: Context, path: string): Promise<Place> {
  const folder = await lookAtFolder(files, path);
  if (folder.kind === 'missing') return { folder };
  const realPath = await files.realPath(path).catch(() => undefined);
  return realPath === undefined ? { folder } : { folder, realPath };
}

/** What earlier looks found; one that cannot be read counts as none. */
export async function loadJobRecord({ ports, directory }: Context): Promise<JobRecord> {
  return readJobRecord(
    await ports.files.readTextIfPresent(`${directory}/${JOB_RECORD}`).catch(() => undefined),
  );
}
