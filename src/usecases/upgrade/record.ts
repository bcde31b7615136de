import * as z from 'zod';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';

const schema = z.object({
  version: z.literal(1),
  startedAt: z.string(),
  /** smesh.yaml as it was, for the way back. */
  before: z.string(),
  /** What it was changed to. */
  after: z.string(),
  node: z.object({ from: z.string(), to: z.string() }).optional(),
  provers: z.object({ from: z.array(z.string()), to: z.string() }).optional(),
  /** Images as smesh.yaml named them → names that lead back to the very images that ran. */
  back: z.record(z.string(), z.string()),
  /** Services that ran when it began. What a person stops meanwhile stays stopped. */
  running: z.array(z.string()),
  /** How the node was before, which it has to be again. */
  synced: z.boolean(),
  smesherIds: z.array(z.string()),
  databases: z.object({ local: z.number().optional(), state: z.number().optional() }),
  /** What has been looked at after its change and found well. */
  passed: z.array(z.enum(['node', 'provers'])),
});

/**
 * An upgrade that is under way. On disk before the first change, so that a run which is killed is gone on with by the next
 * one, gates and the way back included.
 */
export interface UpgradeRecord {
  readonly startedAt: string;
  readonly before: string;
  readonly after: string;
  readonly node?: { readonly from: string; readonly to: string };
  readonly provers?: { readonly from: readonly string[]; readonly to: string };
  readonly back: Readonly<Record<string, string>>;
  readonly running: readonly string[];
  readonly synced: boolean;
  readonly smesherIds: readonly SmesherId[];
  readonly databases: { readonly local?: number; readonly state?: number };
  readonly passed: readonly ('node' | 'provers')[];
}

function pathOf(context: Context): string {
  return `${stateFolder(context.directory)}/upgrade.json`;
}

/** `undefined` where there is none. Damage counts as none: `up` brings everything in line with smesh.yaml anyway. */
export async function readRecord(context: Context): Promise<UpgradeRecord | undefined> {
  const text = await context.ports.files.readTextIfPresent(pathOf(context));
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data as UpgradeRecord | undefined;
  } catch {
    return undefined;
  }
}

export async function writeRecord(context: Context, record: UpgradeRecord): Promise<void> {
  const { files } = context.ports;
  await files.makeDirectory(stateFolder(context.directory), { mode: 0o700 });
  await files.writeAtomic(pathOf(context), `${JSON.stringify({ version: 1, ...record })}\n`, { mode: 0o600 });
}

export async function removeRecord(context: Context): Promise<void> {
  if (await context.ports.files.exists(pathOf(context))) await context.ports.files.removeOwn(pathOf(context));
}
