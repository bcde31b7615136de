import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Where recordings of the real programs are; without it their tests are skipped. */
export const recordings = process.env['SMESH_RECORDINGS'];

/** Why, in the name of a skipped suite. */
export const withoutRecordings = 'needs SMESH_RECORDINGS, the folder with recordings of the real programs';

export interface Outcome {
  /** undefined: it was still running when it was stopped. */
  readonly exit: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<Outcome>;
  /** SIGKILL, and wait. */
  readonly stop: () => Promise<Outcome>;
}

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));

const folders: string[] = [];
const children = new Set<ChildProcess>();

/** A new temporary folder; `removeScratch` removes all of them. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'smt-sim-'));
  folders.push(folder);
  return folder;
}

/** Ends what a failed test left running, and removes all temporary folders. */
export function removeScratch(): void {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Bundles `test/sim/<name>/main.ts` as the image build does, and returns the file to run with node. */
export async function bundleStandIn(name: string): Promise<string> {
  const outfile = join(scratch(), `${name}.cjs`);
  await build({
    entryPoints: [fileURLToPath(new URL(`../sim/${name}/main.ts`, import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    // Native: `start` tells where it is.
    external: ['libsql'],
    outfile,
    logLevel: 'error',
  });
  return outfile;
}

/** Starts a bundled program with nothing of this environment but what is given. */
export function start(bundle: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [bundle, ...args], {
    env: { PATH: process.env['PATH'], HOME: '/root', NODE_PATH: modules, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  child.on('close', () => children.delete(child));
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    stderr += String(chunk);
  });
  let stopped = false;
  const ended = new Promise<Outcome>((resolve) => {
    child.on('close', (code, signal) =>
      resolve({
        exit: stopped ? undefined : (code ?? undefined),
        signal: signal ?? undefined,
        stdout,
        stderr,
      }),
    );
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    stop: () => {
      stopped = child.exitCode === null && child.signalCode === null;
      child.kill('SIGKILL');
      return ended;
    },
  };
}

/** Polls until `check` holds; fails with `what` after the time is over. */
export async function until(
  what: string,
  check: () => boolean | Promise<boolean>,
  timeoutMs = 15_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(20);
  }
}

/** Runs `work` on all items, at most four at a time. */
export async function fourAtATime<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
}

/** A TCP port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
