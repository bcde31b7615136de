import type { ClockPort } from '../ports/clock.ts';
import type { Ports } from '../ports/index.ts';
import type { OutputPort } from '../ports/output.ts';

/** One option of a command, as data: the parser, the help and the command reference are made from it. */
export interface OptionSpec {
  /** commander syntax: `--json`, `-f, --follow`, `--data <path>`, `--data <path...>`. */
  readonly flags: string;
  readonly summary: string;
  readonly default?: string | number | boolean;
  readonly choices?: readonly string[];
}

export interface ArgumentSpec {
  /** commander syntax: `[roots...]`, `<name>`. */
  readonly name: string;
  readonly summary: string;
}

export interface ExampleSpec {
  readonly command: string;
  readonly summary: string;
}

/** A verb of the command line, declared as data and run with everything it may touch. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  /** One or two sentences more, for `--help` and the reference. */
  readonly description?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  readonly examples?: readonly ExampleSpec[];
  /** Resolves with the exit code; throws SmeshError for what the user can fix. */
  run(invocation: Invocation, context: Context): Promise<number>;
}

/** What the user typed, already split by the parser; values are read with the typed helpers in `options.ts`. */
export interface Invocation {
  readonly arguments: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

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

/** Keeps the literal types of a specification while checking its shape. */
export function defineCommand(spec: CommandSpec): CommandSpec {
  return spec;
}
