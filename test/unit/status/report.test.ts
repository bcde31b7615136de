import { describe, expect, it } from 'vitest';
import { ExitCode, SmeshError } from '../../../src/domain/errors.ts';
import type { NodeSnapshot } from '../../../src/ports/node-api.ts';
import { renderStatus } from '../../../src/ui/status.ts';
import { statusDocument } from '../../../src/ui/status-json.ts';
import type { Observation } from '../../../src/usecases/observe.ts';
import { buildReport, nextSamples } from '../../../src/usecases/status/report.ts';
import {
  container,
  GIB,
  HOUR,
  identity,
  k2powLog,
  NOW,
  no,
  observation,
  observed,
  project,
  readingLog,
  smesher,
  snapshot,
  view,
} from './evidence.ts';

function report(looked: Observation) {
  return buildReport({
    directory: '/srv/smesh',
    project: project(looked.identities.length),
    observation: looked,
  });
}

describe('a node that was never started', () => {
  const findings = (identities: Observation['identities']) =>
    report({ ...observation(identities), node: {} }).findings.filter(
      ({ code }) => code === 'node-not-created',
    );

  it('is no trouble while there is no identity: its data is made for weeks, and up refuses until then', () => {
    expect(findings([])).toMatchObject([{ severity: 'notice', next: expect.stringContaining('post init') }]);
    expect(findings([observed(1)])).toMatchObject([{ severity: 'problem', next: 'smesh-compose up' }]);
  });
});

