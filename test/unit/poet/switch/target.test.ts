import { describe, expect, it } from 'vitest';
import { defaultPoet, MAINNET, MAINNET_POETS, TESTNET } from '../../../../src/domain/node/networks.ts';
import { judgeTargets } from '../../../../src/domain/poet/switch/judge-targets.ts';
import { rowsToDelete } from '../../../../src/domain/poet/switch/rows.ts';
import {
  parseTarget,
  presetTarget,
  sameSettings,
  settingsAfter,
} from '../../../../src/domain/poet/switch/target.ts';
import { formatDiagnostic } from '../../../../src/domain/project/diagnostics.ts';
import { textWith } from '../../../../src/usecases/poet-switch/settings-text.ts';

const KEY = `${'A'.repeat(43)}=`;
const faults = (text: string) => {
  const reading = parseTarget(text, 'late.yaml');
  return reading.ok ? [] : reading.diagnostics.map(formatDiagnostic);
};

describe('a file that names PoETs', () => {
  it('YAML or JSON; the key and the grace period may be left out', () => {
    const yaml = `servers:\n  - address: https://p.example\n    pubkey: ${KEY}\n  - address: https://q.example\nphaseShift: 288h\ncycleGap: 24h\n`;
    expect(parseTarget(yaml, 'f')).toEqual({
      ok: true,
      target: {
        name: 'f',
        servers: [{ address: 'https://p.example', pubkey: KEY }, { address: 'https://q.example' }],
        phaseShift: 288 * 3600,
        cycleGap: 24 * 3600,
      },
    });
    expect(
      parseTarget(
        '{"servers":[{"address":"http://p"}],"phaseShift":"1h","cycleGap":"10m","gracePeriod":"1m"}',
        'f',
      ),
    ).toMatchObject({ ok: true, target: { gracePeriod: 60 } });
  });

  it.each([
    ['servers: []\nphaseShift: 1h\ncycleGap: 1h', 'late.yaml:1:10  servers: names no PoET'],
    [
      'servers:\n  - address: p.example\nphaseShift: 1h\ncycleGap: 1h',
      'late.yaml:2:14  servers[0].address: "p.example" does not begin with http:// or https:// and a host',
    ],
    [
      'servers:\n  - address: http://p\n    pubkey: abc\nphaseShift: 1h\ncycleGap: 1h',
      "late.yaml:3:13  servers[0].pubkey: must be the PoET's public key, 32 bytes in base64 (44 characters)",
    ],
    [
      'servers:\n  - address: http://p\nphaseShift: 14d\ncycleGap: 1h',
      'late.yaml:3:13  phaseShift: "14d" is no duration; write hours, minutes and seconds: 288h, 90s',
    ],
    ['servers:\n  - address: http://p\nphaseShift: 1h', 'late.yaml:1:1  cycleGap: is missing'],
    [
      'servers:\n  - address: http://p\nphase: 1h\nphaseShift: 1h\ncycleGap: 1h',
      'late.yaml:3:1  phase: unknown key; known here: servers, phaseShift, cycleGap, gracePeriod, positioningAtxTimeout',
    ],
    [
      'servers:\n  - address: http://p\n  - address: http://p\nphaseShift: 1h\ncycleGap: 1h',
      'late.yaml:3:14  servers[1].address: http://p stands here twice',
    ],
  ])('%j', (text, wanted) => {
    expect(faults(text)).toContain(wanted);
  });

  it("default is the network's own; a community's addresses are nobody's business here", () => {
    expect(presetTarget('default', MAINNET)).toMatchObject({
      servers: MAINNET_POETS,
      phaseShift: 240 * 3600,
      gracePeriod: 3600,
    });
    expect(presetTarget('team24', MAINNET)?.servers).toEqual([]);
    expect(presetTarget('default', TESTNET)?.servers).toEqual([]);
    expect(presetTarget('late.yaml', MAINNET)).toBeUndefined();
  });
});

