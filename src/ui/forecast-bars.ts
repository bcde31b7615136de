import type { Forecast, ForecastOfDisk } from '../domain/forecast/forecast.ts';
import { type MomentStyle, shortMoment } from './moments.ts';
import { cutText, printable, textWidth } from './text.ts';
import { formatBytes, formatRate, plural } from './units.ts';

/** More disks than these are read by nobody: those that end last are shown. */
const MOST_DISKS = 24;

const K2POW = '░';
/** Identities that follow each other differ. */
const READING = ['█', '▓'] as const;
const IDLE = '·';
const MARK = '╎';

interface Axis {
  readonly from: number;
  readonly to: number;
  readonly cells: number;
  readonly registerBy: number;
}

function cellAt({ from, to, cells }: Axis, moment: number): number {
  return Math.round(((moment - from) / (to - from)) * cells);
}

/**
 * A lane per disk as wide as the terminal: k2pow that its disk waits for, then what is read, identity after identity, and
 * where registration closes. Readable without colour.
 */
export function diskBars(
  forecast: Forecast,
  { columns, ...given }: MomentStyle & { readonly columns: number },
): readonly string[] {
  const { disks, begins, registerBy } = forecast;
  // The date stands above: here the weekday is enough.
  const view: MomentStyle = { ...given, now: begins };
  const ends = (disk: ForecastOfDisk) => Math.max(...disk.lane.map(({ doneAt }) => doneAt));
  const shown =
    disks.length > MOST_DISKS ? disks.toSorted((a, b) => ends(b) - ends(a)).slice(0, MOST_DISKS) : disks;
  const last = Math.max(...disks.map(ends));
  const labels = shown.map(labelOf);
  const doneAt = shown.map((disk) => shortMoment(ends(disk), view));
  const left = Math.min(Math.max(...labels.map(textWidth)), Math.floor(columns / 3));
  const right = Math.max(...doneAt.map(textWidth));
  const cells = Math.max(columns - left - right - 4, 10);
  const axis: Axis = {
    from: begins,
    // The mark has a place of its own, and what is not far behind it is seen.
    to: Math.max(last, registerBy + (registerBy - begins) * 0.02),
    cells,
    registerBy,
  };
  const rows = shown.map((disk, index) => {
    const label = cutText(labels[index] ?? '', left, 'middle');
    const late = ends(disk) > registerBy ? '!' : ' ';
    return `${label}${' '.repeat(left - textWidth(label))}  ${barOf(disk, axis)} ${late}${doneAt[index]}`;
  });
  const hidden = disks.length - shown.length;
  return [
    ...rows,
    ...(hidden === 0 ? [] : [`and ${plural(hidden, 'disk')} more, which are done sooner`]),
    legendUnder(axis, left, view),
    `${K2POW} k2pow  ${READING.join(' ')} reading, by identity  ${IDLE} idle  ${MARK} registration closes`,
  ];
}

function labelOf({ disk, bytesPerSecond, source, bytes }: ForecastOfDisk): string {
  return `${printable(disk)} ${formatBytes(bytes)} ${formatRate(bytesPerSecond)}${source === 'default' ? '?' : ''}`;
}

function barOf({ lane }: ForecastOfDisk, axis: Axis): string {
  const cells: string[] = Array.from({ length: axis.cells }, () => IDLE);
  const fill = (from: number, to: number, sign: string) => {
    for (let cell = Math.max(from, 0); cell < Math.min(to, cells.length); cell += 1) cells[cell] = sign;
  };
  for (const { spans } of lane) {
    for (const { kind, from, to } of spans) {
      if (kind === 'k2pow' || kind === 'preparing') fill(cellAt(axis, from), cellAt(axis, to), K2POW);
    }
  }
  lane.forEach(({ name, spans }, index) => {
    for (const { kind, from, to } of spans) {
      if (kind !== 'reading') continue;
      const [start, end] = [cellAt(axis, from), Math.max(cellAt(axis, to), cellAt(axis, from) + 1)];
      fill(start, end, READING[index % 2] ?? '█');
      write(cells, name, [start, end], cellAt(axis, axis.registerBy));
    }
  });
  const mark = cellAt(axis, axis.registerBy);
  if (mark >= 0 && mark < cells.length) cells[mark] = MARK;
  return cells.join('');
}

/** Its number in the middle of its stretch, where there is room for it. */
function write(cells: string[], name: string, [start, end]: readonly [number, number], mark: number): void {
  const number = /\d+$/.exec(name)?.[0] ?? '';
  const last = Math.min(end, cells.length);
  if (number === '') return;
  const fits = (at: number) =>
    at > start && at + number.length < last && (mark < at || mark >= at + number.length);
  const middle = start + Math.floor((last - start - number.length) / 2);
  // Beside the mark rather than below it.
  const at = [middle, mark + 1, mark - number.length].find(fits);
  if (at === undefined) return;
  [...number].forEach((digit, index) => {
    cells[at + index] = digit;
  });
}

/** `20:05                    08:00` below the bars: where they begin, and where registration closes. */
function legendUnder(axis: Axis, left: number, style: MomentStyle): string {
  const begin = shortMoment(axis.from, style);
  const close = shortMoment(axis.registerBy, style);
  const mark = cellAt(axis, axis.registerBy);
  const room = mark - textWidth(close);
  const line = room > textWidth(begin) + 1 ? begin.padEnd(room + 1) + close : begin;
  return `${' '.repeat(left + 2)}${line}`;
}
