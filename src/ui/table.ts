import { type CutPlace, cutText, printable, textWidth } from './text.ts';

export interface Column {
  readonly title: string;
  /** Numbers stand right. Default: left. */
  readonly align?: 'left' | 'right';
  /** Gives way, widest first, when the table is too wide; the others do only when that is not enough. */
  readonly flexible?: boolean;
  /** Cells that a flexible column keeps at least. Default: 8. */
  readonly minWidth?: number;
  readonly cut?: CutPlace;
}

/** A text, or a text with how to colour it; `paint` gets the text as it will stand, already cut. */
export type Cell = string | { readonly text: string; readonly paint?: (text: string) => string };

const GAP = 2;
const LEAST = 3;

function cellText(cell: Cell | undefined): string {
  return printable(typeof cell === 'object' ? cell.text : (cell ?? ''));
}

/** Takes cells from the widest of the columns until the total fits or all stand at their least. */
function shrink(widths: number[], leasts: readonly number[], excess: number): number {
  let left = excess;
  while (left > 0) {
    let widest = -1;
    for (const [column, width] of widths.entries()) {
      const canGive = width > (leasts[column] ?? width);
      if (canGive && (widest < 0 || width > (widths[widest] ?? 0))) widest = column;
    }
    if (widest < 0) return left;
    widths[widest] = (widths[widest] ?? 0) - 1;
    left -= 1;
  }
  return 0;
}

function fitWidths(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  const total = natural.reduce((sum, cells) => sum + cells, 0) + GAP * (columns.length - 1);
  const flexibleLeasts = natural.map((cells, column) => {
    const spec = columns[column];
    return spec?.flexible === true ? Math.min(cells, spec.minWidth ?? 8) : cells;
  });
  const left = shrink(widths, flexibleLeasts, total - width);
  const hardLeasts = natural.map((cells) => Math.min(cells, LEAST));
  shrink(widths, hardLeasts, left);
  return widths;
}

function renderLine(columns: readonly Column[], widths: readonly number[], cells: readonly Cell[]): string {
  const last = cells.findLastIndex((cell) => cellText(cell) !== '');
  let line = '';
  for (let index = 0; index <= last; index += 1) {
    const cell = cells[index];
    const width = widths[index] ?? 0;
    const text = cutText(cellText(cell), width, columns[index]?.cut);
    const shown = typeof cell === 'object' && cell.paint !== undefined ? cell.paint(text) : text;
    const padding = ' '.repeat(Math.max(width - textWidth(text), 0));
    if (index > 0) line += ' '.repeat(GAP);
    if (columns[index]?.align === 'right') line += padding + shown;
    else line += index === last ? shown : shown + padding;
  }
  return line;
}

/**
 * Lines of a table with titles, at most `width` cells wide (as long as its columns can be three cells), without
 * trailing spaces. Whatever is in a cell, it cannot break the line or command the terminal.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
): string[] {
  const natural = columns.map(({ title }, column) =>
    rows.reduce((most, row) => Math.max(most, textWidth(cellText(row[column]))), textWidth(title)),
  );
  const widths = fitWidths(columns, natural, width);
  const titles = columns.map(({ title }) => title);
  return [titles, ...rows].map((row) => renderLine(columns, widths, row));
}
