import {
  readRecords,
  type VerifiedRecord,
  withRecord,
  writeRecords,
} from '../../domain/post-verify/record.ts';
import { explainSystemError } from '../../domain/system-error.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';
import { projectOwner } from '../owners.ts';

function recordPath(directory: string): string {
  return `${stateFolder(directory)}/post-verified.json`;
}

/** What was checked in this project and when. Never rejects: what cannot be read counts as never. */
export async function loadRecords({ ports, directory }: Context): Promise<readonly VerifiedRecord[]> {
  return readRecords(await ports.files.readTextIfPresent(recordPath(directory)).catch(() => undefined));
}

/** Somebody else holds the lock for as long as a small file takes to be written. */
const WAIT_MS = 20;
const MOST_WAITS = 250;

/**
 * Keeps what is found out, one after the other: neither two disks that end at the same moment nor two commands may
 * overwrite each other's.
 */
export class RecordKeeper {
  readonly #context: Context;
  #last: Promise<boolean> = Promise.resolve(false);
  #isWarned = false;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Never rejects: a project that cannot be written must not take the answer of hours with it. False: it warned. */
  keep(record: VerifiedRecord): Promise<boolean> {
    this.#last = this.#last.then(async () => {
      try {
        await alone(this.#context, () => keepRecord(this.#context, record));
        return true;
      } catch (error) {
        this.#warn(error);
        return false;
      }
    });
    return this.#last;
  }

  #warn(error: unknown): void {
    const { message } = explainSystemError(error) ?? (error as Error);
    if (!this.#isWarned) this.#context.out.warn(`What is found cannot be remembered: ${message}`);
    this.#isWarned = true;
  }
}

/** Behind a lock of its own: the project's is held by others for as long as jobs are watched. */
async function alone(context: Context, act: () => Promise<void>): Promise<void> {
  const { ports, directory, clock } = context;
  for (let waits = 0; ; waits += 1) {
    const lock = await ports.files.lock(stateFolder(directory), 'post verify');
    if ('heldBy' in lock) {
      // One that was halted in the middle must not halt everybody.
      if (waits >= MOST_WAITS) return act();
      await clock.sleep(WAIT_MS);
      continue;
    }
    try {
      return await act();
    } finally {
      await lock.release();
    }
  }
}

async function keepRecord(context: Context, record: VerifiedRecord): Promise<void> {
  const { ports, directory } = context;
  const next = withRecord(await loadRecords(context), record);
  const owner = (await projectOwner(context)) ?? {};
  await ports.files.makeDirectory(stateFolder(directory), { mode: 0o700, ...owner });
  await ports.files.writeAtomic(recordPath(directory), writeRecords(next), { mode: 0o644, ...owner });
}
