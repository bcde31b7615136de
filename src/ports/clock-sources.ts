export interface TimeServer {
  readonly host: string;
  readonly port: number;
}

export type TimeAnswer =
  | {
      readonly kind: 'answered';
      /** What this host's clock lacks: positive when it is behind. */
      readonly offsetMs: number;
      /** There and back; half of it is how far the offset may be wrong. */
      readonly delayMs: number;
      readonly stratum: number;
    }
  /** Silence, a refusal, no such name: nothing is known, and nothing is wrong for that. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** Clocks elsewhere, by SNTP over UDP. */
export interface ClockSourcesPort {
  /** One question. Never rejects. */
  ask(server: TimeServer, timeoutMs: number): Promise<TimeAnswer>;
}
