import { type Excess, excess, type Interval } from './schedule-judge.ts';

/* The second witness of who read when: what the services said themselves. */

/** Positions are compared over at least so long. */
const APART_MS = 500;

/** An answer of `/status` while it proves. */
export interface PositionSample {
  readonly at: number;
  readonly service: string;
  readonly pass: number;
  readonly position: number;
}

/**
 * Two of one disk whose positions moved at the same time, by the services' own answers.
 *
 * @param crawl bytes per millisecond: who is no faster is held
 */
export function moversTogether(
  samples: readonly PositionSample[],
  disks: ReadonlyMap<string, string>,
  crawl: number,
  leastMs: number,
): readonly Excess[] {
  const moving = new Map<string, (Interval & { readonly name: string })[]>();
  const last = new Map<string, PositionSample>();
  for (const sample of samples) {
    const { service, at, position } = sample;
    const before = last.get(service);
    const goesOn = before !== undefined && before.pass === sample.pass && position >= before.position;
    // Positions go in steps: between two answers of the same step nobody seems to read.
    if (goesOn && before.position > 0 && at - before.at < APART_MS) continue;
    last.set(service, sample);
    if (!goesOn || before.position === 0) continue;
    if ((position - before.position) / (at - before.at) <= crawl) continue;
    const disk = disks.get(service) ?? service;
    const own = moving.get(disk) ?? [];
    own.push({ name: service, from: before.at, to: at });
    moving.set(disk, own);
  }
  return [...moving].flatMap(([disk, intervals]) => excess(disk, intervals, 1, leastMs));
}
