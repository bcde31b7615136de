/** The command line of merge-nodes, by the rules of its flag parser (spacemesh.md §6.3). */

export type CommandLine =
  | { readonly command: 'merge'; readonly from: string; readonly to: string }
  | { readonly command: 'help' }
  | { readonly command: 'version' };

/** As the real program prints it behind every error, too. */
export const usage = `Usage:
  merge-nodes -f <dir> -t <dir> [flags]

Flags:
  -f, --from data   The data folder to read identities from and merge into \`to\`
  -h, --help        help for merge-nodes
  -t, --to data     The data folder to write the merged node to. Can be an existing remote node or empty.

`;

const shorthands: Readonly<Record<string, string>> = { f: 'from', t: 'to', h: 'help', v: 'version' };
const withValue = new Set(['from', 'to']);
const known = new Set(Object.values(shorthands));

/** @throws Error as the flag parser words it */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const given = new Map<string, string>();
  const waiting = [...args];
  for (let argument = waiting.shift(); argument !== undefined; argument = waiting.shift()) {
    if (argument === '--') break;
    // Words beside the flags are taken and not looked at, as by every command without subcommands.
    if (!argument.startsWith('-') || argument === '-') continue;
    const { name, attached } = split(argument);
    const value = withValue.has(name) ? (attached ?? waiting.shift()) : (attached ?? 'true');
    if (value === undefined) throw new Error(`flag needs an argument: ${shown(argument, name)}`);
    given.set(name, value);
  }
  if (given.get('help') === 'true') return { command: 'help' };
  if (given.get('version') === 'true') return { command: 'version' };
  const missing = [...withValue].filter((name) => !given.has(name)).map((name) => `"${name}"`);
  if (missing.length > 0) throw new Error(`required flag(s) ${missing.join(', ')} not set`);
  return { command: 'merge', from: given.get('from') ?? '', to: given.get('to') ?? '' };
}

function split(argument: string): { readonly name: string; readonly attached: string | undefined } {
  if (argument.startsWith('--')) {
    const [name = '', ...rest] = argument.slice(2).split('=');
    if (!known.has(name)) throw new Error(`unknown flag: --${name}`);
    return { name, attached: rest.length > 0 ? rest.join('=') : undefined };
  }
  const letter = argument.charAt(1);
  const name = shorthands[letter];
  if (name === undefined) throw new Error(`unknown shorthand flag: '${letter}' in ${argument}`);
  const rest = argument.slice(2).replace(/^=/, '');
  return { name, attached: rest === '' ? undefined : rest };
}

function shown(argument: string, name: string): string {
  return argument.startsWith('--') ? `--${name}` : `'${argument.charAt(1)}' in ${argument}`;
}
