import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import process from 'node:process';

/** This life of the process: a restarted container is another one. */
const boot = randomBytes(4).toString('hex');

/**
 * Writes one line about what truly happened to the file named by `SIM_LEDGER`, for tests that judge others by it: time
 * (milliseconds since 1970), life of the process, event. On disk before the call returns, so that a kill loses none of
 * it; without the variable it does nothing.
 */
export function note(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
  const path = process.env['SIM_LEDGER'];
  if (path === undefined || path === '') return;
  appendFileSync(path, `${JSON.stringify({ at: Date.now(), boot, event, ...fields })}\n`);
}

/**
 * Has the ledger say that the process was asked to end, and then ends as without it. Only with a ledger, and never for
 * PID 1: there the program is as deaf to signals as the real one.
 */
export function noteEnd(): void {
  if (!process.env['SIM_LEDGER'] || process.pid === 1) return;
  process.once('SIGTERM', () => {
    note('terminated');
    process.kill(process.pid, 'SIGTERM');
  });
}