describe('servers that were asked', () => {
  const target = { name: 't', servers: [{ address: 'http://a' }], phaseShift: 100, cycleGap: 50 };
  const info = { pubkey: KEY, phaseShift: 100, cycleGap: 50 };
  const answered = (changes: Partial<typeof info> = {}) => ({
    kind: 'answered' as const,
    info: { ...info, ...changes },
  });

  it('take their key from the answer, and must all have one rhythm', () => {
    const fine = judgeTargets(target, [
      { address: 'http://a', answer: answered() },
      { address: 'http://b', pubkey: KEY, answer: answered() },
    ]);
    expect(fine).toMatchObject({ faults: [], warnings: [], learnt: ['http://a'], dead: [] });
    expect(fine.pubkeys.get('http://a')).toBe(KEY);
    for (const changes of [{ phaseShift: 99 }, { cycleGap: 49 }]) {
      expect(judgeTargets(target, [{ address: 'http://a', answer: answered(changes) }]).faults).toHaveLength(
        1,
      );
    }
    expect(
      judgeTargets(target, [{ address: 'http://a', pubkey: `B${KEY.slice(1)}`, answer: answered() }]).faults,
    ).toHaveLength(1);
  });

  it('a dead one is a delay at every start; without a key, or all of them dead, a refusal', () => {
    const silent = { kind: 'silent' as const, reason: 'connection refused' };
    const one = judgeTargets(target, [
      { address: 'http://a', pubkey: KEY, answer: silent },
      { address: 'http://b', answer: answered() },
    ]);
    expect(one).toMatchObject({
      faults: [],
      dead: ['http://a'],
      warnings: [expect.stringContaining('9 to 18 min')],
    });
    expect(
      judgeTargets(target, [
        { address: 'http://a', answer: silent },
        { address: 'http://b', answer: answered() },
      ]).faults,
    ).toHaveLength(1);
    expect(judgeTargets(target, [{ address: 'http://a', pubkey: KEY, answer: silent }]).faults).toEqual([
      expect.stringContaining(`None of these PoETs answers (${silent.reason})`),
    ]);
  });
});

describe('rows that a release wants deleted (spacemesh.md §6.4)', () => {
  const release = (minor: number) => ({ major: 1, minor, patch: 0 });
  it('none in the window, registrations when it is too late, and nothing at all before 1.7', () => {
    expect(rowsToDelete(release(7), 'window')).toEqual({ ok: true, rows: { file: 'local.sql', tables: [] } });
    expect(rowsToDelete(release(8), 'too-late')).toEqual({
      ok: true,
      rows: { file: 'local.sql', tables: ['poet_registration'] },
    });
    expect(rowsToDelete(release(6), 'window')).toMatchObject({
      ok: false,
      why: expect.stringContaining('v1.6.0'),
    });
    expect(rowsToDelete(undefined, 'window')).toMatchObject({ ok: false });
  });
});

describe('smesh.yaml', () => {
  it('changes where it must, and keeps every other byte', () => {
    const present = {
      ...defaultPoet(MAINNET),
      servers: [{ address: 'https://old', pubkey: KEY }],
      phaseShift: 10,
    };
    const before = `# mine\nname: x   # odd\npoet:\n  phaseShift: 10s # here\n  servers:\n    - {address: "https://old", pubkey: ${KEY}}\nidentities: []\n`;
    const target = {
      name: 't',
      servers: [{ address: 'https://new' }],
      phaseShift: 20,
      cycleGap: present.cycleGap,
    };
    const after = settingsAfter(present, target, new Map([['https://new', KEY]]));
    expect(sameSettings(present, after)).toBe(false);
    expect(textWith(before, present, after)).toBe(
      `# mine\nname: x   # odd\npoet:\n  phaseShift: 20s # here\n  servers:\n    - address: https://new\n      pubkey: ${KEY}\nidentities: []\n`,
    );
  });
});
