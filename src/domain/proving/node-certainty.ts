import type { NodeCertainty } from './stop-risk.ts';

/** From the container's start to open ports and asked provers; 14 s on a tiny network (spacemesh.md §14.2). */
const START_MS = 2 * 60_000;

/** What decides how much an IDLE of the node counts. */
export interface NodeLiveness {
  readonly now: number;
  readonly layerMs: number;
  /** `unknown`: the engine cannot be asked. */
  readonly container: 'running' | 'not-running' | 'unknown';
  /** Of its container. */
  readonly startedAt?: number;
  /** Absent: it did not say. */
  readonly synced?: boolean;
}

/**
 * How much the node's word counts (operators.md d.6). Nothing tells since when it is synced, so the two layers count
 * from the start of its container, and the time that a start takes comes on top.
 */
export function nodeCertainty(liveness: NodeLiveness): NodeCertainty {
  const { now, layerMs, container, startedAt, synced } = liveness;
  if (container === 'not-running') return 'down';
  if (synced === undefined) return 'unknown';
  if (!synced) return 'fresh';
  if (startedAt === undefined) return 'unknown';
  return now - startedAt >= 2 * layerMs + START_MS ? 'settled' : 'fresh';
}
