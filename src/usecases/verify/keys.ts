import { SmeshError } from '../../domain/errors.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { Project } from '../../domain/project/types.ts';
import { known, type Learnt, notLearnt } from '../../domain/verification/facts.ts';
import type { Context } from '../context.ts';
import { identitiesFolder, readInstalledKeys } from '../node-keys.ts';

export interface KeysSeen {
  /** File names by the identity whose key is in them. */
  readonly installed: Learnt<ReadonlyMap<SmesherId, string>>;
  readonly strangers: Learnt<readonly { readonly file: string; readonly smesher: SmesherId }[]>;
}

/** Whose keys the node has, told by their public halves. */
export async function readKeys(context: Context, project: Project): Promise<KeysSeen> {
  const nothing = (why: string): KeysSeen => ({ installed: notLearnt(why), strangers: notLearnt(why) });
  try {
    const keys = await readInstalledKeys(context, identitiesFolder(project));
    const faulty = keys.find(({ fault }) => fault !== undefined);
    // It might be anybody's: neither absent nor a stranger's can be said of anyone.
    if (faulty?.fault !== undefined) return nothing(`${faulty.file}: ${faulty.fault}`);
    const installed = new Map(
      keys.flatMap(({ smesherId, file }) => (smesherId === undefined ? [] : [[smesherId, file] as const])),
    );
    const mine = new Set(project.identities.map(({ id }) => id));
    const strangers = [...installed]
      .filter(([smesher]) => !mine.has(smesher))
      .map(([smesher, file]) => ({ smesher, file }));
    return { installed: known(installed), strangers: known(strangers) };
  } catch (error) {
    if (error instanceof SmeshError) return nothing(error.message);
    if (error instanceof Error && 'code' in error)
      return nothing(`it may not be looked at (${String(error.code)})`);
    throw error;
  }
}
