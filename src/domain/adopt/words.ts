/** One `sh -c` and its like, where the real command line is a text of its own. */
const SHELLS = /^(?:.*\/)?(?:ba|da|a)?sh$/;

/**
 * The words of a command line as a shell would make them: quotes, line continuations and variables; no substitution of
 * commands. Of several commands it is the one that `wanted` takes, else the last.
 */
export function shellCommands(
  text: string,
  environment: Readonly<Record<string, string>> = {},
): readonly (readonly string[])[] {
  const commands: string[][] = [[]];
  const joined = text.replace(/\\\r?\n/g, ' ');
  // Comments, separators, redirections with what they lead to, words.
  const token =
    /#[^\n]*|\|\||&&|[;|&\n]|\d*[<>]+(?:&\d+|\([^)]*\)|\s*[^\s;|&<>]+)?|((?:[^\s"'\\;|&<>#]|\\.|"(?:[^"\\]|\\.)*"|'[^']*'|(?<=\S)#)+)/g;
  for (const match of joined.matchAll(token)) {
    const [all, word] = match;
    if (word !== undefined) commands.at(-1)?.push(unquote(word, environment));
    else if (!/^(#|\d*[<>])/.test(all)) commands.push([]);
  }
  return commands.filter((words) => words.length > 0);
}

function unquote(word: string, environment: Readonly<Record<string, string>>): string {
  return word.replace(/'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^'"\\]+)/g, (_, raw, quoted, escaped, plain) => {
    if (raw !== undefined) return raw;
    if (escaped !== undefined) return escaped;
    return expand((quoted ?? plain).replace(/\\(["\\$`])/g, '$1'), environment);
  });
}

/** `$NAME`, `${NAME}`, `${NAME:-default}`. One that is not known stays as it is: a guess would be believed. */
export function expand(text: string, environment: Readonly<Record<string, string>>): string {
  return text.replace(
    /\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?([-?])([^}]*))?\})/g,
    (all, bare, braced, kind, otherwise) => {
      const value = environment[bare ?? braced];
      if (value !== undefined && value !== '') return value;
      return kind === '-' ? otherwise : (value ?? all);
    },
  );
}

/** The words of a program behind a shell: `sh -c "exec ./post-service --threads $THREADS"`. */
export function unrollShell(
  words: readonly string[],
  environment: Readonly<Record<string, string>>,
  isWanted: (words: readonly string[]) => boolean,
): readonly string[] {
  const [first = '', option = '', script] = words;
  if (!SHELLS.test(first) || !/^-\w*c$/.test(option) || script === undefined) return words;
  const commands = shellCommands(script, environment);
  return commands.find(isWanted) ?? commands.at(-1) ?? words;
}

export interface ParsedFlags {
  /** By long name; a flag given twice has its last value. */
  readonly values: ReadonlyMap<string, string>;
  readonly unknown: readonly { readonly flag: string; readonly value: string }[];
}

export interface FlagSpec {
  /** Flags that take a value, by long name. */
  readonly known: ReadonlySet<string>;
  /** Flags without one. */
  readonly switches?: ReadonlySet<string>;
  /** Letter → long name. */
  readonly short: Readonly<Record<string, string>>;
}

/** Flags of clap and pflag alike: `--name value`, `--name=value`, `-n value`, `-n=value`. Other words are passed over. */
export function parseFlags(words: readonly string[], spec: FlagSpec): ParsedFlags {
  const values = new Map<string, string>();
  const unknown: { flag: string; value: string }[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const [, long, letter, attached] = /^(?:--([A-Za-z][\w-]*)|-([A-Za-z]))(?:=([\s\S]*))?$/.exec(word) ?? [];
    const name = long ?? (letter === undefined ? undefined : spec.short[letter]);
    if (long === undefined && letter === undefined) continue;
    const next = words[index + 1];
    const known = name !== undefined && (spec.known.has(name) || spec.switches?.has(name) === true);
    const isSwitch = name !== undefined && spec.switches?.has(name) === true;
    const takesNext =
      attached === undefined && !isSwitch && next !== undefined && (known || !/^-[-A-Za-z]/.test(next));
    const value = attached ?? (takesNext ? next : isSwitch ? 'true' : '');
    if (takesNext) index += 1;
    if (name !== undefined && known) values.set(name, value);
    else unknown.push({ flag: long === undefined ? `-${letter}` : `--${long}`, value });
  }
  return { values, unknown };
}
