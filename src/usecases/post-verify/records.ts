import {
  readRecords,
  type VerifiedRecord,
  withRecord,
  writeRecords,
} from '../../domain/post-verify/record.ts';
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

/** Keeps what is found out, one after the other: two disks that end at the same moment must not overwrite each other. */
export class RecordKeeper {
  readonly #context: Context;
  #last: Promise<void> = Promise.resolve();

  constructor(context: Context) {
    this.#context = context;
  }

  keep(record: VerifiedRecord): Promise<void> {
    this.#last = this.#last.then(() => keepRecord(this.#context, record));
    return this.#last;
  }
}

async function keepRecord(context: Context, record: VerifiedRecord): Promise<void> {
  const { ports, directory } = context;
  const next = withRecord(await loadRecords(context), record);
  const owner = (await projectOwner(context)) ?? {};
  await ports.files.makeDirectory(stateFolder(directory), { mode: 0o700, ...owner });
  await ports.files.writeAtomic(recordPath(directory), writeRecords(next), { mode: 0o644, ...owner });
}
