import { dirname } from 'node:path';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { FileStep } from '../domain/plan/steps.ts';
import { LABEL_BYTES } from '../domain/post/metadata.ts';
import type { FileStepPorts } from './file-steps.ts';

type CutFileStep = Extract<FileStep, { kind: 'cut-file' }>;

/**
 * Cuts the piece of a label off the end of a data file, after keeping it elsewhere. Never takes more than that piece; done
 * twice it changes nothing. Throws where the file is not as it was planned (exit 5): somebody writes to it.
 */
export async function cutFile({ files }: FileStepPorts, step: CutFileStep): Promise<void> {
  const { path, size, cutTo, keep } = step;
  if (size - cutTo >= LABEL_BYTES || size <= cutTo)
    throw new Error(`${path}: ${size} to ${cutTo} is no piece of a label`);
  const facts = await files.facts(path, 'nofollow');
  if (facts?.kind === 'file' && facts.size === cutTo) return;
  if (facts?.kind !== 'file' || facts.size !== size) throw changed(step);
  if (!(await files.exists(keep))) {
    await files.makeDirectory(dirname(keep), { mode: 0o700 });
    await files.writeNew(keep, await files.readTail(path, cutTo), { mode: 0o600 });
  }
  await files.cut(path, size, cutTo);
}

function changed({ path, size, what }: CutFileStep): SmeshError {
  return new SmeshError(
    'data-file-changed',
    ExitCode.refused,
    `${what}: ${path} has not the ${size} bytes any more that were to be cut; nothing was cut`,
    { hint: 'Does something write to it? smesh-compose post status' },
  );
}
