/**
 * As much of clap 4 as the real program's users meet: long and short options, `=`, required options and
 * groups, values checked as they are read, exit 2 with the same first lines.
 */

export interface OptionSpec {
  /** Without dashes; the key of the result. */
  readonly id: string;
  readonly long?: string;
  readonly short?: string;
  readonly valueName: string;
  readonly required?: boolean;
  /** Takes every following word that is no option, split at commas. */
  readonly list?: boolean;
  readonly choices?: readonly string[];
  /** Throws an Error whose message clap would print behind the colon. */
  readonly parse: (text: string) => unknown;
}

export interface CommandSpec {
  readonly name: string;
  readonly version: string;
  readonly about: string;
  readonly options: readonly OptionSpec[];
  /** One of these must be given, and more may be. */
  readonly group: readonly string[];
}

export type Parsed =
  | { readonly kind: 'values'; readonly values: ReadonlyMap<string, unknown> }
  | { readonly kind: 'exit'; readonly code: number; readonly stdout: string; readonly stderr: string };

const HINT = "For more information, try '--help'.\n";

/** Reads a command line; the first fault ends it, as in clap. */
export function parseCommandLine(command: CommandSpec, argv: readonly string[]): Parsed {
  const values = new Map<string, unknown>();
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--help' || word === '-h') return done(help(command));
    if (word === '--version' || word === '-V') return done(`${command.version}\n`);
    const found = findOption(command, word);
    if (found === undefined) {
      return fault(`unexpected argument '${word.split('=')[0]}' found`, usage(command, values.keys()));
    }
    const { option } = found;
    if (values.has(option.id)) {
      return fault(`the argument '${display(option)}' cannot be used multiple times`, usage(command));
    }
    const texts = found.inline === undefined ? takeValues(option, words) : [found.inline];
    if (texts.length === 0) {
      return fault(`a value is required for '${display(option)}' but none was supplied${choices(option)}`);
    }
    const read: unknown[] = [];
    for (const text of option.list === true ? texts.flatMap((t) => t.split(',')) : texts) {
      if (option.choices !== undefined && !option.choices.includes(text)) return wrongChoice(option, text);
      try {
        read.push(option.parse(text));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        return fault(`invalid value '${text}' for '${display(option)}': ${why}`);
      }
    }
    values.set(option.id, option.list === true ? read : read[0]);
  }
  const missing = command.options.filter((o) => o.required === true && !values.has(o.id)).map(display);
  if (!command.group.some((id) => values.has(id))) missing.push(groupDisplay(command));
  if (missing.length > 0) {
    const list = missing.map((text) => `  ${text}`).join('\n');
    return fault(
      `the following required arguments were not provided:\n${list}`,
      usage(command, values.keys()),
    );
  }
  return { kind: 'values', values };
}

/** `Usage: …` with `[OPTIONS]`, or with those given so far where clap shows them. */
export function usage(command: CommandSpec, given?: Iterable<string>): string {
  const required = command.options.filter((o) => o.required === true).map(display);
  const seen = new Set(given ?? []);
  const others = command.options
    .filter((o) => seen.has(o.id) && o.required !== true)
    .filter(notInGroup(command));
  const middle = given === undefined ? [] : others.map(display);
  const first = given === undefined ? [`${command.name} [OPTIONS]`] : [command.name];
  return `Usage: ${[...first, ...required, ...middle, groupDisplay(command)].join(' ')}`;
}

/** What clap prints for a fault; exit code 2. */
export function fault(message: string, usageLine?: string): Parsed {
  const shown = usageLine === undefined ? '' : `${usageLine}\n\n`;
  return { kind: 'exit', code: 2, stdout: '', stderr: `error: ${message}\n\n${shown}${HINT}` };
}

function done(stdout: string): Parsed {
  return { kind: 'exit', code: 0, stdout, stderr: '' };
}

function findOption(
  command: CommandSpec,
  word: string,
): { option: OptionSpec; inline: string | undefined } | undefined {
  if (word.startsWith('--')) {
    const at = word.indexOf('=');
    const name = word.slice(2, at < 0 ? undefined : at);
    const option = command.options.find((o) => o.long === name);
    return option && { option, inline: at < 0 ? undefined : word.slice(at + 1) };
  }
  if (!word.startsWith('-') || word.length < 2) return undefined;
  const option = command.options.find((o) => o.short === word[1]);
  const rest = word.slice(2);
  return option && { option, inline: rest === '' ? undefined : rest.replace(/^=/, '') };
}

function takeValues(option: OptionSpec, words: string[]): readonly string[] {
  const taken: string[] = [];
  while (words[0] !== undefined && !/^-./.test(words[0]) && (taken.length === 0 || option.list === true)) {
    taken.push(words.shift() ?? '');
  }
  return taken;
}

function wrongChoice(option: OptionSpec, text: string): Parsed {
  const near = option.choices?.find((choice) => choice.startsWith(text.toLowerCase().slice(0, 3)));
  const tip = near === undefined || text === '' ? '' : `\n\n  tip: a similar value exists: '${near}'`;
  return fault(`invalid value '${text}' for '${display(option)}'${choices(option)}${tip}`);
}

function choices(option: OptionSpec): string {
  return option.choices === undefined ? '' : `\n  [possible values: ${option.choices.join(', ')}]`;
}

function display(option: OptionSpec): string {
  const flag = option.long === undefined ? `-${option.short}` : `--${option.long}`;
  return `${flag} <${option.valueName}>${option.list === true ? '...' : ''}`;
}

function groupDisplay(command: CommandSpec): string {
  return `<${command.options
    .filter((o) => command.group.includes(o.id))
    .map(display)
    .join('|')}>`;
}

function notInGroup(command: CommandSpec): (option: OptionSpec) => boolean {
  return (option) => !command.group.includes(option.id);
}

function help(command: CommandSpec): string {
  const lines = command.options.map((option) => {
    const short = option.long !== undefined && option.short !== undefined ? `-${option.short}, ` : '    ';
    return `  ${short}${display(option)}`;
  });
  return `${command.about}\n\n${usage(command)}\n\nOptions:\n${lines.join('\n')}\n  -h, --help\n  -V, --version\n`;
}
