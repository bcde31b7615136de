import { ExitCode, SmeshError } from '../domain/errors.ts';
import { type KeyFileReading, readKeyFile } from '../domain/identity/key-file.ts';
import { pendingName } from '../domain/identity/pending-key.ts';
import { shortId } from '../domain/identity/smesher-id.ts';
import type { FileStep } from '../domain/plan/steps.ts';
import type { FileStepPorts } from './file-steps.ts';

type InstallKeyStep = Extract<FileStep, { kind: 'install-key' }>;

const KEY_MODE = 0o600;

/**
 * Copies a key into the node's `identities/`: whole or not at all, 0600, synced, read back and compared; the original
 * is only read (design §5, spacemesh.md §2.1). Done twice it changes nothing; a file of that name with another key in
 * it is never overwritten.
 */
export async function installKey(ports: FileStepPorts, step: InstallKeyStep): Promise<void> {
  const { files } = ports;
  const present = await readKey(ports, step.target);
  if (present === undefined) {
    const content = await readSource(ports, step);
    await files.writeNew(step.target, content, { ...step, mode: KEY_MODE });
    const written = await readKey(ports, step.target);
    if (written?.kind !== 'valid' || written.privateKey.revealForKeyFile() !== content) {
      throw new SmeshError(
        'key-not-written',
        ExitCode.invalid,
        `The key of ${shortId(step.smesherId)} was written to ${step.target}, but reads back differently: the disk is at fault`,
        { hint: `The original at ${step.source} is untouched. Do not start the node from this disk.` },
      );
    }
    return;
  }
  if (present.kind !== 'valid' || present.smesherId !== step.smesherId) {
    throw new SmeshError(
      'key-name-taken',
      ExitCode.refused,
      `${step.target} holds something else than the key of ${shortId(step.smesherId)}; it was left as it is`,
      { hint: 'Give the identity another name in smesh.yaml.' },
    );
  }
  await files.setMode(step.target, KEY_MODE);
  if (step.uid !== undefined && step.gid !== undefined) await files.setOwner(step.target, step.uid, step.gid);
}

type MoveKeyStep = Extract<FileStep, { kind: 'move-key' }>;

/**
 * Takes a key to another name. Done twice it changes nothing. Where the same key already lies at the target (an identity
 * that is removed for the second time) the one that goes is the node's copy of it; anything else there is left alone.
 */
export async function moveKey(ports: FileStepPorts, step: MoveKeyStep): Promise<void> {
  const { files } = ports;
  const [from, to] = [await readKey(ports, step.from), await readKey(ports, step.to)];
  if (from === undefined) {
    if (to !== undefined) return;
    throw new SmeshError(
      'key-vanished',
      ExitCode.invalid,
      `The installed key of ${shortId(step.smesherId)} is neither at ${step.from} nor at ${step.to}`,
      {
        hint:
          pendingName(step.from) === undefined
            ? 'The original beside the PoST data is untouched; install it again with: smesh-compose generate'
            : 'It waited there for its data and has no other original. Is a disk not mounted? Else take it out of a backup: smesh-compose backup list',
      },
    );
  }
  if (to === undefined) return files.move(step.from, step.to);
  const same =
    from.kind === 'valid' &&
    to.kind === 'valid' &&
    from.privateKey.revealForKeyFile().toLowerCase() === to.privateKey.revealForKeyFile().toLowerCase();
  if (!same) {
    throw new SmeshError(
      'key-name-taken',
      ExitCode.refused,
      `${step.to} holds something else than the key of ${shortId(step.smesherId)}; both files were left as they are`,
      { hint: `Move ${step.to} to another name (keep it!), then run the same command again.` },
    );
  }
  await files.removeOwn(step.from);
}

async function readKey(ports: FileStepPorts, path: string): Promise<KeyFileReading | undefined> {
  if (!(await ports.files.exists(path))) return undefined;
  return readKeyFile(await ports.files.readBytes(path), ports.crypto.publicKeyOfSeed);
}

async function readSource(ports: FileStepPorts, step: InstallKeyStep): Promise<string> {
  const source = await readKey(ports, step.source);
  const usable = source?.kind === 'valid' || (source?.kind === 'repairable' && step.repair);
  if (source === undefined || !usable || source.smesherId !== step.smesherId) {
    const fault =
      source === undefined
        ? 'it is not there any more'
        : source.kind === 'malformed' || source.kind === 'repairable'
          ? source.fault
          : `it holds the key of ${shortId(source.smesherId)}`;
    throw new SmeshError(
      'key-source',
      ExitCode.invalid,
      `The key of ${shortId(step.smesherId)} cannot be taken from ${step.source}: ${fault}`,
      { hint: 'Name where else to look: --keys DIR' },
    );
  }
  return source.privateKey.revealForKeyFile();
}
