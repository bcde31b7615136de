import fc from 'fast-check';
import { cycleGap, type EpochClock } from '../../../../src/domain/poet/epochs.ts';
import type { SchedulePolicy } from '../../../../src/domain/schedule/policy.ts';
import { DEFAULT_HOST, type Farm, policyFor, simulatedId } from '../../../../src/domain/simulation/farm.ts';
import type { Fault } from '../../../../src/domain/simulation/faults.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const GIB = 2 ** 30;

/** Epochs of four days: everybody has time enough to be served, late or not. */
const CLOCK: EpochClock = {
  genesis: Date.parse('2026-01-01T00:00:00Z'),
  epoch: 96 * HOUR,
  layer: 5 * MINUTE,
  phaseShift: 24 * HOUR,
  cycleGap: 12 * HOUR,
  gracePeriod: HOUR,
};

/** Units of a quarter of mainnet's: less to read, so that k2pow and disks get into each other's way more often. */
const BYTES_PER_UNIT = 16 * GIB;

const REMOTE = 'http://k2pow:3000';

/** A farm, what the schedule believes of it, and what happens to it. */
export interface Case {
  readonly farm: Farm;
  readonly policy: SchedulePolicy;
  readonly faults: readonly Fault[];
  readonly seed: number;
  readonly allRun: boolean;
  readonly actMs: number;
}

const identity = (disks: number) =>
  fc.record({
    disk: fc.integer({ min: 1, max: disks }),
    units: fc.integer({ min: 4, max: 12 }),
    nonces: fc.constantFrom(32, 64, 128, 288),
    threads: fc.constantFrom(0, 0, 0, 1, 2),
    mode: fc.constantFrom('fast', 'fast', 'fast', 'fast', 'light', 'remote'),
    tellsGroups: fc.constantFrom(true, true, true, true, false),
    demand: fc.constantFrom('gap', 'gap', 'gap', 'gap', 'gap', 'initial', 'none'),
  });

const farmAndPolicy = fc
  .integer({ min: 1, max: 4 })
  .chain((disks) =>
    fc.record({
      rates: fc.array(fc.integer({ min: 60, max: 250 }), { minLength: disks, maxLength: disks }),
      spinning: fc.boolean(),
      identities: fc.array(identity(disks), { minLength: 1, maxLength: 9 }),
      cores: fc.constantFrom(2, 4, 16),
      hashes: fc.integer({ min: 1500, max: 9000 }),
      physical: fc.integer({ min: 3, max: 40 }),
      deepHeldAnswers: fc.boolean(),
      tellsProgress: fc.constantFrom(true, true, true, false),
      poetDelayMs: fc.integer({ min: 0, max: 20 * MINUTE }),
      policy: fc.record({
        k2powSlots: fc.constantFrom(1, 1, 1, 2, 3),
        worksAhead: fc.constantFrom(true, true, true, false),
        lookEveryMs: fc.constantFrom(10_000, 20_000, 60_000),
        threads: fc.constantFrom(undefined, undefined, 2, 6),
        /** What is believed of k2pow and disks, of what is true. */
        belief: fc.constantFrom(1, 1, 0.5, 2),
      }),
    }),
  )
  .map((drawn): { readonly farm: Farm; readonly policy: SchedulePolicy } => {
    const farm: Farm = {
      identities: drawn.identities.map(
        ({ disk, units, mode, nonces, threads, tellsGroups, demand }, index) => ({
          id: simulatedId(index + 1),
          name: `post-${index + 1}`,
          disk: `disk-${disk}`,
          units,
          bytes: units * BYTES_PER_UNIT,
          demand,
          settings: {
            nonces,
            threads,
            tellsGroups,
            randomx: mode === 'light' ? 'light' : 'fast',
            ...(mode === 'remote' ? { remoteK2pow: REMOTE } : {}),
          },
        }),
      ),
      disks: new Map(
        drawn.rates.map((rate, index) => [
          `disk-${index + 1}`,
          { bytesPerSecond: rate * 1e6, spinning: drawn.spinning },
        ]),
      ),
      host: {
        ...DEFAULT_HOST,
        cores: drawn.cores,
        hashesPerSecond: drawn.hashes,
        physicalBytes: drawn.physical * GIB,
        deepHeldAnswers: drawn.deepHeldAnswers,
        remote: new Map([[REMOTE, { hashesPerSecond: 5000, datasetMs: 20_000 }]]),
      },
      node: {
        clock: CLOCK,
        startsAt: cycleGap(CLOCK, 3).opens - 10 * MINUTE,
        poetDelayMs: drawn.poetDelayMs,
        tellsProgress: drawn.tellsProgress,
      },
    };
    const { belief, threads, ...known } = drawn.policy;
    const policy = policyFor(farm, { ...known, ...(threads === undefined ? {} : { threads }) });
    const { rates } = policy;
    return {
      farm,
      policy: {
        ...policy,
        rates: {
          ...rates,
          hashesPerSecond: rates.hashesPerSecond * belief,
          diskBytesPerSecond: new Map(
            [...rates.diskBytesPerSecond].map(([disk, rate]) => [disk, rate / belief]),
          ),
        },
      },
    };
  });

