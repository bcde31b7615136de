import { describe, expect, it } from 'vitest';
import { missedDeadlines } from '../../../src/domain/schedule/misses.ts';
import { IN_GAP, observation, prover } from './support/facts.ts';

const HOUR = 3_600_000;

describe('S34: who loses which epoch', () => {
  const provers = [prover(1, 'a'), prover(2, 'a'), prover(3, 'b', { wanted: 'idle' })];
  const [first, second] = provers;
  const doneAt = (one: number, other: number) =>
    new Map([
      [first?.id, IN_GAP + one * HOUR],
      [second?.id, IN_GAP + other * HOUR],
    ] as [never, number][]);
  const codes = (done: ReturnType<typeof doneAt>, now = IN_GAP) =>
    missedDeadlines(observation(provers, { at: now }), { doneAt: done }, now);

  it('names those that will not be registered when the round starts, with the epoch they lose', () => {
    const [alarm, ...more] = codes(doneAt(3, 14));
    expect(more).toEqual([]);
    expect(alarm?.code).toBe('misses-registration');
    expect(alarm?.names).toEqual(['post-2']);
    expect(alarm?.message).toMatch(/^1 identity will .* nothing in epoch 89: post-2\. .* earns in epoch 88$/);
  });

  it('tells nothing where everybody is in time, or so near that nobody knows', () => {
    expect(codes(doneAt(3, 9))).toEqual([]);
    expect(codes(doneAt(3, 11.1))).toEqual([]);
  });

  it('tells after the round has begun who will not even be published', () => {
    const now = IN_GAP + 12 * HOUR;
    expect(codes(doneAt(20, 120), now)[0]?.code).toBe('misses-epoch');
    expect(codes(doneAt(20, 30), now)).toEqual([]);
  });
});
