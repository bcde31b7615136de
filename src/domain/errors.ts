/**
 * Exit codes of every command (design §1, "Errors"). They are part of the public interface: scripts and cron
 * jobs branch on them, so a number never changes its meaning.
 */
export const ExitCode = {
  ok: 0,
  bug: 1,
  usage: 2,
  invalid: 3,
  environment: 4,
  refused: 5,
  unhealthy: 6,
  changesPending: 10,
  busy: 75,
  cancelled: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export interface SmeshErrorOptions {
  /** What to type next, one line, shown below the message. */
  readonly hint?: string;
  /** Further lines: one per identity, file or finding. */
  readonly details?: readonly string[];
  /** What the details say, as data for `--json`. */
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * Something that the user can fix: shown as message, details and hint, never as a stack. Everything that is
 * not a SmeshError is a bug. No message may ever hold the private half of a key.
 */
export class SmeshError extends Error {
  /** Stable, kebab-case, in `--json` errors: `bad-coinbase`, `engine-down`. */
  readonly code: string;
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;
  readonly details: readonly string[];
  readonly facts: Readonly<Record<string, unknown>> | undefined;

  constructor(code: string, exitCode: ExitCode, message: string, options: SmeshErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SmeshError';
    this.code = code;
    this.exitCode = exitCode;
    this.hint = options.hint;
    this.details = options.details ?? [];
    this.facts = options.facts;
  }
}

/** Thrown where a prompt or a long act is cancelled by the user (Ctrl-C, Ctrl-D, closed input). */
export function cancelled(what: string): SmeshError {
  return new SmeshError('cancelled', ExitCode.cancelled, `Cancelled: ${what}. Nothing was changed.`);
}

/** Makes a forgotten case of a discriminated union a compile error. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
