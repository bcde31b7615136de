import { describe, expect, it } from 'vitest';
import { type JobReport, needsSomebody, silenceOf } from '../../../src/domain/post-init/job-report.ts';
import {
  adviceLines,
  formatLabelRate,
  jobToJson,
  percentOf,
  plainJobLine,
  renderJobs,
  renderJobWatch,
} from '../../../src/ui/post-jobs.ts';
import { makeJob } from '../post-init/support/jobs.ts';

const TIB = 1024 ** 4;
const NOW = Date.UTC(2026, 10, 27, 14);
const style = { now: NOW, localOffsetMinutes: () => 0 };

function report(changes: Partial<JobReport> = {}): JobReport {
  return {
    job: makeJob('/mnt/d5', { units: 36 }),
    state: { kind: 'unfinished', progress: { bytes: 0.41 * 2.25 * TIB, expectedBytes: 2.25 * TIB } },
    card: 'GPU 0',
    disk: 'sda',
    place: { kind: 'runs' },
    ...changes,
  };
}

const pace = { labelsPerSecond: 2_310_000, bytesPerSecond: 36_960_000, doneAt: NOW + 11 * 3600_000 };

describe('jobs as a table', () => {
  it('has job, disk, card, size, percent, speed, end and state within 100 columns', () => {
    const [title, row] = renderJobs([report({ pace })], 100, style);
    expect(title).toMatch(/^JOB +DISK +CARD +UNITS +DONE +LABELS +RATE +DONE AT +STATE$/);
    expect(row).toMatch(
      /^post-0009-init +sda +GPU 0 +36 \(2\.3 TiB\) +41 % +2\.31 M\/s +37 MB\/s +Sat 01:00 +runs$/,
    );
    expect(row?.length).toBeLessThanOrEqual(100);
  });

  it('names the files of a part, and is not 100 % before the last byte', () => {
    const part = makeJob('/mnt/d5', { into: '/mnt/d5/post', fromFile: 0, toFile: 287 });
    expect(renderJobs([report({ job: part })], 140, style)[1]).toContain('files 0–287 (2.3 TiB)');
    const nearly = { bytes: 999_999, expectedBytes: 1_000_000 };
    expect(percentOf(report({ state: { kind: 'unfinished', progress: nearly } }))).toBe('99 %');
  });

  it.each([
    [2_310_000, '2.31 M/s'],
    [12_300_000, '12.3 M/s'],
    [640_000, '640 k/s'],
    [5200, '5.2 k/s'],
    [52, '52/s'],
  ])('%d labels a second are %s', (rate, text) => expect(formatLabelRate(rate)).toBe(text));

  it('says of one that is paused that it does nothing, and how it goes on', () => {
    const paused = report({ container: 'paused', silentMs: 3600_000 });
    expect(renderJobWatch([paused], 140, style).join('\n')).toMatch(/is paused$/);
    expect(adviceLines([paused])).toEqual([
      '! post-0009-init: is paused',
      '    docker compose unpause post-0009-init',
    ]);
    expect(needsSomebody(report({ container: 'paused' }))).toBe(true);
  });

  it('is drawn while watching with who waits and who is stuck, and as a line for a log', () => {
    const waits = report({
      job: makeJob('/x', { name: 'b' }),
      place: { kind: 'waits', why: 'waits for sda (a)' },
    });
    const stuck = report({
      job: makeJob('/x', { name: 'c' }),
      place: { kind: 'stuck', why: 'is not there' },
    });
    const lines = renderJobWatch([report({ pace }), waits, stuck], 99, style);
    expect(lines.slice(2)).toEqual(['  b  waits for sda (a)', '! c  is not there']);
    expect(plainJobLine(report({ pace }), NOW)).toBe(
      '14:00:00 post-0009-init  GPU 0  41 % of 2.3 TiB, 2.31 M/s labels, 37 MB/s, done in 11 h',
    );
  });
});

describe('who needs somebody', () => {
  it('says why and what to type, and not of one that a person stopped', () => {
    const end = { code: 'disk-full', why: 'the disk is full', next: 'Make room', retry: 'never' } as const;
    const full = report({ place: { kind: 'stuck', why: 'the disk is full' }, end });
    expect(needsSomebody(full)).toBe(true);
    expect(adviceLines([full])).toEqual(['! post-0009-init: the disk is full', '    Make room']);
    const other = { ...full, job: makeJob('/x', { name: 'b' }) };
    expect(adviceLines([full, other])[0]).toBe('! post-0009-init, b: the disk is full');
    expect(jobToJson(full)).toMatchObject({ code: 'disk-full', next: 'Make room', needsSomebody: true });
    const stopped = report({ place: { kind: 'starts' }, end: { ...end, code: 'stopped' } });
    expect(needsSomebody(stopped)).toBe(false);
    expect(adviceLines([report({ pace })])).toEqual([]);
  });

  it('is one that runs and writes nothing for longer than a batch can take', () => {
    const since = { now: NOW, onCpu: false, searches: false, startedAt: NOW - 3600_000 };
    expect(silenceOf({ ...since, writtenAt: NOW - 60_000 })).toBeUndefined();
    expect(silenceOf({ ...since, writtenAt: NOW - 20 * 60_000 })).toBe(20 * 60_000);
    // Resumed after days: what was written before its start says nothing.
    expect(silenceOf({ ...since, startedAt: NOW - 60_000, writtenAt: NOW - 1e9 })).toBeUndefined();
    expect(silenceOf({ ...since, onCpu: true })).toBeUndefined();
    expect(silenceOf({ ...since, searches: true })).toBeUndefined();
    const silent = report({ silentMs: 20 * 60_000 });
    expect(needsSomebody(silent)).toBe(true);
    expect(adviceLines([silent])[0]).toBe('! post-0009-init: has written nothing for 20 min');
    expect(renderJobWatch([silent], 140, style).join('\n')).toContain('has written nothing');
  });
});
