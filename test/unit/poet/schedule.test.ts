import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultPoet, MAINNET } from '../../../src/domain/node/networks.ts';
import { isSameCalendar, renderCalendar } from '../../../src/domain/poet/calendar.ts';
import { epochClock } from '../../../src/domain/poet/epochs.ts';
import { poetPreset } from '../../../src/domain/poet/presets.ts';
import { finishedRounds, runningRound } from '../../../src/domain/poet/rounds.ts';
import { scheduleRow, scheduleRows } from '../../../src/domain/poet/schedule.ts';
import { clockAt, runMain } from '../../helpers/run-main.ts';
import { tempFolder } from '../../helpers/temp.ts';

const clock = epochClock(MAINNET, defaultPoet(MAINNET));
const at = (text: string) => Date.parse(text);
const iso = (moment: number) => new Date(moment).toISOString().replace(':00.000Z', 'Z');

describe('rows', () => {
  it.each([
    // Published vectors (spacemesh.md §12): epoch, its start, round start, round end.
    [13, '2024-01-12T08:00Z', '2024-01-22T08:00Z', '2024-02-04T20:00Z'],
    [30, '2024-09-06T08:00Z', '2024-09-16T08:00Z', '2024-09-29T20:00Z'],
    [60, '2025-10-31T08:00Z', '2025-11-10T08:00Z', '2025-11-23T20:00Z'],
  ])('of epoch %i are those that are published', (epoch, starts, roundStarts, roundEnds) => {
    const row = scheduleRow(clock, epoch);
    expect([row.epochStarts, row.roundStarts, row.roundEnds].map(iso)).toEqual([
      starts,
      roundStarts,
      roundEnds,
    ]);
    expect(scheduleRow(clock, epoch + 1).gapOpens).toBe(row.roundEnds);
  });

  it('of thirty dates begin with the epoch that runs, each after the other', () => {
    for (let day = 0; day < 30; day += 1) {
      const now = at('2026-01-01T00:00:00Z') + day * 11 * 3_600_000;
      const rows = scheduleRows(clock, now, 3);
      expect(rows[0]?.epochStarts).toBeLessThanOrEqual(now);
      expect(rows[0]?.publishBy).toBeGreaterThan(now);
      for (const [index, row] of rows.entries()) {
        expect(row.epoch).toBe((rows[0]?.epoch ?? 0) + index);
        const moments = [
          row.epochStarts,
          row.gapOpens,
          row.registrationOpens,
          row.roundStarts,
          row.poetProofBy,
        ];
        expect([...moments, row.publishBy]).toEqual([...moments, row.publishBy].sort((a, b) => a - b));
        expect(new Date(row.gapOpens).getUTCDay(), 'a Sunday').toBe(0);
      }
    }
  });

  it('follow the phase', () => {
    const later = epochClock(MAINNET, poetPreset('team24')?.times ?? defaultPoet(MAINNET));
    const row = scheduleRow(later, 14);
    // operators.md d.2: opens 264 h after the epoch's start, closes 48 h before its end.
    expect(row.gapOpens - row.epochStarts).toBe(264 * 3_600_000);
    expect(row.epochEnds - row.roundStarts).toBe(48 * 3_600_000);
  });
});

describe('rounds', () => {
  it.each([
    ['in a round', '2024-01-30T00:00:00Z', 13, [12, 11]],
    ['at its very end', '2024-02-04T20:00:00Z', undefined, [13, 12]],
    ['in the gap', '2024-02-05T07:59:59Z', undefined, [13, 12]],
    ['when the next one begins', '2024-02-05T08:00:00Z', 14, [13, 12]],
    ['before the first', '2023-07-15T00:00:00Z', undefined, []],
    ['in the first', '2023-07-25T00:00:00Z', 0, []],
  ])('%s', (_, now, running, finished) => {
    expect(runningRound(clock, at(now))).toBe(running);
    expect(finishedRounds(clock, at(now), 2)).toEqual(finished);
  });
});

