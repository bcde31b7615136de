import { describe, expect, it } from 'vitest';
import type { ObservedContainer } from '../../../src/domain/compose/observed.ts';
import { NO_HISTORY } from '../../../src/domain/schedule/history.ts';
import type { SchedulePolicy } from '../../../src/domain/schedule/policy.ts';
import { textWidth } from '../../../src/ui/text.ts';
import { renderWatch } from '../../../src/ui/watch.ts';
import type { Observation, ObservedIdentity } from '../../../src/usecases/observe.ts';
import { buildReport, type ScheduleInputs } from '../../../src/usecases/status/report.ts';
import {
  container,
  GIB,
  HOUR,
  identity,
  k2powLog,
  NOW,
  observation,
  observed,
  project,
  readingLog,
  smesher,
  snapshot,
  view,
} from './evidence.ts';

const policy: SchedulePolicy = {
  k2powSlots: 1,
  remoteK2powSlots: 1,
  memoryBytes: 14 * GIB,
  cores: 8,
  canHold: true,
  worksAhead: true,
  lookEveryMs: 15_000,
  rates: {
    hashesPerSecond: 6000,
    hashesPerUnitGroup: 4687.5,
    diskBytesPerSecond: new Map(),
    defaultBytesPerSecond: 180e6,
    datasetMs: 40_000,
  },
};

const proving = { kind: 'proving', nonces: { start: 0, end: 128 } } as const;
const HELD = { host: { cpuQuota: 1000, cpuPeriod: 100_000 } as ObservedContainer['host'] };

function down(index: number, disk: string, exitCode = 143): ObservedIdentity {
  const { service: _, ...rest } = observed(index, {
    disk,
    container: container(identity(index).name, { state: 'exited', exitCode, finishedAt: NOW - HOUR }),
  });
  return rest;
}

function reads(index: number, disk: string, fraction: number): ObservedIdentity {
  const position = fraction * 36 * 64 * GIB;
  return observed(index, { disk, service: { ...proving, position }, log: readingLog });
}

function heldAhead(index: number, disk: string): ObservedIdentity {
  return observed(index, {
    disk,
    service: { ...proving, position: 0 },
    log: k2powLog,
    container: container(identity(index).name, HELD),
  });
}

function wanted(...indices: readonly number[]) {
  return Object.fromEntries(indices.map((index) => [index, 'proving' as const]));
}

function idle(...indices: readonly number[]) {
  return Object.fromEntries(indices.map((index) => [index, 'idle' as const]));
}

function report(looked: Observation, schedule: Partial<ScheduleInputs> = {}) {
  return buildReport({
    directory: '/srv/smesh',
    project: project(looked.identities.length),
    observation: looked,
    schedule: { policy, runs: true, history: NO_HISTORY, ...schedule },
  });
}

const farm = observation(
  [
    observed(1),
    reads(2, 'sda', 0.41),
    heldAhead(3, 'sda'),
    down(4, 'sda'),
    reads(5, 'sdb', 0.83),
    ...[6, 7, 8, 9].map((index) => down(index, 'sdb')),
    observed(10, { disk: 'sdc' }),
    observed(11, { disk: 'sdc' }),
  ],
  snapshot({ ...wanted(2, 3, 4, 5, 6, 7, 8, 9), ...idle(1, 10, 11) }, [1, 10, 11]),
);

