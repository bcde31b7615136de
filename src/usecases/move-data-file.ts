import { basename, dirname } from 'node:path';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { FileStep, Ownership } from '../domain/plan/steps.ts';
import type { FileStepPorts } from './file-steps.ts';

type MoveDataFileStep = Extract<FileStep, { kind: 'move-data-file' }>;

/**
 * Gives a file of a PoST directory its place in another folder of the same file system. Nothing is copied and nothing
 * overwritten; done twice it changes nothing, and killed in its middle it is finished. Throws where anything else than the
 * planned file stands at one of the two places (exit 5), or at neither (exit 3); the files stay as they are then.
 */
export async function moveDataFile({ files }: FileStepPorts, step: MoveDataFileStep): Promise<void> {
  const from = await files.facts(step.from, 'nofollow');
  const to = await files.facts(step.to, 'nofollow');
  if (from === undefined) {
    if (to?.kind === 'file' && to.size === step.size) return;
    if (to !== undefined) throw otherFile(step, step.to);
    throw new SmeshError(
      'data-vanished',
      ExitCode.invalid,
      `${step.what}: a file is neither at ${step.from} nor at ${step.to}`,
      { hint: 'Is its disk not mounted? Once it is back, run the same command again.' },
    );
  }
  if (from.kind !== 'file' || from.size !== step.size) throw otherFile(step, step.from);
  if (to === undefined) {
    if (step.folder !== undefined) await makeFolder(files, dirname(step.to), step.folder);
    return moveAcross(files, step);
  }
  // Killed between the two halves of a move: both names are one file, and one of them goes.
  if (to.device !== from.device || to.inode !== from.inode) throw otherFile(step, step.to);
  // One folder by two paths (a link, a mount): the only name would go.
  if (await isOneName(files, step)) throw otherFile(step, step.to);
  await files.removeOwn(step.from);
}

async function isOneName(files: FileStepPorts['files'], { from, to }: MoveDataFileStep): Promise<boolean> {
  if (basename(from) !== basename(to)) return false;
  const [a, b] = [await files.facts(dirname(from)), await files.facts(dirname(to))];
  return a?.device === b?.device && a?.inode === b?.inode;
}

/** A run killed between making and owning it left the folder to whoever runs the tool. */
async function makeFolder(files: FileStepPorts['files'], path: string, ownership: Ownership): Promise<void> {
  const { mode, uid, gid } = ownership;
  await files.makeDirectory(path, ownership);
  if (mode !== undefined) await files.setMode(path, mode);
  if (uid !== undefined && gid !== undefined) await files.setOwner(path, uid, gid);
}

async function moveAcross(files: FileStepPorts['files'], step: MoveDataFileStep): Promise<void> {
  try {
    await files.moveOnDisk(step.from, step.to);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') throw otherFile(step, step.to);
    if (code !== 'EXDEV') throw error;
    throw new SmeshError(
      'other-file-system',
      ExitCode.refused,
      `${step.what}: ${step.from} lies on another file system than ${step.to}, and PoST data is never copied`,
      { hint: 'Put all of it on one file system, then run the same command again.' },
    );
  }
}

function otherFile({ what, size }: MoveDataFileStep, path: string): SmeshError {
  return new SmeshError(
    'data-file-taken',
    ExitCode.refused,
    `${what}: ${path} is not the file of ${size} bytes that was to be moved; nothing was overwritten`,
    { hint: 'Find out where it comes from, move it out of the folder, then run the same command again.' },
  );
}
