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

/** Adds what has just been found out; reads what is there first, so that another check beside this one loses nothing. */
export async function keepRecord(context: Context, record: VerifiedRecord): Promise<void> {
  const { ports, directory } = context;
  const next = withRecord(await loadRecords(context), record);
  const owner = (await projectOwner(context)) ?? {};
  await ports.files.makeDirectory(stateFolder(directory), { mode: 0o700, ...owner });
  await ports.files.writeAtomic(recordPath(directory), writeRecords(next), { mode: 0o644, ...owner });
}
