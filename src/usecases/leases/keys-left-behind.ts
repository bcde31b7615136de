import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { readKeyFile } from '../../domain/identity/key-file.ts';
import type { LeaseVerdict } from '../../domain/identity/lease.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { Project } from '../../domain/project/types.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import type { Ports } from '../../ports/index.ts';
import type { Context } from '../context.ts';
import { identitiesFolder } from '../node-keys.ts';
import { within } from '../observe/question.ts';

interface Wanted {
  readonly smesherId: SmesherId;
  readonly name: string;
  readonly verdict: LeaseVerdict;
}

/** A dead network share answers never. */
const PATIENCE_MS = 10_000;

/** Named one by one; the others follow the same pattern. */
const NAMED = 8;

/**
 * Refuses to take a key over from a folder of this very host in which it still stands: both projects would hold it then,
 * and started in turns with two histories they publish twice (spacemesh.md §9.1). A folder that is there and cannot be
 * looked into counts as one that has the key.
 */
export async function refuseKeysLeftBehind(
  context: Context,
  project: Project,
  wanted: readonly Wanted[],
): Promise<void> {
  const { ports, clock } = context;
  const host = await ports.system.host();
  const here = await realFolder(ports, identitiesFolder(project));
  const found: string[] = [];
  for (const { smesherId, name, verdict } of wanted) {
    if (verdict.kind !== 'theirs' || verdict.holder.host.id !== host.id) continue;
    const folder = `${verdict.holder.nodeData}/identities`;
    const look = lookFor(ports, folder, here, smesherId);
    const answer = (await within(clock, look, PATIENCE_MS)) ?? 'unknown';
    if (answer === 'gone') continue;
    found.push(
      answer === 'unknown'
        ? `${name}: ${folder} cannot be looked into. Look there as root: sudo smesh-compose keys adopt …`
        : `${name}: its key is still in ${folder}. Move it away:  mv ${quoteForShell(answer.path)} ${quoteForShell(`${answer.path}.moved`)}`,
    );
  }
  if (found.length === 0) return;
  const more = found.length > NAMED ? [`… and ${found.length - NAMED} more`] : [];
  throw new SmeshError(
    'key-left-behind',
    ExitCode.refused,
    `Not taken over: ${found.length === 1 ? 'the key stands' : `${found.length} keys stand`} in the other folder on this host as well. Two projects with one key, started in turns, publish twice, and the network cancels that identity for ever. Nothing was changed.`,
    {
      details: [...found.slice(0, NAMED), ...more],
      hint: 'Make sure that the node there is stopped for good, move its keys away (a node passes over *.moved), then type the same again.',
    },
  );
}

async function lookFor(
  { files, crypto }: Ports,
  folder: string,
  here: string | undefined,
  smesherId: SmesherId,
): Promise<'gone' | 'unknown' | { readonly path: string }> {
  try {
    if ((await files.facts(folder))?.kind !== 'directory') return 'gone';
    if ((await files.realPath(folder)) === here) return 'gone';
    let isUnknown = false;
    for (const { name } of await files.list(folder)) {
      if (!name.endsWith('.key')) continue;
      const path = `${folder}/${name}`;
      const bytes = await files.readBytes(path).catch(() => undefined);
      if (bytes === undefined) isUnknown = true;
      const reading = readKeyFile(bytes ?? new Uint8Array(), (seed) => crypto.publicKeyOfSeed(seed));
      if (reading.kind !== 'malformed' && reading.smesherId === smesherId) return { path };
    }
    return isUnknown ? 'unknown' : 'gone';
  } catch {
    return 'unknown';
  }
}

async function realFolder({ files }: Ports, folder: string): Promise<string | undefined> {
  return files.realPath(folder).catch(() => undefined);
}
