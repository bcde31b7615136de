import { SmeshError } from '../../domain/errors.ts';
import type { FileRange } from '../../domain/post-verify/files-to-check.ts';
import { fileBegun, readVerifyEnd } from '../../domain/post-verify/postcli-said.ts';
import type { WrongLabel } from '../../domain/post-verify/record.ts';
import type { LabelResult, VerifyPlace } from '../../domain/post-verify/report.ts';
import type { HelperContainer } from '../../ports/docker.ts';
import type { Context } from '../context.ts';
import { DATA_INSIDE } from './who-is-busy.ts';

/** No check lasts longer: the cycle gap ends it before. */
const LONGEST_MS = 20 * 24 * 3_600_000;
/** Threads of Go and of the computation on a host with many cores. */
const MOST_PROCESSES = 1024;
/** A mebibyte per thread and label (scrypt, N 8192), and what is read. */
const MEMORY_BYTES = 2 * 1024 ** 3;
/** Two lines per file. */
const MOST_OUTPUT_BYTES = 4 * 1024 * 1024;
/** After so many files with wrong labels there is nothing more to learn. */
const MOST_WRONG_FILES = 32;

/** One directory, and what of it is to be looked at. */
export interface LabelCheck {
  readonly place: VerifyPlace;
  readonly range: FileRange;
  readonly scryptN: number;
}

/** Why a check is ended before it is done; nothing is lost by it. */
export class StopChecking extends Error {}

/**
 * Checks a sample of the labels in a container that reads the data and can write nothing. A file with a wrong label ends
 * postcli; it is begun again behind it, so that all such files are named.
 *
 * @param signal aborted with StopChecking: what has been looked at until then is the answer; with anything else it rejects
 * @param onFile called with the number of each file that is begun
 */
export async function checkLabels(
  context: Context,
  { place, range, scryptN }: LabelCheck,
  options: {
    readonly image: string;
    readonly fraction: number;
    readonly signal: AbortSignal;
    onFile(file: number): void;
  },
): Promise<LabelResult> {
  const { image, fraction, signal, onFile } = options;
  const wrong: WrongLabel[] = [];
  const docker = await context.ports.docker();
  const upTo = (to: number) => (to < range.from ? {} : { range: { from: range.from, to } });
  for (let from = range.from; from <= range.to; ) {
    let begun = from;
    const flags = ['-verify', '-fraction', `${fraction}`, '-scryptN', `${scryptN}`];
    const files = ['-fromFile', `${from}`, '-toFile', `${range.to}`];
    const hear = byLine((line) => {
      const file = fileBegun(line);
      if (file === undefined) return;
      begun = file;
      onFile(file);
    });
    let ended: Awaited<ReturnType<typeof docker.runHelper>>;
    try {
      ended = await docker.runHelper({
        ...checkContainer(image, place, [...flags, ...files]),
        signal,
        onOutput: hear,
      });
    } catch (error) {
      const known = { ...upTo(begun - 1), wrong };
      if (signal.reason instanceof StopChecking) {
        return { kind: 'stopped', ...known, why: signal.reason.message };
      }
      // An engine that went away must not take with it what hours have found.
      if (error instanceof SmeshError) return { kind: 'failed', ...known, why: error.message };
      throw error;
    }
    if (ended.kind !== 'ended') {
      const why = ended.kind === 'timed-out' ? 'it took longer than three weeks' : ended.reason;
      return { kind: 'failed', ...upTo(begun - 1), wrong, why };
    }
    const outcome = readVerifyEnd(ended);
    if (outcome.kind === 'failed') {
      return { kind: 'failed', ...upTo(begun - 1), wrong, why: onHost(outcome.reason, place) };
    }
    if (outcome.kind === 'valid') break;
    wrong.push({ file: outcome.file, offset: outcome.offset });
    // One that is not among those asked for would make this endless.
    from = Math.max(outcome.file, from) + 1;
    if (wrong.length >= MOST_WRONG_FILES) return { kind: 'checked', ...upTo(from - 1), wrong };
  }
  return { kind: 'checked', range, wrong };
}

/** A container that runs the image's own postcli on the data, as their owner. */
export function checkContainer(
  image: string,
  { path, directory, user }: VerifyPlace,
  flags: readonly string[],
  writable = false,
): HelperContainer {
  return {
    image,
    keepEntrypoint: true,
    command: ['-datadir', DATA_INSIDE, ...flags],
    ...(user === undefined ? {} : { user }),
    mounts: [{ source: directory?.realPath ?? path, target: DATA_INSIDE, writable }],
    timeoutMs: LONGEST_MS,
    maxOutputBytes: MOST_OUTPUT_BYTES,
    mostProcesses: MOST_PROCESSES,
    memoryBytes: MEMORY_BYTES,
  };
}

/** Words of a program inside, with the path as it is outside. */
export function onHost(text: string, { path }: VerifyPlace): string {
  return text.replaceAll(`${DATA_INSIDE}/`, `${path}/`);
}

/** Puts pieces together to lines, each stream by itself. */
export function byLine(onLine: (line: string) => void): NonNullable<HelperContainer['onOutput']> {
  const rest = { stdout: '', stderr: '' };
  return (text, stream) => {
    const lines = (rest[stream] + text).split('\n');
    rest[stream] = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  };
}
