/** The flags of poet v0.10.8 by the rules of its parser, go-flags, and the same names in an INI file (spacemesh.md §7.4). */
import { parseDuration } from '../node/go-text.ts';

export type Kind = 'string' | 'bool' | 'int' | 'uint' | 'uint16' | 'duration' | 'time' | 'base64';

/** Long names with their types. */
export const options = {
  'genesis-time': 'time',
  poetdir: 'string',
  configfile: 'string',
  datadir: 'string',
  dbdir: 'string',
  logdir: 'string',
  debuglog: 'bool',
  jsonlog: 'bool',
  maxlogfiles: 'int',
  maxlogfilesize: 'int',
  rpclisten: 'string',
  restlisten: 'string',
  'config-rpclisten': 'string',
  'metrics-port': 'uint16',
  cpuprofile: 'string',
  profile: 'string',
  'epoch-duration': 'duration',
  'phase-shift': 'duration',
  'cycle-gap': 'duration',
  'pow-difficulty': 'uint',
  'max-round-members': 'int',
  'max-submit-batch-size': 'int',
  'submit-flush-interval': 'duration',
  'certifier-url': 'string',
  'certifier-pubkey': 'base64',
  'trusted-pub-keys-dir-path': 'string',
  'disable-worker': 'bool',
  lps: 'uint',
  memory: 'uint',
  'tree-file-buffer': 'uint',
} as const satisfies Record<string, Kind>;

export type OptionName = keyof typeof options;

/** As text, by long name; a flag without a value is `true`. */
export type Given = ReadonlyMap<OptionName, string>;

const shorthands: Readonly<Record<string, OptionName>> = {
  c: 'configfile',
  b: 'datadir',
  r: 'rpclisten',
  w: 'restlisten',
};

/** Somebody asked for help; go-flags treats it as an error, and poet exits 1. */
export class HelpWanted extends Error {}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(options, name);
}

/** @throws Error as go-flags words it; HelpWanted */
export function parseFlags(argv: readonly string[]): Given {
  const given = new Map<OptionName, string>();
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') break;
    // Words that are no flags are left over, and poet does not look at them.
    if (!word.startsWith('-') || word === '-') continue;
    const long = word.startsWith('--');
    const [, written = '', inline] = /^--?([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const text = long ? written : (written[0] ?? '');
    if (text === 'help' || (!long && text === 'h')) throw new HelpWanted(usage());
    const name = long ? text : shorthands[text];
    if (name === undefined || !isOption(name)) throw new Error(`unknown flag \`${text}'`);
    const attached = inline ?? (long || written.length === 1 ? undefined : written.slice(1));
    if (options[name] === 'bool') {
      if (attached !== undefined) throw new Error(`bool flag \`${shown(name)}' cannot have an argument`);
      given.set(name, 'true');
      continue;
    }
    const value = attached ?? words.shift();
    if (value === undefined) throw new Error(`expected argument for flag \`${shown(name)}'`);
    given.set(name, checked(name, value));
  }
  return given;
}

/** The options of an INI file; sections say nothing about a name. @throws Error with file and line */
export function parseIni(path: string, text: string): Given {
  const given = new Map<OptionName, string>();
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    const fault = (message: string) => new Error(`${path}:${index + 1}: ${message}`);
    if (line === '' || line.startsWith(';') || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      if (!line.endsWith(']')) throw fault('malformed section header');
      continue;
    }
    const at = line.indexOf('=');
    if (at < 0) throw fault(`malformed key=value (${line})`);
    const name = line.slice(0, at).trim().toLowerCase();
    if (!isOption(name)) throw fault(`unknown option: ${name}`);
    const value = line
      .slice(at + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1');
    try {
      given.set(name, checked(name, value));
    } catch (error) {
      throw fault((error as Error).message);
    }
  }
  return given;
}

function shown(name: OptionName): string {
  const short = Object.entries(shorthands).find(([, long]) => long === name)?.[0];
  return short === undefined ? `--${name}` : `-${short}, --${name}`;
}

/** The value itself. @throws Error when it is none of its type */
function checked(name: OptionName, value: string): string {
  const why = invalid(options[name], value);
  if (why === undefined) return value;
  throw new Error(`invalid argument for flag \`${shown(name)}' (expected ${goType(options[name])}): ${why}`);
}

function invalid(kind: Kind, value: string): string | undefined {
  switch (kind) {
    case 'string':
      return undefined;
    case 'bool':
      return /^(true|false|1|0)$/i.test(value)
        ? undefined
        : `strconv.ParseBool: parsing "${value}": invalid syntax`;
    case 'int':
      return /^[+-]?\d+$/.test(value) ? undefined : `strconv.ParseInt: parsing "${value}": invalid syntax`;
    case 'uint':
      return /^\d+$/.test(value) ? undefined : `strconv.ParseUint: parsing "${value}": invalid syntax`;
    case 'uint16':
      if (!/^\d+$/.test(value)) return `strconv.ParseUint: parsing "${value}": invalid syntax`;
      return Number(value) < 65_536 ? undefined : `strconv.ParseUint: parsing "${value}": value out of range`;
    case 'duration':
      try {
        parseDuration(value);
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    case 'time':
      return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value) &&
        !Number.isNaN(Date.parse(value))
        ? undefined
        : `parsing time "${value}" as "2006-01-02T15:04:05Z07:00": cannot parse "${value}" as "2006"`;
    case 'base64':
      return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value)
        ? undefined
        : 'illegal base64 data at input byte 0';
  }
}

function goType(kind: Kind): string {
  if (kind === 'duration') return 'time.Duration';
  if (kind === 'time') return 'server.Genesis';
  return kind === 'base64' ? 'registration.Base64Enc' : kind;
}

function usage(): string {
  const lines = (Object.keys(options) as OptionName[]).map((name) => {
    return `      ${shown(name)}${options[name] === 'bool' ? '' : '='}`;
  });
  return ['Usage:', '  poet [OPTIONS]', '', 'Application Options:', ...lines, ''].join('\n');
}
