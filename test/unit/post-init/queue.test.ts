import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JobState } from '../../../src/domain/post-init/job-state.ts';
import { decideQueue, type QueueJob } from '../../../src/domain/post-init/queue.ts';

const progress = (bytes: number) => ({ bytes, expectedBytes: 1000 });

function job(name: string, changes: Partial<QueueJob> = {}): QueueJob {
  return {
    name,
    group: name,
    disk: 'sda',
    card: '0',
    state: { kind: 'not-begun', progress: progress(0) },
    running: false,
    ...changes,
  };
}

const unfinished: JobState = { kind: 'unfinished', progress: progress(400) };

function kinds(jobs: readonly QueueJob[]): Record<string, string> {
  return Object.fromEntries([...decideQueue(jobs)].map(([name, { kind }]) => [name, kind]));
}

describe('turns', () => {
  it('one identity writes to a disk, in the order of smesh.yaml', () => {
    const jobs = [job('a'), job('b', { card: '1' }), job('c', { disk: 'sdb', card: '2' })];
    expect(kinds(jobs)).toEqual({ a: 'starts', b: 'waits', c: 'starts' });
    expect(decideQueue(jobs).get('b')).toEqual({ kind: 'waits', why: 'waits for sda (a)' });
  });

  it('parts of one identity fill one disk together, each with a card of its own', () => {
    const parts = [0, 1, 2].map((card) => job(`a-${card}`, { group: 'a', card: `${card}` }));
    expect(kinds(parts)).toEqual({ 'a-0': 'starts', 'a-1': 'starts', 'a-2': 'starts' });
    const shared = parts.map((part) => ({ ...part, card: 'CPU' }));
    expect(kinds(shared)).toEqual({ 'a-0': 'starts', 'a-1': 'waits', 'a-2': 'waits' });
  });

  it('a card computes for one job, on whatever disk', () => {
    expect(kinds([job('a'), job('b', { disk: 'sdb' })])).toEqual({ a: 'starts', b: 'waits' });
  });

  it('what has been begun goes first, and parts of who runs before all others', () => {
    const begun = job('b', { state: unfinished });
    expect(kinds([job('a'), begun])).toEqual({ a: 'waits', b: 'starts' });
    const running = job('p-1', { group: 'p', running: true, state: unfinished });
    const part = job('p-2', { group: 'p', card: '1' });
    expect(kinds([begun, running, part])).toEqual({ b: 'waits', 'p-1': 'runs', 'p-2': 'starts' });
  });
});

describe('who is left alone', () => {
  it.each<[string, JobState]>([
    ['away', { kind: 'away', why: 'is not there', next: 'mount it' }],
    ['refused', { kind: 'refused', code: 'fewer-units', message: 'would delete', hint: '' }],
    ['odd-size', { kind: 'odd-size', progress: progress(7), files: [{ path: '/x', size: 7, cutTo: 0 }] }],
  ])('%s is stuck and keeps nobody waiting', (_, state) => {
    const places = decideQueue([job('a', { state }), job('b')]);
    expect(places.get('a')?.kind).toBe('stuck');
    expect(places.get('b')?.kind).toBe('starts');
  });

  it.each([true, false])(
    'S5: who has all labels and no nonce has one looked for beyond them (%s)',
    (searching) => {
      const state: JobState = { kind: 'needs-nonce', progress: progress(1000), searching };
      expect(kinds([job('a', { state })])).toEqual({ a: 'starts' });
    },
  );

  it('who was given up is stuck with the reason; complete is complete', () => {
    const done = job('b', { state: { kind: 'complete', progress: progress(1000) } });
    const places = decideQueue([job('a', { givenUp: 'the disk is full' }), done]);
    expect(places.get('a')).toEqual({ kind: 'stuck', why: 'the disk is full' });
    expect(places.get('b')?.kind).toBe('complete');
  });

  it('who is held for the gap waits, and another disk does not', () => {
    const held = 'waits: post-0001 on sda has yet to prove in this gap';
    const places = decideQueue([job('a', { held }), job('b', { disk: 'sdb' })]);
    expect(places.get('a')).toEqual({ kind: 'waits', why: held, held: true });
    expect(places.get('b')?.kind).toBe('starts');
  });
});

describe('room', () => {
  const room = { fileSystem: '/mnt/d1', freeBytes: 1500 };

  it('who would fill the disk does not begin, and says how much is missing', () => {
    const place = decideQueue([job('a', { ...room, freeBytes: 900 })]).get('a');
    expect(place).toEqual({ kind: 'stuck', why: '/mnt/d1 is too small: 100 bytes are missing' });
  });

  it('what those who run will still take is gone', () => {
    const parts = [1, 2].map((part) => job(`a-${part}`, { group: 'a', card: `${part}`, ...room }));
    expect(kinds(parts)).toEqual({ 'a-1': 'starts', 'a-2': 'stuck' });
    const [first, second] = parts;
    if (first === undefined || second === undefined) throw new Error('two');
    const further = {
      ...first,
      running: true,
      state: { kind: 'unfinished', progress: progress(500) },
    } as const;
    expect(kinds([further, second])).toEqual({ 'a-1': 'runs', 'a-2': 'starts' });
  });
});

it('whatever the jobs are: no two writers on a disk, none twice on a card, and nobody waits for nothing', () => {
  const states: readonly JobState[] = [
    { kind: 'not-begun', progress: progress(0) },
    unfinished,
    { kind: 'complete', progress: progress(1000) },
    { kind: 'away', why: 'x', next: 'y' },
  ];
  const arbitrary = fc.array(
    fc.record({
      group: fc.constantFrom('g1', 'g2', 'g3'),
      disk: fc.constantFrom('sda', 'sdb'),
      card: fc.constantFrom('0', '1', '2'),
      state: fc.constantFrom(...states),
    }),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(arbitrary, (given) => {
      // Of one group all lie on one disk, as parts do.
      const disks = new Map<string, string>();
      const jobs = given.map(({ group, disk, ...rest }, index) => {
        if (!disks.has(group)) disks.set(group, disk);
        return job(`j${index}`, { group, disk: disks.get(group) ?? disk, ...rest });
      });
      const places = decideQueue(jobs);
      const starts = jobs.filter(({ name }) => places.get(name)?.kind === 'starts');
      for (const one of starts)
        for (const other of starts) {
          if (one === other) continue;
          expect(one.card).not.toBe(other.card);
          if (one.disk === other.disk) expect(one.group).toBe(other.group);
        }
      const waits = jobs.filter(({ name }) => places.get(name)?.kind === 'waits');
      expect(waits.length === 0 || starts.length > 0).toBe(true);
    }),
  );
});
