import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { describeProcess } from './describe-process.ts';
import { buildFailureFile, builtCli } from './places.ts';
import { keepTranscript } from './transcripts.ts';

export interface CliRun {
  /** The exit code; 128 + the number of the signal where one ended it is not made up: see `signal`. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd?: string;
  /** Added to the clean environment; `undefined` takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Text for stdin; without it stdin is closed, as under cron. */
  readonly input?: string;
  /** Milliseconds; the process is killed and the promise rejects when they are over (60 s). */
  readonly timeout?: number;
  /** Called with the process, for tests that send signals. */
  readonly onStart?: (kill: (signal: NodeJS.Signals) => void) => void;
}

const PASSED_ON = [
  'PATH',
  'HOME',
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
  'DOCKER_CONFIG',
  'XDG_RUNTIME_DIR',
  'TMPDIR',
];

/** What a program under test gets: how to find Docker, and nothing that happens to be set where the suite runs. */
export function cleanEnvironment(added: CliOptions['env'] = {}): Record<string, string> {
  const env: Record<string, string | undefined> = { LANG: 'C.UTF-8', TZ: 'UTC' };
  for (const name of PASSED_ON) env[name] = process.env[name];
  const entries = Object.entries({ ...env, ...added });
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Refuses to run an old `dist` when the sources of today did not build. */
export function requireBuiltCli(): string {
  if (existsSync(buildFailureFile))
    throw new Error(`dist could not be built:\n${readFileSync(buildFailureFile, 'utf8')}`);
  if (!existsSync(builtCli)) throw new Error('dist/cli.js is missing: run `npm run build`');
  return builtCli;
}

/** Runs the built command line program without a terminal and keeps all it prints in the transcripts. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const cli = requireBuiltCli();
  const title = `smesh-compose ${args.join(' ')}`;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, ...args], {
      cwd: options.cwd,
      env: cleanEnvironment(options.env),
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    child.stdout?.on('data', (chunk: Buffer) => chunks.stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => chunks.stderr.push(chunk));
    child.stdin?.on('error', () => {}).end(options.input);
    const limit = options.timeout ?? 60_000;
    let late: string | undefined;
    const timer = setTimeout(() => {
      late = child.pid === undefined ? '' : describeProcess(child.pid);
      child.kill('SIGKILL');
    }, limit);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const stdout = Buffer.concat(chunks.stdout).toString();
      const stderr = Buffer.concat(chunks.stderr).toString();
      keepTranscript(`${title} → ${code ?? signal}`, stdout + stderr);
      if (late !== undefined)
        reject(new Error(`${title}: not done after ${limit} ms\n${stdout}${stderr}\n${late}`));
      else resolve({ code, signal, stdout, stderr });
    });
    options.onStart?.((signal) => void child.kill(signal));
  });
}
