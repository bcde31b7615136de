import * as z from 'zod';
import { parseSmesherId, type SmesherId } from '../../domain/identity/smesher-id.ts';
import type { MergeRecord } from '../../domain/merge/swap-steps.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';

const smesherId = z.string().transform((text, context): SmesherId => {
  const id = parseSmesherId(text);
  if (id === undefined) context.addIssue({ code: 'custom', message: 'not a smesher ID' });
  return id as SmesherId;
});

const schema = z.object({
  version: z.literal(1),
  at: z.string(),
  nodeData: z.string(),
  sources: z.array(
    z.object({
      folder: z.string(),
      notice: z.string(),
      keys: z.array(z.object({ smesherId, from: z.string(), to: z.string() })),
      leases: z.array(z.object({ path: z.string(), smesherId, content: z.string() })),
    }),
  ),
  installed: z.array(z.object({ smesherId, path: z.string(), original: z.string() })),
  before: z.string(),
  after: z.string(),
  merged: z.object({ size: z.number(), modifiedMs: z.number(), inode: z.number() }),
  former: z.string().optional(),
});

/** Where the last merge is written down, as long as it can be taken back. Holds no key. */
export function recordPath(directory: string): string {
  return `${stateFolder(directory)}/merge.json`;
}

/** `undefined`: nothing was merged, or it was taken back. One that cannot be read is `damaged`. */
export async function readMergeRecord({
  ports,
  directory,
}: Context): Promise<MergeRecord | 'damaged' | undefined> {
  const text = await ports.files.readTextIfPresent(recordPath(directory));
  if (text === undefined) return undefined;
  try {
    const read = schema.safeParse(JSON.parse(text));
    return read.success ? (read.data as MergeRecord) : 'damaged';
  } catch {
    return 'damaged';
  }
}
