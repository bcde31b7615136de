import { describe, expect, it } from 'vitest';
import {
  type AskedPoet,
  judgeConfiguredPoets,
  judgePoets,
  readConfiguredPoets,
} from '../../../src/domain/doctor/poet.ts';
import { infoUrl, parsePoetInfo, samePlace } from '../../../src/domain/doctor/poet-info.ts';

const KEY = 'cFnqCS5oER7GOX576oPtahlxB/1y95aDibdK7RHQFVg=';
const OTHER_KEY = 'Qh1efxY4YhoYBEXKPTiHJ/a7n1GsllRSyweQKO3j7m0=';
const TIMES = { phaseShift: 864_000, cycleGap: 43_200 };

function poet(
  address: string,
  answer: Partial<AskedPoet['answer']> & { info?: object } = {},
  pubkey = KEY,
): AskedPoet {
  const info = { pubkey, phaseShift: 864_000, cycleGap: 43_200, ...answer.info };
  return {
    server: { address, pubkey },
    answer: { kind: 'answered', elapsedMs: 5, ...answer, info } as AskedPoet['answer'],
  };
}

const good = poet('https://a.example');
const spare = poet('https://b.example', {}, OTHER_KEY);
const codes = (...asked: AskedPoet[]) =>
  judgePoets(asked, TIMES).map(({ code, severity }) => `${severity} ${code}`);

describe('judgePoets', () => {
  it.each<[string, AskedPoet[], string[]]>([
    ['two that fit', [good, spare], ['ok poet-ok']],
    [
      'phase shift',
      [good, poet('https://b.example', { info: { phaseShift: 950_400 } }, OTHER_KEY)],
      ['error poet-phase-shift'],
    ],
    [
      'cycle gap',
      [good, poet('https://b.example', { info: { cycleGap: 86_400 } }, OTHER_KEY)],
      ['error poet-cycle-gap'],
    ],
    ['key', [good, poet('https://b.example', { info: { pubkey: 'x' } }, OTHER_KEY)], ['warning poet-key']],
    [
      'away',
      [
        good,
        spare,
        { ...poet('https://c.example'), answer: { kind: 'unreachable', reason: 'connection refused' } },
      ],
      ['warning poet-unreachable'],
    ],
    [
      'slow',
      [good, spare, { ...poet('https://c.example'), answer: { kind: 'late', afterMs: 5000 } }],
      ['warning poet-unreachable'],
    ],
    [
      'no PoET',
      [good, spare, { ...poet('https://c.example'), answer: { kind: 'malformed', reason: 'HTTP 404' } }],
      ['warning poet-malformed'],
    ],
    ['one', [good], ['warning poet-single']],
    [
      'one in two spellings',
      [good, poet('https://A.example:443/')],
      ['warning poet-duplicate', 'warning poet-single'],
    ],
    [
      'one under two names',
      [good, poet('https://alias.example')],
      ['warning poet-duplicate', 'warning poet-single'],
    ],
    [
      'none reachable',
      [good, spare].map((one) => ({ ...one, answer: { kind: 'unreachable', reason: 'x' } as const })),
      ['warning poet-unreachable', 'warning poet-unreachable', 'error poet-none-reachable'],
    ],
  ])('%s', (_, asked, expected) => {
    expect(codes(...asked)).toEqual(expected);
  });

  it('says both numbers', () => {
    const [found] = judgePoets([poet('https://a.example', { info: { phaseShift: 950_400 } }), spare], TIMES);
    expect(found).toMatchObject({
      evidence: 'server 264 h, project 240 h',
      measured: { server: 950_400, project: 864_000 },
    });
  });
});

describe('what a PoET says', () => {
  it('is read as its gateway writes it', () => {
    const body = `{"servicePubkey":"${KEY}","phaseShift":"120s","cycleGap":"60.5s","certifier":{"url":"","pubkey":""}}`;
    expect(parsePoetInfo(body)).toEqual({ pubkey: KEY, phaseShift: 120, cycleGap: 60.5 });
    for (const other of [
      '',
      '<html>',
      '{}',
      '[]',
      'null',
      '{"servicePubkey":7}',
      `{"servicePubkey":"${KEY}","phaseShift":"1h"}`,
    ]) {
      expect(parsePoetInfo(other), other).toBeUndefined();
    }
  });

  it('is asked for at one place, however the address ends', () => {
    expect(infoUrl('https://a.example/')).toBe('https://a.example/v1/info');
    expect(infoUrl('https://a.example/poet')).toBe('https://a.example/poet/v1/info');
    expect(samePlace('HTTPS://A.Example:443/')).toBe(samePlace('https://a.example'));
    expect(samePlace('http://a.example')).not.toBe(samePlace('https://a.example'));
    expect(samePlace('https://a.example:8443')).not.toBe(samePlace('https://a.example'));
  });
});

describe("the node's own list", () => {
  it('is compared with that of smesh.yaml', () => {
    const servers = [good.server, spare.server];
    const config = (list: unknown) => readConfiguredPoets({ Main: { 'POET-servers': list } });
    expect(judgeConfiguredPoets(config(servers), servers)).toEqual([]);
    expect(judgeConfiguredPoets(config([...servers].reverse()), servers)).toEqual([]);
    expect(judgeConfiguredPoets(undefined, servers)).toEqual([]);
    expect(judgeConfiguredPoets(config([servers[0]]), servers)[0]?.code).toBe('poet-config-differs');
    expect(
      judgeConfiguredPoets(config([{ address: good.server.address, pubkey: '' }, servers[1]]), servers),
    ).toHaveLength(1);
    expect(readConfiguredPoets({ main: {} })).toBeUndefined();
    expect(readConfiguredPoets('x')).toBeUndefined();
  });
});
