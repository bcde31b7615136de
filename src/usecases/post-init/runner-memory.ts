import type { JobEnd } from '../../domain/post-init/explain-end.ts';
import type { Growth } from '../../domain/post-init/growth.ts';

/** What is known of jobs from their lives so far, by name; it outlives a change of smesh.yaml. */
export interface RunnerMemory {
  /** Containers that were seen running: one that ends while others are joined is judged all the same. */
  readonly lives: Map<string, string>;
  readonly growth: Map<string, Growth>;
  readonly ends: Map<string, JobEnd>;
  /** Those that had their second try. */
  readonly retried: Set<string>;
  readonly givenUp: Set<string>;
}

export function freshMemory(): RunnerMemory {
  return {
    lives: new Map(),
    growth: new Map(),
    ends: new Map(),
    retried: new Set(),
    givenUp: new Set(),
  };
}