describe('status --watch', () => {
  it('shows disks as lanes: who reads, who is held ahead, who waits for what, who is done', () => {
    expect(renderWatch(report(farm), { ...view, columns: 99 })).toEqual([
      'registration for epoch 89 closes in 8 h 48 m: 3 of 11 will miss it',
      'node  v1.7.6 synced · 38 peers · layer 353,558 · epoch 87 · up 12 d                      /srv/smesh',
      '',
      '· post-0004, post-0007, post-0008  will be done too late to register: they lose the epoch after',
      '    the next',
      '',
      'DISK  IDENTITY              DOES                                      RATE  DONE AT',
      'sda   post-0002             ████████░░░░░░░░░░░░ 41 %             141 MB/s  Mon 02:04',
      '      post-0003             k2pow 6 of 8, held until sda is free            ~Mon 05:40',
      '      post-0004             waits for sda                                   ~Mon 09:13 late',
      '      post-0001             published',
      'sdb   post-0005             ████████████████░░░░ 83 %             285 MB/s  Sun 23:36',
      '      post-0006             is about to be started                          ~Mon 03:15',
      '      post-0009 and 2 more  waits for sdb                                   ~Mon 13:54 late',
      'sdc   post-0010, post-0011  published',
      '',
      '├ now          cycle gap, 3 h 12 m in                                          Sun 22 Nov 23:12 UTC',
      '├ register by  Mon 08:00 UTC (09:00 here), in 8 h 48 m            0 of 11 have, 8 will, 3 will miss',
      '└ publish by   Fri 08:00 UTC (09:00 here), in 4 d 9 h                                  3 of 11 have',
    ]);
  });

  it.each([39, 45, 60, 79, 99, 140])('fits %i columns and keeps bar, wait and end apart', (columns) => {
    const lines = renderWatch(report(farm), { ...view, columns });
    for (const line of lines) expect(textWidth(line), line).toBeLessThanOrEqual(columns);
    expect(lines.join(' ')).toContain('41 %');
    expect(lines.join('\n')).toMatch(/waits for(?: sda|…)/);
    expect(lines.filter((line) => line.includes('late') && line.includes('waits'))).toHaveLength(2);
  });

  it('says what matters first, for a screen that is lower than the lanes', () => {
    const lines = renderWatch(report(farm), { ...view, columns: 99 });
    const at = (words: string) => lines.findIndex((line) => line.includes(words));
    expect(at('registration for epoch 89')).toBe(0);
    expect(at('too late to register')).toBeLessThan(at('41 %'));
    expect(at('41 %')).toBeLessThan(at('publish by'));
  });

  it('S29: of two on one disk, one reads and the other is held before it would', () => {
    const lines = renderWatch(
      report(observation([reads(1, 'sda', 0.5), heldAhead(2, 'sda')], snapshot(wanted(1, 2)))),
      view,
    );
    expect(lines.filter((line) => line.includes('%'))).toHaveLength(1);
    expect(lines.join('\n')).toContain('k2pow 6 of 8, held until sda is free');
  });

  it('S16: 150 identities on 100 disks: lanes with work first, restful ones counted', () => {
    const many = Array.from({ length: 150 }, (_, index) => observed(index + 1, { disk: `d${index % 100}` }));
    many[119] = reads(120, 'd19', 0.3);
    many[19] = down(20, 'd19');
    const states = { ...idle(...many.map((_one, index) => index + 1)), ...wanted(20, 120) };
    const lines = renderWatch(report(observation(many, snapshot(states))), view);
    expect(lines.length).toBeLessThan(20);
    expect(lines.join('\n')).toMatch(/d19 +post-0120 +█+░+ 30 %/);
    expect(lines.join(' ').replaceAll(/ +/g, ' ')).toContain('… and 99 disks at rest with 148 identities');
    expect(
      renderWatch(report(observation(many, snapshot(states))), { ...view, all: true }).length,
    ).toBeGreaterThan(150);
  });

  it('S16: 100 busy disks have a row each, with those who wait counted in it', () => {
    const many = Array.from({ length: 300 }, (_, index) =>
      index < 100 ? reads(index + 1, `d${index}`, 0.5) : down(index + 1, `d${index % 100}`),
    );
    const states = wanted(...many.map((_one, index) => index + 1));
    const lines = renderWatch(report(observation(many, snapshot(states))), view);
    expect(lines.filter((line) => /^d\d+ .* 50 % {2}· 2 waiting/.test(line))).toHaveLength(100);
    expect(lines.length).toBeLessThan(125);
  });
});

