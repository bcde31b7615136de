import * as z from 'zod';
import { parseSmesherId, type SmesherId } from '../identity/smesher-id.ts';
import { NO_HISTORY, type ScheduleHistory } from './history.ts';

const time = z.number().nonnegative();
const measured = z.object({ at: time, rate: z.number().positive() });
const restart = z.object({ times: z.number().int().positive(), at: time });

const id = z.string().transform((text, context): SmesherId => {
  const parsed = parseSmesherId(text);
  if (parsed === undefined) context.addIssue({ code: 'custom', message: 'is no smesher ID' });
  return parsed as SmesherId;
});

const schema = z.object({
  version: z.literal(1),
  since: time.optional(),
  disks: z.array(z.object({ disk: z.string(), measured: z.array(measured) })),
  k2pow: z.array(measured),
  stops: z.array(z.object({ container: z.string(), at: time, finishedAt: time.optional() })),
  identities: z.array(
    z.object({
      id,
      disk: z.string().optional(),
      demand: z
        .object({
          epoch: z.number().int(),
          since: time,
          restarts: z.object({ stuck: restart.optional(), 'not-connected': restart.optional() }),
          invalidAt: z.array(time),
        })
        .optional(),
    }),
  ),
});

/** Text of `.smesh/history`: the same history gives the same bytes. */
export function writeHistory(history: ScheduleHistory): string {
  const ids = [...new Set([...history.diskOf.keys(), ...history.demands.keys()])].sort();
  return `${JSON.stringify(
    {
      version: 1,
      since: history.since,
      disks: [...history.disks].map(([disk, rates]) => ({ disk, measured: rates })),
      k2pow: history.k2pow,
      stops: history.stops,
      identities: ids.map((one) => ({
        id: one,
        disk: history.diskOf.get(one),
        demand: history.demands.get(one),
      })),
    },
    null,
    1,
  )}\n`;
}

export type HistoryReading =
  | { readonly kind: 'read'; readonly history: ScheduleHistory }
  /** Counts as none; the next write replaces it. */
  | { readonly kind: 'unreadable'; readonly history: ScheduleHistory; readonly reason: string };

/** Reads it; nobody is harmed by one that cannot be read, so that is no error. */
export function readHistory(text: string | undefined): HistoryReading {
  if (text === undefined) return { kind: 'read', history: NO_HISTORY };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'unreadable', history: NO_HISTORY, reason: 'it is no JSON' };
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const reason = `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim();
    return { kind: 'unreadable', history: NO_HISTORY, reason };
  }
  const { since, disks, k2pow, stops, identities } = parsed.data;
  return {
    kind: 'read',
    history: {
      ...(since === undefined ? {} : { since }),
      disks: new Map(disks.map(({ disk, measured: rates }) => [disk, rates])),
      k2pow,
      stops: stops.map(({ container, at, finishedAt }) => ({
        container,
        at,
        ...(finishedAt === undefined ? {} : { finishedAt }),
      })),
      demands: new Map(
        identities.flatMap(({ id: one, demand }) => {
          if (demand === undefined) return [];
          const { stuck, 'not-connected': notConnected } = demand.restarts;
          const restarts = {
            ...(stuck === undefined ? {} : { stuck }),
            ...(notConnected === undefined ? {} : { 'not-connected': notConnected }),
          };
          return [[one, { ...demand, restarts }] as const];
        }),
      ),
      diskOf: new Map(
        identities.flatMap(({ id: one, disk }) => (disk === undefined ? [] : [[one, disk] as const])),
      ),
    },
  };
}
