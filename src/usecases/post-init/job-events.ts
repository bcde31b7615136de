import { SmeshError } from '../../domain/errors.ts';
import type { EndedBy } from '../../domain/post-init/explain-end.ts';
import type { Context } from '../context.ts';

const TELLING = new Set(['create', 'start', 'die', 'oom', 'pause', 'unpause', 'destroy']);

/** An engine that goes down ends its containers first. */
const WITH_ENGINE_MS = 20_000;
/** Between the wish and the end lies a batch. */
const LONGEST_BATCH_MS = 16 * 60_000;

/**
 * What the engine tells while jobs run: wakes who waits, and knows afterwards whether somebody ended a container or it
 * ended with its engine. An event that is missed costs one look.
 */
export class JobEvents {
  readonly #context: Context;
  readonly #ended = new AbortController();
  readonly #wished = new Map<string, number>();
  readonly #broken: number[] = [];
  #wake: (() => void) | undefined;
  #rung = false;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Listens from now on, over restarts of the engine. Never rejects for what the engine does. */
  async listen(project: string): Promise<void> {
    const { ports, clock } = this.#context;
    try {
      const docker = await ports.docker();
      for await (const event of docker.events({ project }, this.#ended.signal)) {
        // Containers that a crashed engine left are told to have ended when it is back.
        if (event.kind === 'disconnected' || (event.kind === 'connected' && this.#broken.length > 0))
          this.#broken.push(clock.now());
        if (event.kind === 'connected') this.#ring();
        if (event.kind !== 'container') continue;
        if (event.action === 'kill' || event.action === 'stop')
          this.#wished.set(event.containerId, clock.now());
        // A wish is about one life, and Compose keeps the container for the next.
        if (event.action === 'start') this.#wished.delete(event.containerId);
        if (TELLING.has(event.action)) this.#ring();
      }
    } catch (error) {
      // Without events it looks at its usual times.
      if (!(error instanceof SmeshError)) throw error;
    }
  }

  /** Who ended a container that has just been seen to have ended; one that began after the engine was back has its own reasons. */
  endedBy(container: string, finishedAt: number, startedAt = 0): EndedBy {
    if (this.#broken.some((at) => at >= startedAt && Math.abs(at - finishedAt) < WITH_ENGINE_MS))
      return 'engine';
    const wished = this.#wished.get(container);
    return wished !== undefined && finishedAt - wished < LONGEST_BATCH_MS ? 'somebody' : 'itself';
  }

  /** Resolves when the time is up, something has happened, or Ctrl-C came. */
  async wait(ms: number): Promise<void> {
    const { clock, signal } = this.#context;
    const woken = new AbortController();
    const end = () => woken.abort();
    this.#wake = end;
    signal.addEventListener('abort', end, { once: true });
    if (this.#rung || signal.aborted) end();
    try {
      await clock.sleep(ms, woken.signal).catch(() => undefined);
    } finally {
      signal.removeEventListener('abort', end);
      this.#wake = undefined;
      this.#rung = false;
    }
  }

  end(): void {
    this.#ended.abort();
  }

  #ring(): void {
    this.#rung = true;
    this.#wake?.();
  }
}