describe('status', () => {
  const proving = { kind: 'proving', nonces: { start: 0, end: 128 } } as const;
  const four = observation(
    [
      observed(1),
      observed(2, { service: { ...proving, position: 0.41 * 36 * 64 * GIB }, log: readingLog }),
      observed(3, { disk: 'sdb', service: { ...proving, position: 0 }, log: k2powLog }),
      observed(4, {
        disk: 'sde',
        data: 'absent',
        container: container('post-0004', { state: 'exited', exitCode: 1 }),
      }),
    ],
    snapshot({ 1: 'idle', 2: 'proving', 3: 'proving', 4: 'proving' }, [1]),
  );

  it('reads like this', () => {
    expect(renderStatus(report(four), view)).toEqual([
      'node  v1.7.6 synced · 38 peers · layer 353,558 · epoch 87 · up 12 d                       /srv/smesh',
      '├ now          cycle gap, 3 h 12 m in                                           Sun 22 Nov 23:12 UTC',
      '├ register by  Mon 08:00 UTC (09:00 here), in 8 h 48 m   0 of 4 have, 2 will, 0 will miss, 2 unknown',
      '└ publish by   Fri 08:00 UTC (09:00 here), in 4 d 9 h                                    1 of 4 have',
      '',
      'SMESHER   NAME       DISK  UNITS  NODE WANTS  SERVICE                         RATE  DONE AT',
      '00000011  post-0001  sda      36  –           published',
      '00000012  post-0002  sda      36  a proof     reading 41 %  nonces 0–127  141 MB/s  Mon 02:04',
      '00000013  post-0003  sdb      36  a proof     k2pow, group 6 of 8',
      '00000014  post-0004  sde      36  a proof     down: its data is away',
      '',
      '! post-0004  is wanted, but has no data where smesh.yaml says: is disk sde mounted?',
      '             → mount it, then: smesh-compose up',
    ]);
  });

  it('says in JSON what it says in words, with every field there', () => {
    const document = statusDocument(report(four), 6) as Record<string, unknown>;
    const [first, second] = document['identities'] as readonly Record<string, unknown>[];
    expect(Object.keys(document)).toEqual([
      'schemaVersion',
      'at',
      'exitCode',
      'engineAnswers',
      'project',
      'node',
      'epoch',
      'counts',
      'schedule',
      'identities',
      'findings',
    ]);
    expect(Object.keys(first ?? {})).toEqual(Object.keys(second ?? {}));
    expect(second).toMatchObject({
      smesher: smesher(2),
      wants: 'a-proof',
      published: 'no',
      registered: 'unknown',
      registration: 'will',
      service: { state: 'reading', pass: 1, held: false, words: 'reading 41 %  nonces 0–127' },
    });
    expect(JSON.stringify(document)).not.toContain('undefined');
    expect(document['findings']).toMatchObject([{ code: 'data-away', severity: 'problem' }]);
  });

  it('counts what it does not know as unknown: nothing answers', () => {
    const fault = new SmeshError('engine-down', ExitCode.environment, 'Docker does not answer', {
      hint: 'Start it.',
    });
    const dark: Observation = {
      at: NOW,
      engineFault: fault,
      node: {},
      identities: [1, 2].map((index) => ({ identity: identity(index), data: 'present' as const })),
      strays: [],
      localDatabase: { kind: 'unknown', reason: 'x' },
    };
    const lines = renderStatus(report(dark), view);
    expect(lines[0]).toContain('unknown · epoch 87 by the clock');
    expect(lines.join('\n')).toContain('0 of 2 have, 0 will, 0 will miss, 2 unknown');
    expect(lines.filter((line) => line.includes('? the engine cannot be asked'))).toHaveLength(2);
    expect(lines.at(-1)).toContain('Start it.');
    const { identities } = statusDocument(report(dark), 4) as { identities: Record<string, unknown>[] };
    for (const one of identities) {
      expect(one).toMatchObject({ wants: 'unknown', published: 'unknown', registered: 'unknown' });
    }
  });

  it('does not call a node dead that may be starting, and not starting what is dead', () => {
    const silent: NodeSnapshot = {
      ...snapshot({}),
      version: no,
      status: no,
      postStates: no,
      activations: no,
      events: no,
      currentLayer: no,
      currentEpoch: no,
    };
    const old = report(observation([observed(1)], silent));
    expect(old.findings).toMatchObject([{ code: 'node-silent', severity: 'problem' }]);
    const young = { ...observation([observed(1)], silent) };
    const node = { ...young.node, container: container('node', { startedAt: NOW - 60_000 }) };
    expect(report({ ...young, node }).findings).toMatchObject([
      { code: 'node-starting', severity: 'notice' },
    ]);
    const idle = report({
      ...observation([observed(1)], snapshot({ 1: 'idle' })),
      node: { ...node, answers: snapshot({ 1: 'idle' }) },
    });
    expect(idle.identities[0]?.state.wants).toBe('unknown');
  });

  it('finds identities that the node does not know, and merely notes a stopped one that is not wanted', () => {
    const stopped = container('post-0002', { state: 'exited', exitCode: 143 });
    const { service: _, ...withoutService } = observed(2, { container: stopped });
    const { findings } = report(observation([observed(1), withoutService], snapshot({ 2: 'idle' }, [2])));
    expect(findings).toMatchObject([
      { code: 'unknown-to-node', services: ['post-0001'] },
      { code: 'stopped', severity: 'notice', services: ['post-0002'] },
    ]);
    const wanted = report(observation([observed(1), withoutService], snapshot({ 1: 'idle', 2: 'proving' })));
    expect(wanted.findings).toMatchObject([{ code: 'wanted-but-down', services: ['post-0002'] }]);
  });

  it('says when a stopped service is needed again, and how it is started', () => {
    const stopped = (index: number) => {
      const { service: _, ...rest } = observed(index, {
        container: container(identity(index).name, { state: 'exited', exitCode: 143 }),
      });
      return rest;
    };
    const gapOpens = Date.parse('2026-11-22T20:00:00Z');
    const seenAt = (at: number, count: number, published: readonly number[]) => {
      const indices = Array.from({ length: count }, (_, index) => index + 1);
      const idle = Object.fromEntries(indices.map((index) => [index, 'idle' as const]));
      return report({ ...observation(indices.map(stopped), snapshot(idle, published)), at }).findings;
    };
    const before = seenAt(gapOpens - 17 * HOUR, 1, []);
    expect(before).toEqual([
      {
        code: 'stopped',
        severity: 'notice',
        smeshers: [smesher(1)],
        services: ['post-0001'],
        message: 'is stopped; the next cycle gap opens Sun 22 Nov 20:00 UTC',
        next: 'smesh-compose up post-0001',
      },
    ]);
    expect(seenAt(NOW, 2, [1, 2])).toMatchObject([
      {
        message: 'is stopped; the next cycle gap opens Sun 6 Dec 20:00 UTC',
        next: 'smesh-compose up post-0001 post-0002',
      },
    ]);
    expect(seenAt(NOW, 4, [])).toMatchObject([
      { message: 'is stopped; the cycle gap is open until Mon 23 Nov 08:00 UTC', next: 'smesh-compose up' },
    ]);
  });

  it('S30, S32: tells of data that vanished, files that cannot be read and proofs too late', () => {
    const vanished = observed(1, {
      service: { ...proving, position: 0 },
      log: { ...k2powLog, passes: 3, lastPassMs: 0 },
    });
    const unreadable = observed(2, {
      service: { ...proving, position: 5 },
      log: { ...readingLog, unreadable: ['/post/postdata_3.bin: EIO'] },
    });
    const slow = observed(3, { service: { ...proving, position: 10 * GIB }, log: readingLog });
    const { findings, counts } = report(
      observation([vanished, unreadable, slow], snapshot({ 1: 'proving', 2: 'proving', 3: 'proving' })),
    );
    expect(findings.map(({ code, services }) => [code, ...services])).toEqual([
      ['data-vanished', 'post-0001'],
      ['data-unreadable', 'post-0002'],
      ['will-miss', 'post-0002', 'post-0003'],
    ]);
    expect(counts.registration).toEqual({ have: 0, will: 0, miss: 2, unknown: 1 });
  });

  it('S16: 150 identities stay readable: troubles and workers as rows, the restful counted', () => {
    const many = Array.from({ length: 150 }, (_, index) => observed(index + 1));
    many[119] = observed(120, { service: { ...proving, position: 0 }, log: k2powLog });
    const { service: _, ...down } = observed(140, {
      container: container('post-0140', { state: 'exited', exitCode: 101 }),
    });
    many[139] = down;
    const states = Object.fromEntries(many.map((_one, index) => [index + 1, 'idle' as const]));
    const looked = report(
      observation(
        many,
        snapshot(
          { ...states, 120: 'proving', 140: 'proving' },
          many.map((_one, index) => index + 1).filter((index) => index < 100),
        ),
      ),
    );
    const lines = renderStatus(looked, view);
    expect(lines.length).toBeLessThan(75);
    expect(lines.join('\n')).toContain('post-0120');
    expect(lines.join('\n')).toContain('post-0140');
    expect(lines.join('\n')).toMatch(/… and 90 more identities: \d+ idle, nothing to do · \d+ published/);
    expect(renderStatus(looked, { ...view, all: true }).length).toBeGreaterThan(150);
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(100);
  });

  it('joins equal findings of many identities and says them in the plural', () => {
    const away = [1, 2, 3, 4, 5, 6].map((index) => observed(index, { data: 'absent' }));
    const states = Object.fromEntries(away.map((_one, index) => [index + 1, 'idle' as const]));
    const lines = renderStatus(report(observation(away, snapshot(states))), view);
    const said = lines.slice(lines.findIndex((line) => line.startsWith('!'))).map((line) => line.trim());
    expect(said.join(' ')).toBe(
      '! post-0001, post-0002, post-0003 and 3 more  have no data where smesh.yaml says: is disk sda mounted? → mount it, then: smesh-compose up',
    );
  });

  it('keeps foreign words from commanding the terminal', () => {
    const evil = observed(1, {
      container: container('post-0001', { state: 'created', startError: 'bad\u001b[2J\nname' }),
    });
    const lines = renderStatus(report(observation([evil], snapshot({ 1: 'proving' }))), {
      ...view,
      color: true,
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours are what may be there.
    expect(lines.join('\n').replace(/\u001b\[\d+m/g, '')).not.toContain('\u001b');
    expect(lines.join('\n')).toContain('\\x1b[2J');
  });

  it('keeps the first look at a pass for its speed, and forgets it with the pass', () => {
    const look = (position: number, start: number, at: number): Observation => ({
      ...observation([
        observed(1, { service: { ...proving, nonces: { start, end: start + 128 }, position } }),
      ]),
      at,
    });
    const first = nextSamples(new Map(), look(100, 0, NOW));
    const second = nextSamples(first, look(900, 0, NOW + 5000));
    expect(second.get(smesher(1))).toMatchObject({ at: NOW, position: 100 });
    const next = nextSamples(second, look(50, 128, NOW + 9000));
    expect(next.get(smesher(1))).toMatchObject({ at: NOW + 9000, position: 50 });
    expect(nextSamples(next, observation([observed(1)])).size).toBe(0);
  });
});
