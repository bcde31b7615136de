import { digestOf } from '../digest.ts';
import type { EpochClock } from './epochs.ts';
import type { ScheduleRow } from './schedule.ts';

/** By this a later run knows its own file. */
export const CALENDAR_PRODUCT = '-//smesh-compose//poet schedule//EN';

export interface CalendarFacts {
  /** `mainnet`; stands in the titles. */
  readonly network: string;
  readonly clock: EpochClock;
  readonly rows: readonly ScheduleRow[];
  /** When it is written. */
  readonly now: number;
  /** How long before a gap a reminder comes; absent: none. */
  readonly alarmMs?: number;
}

/** A line of an iCalendar file holds 75 octets, without its end. */
const LINE_OCTETS = 75;

/**
 * The schedule as a calendar (RFC 5545): per epoch the gap, the registration in it and the last moment to publish. An entry
 * has the same UID in every run as long as genesis, epoch length, phase and gap are the same, so that an import replaces
 * it. Times are UTC, which every calendar shows where its reader is.
 */
export function renderCalendar(facts: CalendarFacts): string {
  const { network, rows } = facts;
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    `PRODID:${CALENDAR_PRODUCT}`,
    'CALSCALE:GREGORIAN',
    `X-WR-CALNAME:${text(`Spacemesh ${network} PoET rounds`)}`,
    ...rows.flatMap((row) => eventsOf(row, facts)),
    'END:VCALENDAR',
  ];
  return lines.map((line) => `${fold(line)}\r\n`).join('');
}

/** The same calendar but for the moments at which the two were written. */
export function isSameCalendar(a: string, b: string): boolean {
  const bare = (calendar: string) => calendar.replaceAll(/^DTSTAMP:.*\r?\n/gm, '');
  return bare(a) === bare(b);
}

function eventsOf(row: ScheduleRow, facts: CalendarFacts): readonly string[] {
  const { epoch } = row;
  return [
    ...event(facts, {
      kind: 'gap',
      epoch,
      starts: row.gapOpens,
      ends: row.roundStarts,
      summary: `Spacemesh ${facts.network}: cycle gap ${epoch}`,
      description: `Round ${epoch - 1} has ended and proofs are due. Whoever has published and registered before round ${epoch} starts keeps two epochs. Do not stop or restart anything that proves.`,
      ...(facts.alarmMs === undefined ? {} : { alarmMs: facts.alarmMs }),
    }),
    ...event(facts, {
      kind: 'registration',
      epoch,
      starts: row.registrationOpens,
      ends: row.roundStarts,
      summary: `Spacemesh ${facts.network}: registration for round ${epoch}`,
      description: `The node registers with its PoETs until round ${epoch} starts. Who misses it earns nothing in epoch ${epoch + 2}.`,
    }),
    ...event(facts, {
      kind: 'publish',
      epoch,
      starts: row.publishBy,
      summary: `Spacemesh ${facts.network}: last moment to publish in epoch ${epoch}`,
      description: `Epoch ${epoch} ends. Who has not published by now earns nothing in epoch ${epoch + 1}.`,
    }),
  ];
}

interface CalendarEvent {
  readonly kind: string;
  readonly epoch: number;
  readonly starts: number;
  readonly ends?: number;
  readonly summary: string;
  readonly description: string;
  readonly alarmMs?: number;
}

function event({ clock, now }: CalendarFacts, one: CalendarEvent): readonly string[] {
  const { genesis, epoch: length, phaseShift, cycleGap } = clock;
  const rhythm = digestOf([genesis, length, phaseShift, cycleGap].join(' ')).slice(0, 12);
  return [
    'BEGIN:VEVENT',
    `UID:${one.kind}-${one.epoch}-${rhythm}@smesh-compose`,
    `DTSTAMP:${utc(now)}`,
    `DTSTART:${utc(one.starts)}`,
    ...(one.ends === undefined ? [] : [`DTEND:${utc(one.ends)}`]),
    `SUMMARY:${text(one.summary)}`,
    `DESCRIPTION:${text(one.description)}`,
    // It takes nobody's time.
    'TRANSP:TRANSPARENT',
    ...(one.alarmMs === undefined ? [] : alarm(one.alarmMs, one.summary)),
    'END:VEVENT',
  ];
}

function alarm(ms: number, summary: string): readonly string[] {
  return [
    'BEGIN:VALARM',
    'ACTION:DISPLAY',
    `TRIGGER:-PT${Math.round(ms / 60_000)}M`,
    `DESCRIPTION:${text(summary)}`,
    'END:VALARM',
  ];
}

/** `20261122T200000Z`. */
function utc(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

/** Value of type TEXT (RFC 5545 §3.3.11). */
function text(value: string): string {
  return value.replaceAll(/[\\;,]/g, (sign) => `\\${sign}`).replaceAll(/\r?\n/g, '\\n');
}

/** Breaks a line after at most 75 octets, never within a character; what follows is set off by a blank (§3.1). */
function fold(line: string): string {
  const parts: string[] = [];
  let part = '';
  let octets = 0;
  for (const character of line) {
    const size = Buffer.byteLength(character);
    if (octets + size > LINE_OCTETS) {
      parts.push(part);
      part = '';
      // The blank at the beginning counts.
      octets = 1;
    }
    part += character;
    octets += size;
  }
  return [...parts, part].join('\r\n ');
}
