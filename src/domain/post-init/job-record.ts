import * as z from 'zod';
import type { InitialisationJob } from '../project/types.ts';

/** Relative to the project. Losing it harms nobody: it only knows that an empty directory was not always empty. */
export const JOB_RECORD = '.smesh/initialisation.json';

const schema = z.object({
  version: z.literal(1),
  jobs: z.array(
    z.object({
      name: z.string(),
      id: z.string(),
      data: z.string(),
      /** Of its range, at the last look that found any. */
      bytes: z.number().nonnegative(),
    }),
  ),
});

export type JobRecord = z.infer<typeof schema>['jobs'];

/** What is remembered; damaged counts as nothing. */
export function readJobRecord(text: string | undefined): JobRecord {
  if (text === undefined) return [];
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data.jobs : [];
  } catch {
    return [];
  }
}

/** The same record gives the same bytes. */
export function writeJobRecord(jobs: JobRecord): string {
  const sorted = [...jobs].sort((a, b) => (a.name < b.name ? -1 : 1));
  return `${JSON.stringify({ version: 1, jobs: sorted }, null, 1)}\n`;
}

type Place = Pick<InitialisationJob, 'name' | 'id' | 'data'>;

/** Bytes that a job had in this very directory. */
export function recordedBytes(record: JobRecord, { id, data }: Place): number {
  return record.find((one) => one.id === id && one.data === data)?.bytes ?? 0;
}

/** With what has just been seen; jobs that are no more are forgotten, an empty directory is no news. */
export function withBytes(
  record: JobRecord,
  seen: readonly { readonly job: Place; readonly bytes: number }[],
): JobRecord {
  return seen.flatMap(({ job, bytes }) => {
    const { name, id, data } = job;
    const known = bytes > 0 ? bytes : recordedBytes(record, job);
    return known > 0 ? [{ name, id, data, bytes: known }] : [];
  });
}
