import type { GpuFacts } from '../domain/gpu/facts.ts';

/** The host's graphics cards. */
export interface GpuPort {
  /**
   * All that device nodes, sysfs, /proc and the vendors' tools tell. What is not there or may not be read is left out; a
   * tool that does not answer within seconds (one dead card hangs nvidia-smi) is given up. Never rejects.
   */
  facts(): Promise<GpuFacts>;
}
