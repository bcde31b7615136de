/*
 * How columns are asked for: no text and no blob of the file comes back as such, because libsql ends the whole process at
 * a text that is no UTF-8, as a damaged page has it. What is of another type than the node writes comes back as NULL.
 */

export type Row = Readonly<Record<string, unknown>>;

export function whole(column: string): string {
  return `CASE typeof(${column}) WHEN 'integer' THEN ${column} END AS ${column}`;
}

export function text(column: string): string {
  return `CASE typeof(${column}) WHEN 'text' THEN hex(${column}) END AS ${column}`;
}

/** What was asked for with `text`. Throws when it was none. */
export function textIn(row: Row, column: string): string {
  const hex = row[column];
  if (typeof hex !== 'string') throw new Error(`${column} is no text`);
  return Buffer.from(hex, 'hex').toString('utf8');
}

/** Throws when it is none that a number holds exactly. */
export function numberIn(row: Row, column: string): number {
  const value = row[column];
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number))
    throw new Error(`${column} is not a number`);
  return number;
}
