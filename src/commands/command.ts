import type { Context } from '../usecases/context.ts';

export type { Context } from '../usecases/context.ts';

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

/** Keeps the literal types of a specification while checking its shape. */
export function defineCommand(spec: CommandSpec): CommandSpec {
  return spec;
}
