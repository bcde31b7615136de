import { Command, CommanderError, Option } from 'commander';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { CommandSpec, Invocation } from './command.ts';
import { registry } from './registry.ts';

export interface GlobalOptions {
  readonly directory: string;
  readonly json: boolean;
  readonly yes: boolean;
  readonly quiet: boolean;
  readonly color: 'auto' | 'always' | 'never';
  readonly debug: boolean;
}

/** What the command line asks for. */
export type Parsed =
  | {
      readonly kind: 'run';
      readonly spec: CommandSpec;
      readonly invocation: Invocation;
      readonly global: GlobalOptions;
    }
  /** Help or version was printed, or a usage error was. */
  | { readonly kind: 'answered'; readonly exitCode: number };

/** Options of every command; those with a value must be known to find the verb behind them. */
export const GLOBAL_OPTIONS = [
  new Option('-C, --directory <dir>', 'project directory').default('.', 'the current one'),
  new Option('--json', 'one JSON document on stdout, no questions'),
  new Option('-y, --yes', 'answer confirmations with yes; refusals for safety stay'),
  new Option('-q, --quiet', 'results and errors only'),
  new Option('--color <when>', 'colour in the output').choices(['auto', 'always', 'never']).default('auto'),
  new Option('--debug', 'show the stack of an unexpected error'),
];

function readGlobalOptions(options: Partial<GlobalOptions>): GlobalOptions {
  const { directory = '.', color = 'auto' } = options;
  return {
    directory,
    color,
    json: options.json === true,
    yes: options.yes === true,
    quiet: options.quiet === true,
    debug: options.debug === true,
  };
}

/** Before parsing, so that faults of the command line itself are JSON too when JSON was asked for. */
export function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}

/**
 * `add --keys /k /mnt/new`: beside arguments an option of many values takes one at a time and may be repeated. Else it
 * would swallow the arguments, and `add` without any takes whatever it finds.
 */
function takeOneEach(option: Option): void {
  option.variadic = false;
  option.flags = option.flags.replace(/\.\.\.(?=[>\]]$)/, '');
  option.description = `${option.description} (may be repeated)`;
  option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
}

function addOptions(command: Command, spec: CommandSpec): void {
  for (const argument of spec.arguments ?? []) command.argument(argument.name, argument.summary);
  for (const { flags, summary, choices, default: fallback } of spec.options ?? []) {
    const option = new Option(flags, summary);
    if (option.variadic && (spec.arguments ?? []).length > 0) takeOneEach(option);
    if (choices !== undefined) option.choices([...choices]);
    if (fallback !== undefined) option.default(fallback);
    command.addOption(option);
  }
  if (spec.description !== undefined) command.description(`${spec.summary}\n\n${spec.description}`);
  const examples = (spec.examples ?? []).map((example) => `  ${example.command}\n      ${example.summary}`);
  if (examples.length > 0) command.addHelpText('after', `\nExamples:\n${examples.join('\n')}`);
}

/** The first word that is no option and no value of one. */
function findVerb(argv: readonly string[]): string | undefined {
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '-C' || word === '--directory' || word === '--color') index += 1;
    else if (!word.startsWith('-')) return word;
  }
  return undefined;
}

/** Reads the command line; prints help itself. Only the verb that is asked for is loaded. */
export async function parseCommandLine(
  argv: readonly string[],
  version: string,
  write: { out(text: string): void; err(text: string): void },
): Promise<Parsed> {
  const json = asksForJson(argv);
  let parsed: Parsed | undefined;
  const program = new Command('smesh-compose')
    .description('Docker Compose for Spacemesh smeshers: one node, many identities')
    .version(version, '-V, --version')
    .helpCommand(false)
    .showHelpAfterError('Help: smesh-compose --help')
    .exitOverride()
    .configureOutput({ writeOut: write.out, writeErr: json ? () => {} : write.err });
  for (const option of GLOBAL_OPTIONS) program.addOption(option);

  const verb = findVerb(argv);
  for (const entry of registry) {
    const command = program
      .command(entry.name)
      .summary(entry.summary)
      .description(entry.summary)
      .showHelpAfterError(`Help: smesh-compose ${entry.name} --help`);
    if (entry.name !== verb) continue;
    const spec = await entry.load();
    addOptions(command, spec);
    command.action((...actionArguments: unknown[]) => {
      const values = actionArguments.slice(0, -2).flat();
      parsed = {
        kind: 'run',
        spec,
        invocation: {
          arguments: values.filter((value) => value !== undefined).map(String),
          options: command.opts(),
        },
        global: readGlobalOptions(program.opts()),
      };
    });
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'answered', exitCode: ExitCode.ok };
    // `smesh-compose` alone prints its help and is no fault of the user's.
    if (error.code === 'commander.help' && argv.length === 0)
      return { kind: 'answered', exitCode: ExitCode.ok };
    if (json) throw new SmeshError('usage', ExitCode.usage, error.message.replace(/^error: /, ''));
    return { kind: 'answered', exitCode: ExitCode.usage };
  }
  return parsed ?? { kind: 'answered', exitCode: ExitCode.usage };
}
