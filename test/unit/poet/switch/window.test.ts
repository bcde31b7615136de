import { describe, expect, it } from 'vitest';
import { defaultPoet, MAINNET } from '../../../../src/domain/node/networks.ts';
import { epochClock } from '../../../../src/domain/poet/epochs.ts';
import {
  outcomeOf,
  type Rhythms,
  windowCloses,
  windowFrom,
} from '../../../../src/domain/poet/switch/window.ts';

const HOUR = 3600;
const usual = defaultPoet(MAINNET);
const clock = (phaseShift: number, cycleGap: number) =>
  epochClock(MAINNET, { phaseShift: phaseShift * HOUR, cycleGap: cycleGap * HOUR, gracePeriod: HOUR });
const from = epochClock(MAINNET, usual);
const later: Rhythms = { from, to: clock(288, 24) };
const earlier: Rhythms = { from, to: clock(120, 24) };
const at = (time: string) => Date.parse(time);
const iso = (time: number) => new Date(time).toISOString().slice(0, 16);
const MINUTES = 60_000;

/** Gap 14: Sunday 2024-02-04 20:00 to Monday 08:00 UTC (spacemesh.md §12). */
const inGap = at('2024-02-04T23:00Z');

describe('when PoETs may be changed (spacemesh.md §6.4)', () => {
  it('until registration opens, less the time that the node is away', () => {
    expect(iso(windowCloses(later, inGap, 3 * MINUTES))).toBe('2024-02-05T06:57');
    expect(iso(windowCloses(earlier, inGap, 3 * MINUTES))).toBe('2024-02-05T06:57');
    // Two dead PoETs of 1100 s each in the list.
    expect(iso(windowCloses(later, inGap, 3 * MINUTES + 2 * 1_100_000))).toBe('2024-02-05T06:20');
  });

  it('and by the round of the new ones where that comes first', () => {
    const nearby: Rhythms = { from, to: clock(236, 12) };
    expect(iso(windowCloses(nearby, inGap, 0))).toBe('2024-02-05T03:00');
  });

  it('behind it the next gap counts; a new round that begins in the gap only parts it in two', () => {
    const gap = { opens: '2024-02-18T20:00', closes: '2024-02-19T07:00' };
    const next = windowFrom(later, at('2024-02-05T07:30Z'), 0);
    expect(next === undefined ? undefined : { opens: iso(next.opens), closes: iso(next.closes) }).toEqual(
      gap,
    );
    const nearby: Rhythms = { from, to: clock(236, 12) };
    const second = windowFrom(nearby, at('2024-02-05T03:30Z'), 0);
    expect(second === undefined ? undefined : [iso(second.opens), iso(second.closes)]).toEqual([
      '2024-02-05T04:00',
      '2024-02-05T07:00',
    ]);
  });
});

describe('what a change costs', () => {
  it('to a later phase nothing: the round of this epoch is still to begin', () => {
    expect(outcomeOf(later, inGap)).toMatchObject({ round: 14, publishEpoch: 15, lostEpochs: [] });
    expect(iso(outcomeOf(later, inGap).roundStarts)).toBe('2024-02-07T08:00');
    expect(iso(outcomeOf(later, inGap).registrationOpens)).toBe('2024-02-07T07:00');
  });

  it('to an earlier phase the rewards of one epoch', () => {
    expect(outcomeOf(earlier, inGap)).toMatchObject({ round: 15, publishEpoch: 16, lostEpochs: [16] });
    expect(iso(outcomeOf(earlier, inGap).roundStarts)).toBe('2024-02-14T08:00');
  });

  it('to an earlier phase whose round begins in the same gap nothing, before it has begun', () => {
    const nearby: Rhythms = { from, to: clock(236, 12) };
    expect(outcomeOf(nearby, at('2024-02-05T02:00Z')).lostEpochs).toEqual([]);
    expect(outcomeOf(nearby, at('2024-02-05T05:00Z')).lostEpochs).toEqual([16]);
  });

  it('to the same rounds nothing', () => {
    expect(outcomeOf({ from, to: from }, inGap)).toMatchObject({ round: 14, lostEpochs: [] });
  });
});
