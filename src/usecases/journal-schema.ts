import * as z from 'zod';
import { parseSmesherId, type SmesherId } from '../domain/identity/smesher-id.ts';

const ownership = { mode: z.number().optional(), uid: z.number().optional(), gid: z.number().optional() };
const smesherId = z.string().transform((text, context): SmesherId => {
  const id = parseSmesherId(text);
  if (id === undefined) context.addIssue({ code: 'custom', message: 'not a smesher ID' });
  return id as SmesherId;
});

const stepSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('make-directory'), path: z.string(), ...ownership }),
  z.object({
    kind: z.literal('write-file'),
    path: z.string(),
    content: z.string(),
    what: z.string(),
    backup: z.string().optional(),
    replaces: z.string().nullable().optional(),
    ...ownership,
  }),
  z.object({
    kind: z.literal('install-key'),
    source: z.string(),
    target: z.string(),
    smesherId,
    repair: z.boolean(),
    ...ownership,
  }),
  z.object({
    kind: z.literal('replace-file'),
    from: z.string(),
    to: z.string(),
    keep: z.string().optional(),
    once: z.literal(true).optional(),
    what: z.string(),
  }),
  z.object({ kind: z.literal('remove-file'), path: z.string(), what: z.string() }),
  z.object({ kind: z.literal('move-key'), from: z.string(), to: z.string(), smesherId }),
  z.object({
    kind: z.literal('move-data-file'),
    from: z.string(),
    to: z.string(),
    size: z.number(),
    folder: z.object(ownership).optional(),
    what: z.string(),
  }),
  z.object({
    kind: z.literal('cut-file'),
    path: z.string(),
    size: z.number(),
    cutTo: z.number(),
    keep: z.string(),
    what: z.string(),
  }),
  z.object({
    kind: z.literal('write-lease'),
    path: z.string(),
    content: z.string(),
    smesherId,
    why: z.string(),
    mark: z.boolean(),
    ...ownership,
  }),
]);

/** What an act wrote down before it began. */
export const journalSchema = z.object({
  version: z.literal(1),
  command: z.string(),
  startedAt: z.string(),
  steps: z.array(stepSchema),
});
