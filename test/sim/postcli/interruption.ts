import { setImmediate as tick } from 'node:timers/promises';
import { Interrupted } from './exits.ts';

/**
 * SIGINT is only noted, and seen when the running batch is done (spacemesh.md §14.4). SIGTERM ends the process
 * at once and loses the batch.
 */
export class Interruption {
  #seen = false;

  listen(): void {
    process.on('SIGINT', () => {
      this.#seen = true;
    });
    // Go's runtime ends with 2 where a signal's default does nothing; Node would go on as PID 1.
    if (process.pid === 1) process.on('SIGTERM', () => process.exit(2));
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
