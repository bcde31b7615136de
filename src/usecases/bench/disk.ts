import { diskRate, LEAST_BYTES, SPOTS, spread } from '../../domain/bench/disk-rate.ts';
import { type DiskResult, readsDirectly } from '../../domain/bench/result.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import { diskBenchDocument, renderDiskBench } from '../../ui/bench.ts';
import { formatBytes, formatDuration, plural } from '../../ui/units.ts';
import { chooseIdentities } from '../choose-identities.ts';
import type { Context } from '../context.ts';
import { fromWorkingDirectory } from '../init/options.ts';
import { loadProjectIfPresent } from '../load-project.ts';
import { type BenchDisk, type DataPlace, findDisks, placesOf } from './disks-of-project.ts';
import { keepDiskRates } from './keep-rates.ts';
import { refuseBusyDisks } from './refuse-busy.ts';

export interface DiskBenchOptions {
  /** Names or smesher IDs of identities, and directories; empty: the whole project. */
  readonly words: readonly string[];
  /** Milliseconds for each disk. */
  readonly forMs: number;
  readonly oneByOne: boolean;
  readonly force: boolean;
}

/**
 * Measures how fast the disks of a project read, at the same time as the schedule would use them, and keeps it for the
 * forecast. Reads PoST data and changes nothing of them. Exit 5 while anything proves on one of the disks.
 */
export async function runDiskBench(context: Context, options: DiskBenchOptions): Promise<ExitCode> {
  const loaded = await loadProjectIfPresent(context);
  const places = choosePlaces(context, loaded?.project, options.words);
  const { disks, left } = await findDisks(context, places);
  if (disks.length === 0) {
    throw new SmeshError('no-data', ExitCode.invalid, 'There is no PoST data to read', {
      details: left.map(({ path, reason }) => `${path}: ${reason}`),
    });
  }
  if (loaded !== undefined && !options.force) await refuseBusyDisks(context, loaded.project, disks);
  const total = options.oneByOne ? disks.length * options.forMs : options.forMs;
  context.out.note(
    `Reading from ${plural(disks.length, 'disk')}${disks.length > 1 && !options.oneByOne ? ' at the same time' : ''}, about ${formatDuration(total)} …`,
  );
  const measure = (disk: BenchDisk) => measureDisk(context, disk, options.forMs);
  const results = options.oneByOne ? await inTurn(disks, measure) : await Promise.all(disks.map(measure));
  const kept = loaded !== undefined && (await keepDiskRates(context, results));
  const report = { at: context.clock.now(), results, left, kept, together: !options.oneByOne };
  if (context.json) context.out.json(diskBenchDocument(report));
  else context.out.result(renderDiskBench(report, context.out).join('\n'));
  const all = left.length === 0 && results.every(({ kind }) => kind === 'measured');
  return !all ? ExitCode.unhealthy : ExitCode.ok;
}

/** A word with a slash is a directory; names of identities hold none. */
function choosePlaces(
  { directory }: Context,
  project: Project | undefined,
  words: readonly string[],
): readonly DataPlace[] {
  const isPath = (word: string) => word.includes('/') || word === '.' || word === '..';
  const paths = words.filter(isPath).map(fromWorkingDirectory);
  const names = words.filter((word) => !isPath(word));
  if (project === undefined) {
    if (names.length === 0 && paths.length > 0) return paths.map((path) => ({ path }));
    throw new SmeshError('no-project', ExitCode.invalid, `There is no smesh.yaml in ${directory}`, {
      hint: 'Name a project (-C DIR), or PoST directories: smesh-compose bench disk /mnt/d1/post01',
    });
  }
  const chosen = words.length > 0 && names.length === 0 ? [] : chooseIdentities(project, names);
  const others = paths.map((path): DataPlace => {
    const identity = project.identities.find(({ data }) => data === path);
    return identity === undefined ? { path } : { path, identity };
  });
  return [...placesOf(project, chosen), ...others];
}

async function measureDisk(context: Context, disk: BenchDisk, forMs: number): Promise<DiskResult> {
  const { ports, signal } = context;
  const named = {
    disk: disk.disk,
    services: disk.places.map(({ identity, path }) => identity?.name ?? path),
  };
  const reader = await ports.diskSpeed();
  const speed = await reader.read(spread(disk.files, SPOTS), { forMs, signal });
  switch (speed.kind) {
    case 'silent':
      return { ...named, kind: 'failed', reason: 'does not answer any more' };
    case 'unreadable':
      return { ...named, kind: 'failed', reason: `${speed.path}: ${speed.reason}` };
    case 'measured': {
      const rate = diskRate(speed.spots);
      if (rate === undefined) return { ...named, kind: 'failed', reason: 'its files are empty' };
      const direct = readsDirectly(speed.direct, disk.fileSystem);
      const why = speed.hollow
        ? 'its files have holes: there is no data in them yet'
        : whyNot(rate.bytes, direct, disk.fileSystem);
      return {
        ...named,
        kind: 'measured',
        rate,
        direct,
        counts: why === undefined,
        ...(why === undefined ? {} : { why }),
      };
    }
  }
}

function whyNot(bytes: number, direct: boolean, fileSystem: string | undefined): string | undefined {
  if (bytes < LEAST_BYTES) return `only ${formatBytes(bytes)} could be read in that time`;
  if (!direct) {
    return `${fileSystem ?? 'its file system'} reads only through a cache, so this may be faster than the disk`;
  }
  return undefined;
}

async function inTurn<T, R>(all: readonly T[], act: (one: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (const one of all) results.push(await act(one));
  return results;
}
