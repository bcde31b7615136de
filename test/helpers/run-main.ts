import process from 'node:process';
import { main, type Replacements } from '../../src/app.ts';
import type { ClockPort } from '../../src/ports/clock.ts';
import { keepTranscript } from './transcripts.ts';

export interface MainRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A clock that stands, somewhere on earth; it sleeps in real time. */
export function clockAt(now: number, offsetMinutes = 0): ClockPort {
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, ms);
        signal?.addEventListener('abort', () => {
          clearTimeout(timer);
          reject(signal.reason);
        });
      }),
    localOffsetMinutes: () => offsetMinutes,
  };
}

/**
 * Runs a command line in this process with everything that users run, at a time of the test's choice, and keeps what it
 * prints. One at a time: stdout and stderr are the process's own.
 */
export async function runMain(
  argv: readonly string[],
  clock?: ClockPort,
  replacements: Omit<Replacements, 'clock'> = {},
): Promise<MainRun> {
  const printed = { stdout: '', stderr: '' };
  const originals = { stdout: process.stdout.write, stderr: process.stderr.write };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = ((text: string | Uint8Array) => {
      printed[name] += typeof text === 'string' ? text : Buffer.from(text).toString();
      return true;
    }) as typeof process.stdout.write;
  }
  let code: number;
  try {
    code = await main(argv, { ...replacements, ...(clock === undefined ? {} : { clock }) });
  } finally {
    process.stdout.write = originals.stdout;
    process.stderr.write = originals.stderr;
  }
  keepTranscript(`smesh-compose ${argv.join(' ')} → ${code}`, printed.stdout + printed.stderr);
  return { code, ...printed };
}
