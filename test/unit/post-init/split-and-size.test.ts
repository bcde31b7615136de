import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { MAINNET, TESTNET, unitBytes } from '../../../src/domain/node/networks.ts';
import { cpuMilliseconds } from '../../../src/domain/post-init/cpu-time.ts';
import { planJobs } from '../../../src/domain/post-init/plan-jobs.ts';
import { readSize, reserveBytes, roomForData, unitsThatFit } from '../../../src/domain/post-init/size.ts';
import { splitFiles } from '../../../src/domain/post-init/split.ts';

const TIB = 2 ** 40;
const GIB = 2 ** 30;

describe('ranges of files', () => {
  it('hold every file once, in order, evenly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 40 }), (files, parts) => {
        const ranges = splitFiles(files, parts);
        expect(ranges).toHaveLength(Math.min(files, parts));
        let next = 0;
        for (const [from, to] of ranges) {
          expect(from).toBe(next);
          expect(to).toBeGreaterThanOrEqual(from);
          next = to + 1;
        }
        expect(next).toBe(files);
        const lengths = ranges.map(([from, to]) => to - from + 1);
        expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('units from free space', () => {
  it('fit with the reserve and all that is planned, and one more each would not', () => {
    const bytes = fc.integer({ min: 0, max: 60 * TIB });
    fc.assert(
      fc.property(bytes, bytes, fc.integer({ min: 1, max: 12 }), (freeBytes, plannedBytes, count) => {
        const room = { freeBytes, plannedBytes };
        const units = unitsThatFit(room, count, MAINNET.post);
        const takes = (each: number) => each * count * unitBytes(MAINNET.post);
        expect(takes(units)).toBeLessThanOrEqual(roomForData(room));
        if (units === 0) expect(takes(MAINNET.post.minUnits)).toBeGreaterThan(roomForData(room));
        else {
          expect(takes(units + 1)).toBeGreaterThan(roomForData(room));
          expect(freeBytes - plannedBytes - takes(units)).toBeGreaterThanOrEqual(reserveBytes(freeBytes));
        }
      }),
    );
  });

  it('are those of a usual disk', () => {
    expect(unitsThatFit({ freeBytes: 4 * TIB, plannedBytes: 0 }, 1, MAINNET.post)).toBe(63);
    expect(unitsThatFit({ freeBytes: 4 * TIB, plannedBytes: 2 * TIB }, 1, MAINNET.post)).toBe(31);
    expect(unitsThatFit({ freeBytes: 300 * GIB, plannedBytes: 0 }, 1, MAINNET.post)).toBe(4);
    expect(unitsThatFit({ freeBytes: 256 * GIB, plannedBytes: 0 }, 1, MAINNET.post)).toBe(0);
    expect(unitsThatFit({ freeBytes: 300 * GIB, plannedBytes: 0 }, 2, MAINNET.post)).toBe(0);
  });

  it.each([
    ['2TiB', 2 * TIB],
    ['500 GiB', 500 * GIB],
    ['1.5TB', 1.5e12],
    ['4096', 4096],
    ['2T', undefined],
    ['0', undefined],
    ['-1GiB', undefined],
    ['1e3', undefined],
    ['lots', undefined],
  ])('%s', (text, bytes) => {
    expect(readSize(text)).toBe(bytes);
  });
});

describe('jobs of new identities', () => {
  const id = (digit: string) => parseSmesherId(digit.repeat(64)) as SmesherId;
  const identity = (name: string, digit: string) => ({
    ...{ id: id(digit), name, data: `/mnt/d/${name}`, units: 4, commitmentAtx: 'ab'.repeat(32) },
    maxFileSize: 4 * GIB,
  });
  const cards = [
    { label: 'a', device: '0' },
    { label: 'b', device: '1' },
    { label: 'c', provider: 2 },
  ] as const;

  it('go to the cards in turn', () => {
    const jobs = planJobs(
      ['1', '2', '3', '4'].map((digit) => identity(`post-000${digit}`, digit)),
      [cards[0], cards[1]],
      false,
      MAINNET,
    );
    expect(jobs.map(({ job }) => job.device)).toEqual(['0', '1', '0', '1']);
    expect(jobs[0]?.job).toEqual({
      ...{ id: id('1'), name: 'post-0001-init', identity: 'post-0001', data: '/mnt/d/post-0001', units: 4 },
      ...{ commitmentAtx: 'ab'.repeat(32), maxFileSize: 4 * GIB, device: '0' },
    });
  });

  it('split one over all, in directories of their own beside the whole', () => {
    const jobs = planJobs([identity('post-0001', '1')], [...cards], true, MAINNET).map(({ job }) => job);
    expect(
      jobs.map(({ name, data, into, fromFile, toFile }) => [name, data, into, fromFile, toFile]),
    ).toEqual([
      ['post-0001-init-1', '/mnt/d/post-0001.part-1', '/mnt/d/post-0001', 0, 21],
      ['post-0001-init-2', '/mnt/d/post-0001.part-2', '/mnt/d/post-0001', 22, 42],
      ['post-0001-init-3', '/mnt/d/post-0001.part-3', '/mnt/d/post-0001', 43, 63],
    ]);
    expect(jobs[2]).toMatchObject({ provider: 2 });
  });

  it('stay one where there is one file', () => {
    const small = { ...identity('post-0001', '1'), units: 2 };
    expect(planJobs([small], [...cards], true, TESTNET).map(({ job }) => job.name)).toEqual([
      'post-0001-init',
    ]);
  });
});

it('says how long the processor takes: years on mainnet, seconds on a private network', () => {
  const DAY = 86_400_000;
  expect(cpuMilliseconds(4, MAINNET.post) / DAY).toBeGreaterThan(365);
  expect(cpuMilliseconds(2, { labelsPerUnit: 64, scrypt: { n: 8192, r: 1, p: 1 } })).toBeLessThan(2000);
});
