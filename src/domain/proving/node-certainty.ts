import type { NodeCertainty } from './stop-risk.ts';

/**
 * From the container's start to open ports and asked provers: up to two minutes where layers take five; 16 s on a tiny
 * private network (spacemesh.md §14.2), where nobody wants to wait for longer than is needed.
 */
const LEAST_START_MS = 20_000;
const LONGEST_START_MS = 2 * 60_000;

function startMs(layerMs: number): number {
  return Math.min(Math.max(layerMs, LEAST_START_MS), LONGEST_START_MS);
}

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
  return now - startedAt >= 2 * layerMs + startMs(layerMs) ? 'settled' : 'fresh';
}
