import process from 'node:process';
import { stripVTControlCharacters } from 'node:util';
import { spawn } from '@lydell/node-pty';
import { onTestFinished } from 'vitest';
import { describeProcess } from './describe-process.ts';
import { type CliOptions, cleanEnvironment, requireBuiltCli } from './run-cli.ts';
import { keepTranscript } from './transcripts.ts';

/** What a finger sends. */
export const keys = {
  enter: '\r',
  space: ' ',
  escape: '\u001b',
  tab: '\t',
  backspace: '\u007f',
  up: '\u001b[A',
  down: '\u001b[B',
  right: '\u001b[C',
  left: '\u001b[D',
  ctrlC: '\u0003',
  ctrlD: '\u0004',
} as const;

export interface PtyRun {
  /**
   * Resolves with the match as soon as the text appears after the last match; colours and cursor movements are taken
   * out first. Rejects after `timeout` milliseconds (15 s), or when the program ends without it, and says what is there.
   */
  waitFor(wanted: string | RegExp, timeout?: number): Promise<string>;
  type(text: string): void;
  resize(columns: number, rows?: number): void;
  /** Everything printed so far, without colours and cursor movements. */
  text(): string;
  /** Everything printed so far, as it came. */
  raw(): string;
  kill(signal?: NodeJS.Signals): void;
  /** Resolves when the program has ended. */
  readonly exit: Promise<{ readonly code: number; readonly signal: number | undefined }>;
}

export interface PtyOptions extends Pick<CliOptions, 'cwd' | 'env'> {
  readonly columns?: number;
  readonly rows?: number;
}

/** Starts the built program in a terminal of its own. It is killed when the running test ends. */
export function startCli(args: readonly string[], options: PtyOptions = {}): PtyRun {
  return startInPty(process.execPath, [requireBuiltCli(), ...args], options);
}

/** The same for any program. */
export function startInPty(program: string, args: readonly string[], options: PtyOptions = {}): PtyRun {
  const child = spawn(program, [...args], {
    name: 'xterm-256color',
    cols: options.columns ?? 100,
    rows: options.rows ?? 40,
    cwd: options.cwd ?? process.cwd(),
    env: cleanEnvironment({ TERM: 'xterm-256color', ...options.env }),
  });
  let raw = '';
  let searchedTo = 0;
  let ended: { code: number; signal: number | undefined } | undefined;
  const listeners = new Set<() => void>();
  const text = () => stripVTControlCharacters(raw);
  const notify = () => {
    for (const listener of listeners) listener();
  };

  child.onData((chunk) => {
    raw += chunk;
    notify();
  });
  const exit = new Promise<{ code: number; signal: number | undefined }>((resolve) => {
    child.onExit(({ exitCode, signal }) => {
      ended = { code: exitCode, signal: signal === 0 ? undefined : signal };
      keepTranscript(`${[program, ...args].join(' ')} in a terminal → ${exitCode}`, text());
      notify();
      resolve(ended);
    });
  });
  onTestFinished(async () => {
    if (ended === undefined) {
      // It has said its last words and does not end: what does it wait for?
      if (/\(exit \d+\)/.test(text())) console.error(describeProcess(child.pid));
      child.kill('SIGKILL');
    }
    await exit;
  });

  /** The end of the first match after the last one, if it is there yet. */
  function find(wanted: string | RegExp): string | undefined {
    const rest = text().slice(searchedTo);
    const at = typeof wanted === 'string' ? rest.indexOf(wanted) : rest.search(wanted);
    if (at < 0) return undefined;
    const match = typeof wanted === 'string' ? wanted : (rest.slice(at).match(wanted)?.[0] ?? '');
    searchedTo += at + match.length;
    return match;
  }

  return {
    waitFor(wanted, timeout = 15_000) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => finish(`not within ${timeout} ms`), timeout);
        const finish = (fault: string) => {
          clearTimeout(timer);
          listeners.delete(check);
          reject(new Error(`waited for ${wanted}: ${fault}. What is there:\n${text().slice(searchedTo)}`));
        };
        const check = () => {
          const match = find(wanted);
          if (match !== undefined) {
            clearTimeout(timer);
            listeners.delete(check);
            resolve(match);
          } else if (ended !== undefined) {
            finish(`the program ended with ${ended.code}`);
          }
        };
        listeners.add(check);
        check();
      });
    },
    type: (typed) => child.write(typed),
    resize: (columns, rows = options.rows ?? 40) => child.resize(columns, rows),
    text,
    raw: () => raw,
    kill: (signal = 'SIGTERM') => child.kill(signal),
    exit,
  };
}
