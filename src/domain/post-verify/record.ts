import * as z from 'zod';
import { parseSmesherId, type SmesherId } from '../identity/smesher-id.ts';

/** What the last check of the labels of one directory came to. */
export interface VerifiedRecord {
  readonly path: string;
  readonly smesherId: SmesherId;
  /** When it ended, milliseconds since 1970. */
  readonly at: number;
  /** Percent of the labels. */
  readonly fraction: number;
  /** Files that were looked at, inclusive, and how many a whole set has. */
  readonly from: number;
  readonly to: number;
  readonly files: number;
  /** First wrong label of each file that has one; empty: all that was looked at was right. */
  readonly wrong: readonly WrongLabel[];
}

export interface WrongLabel {
  readonly file: number;
  /** Bytes from the file's beginning. */
  readonly offset: number;
}

const whole = z.number().int().nonnegative();

const schema = z.object({
  version: z.literal(1),
  checked: z.array(
    z.object({
      path: z.string(),
      smesherId: z.string().transform((text, context): SmesherId => {
        const parsed = parseSmesherId(text);
        if (parsed === undefined) context.addIssue({ code: 'custom', message: 'is no smesher ID' });
        return parsed as SmesherId;
      }),
      at: z.number().nonnegative(),
      fraction: z.number().positive().max(100),
      from: whole,
      to: whole,
      files: whole,
      wrong: z.array(z.object({ file: whole, offset: whole })),
    }),
  ),
});

/** Text of `.smesh/post-verified.json`: the same records give the same bytes. */
export function writeRecords(records: readonly VerifiedRecord[]): string {
  const checked = records.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return `${JSON.stringify({ version: 1, checked }, undefined, 1)}\n`;
}

/** One that cannot be read counts as none: a check can be made again. */
export function readRecords(text: string | undefined): readonly VerifiedRecord[] {
  if (text === undefined) return [];
  try {
    return schema.parse(JSON.parse(text)).checked;
  } catch {
    return [];
  }
}

function largest(before: VerifiedRecord, record: VerifiedRecord): VerifiedRecord {
  const covers = (one: VerifiedRecord, other: VerifiedRecord) => one.from <= other.from && one.to >= other.to;
  if (covers(record, before)) return record;
  const touch = record.from <= before.to + 1 && before.from <= record.to + 1;
  if (touch && record.fraction === before.fraction && !covers(before, record)) {
    const [from, to] = [Math.min(record.from, before.from), Math.max(record.to, before.to)];
    return { ...record, from, to, at: Math.min(record.at, before.at) };
  }
  return record.to - record.from >= before.to - before.from ? record : before;
}

/**
 * The newer one of each directory. A wrong label stays on record until its file was looked at in full: a sample that misses
 * it says nothing. Of two parts the larger one is remembered as looked at; one that was stopped and what went on behind it
 * are one, since the first of them.
 */
export function withRecord(
  records: readonly VerifiedRecord[],
  record: VerifiedRecord,
): readonly VerifiedRecord[] {
  const before = records.find(({ path }) => path === record.path);
  const others = records.filter((one) => one !== before);
  if (before === undefined || before.smesherId !== record.smesherId) return [...others, record];
  const inside = (file: number) => file >= record.from && file <= record.to;
  const found = new Set(record.wrong.map(({ file }) => file));
  const kept = before.wrong.filter(
    ({ file }) => !found.has(file) && !(inside(file) && record.fraction >= 100),
  );
  const wrong = [...kept, ...record.wrong].sort((a, b) => a.file - b.file);
  return [...others, { ...largest(before, record), wrong }];
}
