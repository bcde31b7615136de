import { ExitCode, SmeshError } from '../errors.ts';
import type { FileStep } from '../plan/steps.ts';
import { quoteForShell } from '../shell-quote.ts';
import type { InstalledKey, KeyFacts } from './decide-keys.ts';
import { type SmesherId, shortId } from './smesher-id.ts';

/** A `<name>.key.pending` in the node's `identities/` (pending-key.ts). */
export interface PendingKey {
  readonly file: string;
  /** Of the identity to be. */
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly smesherId?: SmesherId;
  /** Why it is no key, or cannot be read. */
  readonly fault?: string;
}

export interface PendingDecision {
  readonly steps: readonly FileStep[];
  readonly notes: readonly string[];
  /** Those that get the name which the node reads, when their identity is in the project and has no key yet. */
  readonly ofIdentity: ReadonlyMap<SmesherId, PendingKey>;
}

/**
 * What to do with keys that wait for their data. One whose very key the node reads already, left by a copy that somebody
 * made by hand, goes to the retired keys; while its data is being made it stays, because what the node reads then should
 * not be there. All others stay where they are: `post init` finds them.
 *
 * @param staying what the node reads once the other steps are done
 */
export function decidePending(
  { folder, retiredFolder, pending = [], beingMade }: KeyFacts,
  staying: ReadonlyMap<SmesherId, InstalledKey>,
): PendingDecision {
  const steps: FileStep[] = [];
  const notes: string[] = [];
  const ofIdentity = new Map<SmesherId, PendingKey>();
  for (const key of pending) {
    const { file, name, smesherId } = key;
    if (smesherId === undefined) continue;
    const read = staying.get(smesherId);
    if (read === undefined) {
      // Of two the other one goes once the first is read.
      if (!ofIdentity.has(smesherId)) ofIdentity.set(smesherId, key);
      continue;
    }
    if (beingMade?.has(smesherId)) {
      notes.push(
        `${read.file} (${shortId(smesherId)}) is read by the node although its PoST data is still being made: it asks for proofs that nobody can give. Its key waits as ${file} too, so move the other one out of the folder (keep it!): ${folder}/${read.file}`,
      );
      continue;
    }
    steps.push({
      kind: 'move-key',
      from: `${folder}/${file}`,
      to: `${retiredFolder}/${name}-${shortId(smesherId)}.key`,
      smesherId,
    });
    notes.push(
      `${file} (${shortId(smesherId)}) waits for nothing any more: the node reads the same key as ${read.file}. Moved to ${retiredFolder}.`,
    );
  }
  return { steps, notes, ofIdentity };
}

/** Copied out of a folder where it waits, one key would be taken in by two projects. */
export function waitsElsewhere(
  { id, name }: { readonly id: SmesherId; readonly name: string },
  path: string,
  folder: string,
): SmeshError {
  return new SmeshError(
    'key-waits-elsewhere',
    ExitCode.refused,
    `The key of ${name} (${shortId(id)}) waits for its data in another node's folder, ${path.slice(0, path.lastIndexOf('/'))}. Taken in by two projects the identity would be lost for ever`,
    {
      hint: `Nothing was changed. Take it in by that project: smesh-compose add, there. Or, where that project is gone for good, move its key here first: mv -n ${quoteForShell(path)} ${quoteForShell(`${folder}/`)}`,
    },
  );
}
