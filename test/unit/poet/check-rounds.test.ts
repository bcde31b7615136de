import { describe, expect, it } from 'vitest';
import { defaultPoet, MAINNET } from '../../../src/domain/node/networks.ts';
import { judgeClocks } from '../../../src/domain/poet/check-clock.ts';
import { judgeRounds, type ServerRounds } from '../../../src/domain/poet/check-rounds.ts';
import { epochClock } from '../../../src/domain/poet/epochs.ts';

const clock = epochClock(MAINNET, defaultPoet(MAINNET));
// Round 13 runs until 4 February 2024, 20:00.
const IN_ROUND = Date.parse('2024-01-30T00:00:00Z');

type Word = number | 'none' | 'silent';

function server(address: string, words: Readonly<Record<number, Word>>, running?: number): ServerRounds {
  const rounds = Object.entries(words).map(([round, word]) => ({
    round: Number(round),
    running: Number(round) === running,
    word:
      word === 'none'
        ? ({ kind: 'none' } as const)
        : word === 'silent'
          ? ({ kind: 'unknown', reason: 'connection broken off' } as const)
          : ({ kind: 'proof', leaves: word } as const),
  }));
  return { address, rounds };
}

const codes = (now: number, ...servers: ServerRounds[]) =>
  judgeRounds(servers, clock, now).map(
    ({ code, subject }) => `${code}${subject === undefined ? '' : ` ${subject}`}`,
  );

describe('rounds of PoETs', () => {
  const good = server('a', { 13: 'none', 12: 1000, 11: 900 }, 13);

  it.each<[string, ServerRounds[], string[]]>([
    ['as they should be', [good, server('b', { 13: 'none', 12: 990, 11: 890 }, 13)], []],
    ['a proof of the running round', [good, server('b', { 13: 1, 12: 1000 }, 13)], ['poet-round-early b']],
    ['one round missing', [good, server('b', { 12: 'none', 11: 900 })], ['poet-round-missing b']],
    ['all rounds missing', [good, server('b', { 12: 'none', 11: 'none' })], ['poet-round-missing b']],
    ['slow', [good, server('b', { 12: 600, 11: 899 })], ['poet-less-work b']],
    ['one that broke off', [good, server('b', { 12: 'silent' })], []],
  ])('%s', (_, servers, expected) => {
    expect(codes(IN_ROUND, ...servers)).toEqual([...expected, 'poet-times-unread']);
  });

  it('may be two hours late, no longer', () => {
    const late = server('b', { 13: 'none' });
    expect(codes(Date.parse('2024-02-04T21:59:00Z'), good, late)).toEqual(['poet-times-unread']);
    expect(codes(Date.parse('2024-02-04T22:00:00Z'), good, late)).toContain('poet-round-missing b');
  });

  it('say why when none is there: new, down or of another network', () => {
    const [found] = judgeRounds([server('b', { 12: 'none', 11: 'none' })], clock, IN_ROUND);
    expect(found?.message).toMatch(/rounds 11, 12: it is new, it was down, or its genesis or epoch length/);
    expect(judgeRounds([], clock, IN_ROUND)).toEqual([]);
  });
});

describe('clocks of PoETs', () => {
  it.each([
    [4000, 100, 0],
    [-6000, 500, 1],
    [6000, 1500, 0],
    [90_000, 600, 1],
  ])('%i ms apart, known to %i ms', (offsetMs, uncertaintyMs, count) => {
    expect(judgeClocks([{ address: 'a', offsetMs, uncertaintyMs }])).toHaveLength(count);
  });
});
