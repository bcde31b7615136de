import { readFileSync } from 'node:fs';
import process from 'node:process';

/** What tests let happen to a prover while it runs; the real one has nothing of it. */
export interface Misfortunes {
  /** Its next proofs fail before they begin, and that sticks until a restart (spacemesh.md §3.2). */
  readonly fails: boolean;
  /** The first proof of its process is found to be invalid. */
  readonly firstInvalid: boolean;
  /** Its k2pow takes so many times as long as usual. */
  readonly k2powTimes: number;
}

const none: Misfortunes = { fails: false, firstInvalid: false, k2powTimes: 1 };

/** As the file named by `SIM_MISFORTUNES` says at this moment. */
export function readMisfortunes(): Misfortunes {
  const path = process.env['SIM_MISFORTUNES'];
  if (path === undefined || path === '') return none;
  try {
    return { ...none, ...JSON.parse(readFileSync(path, 'utf8')) };
  } catch (error) {
    // Half written counts as not yet written.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return none;
    throw error;
  }
}
