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
      /** Mount point below which it was begun, or last had data. */
      fileSystem: z.string().optional(),
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

/** What a job had in this very directory. */
export function recordOf(record: JobRecord, { id, data }: Place): JobRecord[number] | undefined {
  return record.find((one) => one.id === id && one.data === data);
}

export interface SeenBytes {
  readonly job: Place;
  readonly bytes: number;
  readonly fileSystem?: string;
  /** It has just been started. */
  readonly begun: boolean;
}

/** With what has just been seen; jobs that are no more are forgotten, an empty directory is no news. */
export function withBytes(record: JobRecord, seen: readonly SeenBytes[]): JobRecord {
  return seen.flatMap(({ job, bytes, fileSystem: present, begun }) => {
    const { name, id, data } = job;
    const former = recordOf(record, job);
    const known = bytes > 0 ? bytes : (former?.bytes ?? 0);
    const fileSystem = (bytes > 0 || begun ? present : undefined) ?? former?.fileSystem;
    if (known === 0 && fileSystem === undefined) return [];
    return [{ name, id, data, bytes: known, ...(fileSystem === undefined ? {} : { fileSystem }) }];
  });
}
