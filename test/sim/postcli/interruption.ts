import { setImmediate as tick } from 'node:timers/promises';
import { Interrupted } from './exits.ts';

/**
 * SIGINT is only noted, and seen when the running batch is done (spacemesh.md §14.4). SIGTERM has no handler:
 * it ends the process at once, and as PID 1 it is not heard at all.
 */
export class Interruption {
  #seen = false;

  listen(): void {
    process.on('SIGINT', () => {
      this.#seen = true;
    });
  }

  /** Throws Interrupted, after `onSeen`, when SIGINT has come by now. */
  async check(onSeen?: () => void): Promise<void> {
    // Signals arrive only when the event loop turns.
    await tick();
    if (!this.#seen) return;
    onSeen?.();
    throw new Interrupted();
  }
}
