import { epochClock } from '../../../src/domain/poet/epochs.ts';
import { decide } from '../../../src/domain/schedule/decide.ts';
import { DEFAULT_HOST, type Farm, policyFor, simulatedId } from '../../../src/domain/simulation/farm.ts';
import { simulate } from '../../../src/domain/simulation/simulate.ts';
import type { RigTimes } from './schedule-rig.ts';

/** `/status` counts in steps that are larger than the data of these tests; only bytes over rate matters. */
const BYTES = 10e9;

/** Measured: a stand-in is connected within a second of its start. */
const CONNECT_MS = [500, 1000] as const;

/** From a line in a log to the end of the look that it wakes: 200 ms in which more may come, and the look. */
const WAKE_MS = 500;

/**
 * What an act takes on this machine as it is, by what `run --json` said: from the look to its end, milliseconds; of
 * several at once each a part.
 */
export function actMs(lines: readonly Readonly<Record<string, unknown>>[]): number {
  const times: number[] = [];
  let acts: number[] = [];
  for (const { kind, at } of lines) {
    const time = Date.parse(String(at));
    if (kind === 'act') acts.push(time);
    if (kind !== 'tick') continue;
    if (acts.length > 0) times.push((Math.max(...acts) - time) / acts.length);
    acts = [];
  }
  if (times.length === 0) throw new Error('nothing was done');
  return times.reduce((sum, time) => sum + time, 0) / times.length;
}

/**
 * How long the simulator says that everybody's first proof takes, milliseconds, with the durations of the stand-ins: from
 * the first start of a container to the last proof that the node has.
 *
 * @param disks by service, in the order of smesh.yaml
 * @param act what an act takes, milliseconds
 */
export function simulatedMakespan(
  disks: ReadonlyMap<string, string>,
  times: RigTimes,
  budgets: { readonly k2powSlots: number; readonly memoryBytes: number; readonly lookEveryMs: number },
  act: number,
): number {
  const hashes = 1000;
  const cores = 16;
  const clock = epochClock(
    { genesisTime: '2026-01-01T00:00:00Z', layerSeconds: 2, layersPerEpoch: 300 },
    { phaseShift: 400, cycleGap: 500, gracePeriod: 40 },
  );
  const farm: Farm = {
    identities: [...disks].map(([name, disk], index) => ({
      id: simulatedId(index + 1),
      name,
      disk,
      units: 2,
      bytes: BYTES,
      settings: { nonces: times.groups * 16, threads: 1, randomx: 'fast', tellsGroups: true },
      demand: 'initial',
    })),
    disks: new Map(
      [...new Set(disks.values())].map((disk) => [
        disk,
        { bytesPerSecond: (BYTES / times.readMs) * 1000, spinning: true },
      ]),
    ),
    host: {
      ...DEFAULT_HOST,
      cores,
      // What one thread does in a group's time is one group.
      hashesPerSecond: (hashes / times.groupMs) * 1000 * cores,
      hashesPerUnitGroup: hashes / 2,
      scanBytesPerCore: Number.MAX_SAFE_INTEGER,
      datasetMs: times.prepareMs,
    },
    node: {
      clock,
      startsAt: clock.genesis + 1000,
      poetDelayMs: 0,
      tellsProgress: true,
      connectMs: CONNECT_MS,
    },
  };
  const pass = { groupHashes: Array.from({ length: times.groups }, () => hashes), fraction: 1 };
  const { identities, violations } = simulate({
    farm,
    draws: new Map(farm.identities.map(({ id }) => [id, { passes: [pass] }])),
    policy: policyFor(farm, budgets),
    decide,
    actMs: act,
    wakeMs: WAKE_MS,
  });
  const ends = identities.map(({ doneAt }) => doneAt ?? Number.POSITIVE_INFINITY);
  if (!ends.every(Number.isFinite)) throw new Error('not everybody was served in the simulation');
  if (violations.some(({ kind }) => kind === 'disk')) throw new Error('two readers in the simulation');
  return Math.max(...ends) - Math.min(...identities.flatMap(({ starts }) => starts));
}
