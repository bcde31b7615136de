import { basename, dirname, relative } from 'node:path';
import { digestOf } from '../domain/digest.ts';
import { isWithin } from '../domain/disk/mounts.ts';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { FileStep } from '../domain/plan/steps.ts';
import { METADATA_FILE } from '../domain/post/metadata.ts';
import { quoteForShell } from '../domain/shell-quote.ts';
import { explainSystemError } from '../domain/system-error.ts';
import { executeFileStep, type FileStepPorts } from './file-steps.ts';
import { journalSchema } from './journal-schema.ts';

/** What a project keeps for itself, below the project directory (design §4). */
export function stateFolder(directory: string): string {
  return `${directory}/.smesh`;
}

function journalPath(directory: string): string {
  return `${stateFolder(directory)}/journal/current.json`;
}

export interface JournaledAct {
  readonly directory: string;
  readonly command: string;
  readonly at: number;
  readonly steps: readonly FileStep[];
  /** Whom the folders of the journal shall belong to, where the tool runs as root for somebody else. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly onStep?: (step: FileStep) => void;
}

/**
 * Carries out file steps so that a kill or a power cut at any point leaves either nothing done or everything to be
 * finished by `finishInterrupted`: the whole intent is on the disk and synced before the first act. Key material is
 * never written to the journal, only where a key comes from and where it goes.
 */
export async function runJournaled(ports: FileStepPorts, act: JournaledAct): Promise<void> {
  if (act.steps.length === 0) return;
  await refuseUnfinished(ports, act.directory);
  const path = await writeJournal(ports, act);
  await carryOut(ports, act, () => ports.files.removeOwn(path));
  await ports.files.removeOwn(path);
}

/**
 * Does the steps of an act whose journal is on the disk.
 *
 * @param onNothingDone what is done where already the first step fails: there is nothing to be finished then
 */
export async function carryOut(
  ports: FileStepPorts,
  act: JournaledAct,
  onNothingDone: () => Promise<void>,
): Promise<void> {
  let done = 0;
  try {
    for (const step of act.steps) {
      await executeFileStep(ports, step);
      done += 1;
      act.onStep?.(step);
    }
  } catch (error) {
    if (done === 0) await onNothingDone();
    const explained = explainSystemError(error, placeOf(act.steps[done])) ?? error;
    throw stoppedHalfway(explained, act.command, done, act.steps.length);
  }
}

/** Where a step was at work, for faults that do not say it themselves. */
function placeOf(step: FileStep | undefined): string | undefined {
  if (step === undefined) return undefined;
  if ('path' in step) return step.path;
  return 'to' in step ? step.to : step.target;
}

/** In the place of its journal a new one would make everybody forget what is half done. */
async function refuseUnfinished(ports: FileStepPorts, directory: string): Promise<void> {
  const interrupted = await readInterrupted(ports, directory);
  if (interrupted === undefined) return;
  throw new SmeshError(
    'interrupted',
    ExitCode.refused,
    `An earlier ${interrupted.command} (${interrupted.startedAt}) is not finished, and has to be before anything else is written`,
    {
      details: [`What it still wants is in ${journalPath(directory)}. No key is lost.`],
      hint: 'See what is in its way: smesh-compose generate',
    },
  );
}

/**
 * Puts the whole intent on the disk. One that stands there already is replaced in one step: whoever is killed afterwards
 * leaves the new one to be finished. Answers where it stands.
 */
export async function writeJournal({ files }: FileStepPorts, act: JournaledAct): Promise<string> {
  const path = journalPath(act.directory);
  // First the project's own folder, with the usual mode: only what is below `.smesh` is nobody else's business.
  await files.makeDirectory(act.directory, act.owner);
  await files.makeDirectory(dirname(path), { mode: 0o700, ...act.owner });
  const journal = {
    version: 1,
    command: act.command,
    startedAt: new Date(act.at).toISOString(),
    steps: act.steps,
  };
  await files.writeAtomic(path, `${JSON.stringify(journal)}\n`, { mode: 0o600 });
  return path;
}

/** The error that stopped an act, with how far it came and how it goes on. Bugs stay as they are. */
export function stoppedHalfway(thrown: unknown, command: string, done: number, all: number): unknown {
  const error = explainSystemError(thrown) ?? thrown;
  if (!(error instanceof SmeshError)) return error;
  return new SmeshError(error.code, error.exitCode, error.message, {
    details: [
      ...error.details,
      done === 0
        ? 'Nothing was changed.'
        : `${command} stopped after ${done} of ${all} steps. What is done is whole, no key is lost, and the next command goes on from there.`,
    ],
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}

/** Left behind by a command that was killed. */
export interface Interrupted {
  readonly command: string;
  readonly startedAt: string;
  readonly steps: readonly FileStep[];
}

/** What an interrupted command still has to finish in this project, if there is any. Reads only. */
export async function readInterrupted(
  ports: FileStepPorts,
  directory: string,
): Promise<Interrupted | undefined> {
  const path = journalPath(directory);
  const text = await ports.files.readTextIfPresent(path);
  if (text === undefined) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw damagedJournal(path, cause);
  }
  const parsed = journalSchema.safeParse(content);
  if (!parsed.success) throw damagedJournal(path, parsed.error);
  const { command, startedAt, steps } = parsed.data;
  return { command, startedAt, steps: steps as readonly FileStep[] };
}

export interface Finished extends Interrupted {
  /** What a person wrote into files of the interrupted command meanwhile, and where it is kept now. */
  readonly kept: readonly { readonly path: string; readonly backup: string }[];
}

/**
 * Finishes what a killed command began; every step can be done twice. Answers what was finished, if anything.
 *
 * @param passOver is told instead of an error where it cannot be finished now, and where what is half done concerns nothing
 * but data that nobody serves yet: files of the project, keys and databases are as they were before
 */
export async function finishInterrupted(
  ports: FileStepPorts,
  directory: string,
  passOver?: (error: SmeshError) => void,
): Promise<Finished | undefined> {
  const { files } = ports;
  const path = journalPath(directory);
  const interrupted = await readInterrupted(ports, directory);
  // A journal that was killed while it was written began nothing.
  await files.removeLeftovers(dirname(path));
  if (interrupted === undefined) return undefined;
  const kept: { path: string; backup: string }[] = [];
  let done = 0;
  try {
    for (const step of interrupted.steps) {
      const backup = await keepEdit(ports, directory, interrupted.startedAt, step);
      if (backup !== undefined) kept.push(backup);
      await executeFileStep(ports, step);
      done += 1;
    }
  } catch (thrown) {
    const error = cannotFinish(thrown, interrupted, path, done);
    if (passOver === undefined || !(error instanceof SmeshError)) throw error;
    if (!interrupted.steps.slice(0, done + 1).every(isOfDataAlone)) throw error;
    passOver(error);
    return undefined;
  }
  for (const folder of touchedFolders(interrupted.steps)) await files.removeLeftovers(folder);
  await files.removeOwn(path);
  return { ...interrupted, kept };
}

/** Between the kill and now somebody may have edited a file that a step is about to write. */
async function keepEdit(
  { files }: FileStepPorts,
  directory: string,
  startedAt: string,
  step: FileStep,
): Promise<{ path: string; backup: string } | undefined> {
  if (step.kind !== 'write-file' || step.replaces === undefined) return undefined;
  const present = await files.readTextIfPresent(step.path);
  if (present === undefined || present === step.content || digestOf(present) === step.replaces)
    return undefined;
  // Metadata of PoST data lies on another disk.
  const name = isWithin(step.path, directory) ? relative(directory, step.path) : step.path.slice(1);
  const backup = backupPath(directory, startedAt, `${name}.edited`);
  await files.makeDirectory(dirname(backup), { mode: 0o700 });
  if (!(await files.exists(backup))) await files.writeNew(backup, present, { mode: 0o600 });
  return { path: step.path, backup };
}

/** Where the former content of a project file is kept; `at` is an ISO time. */
export function backupPath(directory: string, at: string, file: string): string {
  return `${stateFolder(directory)}/backups/${at.replace(/[:.]/g, '-')}-${file.replaceAll('/', '-')}`;
}

function touchedFolders(steps: readonly FileStep[]): ReadonlySet<string> {
  return new Set(
    steps.flatMap((step) => {
      if (step.kind === 'write-file')
        return [dirname(step.path), ...(step.backup === undefined ? [] : [dirname(step.backup)])];
      if (step.kind === 'install-key') return [dirname(step.target)];
      if (step.kind === 'write-lease') return [dirname(step.path)];
      if (step.kind === 'remove-file') return [dirname(step.path)];
      if (step.kind === 'replace-file') return step.keep === undefined ? [] : [dirname(step.keep)];
      if (step.kind === 'cut-file') return [dirname(step.keep)];
      return step.kind === 'move-key' ? [dirname(step.to)] : [];
    }),
  );
}

/** Of a set that is being joined or mended: no node serves it before the act is done. */
function isOfDataAlone(step: FileStep): boolean {
  if (step.kind === 'write-file') return basename(step.path) === METADATA_FILE;
  return step.kind === 'move-data-file' || step.kind === 'cut-file';
}

function cannotFinish(thrown: unknown, interrupted: Interrupted, path: string, done: number): unknown {
  const step = interrupted.steps[done];
  const error = explainSystemError(thrown, placeOf(step)) ?? thrown;
  if (!(error instanceof SmeshError)) return error;
  // On a disk that is dead there is nothing to be finished any more.
  const lost =
    step !== undefined && isOfDataAlone(step)
      ? `   Or, where that disk is gone for good and its labels with it, give it up: mv ${quoteForShell(path)} ${quoteForShell(`${path}.given-up`)}   then take the jobs of that data out of smesh.yaml`
      : '';
  return new SmeshError(error.code, error.exitCode, error.message, {
    details: [
      ...error.details,
      `An earlier ${interrupted.command} (${interrupted.startedAt}) was interrupted and has to be finished before anything else changes; this is in its way.`,
      `What it still wants is in ${path}. No key is lost.`,
    ],
    hint: `Put that right (is a disk not mounted?), then finish it with: smesh-compose generate${lost}`,
    cause: error,
  });
}

function damagedJournal(path: string, cause: unknown): SmeshError {
  return new SmeshError(
    'damaged-journal',
    ExitCode.invalid,
    `${path} is not a journal that this version can read: it is damaged, or a newer version wrote it`,
    {
      details: [
        'It says what an interrupted command still has to do; it holds no key, and no key is lost without it.',
      ],
      hint: 'Nothing was changed. Move the file away (keep it for a bug report), then see what is missing: smesh-compose generate --check',
      cause,
    },
  );
}