/** Farms to which nothing happens. */
export const quietCase: fc.Arbitrary<Case> = fc
  .record({
    drawn: farmAndPolicy,
    seed: fc.nat(),
    actMs: fc.constantFrom(50, 300, 900),
  })
  .map(({ drawn, seed, actMs }) => ({ ...drawn, seed, actMs, faults: [], allRun: false }));

/** When something happens: mostly while they are at work. */
const moment = fc.integer({ min: 1, max: 4 * 60 }).map((minutes) => minutes * MINUTE + 7000);

function faultOf({ farm }: { readonly farm: Farm }): fc.Arbitrary<Fault> {
  const id = fc.constantFrom(...farm.identities.map((identity) => identity.id));
  const disk = fc.constantFrom(...farm.disks.keys());
  const lasting = { at: moment, lasts: fc.integer({ min: 5, max: 90 * 60 }) };
  const forAWhile = <K extends string>(kind: K) =>
    fc.record(lasting).map(({ at, lasts }) => ({ kind, at, until: at + lasts * 1000 }));
  return fc.oneof(
    fc.record({
      kind: fc.constantFrom('prover-crashes', 'prover-oom', 'person-restarts', 'person-stops'),
      at: moment,
      id,
    }),
    fc.record({ kind: fc.constantFrom('proof-fails', 'proof-invalid', 'half-open'), at: moment, id }),
    fc.record({ kind: fc.constant('person-starts-all'), at: moment }),
    fc.record({
      kind: fc.constant('node-restarts'),
      at: moment,
      downMs: fc.integer({ min: 2, max: 600 }).map((seconds) => seconds * 1000),
      idleMs: fc.integer({ min: 0, max: 600 }).map((seconds) => seconds * 1000),
    }),
    fc.oneof(
      fc.record({ kind: fc.constant('disk-vanishes'), at: moment, disk }),
      fc.record({ ...lasting, disk }).map(({ at, lasts, disk }) => ({
        kind: 'disk-vanishes' as const,
        at,
        until: at + lasts * 1000,
        disk,
      })),
    ),
    forAWhile('loop-dead'),
    forAWhile('node-unreachable'),
    forAWhile('engine-unreachable'),
    fc
      .record({ ...lasting, id, kind: fc.constantFrom('service-silent', 'log-missing') })
      .map(({ at, lasts, id, kind }) => ({ kind, at, until: at + lasts * 1000, id })),
  ) as fc.Arbitrary<Fault>;
}

/** Farms to which a few things happen, in any order and on top of each other. */
export const troubledCase: fc.Arbitrary<Case> = fc
  .record({ quiet: quietCase, allRun: fc.constantFrom(false, false, false, true) })
  .chain(({ quiet, allRun }) =>
    fc
      .array(faultOf(quiet), { minLength: 1, maxLength: 5 })
      .map((faults) => ({ ...quiet, allRun, faults: disjoint(faults) })),
  );

/** What hides the same thing twice at a time would be over with the first of them. */
function disjoint(faults: readonly Fault[]): Fault[] {
  const kept: Fault[] = [];
  for (const fault of [...faults].sort((a, b) => a.at - b.at)) {
    if (!kept.some((other) => overlaps(other, fault))) kept.push(fault);
  }
  return kept;
}

function overlaps(a: Fault, b: Fault): boolean {
  if (a.kind !== b.kind) return false;
  const end =
    'until' in a
      ? (a.until ?? Number.POSITIVE_INFINITY)
      : a.kind === 'node-restarts'
        ? a.at + a.downMs + a.idleMs
        : a.at;
  return b.at <= end + 1000;
}
