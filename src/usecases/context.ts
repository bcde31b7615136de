import type { ClockPort } from '../ports/clock.ts';
import type { Ports } from '../ports/index.ts';
import type { OutputPort } from '../ports/output.ts';

/** Everything a command may touch. Built in `app.ts` and in tests, nowhere else. */
export interface Context {
  /** Absolute project directory (`-C`, default the current one). */
  readonly directory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: OutputPort;
  readonly clock: ClockPort;
  readonly ports: Ports;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** `--json`: one JSON document on stdout, no prompts. */
  readonly json: boolean;
  /** `--yes`: confirmations are answered yes; safety refusals are not. */
  readonly yes: boolean;
}