describe('the next deadline', () => {
  const first = (looked: Observation, schedule?: Partial<ScheduleInputs>) =>
    renderWatch(report(looked, schedule), { ...view, columns: 140 })[0];

  it('names the epoch that pays, and how many will miss it', () => {
    expect(first(farm)).toBe('registration for epoch 89 closes in 8 h 48 m: 3 of 11 will miss it');
    expect(first(observation([reads(1, 'sda', 0.5)], snapshot(wanted(1))))).toContain(
      'the identity will make it',
    );
  });

  it('S27: waits for the PoET proof when the gap is open and the node wants nothing yet', () => {
    const rows = {
      kind: 'read' as const,
      identities: [
        {
          smesherId: smesher(1),
          post: true,
          challenge: { publishEpoch: 87, hasPoetProof: false },
          registrations: [],
          nipost: false,
        },
      ],
    };
    const looked = { ...observation([observed(1)], snapshot(idle(1))), localDatabase: rows };
    expect(first(looked as unknown as Observation)).toBe(
      'registration for epoch 89 closes in 8 h 48 m: waiting for the PoET proof',
    );
  });

  it('S34: after the gap counts the late ones, whose proofs still earn', () => {
    const late = { ...farm, at: NOW + 10 * HOUR };
    expect(first(late)).toBe('epoch 87 ends in 3 d 23 h: 8 late proofs still earn epoch 88');
    const done = observation([observed(1)], snapshot(idle(1), [1]));
    expect(first({ ...done, at: NOW + 10 * HOUR })).toBe(
      'cycle gap opens in 13 d 11 h'.replace('13 d 11 h', '13 d'),
    );
  });

  it('S28: before the gap counts down to it, and tells of first proofs', () => {
    const before = { ...farm, at: NOW - 8 * HOUR };
    expect(first(before)).toBe('cycle gap opens in 4 h 48 m; 8 proofs are wanted before it');
  });
});

describe('what status says of the schedule', () => {
  const codes = (looked: Observation, schedule: Partial<ScheduleInputs>) =>
    report(looked, schedule).findings.map(({ code, severity, services }) => [code, severity, ...services]);

  it('lets wait who waits, and counts who will miss it', () => {
    expect(codes(farm, { runs: true })).toEqual([
      ['will-miss', 'notice', 'post-0004', 'post-0007', 'post-0008'],
    ]);
    expect(report(farm).counts.registration).toEqual({ have: 0, will: 8, miss: 3, unknown: 0 });
  });

  it('says that nobody starts and releases them where no schedule runs', () => {
    const found = codes(farm, { runs: false });
    expect(found).toContainEqual(['held-without-schedule', 'problem', 'post-0003']);
    expect(found).toContainEqual(['no-schedule', 'notice']);
    expect(found.some(([code]) => code === 'wanted-but-down')).toBe(true);
    const { miss, unknown } = report(farm, { runs: false }).counts.registration;
    expect({ miss, unknown: unknown > 0 }).toEqual({ miss: 3, unknown: true });
    const lines = renderWatch(report(farm, { runs: false }), { ...view, columns: 99 }).join('\n');
    expect(lines).toContain('→ smesh-compose run');
    expect(lines).toMatch(/post-0003 +k2pow 6 of 8, held\n/);
  });

  it('claims nothing of holds where it cannot be told whether a schedule runs', () => {
    const seen = buildReport({
      directory: '/srv/smesh',
      project: project(farm.identities.length),
      observation: farm,
      schedule: { policy, history: NO_HISTORY },
    });
    expect(seen.findings.map(({ code }) => code)).not.toContain('held-without-schedule');
    expect(seen.findings.map(({ code }) => code)).not.toContain('no-schedule');
  });

  it('leaves alone who was stopped by a person, and says how it comes back', () => {
    const looked = observation([down(1, 'sda'), down(2, 'sdb', 101)], snapshot(wanted(1, 2)));
    // The schedule knows the project for longer, and was it not.
    const { findings } = report(looked, { history: { ...NO_HISTORY, since: NOW - 2 * HOUR } });
    expect(findings.map(({ code, services, next }) => [code, ...services, next])).toEqual([
      ['wanted-but-down', 'post-0002', 'smesh-compose logs post-0002'],
      ['stopped-by-person', 'post-0001', 'smesh-compose up post-0001'],
    ]);
  });

  it('does not bother anybody with what the schedule has stopped at rest', () => {
    const looked = observation([down(1, 'sda')], snapshot(idle(1), [1]));
    expect(codes(looked, { runs: true })).toEqual([]);
    expect(codes(looked, { runs: false })).toEqual([['stopped', 'notice', 'post-0001']]);
  });

  it('tells of more memory than the budget', () => {
    const all = [1, 2, 3].map((index) => reads(index, `d${index}`, 0.1));
    const looked = observation(all, snapshot(wanted(1, 2, 3)));
    const found = report(looked, { policy: { ...policy, memoryBytes: 5 * GIB } }).findings.find(
      ({ code }) => code === 'memory-over-budget',
    );
    expect(found?.message).toMatch(/^3 proofs at once hold 6.9 GiB, and the budget is 5 GiB/);
  });
});
