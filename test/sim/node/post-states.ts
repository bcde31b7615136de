/** What the node wants of each identity: in memory only, IDLE after every start (spacemesh.md §5.1). */
import { note } from '../common/ledger.ts';
import type { Identity } from './identities.ts';

export type PostState = 'IDLE' | 'PROVING';

export class PostStates {
  readonly #states = new Map<string, { readonly identity: Identity; state: PostState }>();

  /** Lists the identity from now on. */
  add(identity: Identity): void {
    this.#states.set(identity.id.toString('hex'), { identity, state: 'IDLE' });
  }

  set(id: Buffer, state: PostState): void {
    const entry = this.#states.get(id.toString('hex'));
    if (entry === undefined) return;
    entry.state = state;
    note(state === 'PROVING' ? 'wants' : 'wants-nothing', { id: id.toString('hex') });
  }

  all(): readonly { readonly identity: Identity; readonly state: PostState }[] {
    return [...this.#states.values()];
  }
}
