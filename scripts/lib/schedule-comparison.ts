import { currentOrNextGap } from '../../src/domain/poet/epochs.ts';
import { lowerBound, mostInTime } from '../../src/domain/simulation/bound.ts';
import { drawFarm, type Farm, policyFor } from '../../src/domain/simulation/farm.ts';
import { seededRandom } from '../../src/domain/simulation/random.ts';
import type { SimulationResult } from '../../src/domain/simulation/record.ts';
import { type PolicyFunction, simulate } from '../../src/domain/simulation/simulate.ts';
import { spread } from './bench.ts';

/** What a policy makes of a farm, over several draws of luck. */
export interface PolicyOutcome {
  readonly policy: string;
  /** Makespan over the lower bound of the same luck, median. Infinity: not everybody was served. */
  readonly ratio: number;
  /** Median, milliseconds. */
  readonly makespanMs: number;
  /** Registered before the round started, summed over all draws. */
  readonly registered: number;
  /** Out of so many. */
  readonly due: number;
  /** So many could be at most, whatever the schedule. */
  readonly possible: number;
  /** Unit-epochs without rewards, mean of the draws: one for each epoch that is missed, times units. */
  readonly lostUnitEpochs: number;
  readonly peakMemoryBytes: number;
  readonly lostByActs: number;
}

/** Runs every policy on the same farm with the same luck. */
export function comparePolicies(
  farm: Farm,
  policies: ReadonlyMap<string, PolicyFunction>,
  seeds: readonly number[],
  lookEveryMs = 30_000,
): readonly PolicyOutcome[] {
  const schedule = policyFor(farm, { lookEveryMs });
  return [...policies].map(([policy, decide]) => {
    const runs = seeds.map((seed) => {
      const draws = drawFarm(farm, seededRandom(seed));
      const result = simulate({ farm, draws, policy: schedule, decide, seed });
      const possible = mostInTime(farm, draws, timeIn(farm));
      return { result, possible, bound: lowerBound(farm, draws, schedule).ms };
    });
    return {
      policy,
      ratio: spread(runs.map(({ result, bound }) => (result.makespanMs ?? Number.POSITIVE_INFINITY) / bound))
        .median,
      makespanMs: spread(runs.map(({ result }) => result.makespanMs ?? Number.POSITIVE_INFINITY)).median,
      registered: runs.reduce((sum, { result }) => sum + registeredIn(result), 0),
      due: runs.length * farm.identities.length,
      possible: runs.reduce((sum, { possible }) => sum + possible, 0),
      lostUnitEpochs: runs.reduce((sum, { result }) => sum + lostIn(result), 0) / runs.length,
      peakMemoryBytes: Math.max(...runs.map(({ result }) => result.peakMemoryBytes)),
      lostByActs: runs.reduce(
        (sum, { result }) => sum + result.lost.filter(({ cause }) => cause === 'ours').length,
        0,
      ),
    };
  });
}

/** From the moment when the node wants the proofs until the round starts. */
function timeIn({ node }: Farm): number {
  const { opens, closes } = currentOrNextGap(node.clock, node.startsAt);
  return closes - opens - node.poetDelayMs;
}

function registeredIn({ identities }: SimulationResult): number {
  return identities.filter(({ registeredAt }) => registeredAt !== undefined).length;
}

/** Who does not publish loses the next epoch and, without a registration, the one after it (operators.md §0.2). */
function lostIn({ identities }: SimulationResult): number {
  let lost = 0;
  for (const { units, publishedAt, registeredAt } of identities) {
    // A simulation ends with the publish epoch: what is out by then is in time.
    if (publishedAt === undefined) lost += units;
    if (registeredAt === undefined) lost += units;
  }
  return lost;
}
