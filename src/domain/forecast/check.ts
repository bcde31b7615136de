import { deadlines } from '../poet/epochs.ts';
import { decide } from '../schedule/decide.ts';
import { drawFarm } from '../simulation/farm.ts';
import { seededRandom } from '../simulation/random.ts';
import { simulate } from '../simulation/simulate.ts';
import { coarse, farmOf } from './farm-of.ts';
import type { ForecastInput } from './input.ts';
import { beginOf, percentile } from './outcome.ts';
import { quickRun } from './quick-run.ts';
import { withinCores } from './scanning.ts';

/** How far the short form of the schedule is from the schedule itself. */
export interface ModelCheck {
  /** Runs of the schedule itself. */
  readonly runs: number;
  /** Its end by that of the short form, on the same luck: the median of the runs. */
  readonly ratio: number;
  /** Identities that were run: of a large farm some of its disks. */
  readonly identities: number;
}

/** Above these a run of the schedule takes seconds: some of the disks stand for all. */
const MOST_IDENTITIES = 48;

/** Of identities squared and runs: about a second. */
const WORK = 2400;
const MOST_RUNS = 5;

/**
 * Runs the schedule itself (`decide`, in the simulator) on some draws and compares. `undefined`: there is nobody, or none
 * of those runs came to its end within the epoch.
 */
export function checkModel(input: ForecastInput, seed: number): ModelCheck | undefined {
  const part = partOf(withinCores(input));
  const count = part.identities.length;
  if (count === 0) return undefined;
  const runs = Math.min(Math.max(Math.floor(WORK / count ** 2), 1), MOST_RUNS);
  const farm = farmOf(part);
  const random = seededRandom(seed);
  const { registerBy } = deadlines(part.clock, part.epoch);
  const policy = coarse(part.policy, part.clock.cycleGap);
  const ratios: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const draws = drawFarm(farm, random);
    const { makespanMs } = simulate({ farm, draws, policy, decide, seed: seed + run });
    const short = quickRun(part, draws, registerBy - beginOf(part)).endMs;
    if (makespanMs !== undefined && short > 0) ratios.push(makespanMs / short);
  }
  if (ratios.length === 0) return undefined;
  return {
    runs: ratios.length,
    ratio: percentile(
      ratios.toSorted((a, b) => a - b),
      0.5,
    ),
    identities: count,
  };
}

/** As many disks as make few enough identities, and the machine cut down with them. */
function partOf(input: ForecastInput): ForecastInput {
  const { identities, policy } = input;
  if (identities.length <= MOST_IDENTITIES) return input;
  const disks = [...new Set(identities.map(({ disk }) => disk))];
  const taken = new Set<string>();
  let count = 0;
  for (const disk of disks) {
    const more = identities.filter((identity) => identity.disk === disk).length;
    if (count > 0 && count + more > MOST_IDENTITIES) continue;
    taken.add(disk);
    count += more;
  }
  const share = count / identities.length;
  return {
    ...input,
    identities: identities.filter(({ disk }) => taken.has(disk)),
    policy: {
      ...policy,
      memoryBytes: policy.memoryBytes * share,
      rates: { ...policy.rates, hashesPerSecond: policy.rates.hashesPerSecond * share },
    },
  };
}
