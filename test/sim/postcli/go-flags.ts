/** Go's `flag` package: one or two dashes, `-x v` or `-x=v`, boolean flags without a value, exit 2 on misuse. */

export type FlagKind = 'string' | 'bool' | 'uint' | 'uint64' | 'int' | 'float64' | 'text';

export interface FlagSpec {
  readonly kind: FlagKind;
  readonly usage: string;
  readonly default?: string;
}

export type ParsedFlags =
  | { readonly kind: 'flags'; readonly given: ReadonlyMap<string, string> }
  | { readonly kind: 'exit'; readonly code: number; readonly stderr: string };

const BOOLEANS = new Set(['1', '0', 't', 'f', 'T', 'F', 'true', 'false', 'TRUE', 'FALSE', 'True', 'False']);

/** Reads the flags; the first word that is none ends them, and is ignored as postcli ignores it. */
export function parseFlags(
  program: string,
  specs: Readonly<Record<string, FlagSpec>>,
  argv: readonly string[],
): ParsedFlags {
  const given = new Map<string, string>();
  const fail = (message: string, code = 2): ParsedFlags => ({
    kind: 'exit',
    code,
    stderr: `${message}${usage(program, specs)}`,
  });
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word.length < 2 || !word.startsWith('-') || word === '--') break;
    const [, name = '', inline] = /^--?([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === '' || name.startsWith('-')) return fail(`bad flag syntax: ${word}\n`);
    const spec = specs[name];
    if (spec === undefined) {
      if (name === 'help' || name === 'h') return fail('', 0);
      return fail(`flag provided but not defined: -${name}\n`);
    }
    const value = inline ?? (spec.kind === 'bool' ? 'true' : words.shift());
    if (value === undefined) return fail(`flag needs an argument: -${name}\n`);
    const why = invalid(spec.kind, value);
    if (why !== undefined) {
      const what = spec.kind === 'bool' ? 'boolean value' : 'value';
      return fail(`invalid ${what} "${value}" for ${spec.kind === 'bool' ? '' : 'flag '}-${name}: ${why}\n`);
    }
    given.set(name, value);
  }
  return { kind: 'flags', given };
}

function invalid(kind: FlagKind, text: string): string | undefined {
  if (kind === 'string' || kind === 'text') return undefined;
  if (kind === 'bool') return BOOLEANS.has(text) ? undefined : 'parse error';
  if (kind === 'float64') return text !== '' && Number.isFinite(Number(text)) ? undefined : 'parse error';
  const pattern = kind === 'int' ? /^[+-]?\d+$/ : /^\+?\d+$/;
  if (!pattern.test(text)) return 'parse error';
  const max = kind === 'int' ? 2n ** 63n - 1n : 2n ** 64n - 1n;
  return BigInt(text) > max ? 'value out of range' : undefined;
}

function usage(program: string, specs: Readonly<Record<string, FlagSpec>>): string {
  const lines = Object.entries(specs)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, spec]) => {
      const type = spec.kind === 'bool' ? '' : ` ${spec.kind === 'text' ? 'value' : spec.kind}`;
      const otherwise = spec.default === undefined ? '' : ` (default ${spec.default})`;
      return `  -${name}${type}\n    \t${spec.usage}${otherwise}\n`;
    });
  return `Usage of ${program}:\n${lines.join('')}`;
}
