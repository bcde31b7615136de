import { spawn } from 'node:child_process';
import process from 'node:process';

export interface CommandRun {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** Each whole line of stderr as it comes: Compose tells its progress there. */
  onErrorLine?(line: string): void;
}

export interface CommandOutcome {
  /** Absent when a signal ended it. */
  readonly exitCode?: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How long a cancelled `docker compose` may take to end cleanly before it is killed. */
const GRACE_MS = 10_000;

/**
 * Runs a program without a shell, its arguments as they are, in a process group of its own: Ctrl-C in the terminal
 * reaches only the tool, which then ends the whole group. Rejects when the program cannot be run (`code` ENOENT …).
 */
export function runCommand(
  program: string,
  args: readonly string[],
  run: CommandRun,
): Promise<CommandOutcome> {
  return new Promise((resolve, reject) => {
    run.signal?.throwIfAborted();
    const child = spawn(program, args, {
      env: run.env,
      // stdin closed: no program that we start may ever ask the user something.
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const stdout: Buffer[] = [];
    let stderr = '';
    let partialLine = '';
    let killTimer: NodeJS.Timeout | undefined;

    const signalGroup = (signal: NodeJS.Signals): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, signal);
      } catch {
        // It ended in this very moment.
      }
    };
    const onAbort = (): void => {
      signalGroup('SIGINT');
      killTimer = setTimeout(() => signalGroup('SIGKILL'), GRACE_MS);
    };
    run.signal?.addEventListener('abort', onAbort, { once: true });
    const tidy = (): void => {
      run.signal?.removeEventListener('abort', onAbort);
      clearTimeout(killTimer);
    };

    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (chunk: string) => {
      stderr += chunk;
      const lines = (partialLine + chunk).split(/\r?\n/);
      partialLine = lines.pop() ?? '';
      for (const line of lines) run.onErrorLine?.(line);
    });
    child.on('error', (error) => {
      tidy();
      reject(error);
    });
    child.on('exit', () => {
      // Whatever it had started and left behind would keep our pipes open.
      if (run.signal?.aborted) signalGroup('SIGKILL');
    });
    child.on('close', (exitCode) => {
      tidy();
      if (partialLine !== '') run.onErrorLine?.(partialLine);
      resolve({
        ...(exitCode === null ? {} : { exitCode }),
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr,
      });
    });
  });
}
