import type { SmesherId } from '../identity/smesher-id.ts';

export type PseudonymKind =
  | 'smesher'
  | 'hex'
  | 'token'
  | 'account'
  | 'peer'
  | 'ip'
  | 'mac'
  | 'host'
  | 'email'
  | 'multiaddr';

/** Short forms of an identity that programs print: the node logs five digits, tables have eight. */
const SHORTEST_PREFIX = 5;

/**
 * The same value has the same name wherever it stands in one report, so that what belongs together can still be seen. A
 * name is a running number and says nothing of the value.
 */
export class Pseudonyms {
  readonly #names = new Map<PseudonymKind, Map<string, string>>();
  readonly #smeshers: readonly SmesherId[];

  constructor(smeshers: readonly SmesherId[]) {
    this.#smeshers = smeshers;
    for (const id of smeshers) this.of('smesher', id);
  }

  of(kind: PseudonymKind, value: string): string {
    const names = this.#names.get(kind) ?? new Map<string, string>();
    this.#names.set(kind, names);
    const known = names.get(value);
    if (known !== undefined) return known;
    const name = `[${kind}-${names.size + 1}]`;
    names.set(value, name);
    return name;
  }

  /** The identity that a text of hex digits stands for, whole or as one of its usual short forms. */
  smesher(hex: string): string | undefined {
    const lower = hex.toLowerCase();
    if (lower.length < SHORTEST_PREFIX || lower.length > 64) return undefined;
    const id = this.#smeshers.find((one) => one.startsWith(lower));
    return id === undefined ? undefined : this.of('smesher', id);
  }

  /** How many values were given a name, by kind. */
  counts(): Readonly<Partial<Record<PseudonymKind, number>>> {
    return Object.fromEntries([...this.#names].map(([kind, names]) => [kind, names.size]));
  }
}
