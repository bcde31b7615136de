import type { ProofLog } from './proof-log.ts';

/** Work on a proof that ended with its container (S30). */
export interface LostWork {
  /** When the container started again. */
  readonly at: number;
  /** How long had been worked on it; absent: nobody can say. */
  readonly workedMs?: number;
}

export interface LostWorkFacts {
  readonly wanted: 'idle' | 'proving' | 'unlisted' | 'unknown';
  /** Of the container. */
  readonly startedAt?: number;
  /** Absent: it was not read. */
  readonly log?: Pick<ProofLog, 'interrupted'>;
  /** When the node asked for the proof that it still wants (`IdentityProgress`). */
  readonly askedAt?: number;
}

/** Event times are the node's, start times the engine's. */
const CLOCKS_MS = 2000;

/**
 * Whether the proof that the node wants was worked on before and lost with its container: restarted by hand, by the
 * engine after a crash, or recreated by somebody. A restart shows in the log; a new container has a new log, and only
 * the node knows that it had asked the former one. Silence proves nothing: both forget.
 */
export function lostWork({ wanted, startedAt, log, askedAt }: LostWorkFacts): LostWork | undefined {
  if (wanted !== 'proving' || startedAt === undefined) return undefined;
  const interrupted = log?.interrupted;
  if (interrupted !== undefined) {
    const at = interrupted.at ?? startedAt;
    return {
      at,
      ...(interrupted.since === undefined ? {} : { workedMs: Math.max(at - interrupted.since, 0) }),
    };
  }
  if (askedAt === undefined || startedAt - askedAt <= CLOCKS_MS) return undefined;
  // How long is not known: the node may have been restarted since it first asked, the container been down for a while.
  return { at: startedAt };
}
