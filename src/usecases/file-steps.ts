import { dirname } from 'node:path';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import { readKeyFile } from '../domain/identity/key-file.ts';
import { readLease, writeLease } from '../domain/identity/lease.ts';
import type { FileStep } from '../domain/plan/steps.ts';
import type { CryptoPort } from '../ports/crypto.ts';
import type { FilesPort } from '../ports/files.ts';
import { cutFile } from './cut-file.ts';
import { installKey, moveKey } from './install-key.ts';
import { moveDataFile } from './move-data-file.ts';

export interface FileStepPorts {
  readonly files: FilesPort;
  readonly crypto: CryptoPort;
}

type Executors = {
  readonly [Kind in FileStep['kind']]: (
    ports: FileStepPorts,
    step: Extract<FileStep, { kind: Kind }>,
  ) => Promise<void>;
};

/** One executor per kind of step: a step without one does not compile. Each may run twice. */
const executors: Executors = {
  'make-directory': async ({ files }, step) => {
    await files.makeDirectory(step.path, step);
    // A run killed between making and owning it left the folder to whoever runs the tool.
    if (step.mode !== undefined) await files.setMode(step.path, step.mode);
    if (step.uid !== undefined && step.gid !== undefined) await files.setOwner(step.path, step.uid, step.gid);
  },

  'write-file': async ({ files }, step) => {
    const present = await files.readTextIfPresent(step.path);
    if (present === step.content) {
      if (step.mode !== undefined) await files.setMode(step.path, step.mode);
      if (step.uid !== undefined && step.gid !== undefined)
        await files.setOwner(step.path, step.uid, step.gid);
      return;
    }
    if (step.backup !== undefined && present !== undefined && !(await files.exists(step.backup))) {
      await files.writeNew(step.backup, present, { mode: 0o600 });
    }
    await files.writeAtomic(step.path, step.content, step);
  },

  'replace-file': async ({ files }, step) => {
    if (step.once === true && (await files.exists(step.to))) return;
    // Gone from where it was made ready: it stands at its place already.
    if (!(await files.exists(step.from))) {
      if (await files.exists(step.to)) return;
      throw new SmeshError(
        'file-vanished',
        ExitCode.invalid,
        `${step.what} is neither at ${step.from} nor at ${step.to}`,
        { hint: step.keep === undefined ? 'Is a disk not mounted?' : `What was there before: ${step.keep}` },
      );
    }
    if (step.keep !== undefined && (await files.exists(step.to)) && !(await files.exists(step.keep))) {
      await files.makeDirectory(dirname(step.keep), { mode: 0o700 });
      await files.copy(step.to, step.keep, { mode: 0o600 });
    }
    await files.replace(step.from, step.to);
  },

  'remove-file': async ({ files, crypto }, step) => {
    const facts = await files.facts(step.path, 'nofollow');
    if (facts === undefined) return;
    const isKey =
      facts.kind !== 'file' ||
      (facts.size < 1024 &&
        readKeyFile(await files.readBytes(step.path), crypto.publicKeyOfSeed).kind !== 'malformed');
    if (isKey) {
      throw new SmeshError(
        'not-ours-to-remove',
        ExitCode.refused,
        `${step.path} was ${step.what} and holds something else now; it was left as it is`,
        { hint: 'Move it to another name (keep it!), then run the same command again.' },
      );
    }
    await files.removeOwn(step.path);
  },

  'install-key': installKey,

  'move-key': moveKey,

  'move-data-file': moveDataFile,

  'cut-file': cutFile,

  'write-lease': async ({ files }, step) => {
    const folder = step.mark ? await files.facts(dirname(step.path)) : undefined;
    const reading = readLease(step.content);
    const content =
      folder === undefined || reading.kind !== 'read'
        ? step.content
        : writeLease({ ...reading.lease, folder: { device: folder.device, inode: folder.inode } });
    await files.writeAtomic(step.path, content, step);
  },
};

/** Carries out one file step; safe to repeat. */
export async function executeFileStep(ports: FileStepPorts, step: FileStep): Promise<void> {
  const execute = executors[step.kind] as (ports: FileStepPorts, step: FileStep) => Promise<void>;
  await execute(ports, step);
}
