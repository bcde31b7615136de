import { LABEL_BYTES } from '../post/metadata.ts';
import type { Growth, Sample } from './growth.ts';

/** A line of a container's log, as the engine keeps it. */
export interface LogLine {
  readonly at: number;
  readonly text: string;
}

/** What a job's log tells of its present life (spacemesh.md §14.4: the words of the real program). */
export interface JobLog {
  /** Labels written since its start, at each begin and end of a file. */
  readonly written: readonly { readonly at: number; readonly labels: number }[];
  /** The file that it writes, and its labels when it began with it. */
  readonly file?: { readonly index: number; readonly from: number };
  /** All files are there, and it looks for a VRF nonce beyond them. */
  readonly searches: boolean;
  /** SIGINT came: somebody, or an engine that went down, ended it. */
  readonly interrupted: boolean;
  /** Errors and last words, oldest first, without their time stamps. */
  readonly said: readonly string[];
}

const FILE = /\tinitialization: (starting to write file|continuing to write file|completed)\t(\{.*\})\s*$/;
/** zap's console encoding: time, level, message, fields. */
const ZAP = /^\S+\t(DEBUG|INFO|WARN|ERROR|DPANIC|PANIC|FATAL)\t(.*)$/;
/** Go's standard log. */
const GO = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d(?:\.\d+)? (.*)$/;
/** Said at every start of a network that is not mainnet, and no fault. */
const HARMLESS =
  /^(WARNING: (numUnits|labelsPerUnit|scryptN) is|If you're trying to initialize|cli: initializ)/;

const MOST_SAID = 40;

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** What a line says when it is an error or belongs to none of the two logs (a panic, a library); `undefined` else. */
function wordsOf(text: string): string | undefined {
  const zap = ZAP.exec(text);
  if (zap !== null)
    return zap[1] === 'DEBUG' || zap[1] === 'INFO' ? undefined : zap[2]?.replaceAll('\t', ' ');
  const words = GO.exec(text)?.[1] ?? text;
  // "initialization error …" begins with the same word as the harmless ones.
  if (HARMLESS.test(words) && !words.includes('error')) return undefined;
  return words.trim() === '' ? undefined : words;
}

/** Last words of a life before, which ended a moment ago, are none of this one's. */
function ofLastLife(lines: readonly LogLine[]): readonly LogLine[] {
  const begin = lines.findLastIndex(({ text }) => text.includes('\tinitialization started\t'));
  return begin < 0 ? lines : lines.slice(begin);
}

/** Reads a log from the container's last start on; unknown lines are passed over. */
export function readJobLog(all: readonly LogLine[]): JobLog {
  const lines = ofLastLife(all);
  const written: { at: number; labels: number }[] = [];
  const said: string[] = [];
  let file: { index: number; from: number } | undefined;
  let searches = false;
  let interrupted = false;
  let labels = 0;
  for (const { at, text } of lines) {
    const match = FILE.exec(text);
    if (match !== null) {
      const fields = fieldsOf(match[2] ?? '');
      const index = numberOf(fields['fileIndex']);
      if (index === undefined) continue;
      if (match[1] === 'completed') {
        const target = numberOf(fields['numLabelsWritten']);
        if (file?.index === index && target !== undefined) labels += Math.max(0, target - file.from);
        file = undefined;
      } else {
        file = { index, from: numberOf(fields['currentNumLabels']) ?? 0 };
      }
      written.push({ at, labels });
      continue;
    }
    if (text.includes('no nonce found while computing labels, continue')) searches = true;
    if (/cli: initialization interrupted/.test(text)) interrupted = true;
    const words = wordsOf(text);
    if (words !== undefined) said.push(words);
    if (said.length > MOST_SAID) said.shift();
  }
  return { written, ...(file === undefined ? {} : { file }), searches, interrupted, said };
}

/**
 * The growth that a log tells, up to now, on the scale of the files: so that one look is enough for a speed.
 *
 * @param fileBytes present size of the file that is being written
 */
export function growthFromLog(log: JobLog, now: Sample, fileBytes: number | undefined): Growth {
  const last = log.written.at(-1);
  if (last === undefined) return [now];
  const { file } = log;
  const begun =
    file === undefined || fileBytes === undefined
      ? 0
      : Math.max(0, Math.floor(fileBytes / LABEL_BYTES) - file.from);
  const total = last.labels + begun;
  const samples: Sample[] = [];
  for (const { at, labels } of log.written) {
    const bytes = now.bytes - (total - labels) * LABEL_BYTES;
    const before = samples.at(-1);
    if (bytes < 0 || at >= now.at || (before !== undefined && before.bytes === bytes)) continue;
    samples.push({ at, bytes });
  }
  return now.bytes > (samples.at(-1)?.bytes ?? -1) ? [...samples, now] : samples;
}
