import type { IdentityReport, StatusReport } from '../domain/proving/status-report.ts';
import { type LaneRow, laneRows } from './lane-rows.ts';
import type { MomentStyle } from './moments.ts';
import { serviceWords } from './status-words.ts';
import { type Cell, type Column, renderTable } from './table.ts';
import { wrapText } from './text.ts';
import { plural } from './units.ts';

export interface LaneView {
  readonly columns: number;
  readonly color: boolean;
  /** Also the disks on which nothing happens, and each identity by itself, however many there are. */
  readonly all: boolean;
}

/** One disk with its identities: only one of them may read at a time. */
export interface Lane {
  readonly disk: string;
  readonly identities: readonly IdentityReport[];
}

/** More disks than these are not shown while they rest. */
const MOST_RESTFUL = 20;

/** More rows than this: one for each disk (S16). */
const MOST_ROWS = 60;

const COLUMNS: readonly Column[] = [
  { title: 'DISK', flexible: true, minWidth: 4, cut: 'start' },
  { title: 'IDENTITY', flexible: true, minWidth: 9, cut: 'middle' },
  { title: 'DOES', flexible: true, minWidth: 10 },
  { title: 'RATE', align: 'right' },
  { title: 'DONE AT' },
];

const RATE_FROM = 64;
const END_FROM = 52;

/**
 * Disks as lanes: what is read, what is held ahead, who waits for what, who is done. Those that matter most come first,
 * because a screen may be too low: whoever will be late, then whoever has work; disks at rest are counted.
 */
export function laneLines(report: StatusReport, view: LaneView, style: MomentStyle): string[] {
  const lanes = lanesOf(report);
  const busy = lanes.filter(isBusy);
  const restful = lanes.filter((lane) => !isBusy(lane));
  const shownRestful = view.all || lanes.length <= MOST_RESTFUL ? restful : [];
  const full = [...busy, ...shownRestful].map((lane) => laneRows(lane, report, view, style, 'full'));
  const rows =
    view.all || full.flat().length <= MOST_ROWS
      ? full
      : [...busy, ...shownRestful].map((lane) => laneRows(lane, report, view, style, 'compact'));
  const hidden = shownRestful.length === restful.length ? [] : restful;
  const table = rows.length === 0 ? [] : renderTable(columnsFor(view), cells(rows, view), view.columns);
  return [...table, ...restLine(hidden, view)];
}

/** What a narrow terminal can do without: the rate first, then the end; who is late says so all the same. */
function columnsFor({ columns }: LaneView): readonly Column[] {
  if (columns >= RATE_FROM) return COLUMNS;
  return COLUMNS.filter(({ title }) => title !== 'RATE' && (columns >= END_FROM || title !== 'DONE AT'));
}

function cells(lanes: readonly (readonly LaneRow[])[], { columns }: LaneView): readonly (readonly Cell[])[] {
  return lanes.flatMap((rows) =>
    rows.map(({ disk, identity, does, rate, doneAt, isLate }, index) => {
      const first = index === 0 ? disk : '';
      if (columns >= RATE_FROM) return [first, identity, does, rate, doneAt];
      if (columns >= END_FROM) return [first, identity, does, doneAt];
      return [first, identity, isLate ? withWord('late: ', does) : does];
    }),
  );
}

function withWord(word: string, cell: Cell): Cell {
  return typeof cell === 'string' ? word + cell : { ...cell, text: word + cell.text };
}

/** In the order in which smesh.yaml first names a disk, late ones first. */
function lanesOf({ identities }: StatusReport): readonly Lane[] {
  const byDisk = new Map<string, IdentityReport[]>();
  for (const identity of identities) {
    const disk = identity.disk ?? identity.data;
    const known = byDisk.get(disk);
    if (known === undefined) byDisk.set(disk, [identity]);
    else known.push(identity);
  }
  const lanes = [...byDisk].map(([disk, members]): Lane => ({ disk, identities: members }));
  const misses = ({ identities: members }: Lane) =>
    members.some(({ registration, state }) => registration === 'miss' && state.wants === 'a-proof');
  return lanes.sort((a, b) => Number(misses(b)) - Number(misses(a)));
}

function isBusy({ identities }: Lane): boolean {
  return identities.some(({ state }) => {
    const { kind } = state.activity;
    return (
      state.wants === 'a-proof' ||
      state.held ||
      (kind !== 'idle' && kind !== 'down' && kind !== 'not-created')
    );
  });
}

/** What is not shown, by what most of it says. */
function restLine(lanes: readonly Lane[], { columns }: LaneView): string[] {
  if (lanes.length === 0) return [];
  const identities = lanes.flatMap((lane) => lane.identities);
  const text = `… and ${plural(lanes.length, 'disk')} at rest with ${plural(identities.length, 'identity', 'identities')}: ${countWords(identities)}   (--all shows each)`;
  return wrapText(text, columns);
}

/** `9 published, registered · 3 idle`. */
export function countWords(identities: readonly IdentityReport[]): string {
  const counts = new Map<string, number>();
  for (const identity of identities) {
    const words = serviceWords(identity);
    counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([words, count]) => `${count} ${words}`)
    .join(' · ');
}
