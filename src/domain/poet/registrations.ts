import type { SmesherId } from '../identity/smesher-id.ts';

/** Where one identity is registered with its present challenge (rows of `poet_registration`, spacemesh.md §6.2). */
export interface RegisteredIdentity {
  readonly smesherId: SmesherId;
  /** Addresses as they were when it registered, letter for letter. */
  readonly addresses: readonly string[];
}

/**
 * What the node's local.sql says, or why nobody can say it. Rows go when the ATX has been published, so that every row
 * still needs its PoET.
 */
export type Registrations =
  | { readonly kind: 'known'; readonly identities: readonly RegisteredIdentity[] }
  /** Counts as registered everywhere. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** How many identities are registered at each address; `undefined` where nobody knows. */
export function countByAddress(registrations: Registrations): ReadonlyMap<string, number> | undefined {
  if (registrations.kind === 'unknown') return undefined;
  const counts = new Map<string, number>();
  for (const { addresses } of registrations.identities) {
    for (const address of new Set(addresses)) counts.set(address, (counts.get(address) ?? 0) + 1);
  }
  return counts;
}

/**
 * Identities that have a registered PoET in `before` and none in `after`: with the second list the node would end FATAL
 * on them at every start (spacemesh.md §6.4, §14.7). Addresses are compared letter for letter, as the node does.
 */
export function losingAll(
  identities: readonly RegisteredIdentity[],
  before: readonly string[],
  after: readonly string[],
): readonly RegisteredIdentity[] {
  const has = (list: readonly string[], { addresses }: RegisteredIdentity) =>
    addresses.some((address) => list.includes(address));
  return identities.filter((identity) => has(before, identity) && !has(after, identity));
}

/** Addresses at which identities are registered and that the list does not have: put back, they would cure a crash loop. */
export function addressesMissing(
  identities: readonly RegisteredIdentity[],
  list: readonly string[],
): readonly string[] {
  const all = new Set(identities.flatMap(({ addresses }) => addresses));
  return [...all].filter((address) => !list.includes(address)).sort();
}
