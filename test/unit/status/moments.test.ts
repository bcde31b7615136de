import { describe, expect, it } from 'vitest';
import { countdown, longMoment, momentHere, shortMoment } from '../../../src/ui/moments.ts';

const now = Date.parse('2026-11-22T23:12:00Z');
const at = Date.parse('2026-11-23T08:00:00Z');
const in_ = (minutes: number) => ({ now, localOffsetMinutes: () => minutes });

describe('moments', () => {
  it('names the local time beside UTC, with its day where that differs', () => {
    expect(momentHere(at, in_(60))).toBe('Mon 08:00 UTC (09:00 here)');
    expect(momentHere(at, in_(0))).toBe('Mon 08:00 UTC');
    expect(momentHere(at, in_(-600))).toBe('Mon 08:00 UTC (Sun 22:00 here)');
    expect(momentHere(at, in_(345))).toBe('Mon 08:00 UTC (13:45 here)');
  });

  it('names the date where the weekday could be another week', () => {
    expect(shortMoment(at, in_(0))).toBe('Mon 08:00');
    expect(shortMoment(at + 14 * 86_400_000, in_(0))).toBe('Mon 7 Dec 08:00');
    expect(longMoment(at, { ...in_(0), seconds: true })).toBe('Mon 23 Nov 08:00:00');
  });

  it('counts down and up in words', () => {
    expect(countdown(at, now)).toBe('in 8 h 48 m');
    expect(countdown(now, at)).toBe('8 h 48 m ago');
    expect(countdown(now + 400, now)).toBe('now');
  });
});
