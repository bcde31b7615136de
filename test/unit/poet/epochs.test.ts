import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultPoet, MAINNET, standaloneNetwork } from '../../../src/domain/node/networks.ts';
import {
  currentOrNextGap,
  cycleGap,
  deadlines,
  epochAt,
  epochClock,
  epochStart,
  epochTimeline,
  layerAt,
  openRoundAt,
  roundEnd,
  roundStart,
} from '../../../src/domain/poet/epochs.ts';

const clock = epochClock(MAINNET, defaultPoet(MAINNET));
const at = (time: string) => Date.parse(time);
const iso = (time: number) => new Date(time).toISOString().replace(':00.000Z', 'Z');

describe('mainnet schedule (spacemesh.md §12)', () => {
  it.each([
    [13, '2024-01-12T08:00Z', '2024-01-22T08:00Z', '2024-02-04T20:00Z'],
    [30, '2024-09-06T08:00Z', '2024-09-16T08:00Z', '2024-09-29T20:00Z'],
    [60, '2025-10-31T08:00Z', '2025-11-10T08:00Z', '2025-11-23T20:00Z'],
  ])('epoch and round %i', (number, starts, roundStarts, roundEnds) => {
    expect(iso(epochStart(clock, number))).toBe(starts);
    expect(iso(roundStart(clock, number))).toBe(roundStarts);
    expect(iso(roundEnd(clock, number))).toBe(roundEnds);
  });

  it('gap 14 is the night to 5 February 2024', () => {
    const gap = cycleGap(clock, 14);
    expect([iso(gap.opens), iso(gap.closes)]).toEqual(['2024-02-04T20:00Z', '2024-02-05T08:00Z']);
  });

  it('deadlines of publish epoch 14', () => {
    const { registrationOpens, registerBy, poetProofBy, publishBy } = deadlines(clock, 14);
    expect([registrationOpens, registerBy, poetProofBy, publishBy].map(iso)).toEqual([
      '2024-02-05T07:00Z',
      '2024-02-05T08:00Z',
      '2024-02-08T20:00Z',
      '2024-02-09T08:00Z',
    ]);
  });
});

describe('timeline', () => {
  it('in the gap', () => {
    const timeline = epochTimeline(clock, at('2024-02-04T23:12:00Z'));
    expect(timeline.epoch).toBe(14);
    expect(timeline.phase).toEqual({
      kind: 'cycle-gap',
      since: at('2024-02-04T20:00Z'),
      until: at('2024-02-05T08:00Z'),
    });
    expect(timeline.deadlines.epoch).toBe(14);
  });

  it('late is not lost: after the gap, until the epoch ends', () => {
    const timeline = epochTimeline(clock, at('2024-02-06T00:00:00Z'));
    expect(timeline.phase.kind).toBe('late');
    expect(iso(timeline.phase.until)).toBe('2024-02-09T08:00Z');
    expect(timeline.deadlines.epoch).toBe(14);
  });

  it('waits for the next gap from the next epoch on', () => {
    const timeline = epochTimeline(clock, at('2024-02-09T08:00:00Z'));
    expect(timeline.phase).toEqual({ kind: 'waiting', until: at('2024-02-18T20:00Z') });
    expect(timeline.deadlines.epoch).toBe(15);
  });

  it('knows the time before genesis, and that epoch 0 has no gap', () => {
    expect(epochTimeline(clock, at('2023-01-01T00:00:00Z')).phase.kind).toBe('before-genesis');
    expect(epochTimeline(clock, at('2023-07-25T00:00:00Z')).phase.kind).toBe('waiting');
  });

  it('runs a private network by the same arithmetic: the gap is the first half of the minute', () => {
    const network = standaloneNetwork({ genesisTime: '2030-01-01T00:00:00Z', poetPrivateKey: '' });
    const own = epochClock(network, defaultPoet(network));
    expect(epochTimeline(own, at('2030-01-01T00:01:10Z')).phase.kind).toBe('cycle-gap');
    expect(epochTimeline(own, at('2030-01-01T00:01:40Z')).phase.kind).toBe('late');
    expect(layerAt(own, at('2030-01-01T00:01:10Z'))).toBe(11);
  });

  it('always has a gap ahead or around, and its round is the open one', () => {
    fc.assert(
      fc.property(fc.integer({ min: at('2023-07-14T08:00:00Z'), max: at('2040-01-01T00:00:00Z') }), (now) => {
        const gap = currentOrNextGap(clock, now);
        expect(gap.closes).toBeGreaterThan(now);
        expect(gap.closes - clock.epoch).toBeLessThanOrEqual(now);
        expect(gap.open).toBe(now >= gap.opens);
        expect(gap.epoch).toBe(openRoundAt(clock, now));
        expect(epochStart(clock, epochAt(clock, now))).toBeLessThanOrEqual(now);
      }),
    );
  });
});
