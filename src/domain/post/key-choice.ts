import { type SmesherId, shortId } from '../identity/smesher-id.ts';
import type { FoundKey } from './types.ts';

/** Which key file belongs to an identity, and what is wrong with those beside its data. */
export type KeyChoice =
  | {
      readonly kind: 'usable';
      readonly key: FoundKey;
      readonly others: readonly FoundKey[];
      readonly notes: readonly string[];
    }
  /** A key of another identity lies beside the data; `right` is where the right one is, if anywhere. */
  | { readonly kind: 'mismatch'; readonly key: FoundKey; readonly right?: FoundKey }
  | { readonly kind: 'malformed'; readonly key: FoundKey }
  | { readonly kind: 'missing' };

const ORDER: Readonly<Record<FoundKey['where'], number>> = {
  'beside-data': 0,
  'beside-data-old-name': 1,
  'node-identities': 2,
  elsewhere: 3,
};

/** The last part of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * Chooses by public key, never by name (S6, S7). A whole key of the identity beside the data wins; one elsewhere will
 * do, unless a key of somebody else lies beside the data: then a person has to say which of the two is the mistake.
 *
 * @param beside key files beside the data, in the order in which they are believed
 * @param sameIdentity all key files anywhere whose public half is the identity's
 */
export function chooseKey(
  smesherId: SmesherId,
  beside: readonly FoundKey[],
  sameIdentity: readonly FoundKey[],
): KeyChoice {
  const whole = sameIdentity
    .filter((key) => key.fault === undefined)
    .toSorted((a, b) => ORDER[a.where] - ORDER[b.where]);
  const own = beside.find((key) => key.smesherId === smesherId && key.fault === undefined);
  const key = own ?? whole[0];
  const foreign = beside.find((found) => found.smesherId !== undefined && found.smesherId !== smesherId);
  if (own === undefined && foreign !== undefined) {
    return { kind: 'mismatch', key: foreign, ...(key === undefined ? {} : { right: key }) };
  }
  if (key !== undefined) {
    const others = whole.filter((found) => found.path !== key.path);
    return { kind: 'usable', key, others, notes: noteTheRest(smesherId, key, beside) };
  }
  const repairable = sameIdentity.find((found) => found.repairable === true);
  const malformed = repairable ?? beside.find((found) => found.fault !== undefined);
  return malformed === undefined ? { kind: 'missing' } : { kind: 'malformed', key: malformed };
}

function noteTheRest(smesherId: SmesherId, chosen: FoundKey, beside: readonly FoundKey[]): string[] {
  const notes: string[] = [];
  for (const key of beside) {
    if (key.path === chosen.path) continue;
    const name = fileName(key.path);
    if (key.smesherId !== undefined && key.smesherId !== smesherId) {
      notes.push(`${name} beside the data belongs to smesher ${shortId(key.smesherId)} and is not used`);
    } else if (key.fault !== undefined) {
      notes.push(`${name} beside the data is not used: ${key.fault}`);
    }
  }
  if (chosen.where === 'node-identities' || chosen.where === 'elsewhere') {
    notes.push(`its key is not beside the data; it was found at ${chosen.path}`);
  }
  if ((chosen.mode & 0o077) !== 0) {
    const mode = (chosen.mode & 0o7777).toString(8).padStart(4, '0');
    notes.push(`${fileName(chosen.path)} has mode ${mode}, others can read it; the installed copy gets 0600`);
  }
  return notes;
}