describe('the calendar', () => {
  const rows = scheduleRows(clock, at('2024-01-30T00:00:00Z'), 2);
  const facts = { network: 'mainnet', clock, rows, now: at('2024-01-30T00:00:00Z'), alarmMs: 24 * 3_600_000 };
  const calendar = renderCalendar(facts);

  it('keeps to RFC 5545: line ends, 75 octets, what every entry needs', () => {
    expect(calendar.endsWith('END:VCALENDAR\r\n')).toBe(true);
    const lines = calendar.split('\r\n');
    expect(calendar.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    for (const line of lines) expect(Buffer.byteLength(line), line).toBeLessThanOrEqual(75);
    const unfolded = calendar.replaceAll('\r\n ', '').split('\r\n');
    expect(unfolded.filter((line) => line === 'BEGIN:VEVENT')).toHaveLength(6);
    for (const name of ['UID', 'DTSTAMP', 'DTSTART', 'SUMMARY'])
      expect(unfolded.filter((line) => line.startsWith(`${name}:`)).length, name).toBe(6);
    expect(new Set(unfolded.filter((line) => line.startsWith('UID:'))).size).toBe(6);
    expect(unfolded).toContain('TRIGGER:-PT1440M');
    expect(unfolded.join('\n')).toContain('DTSTART:20240204T200000Z\nDTEND:20240205T080000Z');
    // A comma in a text would begin a second value.
    for (const line of unfolded.filter((one) => one.startsWith('DESCRIPTION')))
      expect(line.replaceAll(/\\./g, '')).not.toMatch(/[,;]/);
  });

  it('folds between characters, also where one takes several octets', () => {
    const long = renderCalendar({ ...facts, network: 'ü'.repeat(120) });
    for (const line of long.split('\r\n')) {
      expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
      expect(line).not.toContain('�');
    }
    expect(long.replaceAll('\r\n ', '')).toContain(`${'ü'.repeat(120)}: cycle gap 14`);
  });

  it('names an entry the same in every run, and another way for another rhythm', () => {
    const uids = (text: string) => text.split('\r\n').filter((line) => line.startsWith('UID:'));
    const later = renderCalendar({ ...facts, now: facts.now + 1000 });
    expect(uids(later)).toEqual(uids(calendar));
    expect(isSameCalendar(later, calendar)).toBe(true);
    const other = renderCalendar({ ...facts, clock: { ...clock, phaseShift: 288 * 3_600_000 } });
    expect(uids(other).some((uid) => uids(calendar).includes(uid))).toBe(false);
  });
});

describe('poet schedule', () => {
  const now = at('2024-01-30T00:00:00Z');
  const schedule = (folder: string, args: readonly string[], offset = 0) =>
    runMain(['-C', folder, 'poet', 'schedule', ...args], clockAt(now, offset));

  it('needs no project, and fits 80 columns with local times', async () => {
    const run = await schedule(tempFolder('schedule'), ['--network', 'mainnet', '--epochs', '2'], 330);
    expect(run.code).toBe(0);
    for (const line of run.stdout.split('\n').slice(2)) expect(line.length).toBeLessThanOrEqual(80);
    expect(run.stdout).toMatch(
      /^ {2}14 {2}2024-02-04 20:00 {2}2024-02-05 07:00 {2}2024-02-05 08:00 {2}2024-02-09 08:00$/m,
    );
    expect(run.stdout).toMatch(
      /^here {2}2024-02-05 01:30 {2}2024-02-05 12:30 {2}2024-02-05 13:30 {2}2024-02-09 13:30$/m,
    );
  });

  it('says the same as data', async () => {
    const run = await schedule(tempFolder('schedule'), ['--preset', 'team24', '--epochs', '1', '--json']);
    expect(JSON.parse(run.stdout)).toMatchObject({
      schemaVersion: 1,
      network: 'mainnet',
      phaseShiftSeconds: 288 * 3600,
      cycleGapSeconds: 24 * 3600,
      epochs: [{ epoch: 14, roundStarts: '2024-02-07T08:00:00.000Z', publishBy: '2024-02-09T08:00:00.000Z' }],
    });
  });

  it('writes a calendar, twice the same file, and over nothing of anybody else', async () => {
    const folder = tempFolder('schedule');
    const file = join(folder, 'gaps.ics');
    expect(await schedule(folder, ['--ics', file])).toMatchObject({ code: 0 });
    const first = readFileSync(file, 'utf8');
    const again = await runMain(['-C', folder, 'poet', 'schedule', '--ics', file], clockAt(now + 60_000));
    expect(again.stdout).toContain('says the same already');
    expect(readFileSync(file, 'utf8')).toBe(first);
    const printed = await schedule(folder, ['--ics', '-']);
    expect(printed.stdout).toBe(first);
    writeFileSync(file, 'BEGIN:VCALENDAR\r\nPRODID:somebody\r\n');
    const refused = await schedule(folder, ['--ics', file]);
    expect(refused.code).toBe(5);
    expect(readFileSync(file, 'utf8')).toContain('somebody');
  });

  it.each([
    [['--phase-shift', '336h'], /phase shift must be shorter than an epoch/],
    [['--grace', '12h'], /grace period must be shorter than the cycle gap/],
    [['--cycle-gap', '0s'], /longer than nothing/],
    [['--preset', 'tam24'], /no preset "tam24"/],
    [['--alarm', '1h'], /belongs to --ics/],
    [['--use'], /--use belongs to: poet serve/],
    [['https://x.example'], /takes no "https:/],
    [['--epochs', '0'], /1 to 200/],
    [['--ics', tmpdir()], /is no file.*Nothing was changed/s],
    [['--ics', join(tmpdir(), 'no-such-folder/gaps.ics')], /no-such-folder is no folder/],
    [['--ics', '-', '--json'], /both want stdout/],
  ])('refuses %j', async (args, says) => {
    const run = await schedule(tempFolder('schedule'), args);
    expect(run.code).toBe(2);
    // With --json the error is the one document on stdout.
    expect(run.stderr + run.stdout).toMatch(says);
  });
});
