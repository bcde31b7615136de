import { ExitCode, SmeshError } from '../domain/errors.ts';
import { runDiskBench } from '../usecases/bench/disk.ts';
import { runK2powBench } from '../usecases/bench/k2pow.ts';
import { type Context, defineCommand, type Invocation } from './command.ts';
import { durationOption, flagOption } from './options.ts';

const DEFAULT_FOR_MS = 10_000;
const LEAST_FOR_MS = 500;
const MOST_FOR_MS = 600_000;

/**
 * `bench disk` and `bench k2pow`: what this machine can do, for the forecast and the schedule.
 *
 * Exit codes: 0 measured (or, for k2pow, nothing to measure yet), 5 something proves on one of the disks, 6 a disk could
 * not be read, 4 Docker cannot be asked who proves.
 */
export const benchCommand = defineCommand({
  name: 'bench',
  summary: 'measure how fast the disks read, and how fast k2pow went',
  description:
    '`bench disk` reads PoST data at several places of every disk, all disks at the same time, past the page cache where the file system lets it; it writes nothing to them and refuses (exit 5) while anything proves there. `bench k2pow` works out the RandomX rate from the logs of proofs that were made. Both keep what they find for forecast and schedule.',
  arguments: [
    { name: '<what>', summary: '`disk` or `k2pow`' },
    {
      name: '[places...]',
      summary: 'with disk: identities (names or smesher IDs) or directories of PoST data; without: all',
    },
  ],
  options: [
    { flags: '--for <duration>', summary: 'with disk: how long each is read (default: 10s)' },
    { flags: '--one-by-one', summary: 'with disk: one after the other instead of all together' },
    { flags: '--force', summary: 'with disk: also while something proves there, which both suffer from' },
  ],
  examples: [
    { command: 'smesh-compose bench disk', summary: 'all disks of the project together, ten seconds' },
    {
      command: 'smesh-compose bench disk /mnt/d7/post11 --for 60s',
      summary: 'one directory, also without a project',
    },
    { command: 'smesh-compose bench k2pow', summary: 'after the first proof' },
  ],
  run,
});

async function run(invocation: Invocation, context: Context): Promise<number> {
  const [what, ...words] = invocation.arguments;
  const given = durationOption(invocation, 'for');
  const oneByOne = flagOption(invocation, 'one-by-one');
  const force = flagOption(invocation, 'force');
  switch (what) {
    case 'disk':
      return runDiskBench(context, { words, forMs: readTime(given), oneByOne, force });
    case 'k2pow':
      if (words.length > 0 || given !== undefined || oneByOne || force) {
        throw new SmeshError(
          'bad-option',
          ExitCode.usage,
          'bench k2pow reads logs: it takes no places and no options',
        );
      }
      return runK2powBench(context);
    default:
      throw new SmeshError(
        'bad-action',
        ExitCode.usage,
        `bench knows no ${JSON.stringify(what)}; there is only: bench disk, bench k2pow`,
      );
  }
}

function readTime(ms: number = DEFAULT_FOR_MS): number {
  if (ms >= LEAST_FOR_MS && ms <= MOST_FOR_MS) return ms;
  throw new SmeshError('bad-option', ExitCode.usage, '--for wants 500ms to 10m');
}
