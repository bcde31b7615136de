import { dirname, relative } from 'node:path';
import * as z from 'zod';
import { digestOf } from '../domain/digest.ts';
import { isWithin } from '../domain/disk/mounts.ts';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import { parseSmesherId, type SmesherId } from '../domain/identity/smesher-id.ts';
import type { FileStep } from '../domain/plan/steps.ts';
import { explainSystemError } from '../domain/system-error.ts';
import { executeFileStep, type FileStepPorts } from './file-steps.ts';

/** What a project keeps for itself, below the project directory (design §4). */
export function stateFolder(directory: string): string {
  return `${directory}/.smesh`;
}

const ownership = { mode: z.number().optional(), uid: z.number().optional(), gid: z.number().optional() };
const smesherId = z.string().transform((text, context): SmesherId => {
  const id = parseSmesherId(text);
  if (id === undefined) context.addIssue({ code: 'custom', message: 'not a smesher ID' });
  return id as SmesherId;
});

const stepSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('make-directory'), path: z.string(), ...ownership }),
  z.object({
    kind: z.literal('write-file'),
    path: z.string(),
    content: z.string(),
    what: z.string(),
    backup: z.string().optional(),
    replaces: z.string().nullable().optional(),
    ...ownership,
  }),
  z.object({
    kind: z.literal('install-key'),
    source: z.string(),
    target: z.string(),
    smesherId,
    repair: z.boolean(),
    ...ownership,
  }),
  z.object({
    kind: z.literal('replace-file'),
    from: z.string(),
    to: z.string(),
    keep: z.string().optional(),
    once: z.literal(true).optional(),
    what: z.string(),
  }),
  z.object({ kind: z.literal('remove-file'), path: z.string(), what: z.string() }),
  z.object({ kind: z.literal('move-key'), from: z.string(), to: z.string(), smesherId }),
  z.object({
    kind: z.literal('move-data-file'),
    from: z.string(),
    to: z.string(),
    size: z.number(),
    folder: z.object(ownership).optional(),
    what: z.string(),
  }),
  z.object({
    kind: z.literal('cut-file'),
    path: z.string(),
    size: z.number(),
    cutTo: z.number(),
    keep: z.string(),
    what: z.string(),
  }),
  z.object({
    kind: z.literal('write-lease'),
    path: z.string(),
    content: z.string(),
    smesherId,
    why: z.string(),
    mark: z.boolean(),
    ...ownership,
  }),
]);

const journalSchema = z.object({
  version: z.literal(1),
  command: z.string(),
  startedAt: z.string(),
  steps: z.array(stepSchema),
});

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
    throw stoppedHalfway(error, act.command, done, act.steps.length);
  }
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

/** Finishes what a killed command began; every step can be done twice. Answers what was finished, if anything. */
export async function finishInterrupted(
  ports: FileStepPorts,
  directory: string,
): Promise<Finished | undefined> {
  const { files } = ports;
  const path = journalPath(directory);
  const interrupted = await readInterrupted(ports, directory);
  // A journal that was killed while it was written began nothing.
  await files.removeLeftovers(dirname(path));
  if (interrupted === undefined) return undefined;
  const kept: { path: string; backup: string }[] = [];
  try {
    for (const step of interrupted.steps) {
      const backup = await keepEdit(ports, directory, interrupted.startedAt, step);
      if (backup !== undefined) kept.push(backup);
      await executeFileStep(ports, step);
    }
  } catch (error) {
    throw cannotFinish(error, interrupted, path);
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

function cannotFinish(thrown: unknown, interrupted: Interrupted, path: string): unknown {
  const error = explainSystemError(thrown) ?? thrown;
  if (!(error instanceof SmeshError)) return error;
  return new SmeshError(error.code, error.exitCode, error.message, {
    details: [
      ...error.details,
      `An earlier ${interrupted.command} (${interrupted.startedAt}) was interrupted and has to be finished before anything else changes; this is in its way.`,
      `What it still wants is in ${path}. No key is lost.`,
    ],
    hint: 'Put that right (is a disk not mounted?), then finish it with: smesh-compose generate',
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
