import { cycleGap, type EpochClock } from '../../src/domain/poet/epochs.ts';
import type { ProvingSettings } from '../../src/domain/schedule/observation.ts';
import {
  BYTES_PER_UNIT,
  DEFAULT_HOST,
  type Farm,
  type FarmHost,
  type FarmIdentity,
  simulatedId,
} from '../../src/domain/simulation/farm.ts';
import { between, seededRandom } from '../../src/domain/simulation/random.ts';

/** A farm that policies are compared on. */
export interface BenchFarm {
  readonly name: string;
  readonly farm: Farm;
}

const HOUR = 3_600_000;

/** Mainnet: 14 days, a gap of 12 hours. */
export const MAINNET_CLOCK: EpochClock = {
  genesis: Date.parse('2023-07-14T08:00:00Z'),
  epoch: 336 * HOUR,
  layer: 300_000,
  phaseShift: 240 * HOUR,
  cycleGap: 12 * HOUR,
  gracePeriod: HOUR,
};

const GAP = cycleGap(MAINNET_CLOCK, 87);

interface Shape {
  readonly name: string;
  /** Bytes per second of each disk. */
  readonly disks: readonly number[];
  /** Units of each identity, by disk. */
  readonly units: readonly (readonly number[])[];
  readonly host?: Partial<FarmHost>;
  readonly settings?: Partial<ProvingSettings>;
  readonly spinning?: boolean;
}

const GIB = 2 ** 30;

/** Identities stand in the configuration in turn over the disks, as a scan lists them: all first ones, all second ones. */
function farmOf({ name, disks, units, host, settings, spinning = true }: Shape): BenchFarm {
  const identities: FarmIdentity[] = [];
  units.forEach((onDisk, disk) => {
    for (const size of onDisk) {
      const number = identities.length + 1;
      identities.push({
        id: simulatedId(number),
        name: `post-${String(number).padStart(4, '0')}`,
        disk: `disk-${disk + 1}`,
        units: size,
        bytes: size * BYTES_PER_UNIT,
        settings: { nonces: 288, threads: 0, randomx: 'fast', tellsGroups: true, ...settings },
        demand: 'gap',
      });
    }
  });
  return {
    name,
    farm: {
      identities,
      disks: new Map(disks.map((bytesPerSecond, disk) => [`disk-${disk + 1}`, { bytesPerSecond, spinning }])),
      host: { ...DEFAULT_HOST, ...host },
      node: {
        clock: MAINNET_CLOCK,
        startsAt: GAP.opens - 60_000,
        poetDelayMs: 5 * 60_000,
        tellsProgress: true,
      },
    },
  };
}

function same<T>(times: number, value: T): T[] {
  return Array.from({ length: times }, () => value);
}

/** Sizes between two numbers of units, from a seed. */
function mixed(seed: number, disks: number, each: number, least: number, most: number): number[][] {
  const random = seededRandom(seed);
  return Array.from({ length: disks }, () =>
    Array.from({ length: each }, () => Math.round(between(random, least, most))),
  );
}

/** The farms of the benchmark: usual ones, and one for each thing that can be scarce. */
export function benchFarms(): readonly BenchFarm[] {
  const full = same(5, same(4, 36));
  const remote = 'http://k2pow:3000';
  return [
    { name: '20 ids, 5 disks, 180 MB/s', disks: same(5, 180e6), units: full },
    { name: '20 ids, 5 disks, 230 MB/s', disks: same(5, 230e6), units: full },
    { name: 'half-full disks', disks: same(5, 180e6), units: same(5, same(4, 18)) },
    {
      name: 'weak CPU: 1 kH/s, scan 120 MB/s',
      disks: same(5, 180e6),
      units: full,
      host: { cores: 4, hashesPerSecond: 1000, scanBytesPerCore: 30e6 },
    },
    { name: 'one disk, 8 ids', disks: [200e6], units: [same(8, 18)] },
    { name: 'one id per disk, 10 disks', disks: same(10, 180e6), units: same(10, [48]) },
    { name: 'mixed sizes, mixed disks', disks: [150e6, 180e6, 220e6, 260e6], units: mixed(7, 4, 4, 4, 60) },
    {
      name: '16 GiB, 10 ids, 10 disks',
      disks: same(10, 180e6),
      units: mixed(8, 10, 1, 12, 48),
      host: { physicalBytes: 16 * GIB },
    },
    { name: '48 small ids, 6 disks', disks: same(6, 180e6), units: same(6, same(8, 6)) },
    { name: '40 ids, 10 disks, does not fit', disks: same(10, 180e6), units: mixed(9, 10, 4, 24, 46) },
    {
      name: 'remote k2pow, 12 ids, 4 disks',
      disks: same(4, 200e6),
      units: same(4, same(3, 36)),
      host: { remote: new Map([[remote, { hashesPerSecond: 6000, datasetMs: 40_000 }]]) },
      settings: { remoteK2pow: remote },
    },
    {
      name: 'fast disks, 2 kH/s, 16 ids',
      disks: same(2, 500e6),
      units: mixed(10, 2, 8, 12, 36),
      host: { hashesPerSecond: 2000, cores: 8 },
      spinning: false,
    },
  ].map(farmOf);
}
