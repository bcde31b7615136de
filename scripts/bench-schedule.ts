/**
 * The schedule beside what people use today, on seeded farms in the simulator (docs/simulation.md): makespan over the
 * lower bound, who registers in time, what is lost, peak memory. Prints a table and whether ours is ever worse; never
 * fails on time.
 *
 *   npx tsx scripts/bench-schedule.ts [seeds]
 */
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { decide } from '../src/domain/schedule/decide.ts';
import { spread } from './lib/bench.ts';
import { comparePolicies, type PolicyOutcome } from './lib/schedule-comparison.ts';
import { benchFarms } from './lib/schedule-farms.ts';
import { OTHER_POLICIES } from './lib/schedule-policies.ts';

const seeds = Array.from({ length: Number(process.argv[2] ?? 3) }, (_, index) => index + 1);
const policies = new Map([['ours', decide], ...OTHER_POLICIES]);

/** Half a percent is luck of polling and starts. */
const SAME = 1.005;

console.log('| farm | policy | makespan | × lower bound | registered in time | unit-epochs lost | memory |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
const began = performance.now();
const ratios: number[] = [];
const worse: string[] = [];
for (const { name, farm } of benchFarms()) {
  const outcomes = comparePolicies(farm, policies, seeds);
  for (const outcome of outcomes) console.log(lineOf(name, outcome));
  const [ours, ...others] = outcomes;
  if (ours === undefined) continue;
  ratios.push(ours.ratio);
  for (const other of others) {
    if (ours.makespanMs > other.makespanMs * SAME) worse.push(`${name}: slower than ${other.policy}`);
    if (ours.registered < other.registered) worse.push(`${name}: fewer registered than ${other.policy}`);
  }
}
const { median, max } = spread(ratios);
const seconds = ((performance.now() - began) / 1000).toFixed(0);
console.log(
  `ours: ${median.toFixed(3)} × the lower bound (median of ${ratios.length} farms, at most ${max.toFixed(3)}), ${seconds} s`,
);
console.log(worse.length === 0 ? 'ours is never worse' : `ours is worse:\n  ${worse.join('\n  ')}`);

function lineOf(farm: string, outcome: PolicyOutcome): string {
  const { policy, makespanMs, ratio, registered, possible, due, lostUnitEpochs, peakMemoryBytes } = outcome;
  const cells = [
    farm,
    policy,
    Number.isFinite(makespanMs) ? `${(makespanMs / 3_600_000).toFixed(1)} h` : 'not all',
    Number.isFinite(ratio) ? ratio.toFixed(2) : '–',
    `${registered} of ${due}${possible < due ? ` (${possible} possible)` : ''}`,
    lostUnitEpochs.toFixed(0),
    `${(peakMemoryBytes / 2 ** 30).toFixed(1)} GiB`,
  ];
  return `| ${cells.join(' | ')} |`;
}
