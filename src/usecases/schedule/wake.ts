import { SmeshError } from '../../domain/errors.ts';
import { EMPTY_PROOF_LOG, type ProofLog, readProofLine } from '../../domain/proving/proof-log.ts';
import type { Context } from '../context.ts';

/** What changes whether somebody proves; probes of health are execs, and quotas are our own. */
const TELLING = new Set(['create', 'start', 'die', 'oom', 'pause', 'unpause', 'destroy']);

/** So many logs are followed at once at most: each is a connection to the engine. */
const MOST_FOLLOWED = 24;

/**
 * Wakes the loop before its time: at what happens to the project's containers, and at each new phase or nonce group in
 * the logs of those that prepare a proof, which are to be held in time. A wake-up that is missed costs one look.
 */
export class Waker {
  readonly #context: Context;
  readonly #ended = new AbortController();
  /** By container. */
  readonly #followed = new Map<string, AbortController>();
  #wake: (() => void) | undefined;
  #pending = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Listens to the engine from now on, over its restarts. */
  async listen(project: string): Promise<void> {
    try {
      const docker = await this.#context.ports.docker();
      for await (const event of docker.events({ project }, this.#ended.signal)) {
        if (event.kind === 'connected') this.#ring();
        if (event.kind === 'container' && TELLING.has(event.action)) this.#ring();
      }
    } catch (error) {
      // Without events it looks at its usual times.
      if (!(error instanceof SmeshError)) this.#fail(error);
    }
  }

  /** Follows the logs of these from now on, and of no others; one that has ended is followed again when it is named again. */
  follow(containers: readonly string[]): void {
    const wanted = new Set(containers.slice(0, MOST_FOLLOWED));
    for (const [container, ended] of this.#followed) if (!wanted.has(container)) ended.abort();
    for (const container of wanted) {
      if (this.#followed.has(container)) continue;
      const ended = new AbortController();
      this.#followed.set(container, ended);
      this.#read(container, ended.signal)
        // Its connection broke, or it is gone: the next look tells, and it may be followed again.
        .catch((error: unknown) => {
          if (!(error instanceof SmeshError)) this.#fail(error);
        })
        .finally(() => {
          if (this.#followed.get(container) === ended) this.#followed.delete(container);
        });
    }
  }

  /** Resolves when the time is up or something has happened; rejects with what was no fault of the engine. */
  async wait(ms: number): Promise<'time' | 'woken'> {
    const { clock, signal } = this.#context;
    this.#throwFailure();
    const woken = new AbortController();
    // One listener for each wait, taken off again: the signal lives as long as the loop.
    const end = () => woken.abort();
    this.#wake = end;
    signal.addEventListener('abort', end, { once: true });
    if (this.#pending || signal.aborted) end();
    try {
      await clock.sleep(ms, woken.signal).catch(() => undefined);
    } finally {
      signal.removeEventListener('abort', end);
      this.#wake = undefined;
      this.#pending = false;
    }
    this.#throwFailure();
    return woken.signal.aborted ? 'woken' : 'time';
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  end(): void {
    this.#ended.abort();
    for (const ended of this.#followed.values()) ended.abort();
  }

  async #read(container: string, signal: AbortSignal): Promise<void> {
    const { ports, clock } = this.#context;
    const docker = await ports.docker();
    let log: ProofLog = EMPTY_PROOF_LOG;
    for await (const line of docker.logs(container, { follow: true, since: clock.now() - 1000, signal })) {
      const next = readProofLine(log, line.text);
      // A line per file that is read would wake it for nothing.
      if (next.phase.kind !== log.phase.kind || next.groupsDone !== log.groupsDone) this.#ring();
      log = next;
    }
  }

  #ring(): void {
    this.#pending = true;
    this.#wake?.();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#ring();
  }
}
