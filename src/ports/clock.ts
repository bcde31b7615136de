export interface ClockPort {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** Resolves after the time, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Minutes east of UTC at that moment, where the user is. */
  localOffsetMinutes(at: number): number;
}
