import type { NodeEvent } from './events.ts';

/** Many times what the node keeps: whoever connects again is told its last hundred events once more. */
const REMEMBERED = 5000;

/** So long the second form of a wait may lag behind the first. */
const PAIR_WITHIN_MS = 1000;

/**
 * The node's events, each told once: not again when the ring is replayed, and of the two forms of a wait, which nodes
 * since 1.7.5 send one after the other (spacemesh.md §5.4), only the newer. Keeps the order.
 */
export class EventStream {
  readonly #seen = new Set<string>();
  #waiting: { readonly event: NodeEvent; readonly since: number }[] = [];

  /** Takes an event; `now` is the reader's clock. */
  push(event: NodeEvent, now: number): void {
    const key = keyOf(event);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= REMEMBERED) break;
      this.#seen.delete(oldest);
    }
    const older = this.#waiting.findIndex((entry) => isOlderForm(entry.event, event));
    if (older >= 0) this.#waiting.splice(older, 1);
    this.#waiting.push({ event, since: now });
  }

  /** What may be told now. An old form waits a moment for its newer one, and what came after it waits as well. */
  take(now: number, everything = false): readonly NodeEvent[] {
    const held = this.#waiting.findIndex(
      ({ event, since }) => event.kind === 'legacy-wait' && now - since < PAIR_WITHIN_MS,
    );
    const count = everything || held < 0 ? this.#waiting.length : held;
    const told = this.#waiting.slice(0, count).map(({ event }) => event);
    this.#waiting = this.#waiting.slice(count);
    return told;
  }

  /** Whether something waits to be told. */
  get isHolding(): boolean {
    return this.#waiting.length > 0;
  }
}

function isOlderForm(older: NodeEvent, newer: NodeEvent): boolean {
  if (older.kind !== 'legacy-wait') return false;
  if (newer.kind !== 'waiting-for-registration-window' && newer.kind !== 'waiting-for-round-end')
    return false;
  const kind = older.for === 'round-start' ? 'waiting-for-registration-window' : 'waiting-for-round-end';
  return newer.kind === kind && newer.smesher === older.smesher && newer.publish === older.publish;
}

function keyOf(event: NodeEvent): string {
  return JSON.stringify(event, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}
