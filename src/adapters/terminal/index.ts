import type { LiveArea, OutputPort } from '../../ports/output.ts';

export interface TerminalOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: 'auto' | 'always' | 'never';
}

function wantsColor(options: TerminalOptions): boolean {
  if (options.json || options.color === 'never') return false;
  if (options.color === 'always') return true;
  const { NO_COLOR, FORCE_COLOR, TERM } = options.env;
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '0') return true;
  return process.stdout.isTTY === true && TERM !== 'dumb';
}

function readColumns(env: TerminalOptions['env']): number {
  const asked = Number(env.COLUMNS);
  const columns = process.stdout.columns ?? (Number.isInteger(asked) && asked > 0 ? asked : 100);
  return Math.min(Math.max(columns, 40), 200);
}

/** Redraws its lines in place; cuts them to the terminal's width, because a wrapped line cannot be redrawn. */
function createTerminalArea(stream: NodeJS.WriteStream): LiveArea {
  let drawn = 0;
  let last: readonly string[] = [];
  return {
    update(lines) {
      const width = (stream.columns ?? 100) - 1;
      const height = Math.max((stream.rows ?? 24) - 1, 5);
      const visible =
        lines.length > height
          ? [...lines.slice(0, height - 1), `… ${lines.length - height + 1} more`]
          : lines;
      const back = drawn === 0 ? '' : `\u001b[${drawn}A`;
      stream.write(`${back}\u001b[J${visible.map((line) => `${cut(line, width)}\n`).join('')}`);
      drawn = visible.length;
      last = lines;
    },
    done() {
      if (last.length > drawn) this.update(last);
      drawn = 0;
    },
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours take no room.
const COLOR = /(\u001b\[[\d;]*m)/;

/** At most so many characters. Colours take no room, and those behind the cut are kept: a line ends as it began. */
export function cut(line: string, width: number): string {
  const parts = line.split(COLOR);
  const length = parts.reduce((sum, part) => sum + (COLOR.test(part) ? 0 : part.length), 0);
  if (length <= width) return line;
  let room = width - 1;
  let isCut = false;
  return parts
    .map((part) => {
      if (COLOR.test(part)) return part;
      const shown = part.slice(0, room);
      room -= shown.length;
      if (isCut || shown.length === part.length) return shown;
      isCut = true;
      return `${shown}…`;
    })
    .join('');
}

/** Without a terminal: every line once, when it first appears or changes. */
function createPlainArea(write: (line: string) => void): LiveArea {
  let last: readonly string[] = [];
  return {
    update(lines) {
      const seen = new Set(last);
      for (const line of lines) if (!seen.has(line)) write(line);
      last = lines;
    },
    done() {},
  };
}

/** `smesh-compose status | head`, or `--help | head`: that the reader has gone is no fault of ours. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
}

/** Results to stdout, everything else to stderr (peers.md §4). */
export function createTerminal(options: TerminalOptions): OutputPort {
  const note = (text: string) => {
    if (!options.quiet && !options.json) process.stderr.write(`${text}\n`);
  };
  const interactive =
    process.stdin.isTTY === true &&
    process.stdout.isTTY === true &&
    process.stderr.isTTY === true &&
    !options.json &&
    (options.env.CI === undefined || options.env.CI === '' || options.env.CI === 'false');
  return {
    columns: readColumns(options.env),
    color: wantsColor(options),
    interactive,
    result: (text) => void process.stdout.write(`${text}\n`),
    verbatim: (text) => void process.stdout.write(`${text}\n`),
    json: (value) => void process.stdout.write(`${JSON.stringify(value, null, 2)}\n`),
    note,
    warn: (text) => void process.stderr.write(`${text}\n`),
    live: () =>
      process.stderr.isTTY === true && !options.json && !options.quiet
        ? createTerminalArea(process.stderr)
        : createPlainArea(note),
  };
}
