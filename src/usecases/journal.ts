import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import * as z from 'zod';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import { parseSmesherId, type SmesherId } from '../domain/identity/smesher-id.ts';
import type { FileStep } from '../domain/plan/steps.ts';
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
  z.object({ kind: z.literal('move-key'), from: z.string(), to: z.string(), smesherId }),
  z.object({ kind: z.literal('remove-generated'), path: z.string() }),
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

/**
 * Carries out file steps so that a kill or a power cut at any point leaves either nothing done or everything to be
 * finished by `finishInterrupted`: the whole intent is on the disk and synced before the first act. Key material is
 * never written to the journal, only where a key comes from and where it goes.
 */
export async function runJournaled(
  ports: FileStepPorts,
  request: {
    readonly directory: string;
    readonly command: string;
    readonly at: number;
    readonly steps: readonly FileStep[];
    readonly onStep?: (step: FileStep) => void;
  },
): Promise<void> {
  if (request.steps.length === 0) return;
  const path = journalPath(request.directory);
  await ports.files.makeDirectory(`${stateFolder(request.directory)}/journal`, { mode: 0o700 });
  const journal = {
    version: 1,
    command: request.command,
    startedAt: new Date(request.at).toISOString(),
    steps: request.steps,
  };
  await ports.files.writeAtomic(path, `${JSON.stringify(journal)}\n`, { mode: 0o600 });
  await executeAll(ports, request.steps, request.onStep);
  await ports.files.removeOwn(path);
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
  return { ...parsed.data, steps: parsed.data.steps as readonly FileStep[] };
}

/** Finishes what a killed command began; every step can be done twice. Answers what was finished, if anything. */
export async function finishInterrupted(
  ports: FileStepPorts,
  directory: string,
): Promise<Interrupted | undefined> {
  const interrupted = await readInterrupted(ports, directory);
  if (interrupted === undefined) return undefined;
  await executeAll(ports, interrupted.steps);
  await ports.files.removeOwn(journalPath(directory));
  return interrupted;
}

async function executeAll(
  ports: FileStepPorts,
  steps: readonly FileStep[],
  onStep?: (step: FileStep) => void,
): Promise<void> {
  for (const step of steps) {
    await executeFileStep(ports, step);
    onStep?.(step);
  }
}

function damagedJournal(path: string, cause: unknown): SmeshError {
  return new SmeshError(
    'damaged-journal',
    ExitCode.invalid,
    `${path} is not a journal that this version can read`,
    {
      hint: 'Nothing was changed. Keep the file for a bug report, move it away, then run: smesh-compose generate --check',
      cause,
    },
  );
}

/** Hex sha256 of a text; how steps tell whether a file already is what it shall be. */
export function digestOf(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)));
}
