import * as z from 'zod';
import type { PoetSettings } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';

const settings = z.object({
  servers: z.array(z.object({ address: z.string(), pubkey: z.string() })),
  phaseShift: z.number(),
  cycleGap: z.number(),
  gracePeriod: z.number(),
  positioningAtxTimeout: z.number(),
  retryDelay: z.number(),
  retryMax: z.number(),
  requestTimeout: z.number(),
});

const schema = z.object({
  version: z.literal(1),
  startedAt: z.string(),
  targetName: z.string(),
  from: settings,
  to: settings,
  /** What was agreed to: the round that is reached, and how many epochs it costs. */
  promised: z.object({ round: z.number(), lost: z.number() }),
  backup: z.object({ at: z.string(), paths: z.array(z.string()) }).optional(),
  /** On disk before the node is stopped: it has to run again at the end. */
  nodeRan: z.boolean(),
});

/**
 * A change of PoETs that is under way; on disk before its first act. What has been done is read from smesh.yaml and the
 * engine, and not from here: this only says what is wanted and was agreed to.
 */
export interface SwitchRecord {
  readonly startedAt: string;
  /** As it was typed: `default`, `/srv/late.yaml`. */
  readonly targetName: string;
  readonly from: PoetSettings;
  readonly to: PoetSettings;
  readonly promised: { readonly round: number; readonly lost: number };
  readonly backup?: { readonly at: string; readonly paths: readonly string[] };
  readonly nodeRan: boolean;
}

function pathOf(directory: string): string {
  return `${stateFolder(directory)}/poet-switch.json`;
}

/** `undefined` where there is none. Damage counts as none: smesh.yaml says which PoETs the node has. */
export async function readSwitchRecord({
  ports,
  directory,
}: Pick<Context, 'ports' | 'directory'>): Promise<SwitchRecord | undefined> {
  const text = await ports.files.readTextIfPresent(pathOf(directory));
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data as SwitchRecord | undefined;
  } catch {
    return undefined;
  }
}

export async function writeSwitchRecord(context: Context, record: SwitchRecord): Promise<void> {
  const { files } = context.ports;
  await files.makeDirectory(stateFolder(context.directory), { mode: 0o700 });
  await files.writeAtomic(pathOf(context.directory), `${JSON.stringify({ version: 1, ...record })}\n`, {
    mode: 0o600,
  });
}

export async function removeSwitchRecord({
  ports,
  directory,
}: Pick<Context, 'ports' | 'directory'>): Promise<void> {
  if (await ports.files.exists(pathOf(directory))) await ports.files.removeOwn(pathOf(directory));
}
