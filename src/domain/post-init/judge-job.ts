import type { DataFile } from '../post/completeness.ts';
import { LABEL_BYTES, METADATA_FILE, readMetadata } from '../post/metadata.ts';
import type { PostMetadata } from '../post/types.ts';
import type { InitialisationJob, Network } from '../project/types.ts';
import { bytesOf, dataFilePath, type JobFiles, jobFiles, metadataOf } from './job-files.ts';
import type { JobProgress, JobState } from './job-state.ts';
import { inRange, judgeFiles } from './judge-files.ts';
import { type Refusal, refuse, THEN_AGAIN } from './refusal.ts';

export type MetadataSeen =
  | { readonly kind: 'present'; readonly text: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'unreadable' };

/** What was seen of a directory; nothing in it is judged yet. */
export type FolderSeen =
  | {
      readonly kind: 'seen';
      readonly files: readonly DataFile[];
      readonly metadata: MetadataSeen;
      /** When a data file was last written to, milliseconds since 1970; absent: not looked at, or none. */
      readonly writtenAt?: number;
    }
  | { readonly kind: 'missing' }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'late' }
  | { readonly kind: 'broken'; readonly fault: string };

type Listed = Extract<FolderSeen, { readonly kind: 'seen' }>;

/** Facts about one job's place. */
export interface JobFacts {
  readonly data: FolderSeen;
  /** Of a part: the directory where all are joined. */
  readonly into?: FolderSeen;
  /** Its mount is read-only; absent: not known. */
  readonly readOnly?: boolean;
  /** Mount point of its file system; absent: not known. */
  readonly fileSystem?: string;
  /** Bytes of its range, and mount point, when it was last looked at or begun. */
  readonly last?: { readonly bytes: number; readonly fileSystem?: string | undefined };
}

/**
 * What the files say of a job. Everything that postcli would do to them beyond writing the labels that are missing is a
 * refusal: it deletes, truncates and misaligns without a word and ends with 0 (spacemesh.md §14.4).
 */
export function judgeJob(job: InitialisationJob, network: Network, facts: JobFacts): JobState {
  const files = jobFiles(job, network);
  const joined = facts.into?.kind === 'seen' ? facts.into.files.filter(inRange(files)) : [];
  if (joined.length > 0 && bytesOf(files, joined) === files.bytes && holdsNone(facts.data, files)) {
    return { kind: 'complete', progress: full(files), joined: true };
  }
  if (facts.data.kind !== 'seen') return away(job, facts.data);
  return judgeListed(job, network, files, facts, facts.data, joined);
}

function judgeListed(
  job: InitialisationJob,
  network: Network,
  files: JobFiles,
  facts: JobFacts,
  data: Listed,
  joined: readonly DataFile[],
): JobState {
  const progress = { bytes: bytesOf(files, data.files), expectedBytes: files.bytes };
  const labels = data.files.some(({ size }) => size >= LABEL_BYTES);
  const metadata = takeMetadata(job, data.metadata, labels);
  if ('state' in metadata) return metadata.state;
  const mismatch = compare(job, network, metadata.read, labels);
  if (mismatch !== undefined) return { ...mismatch, progress };
  const wrong = judgeFiles(job, files, data.files, joined);
  if (wrong !== undefined) return { ...wrong, progress };
  const odd = data.files.filter(({ size }) => size % LABEL_BYTES !== 0);
  if (odd.length > 0) {
    const cut = odd.map(({ index, size }) => ({
      path: dataFilePath(job.data, index),
      size,
      cutTo: size - (size % LABEL_BYTES),
    }));
    return { kind: 'odd-size', progress, files: cut };
  }
  if (progress.bytes === files.bytes) {
    if (!files.whole || metadata.read?.nonce !== undefined) return { kind: 'complete', progress };
    // What looks for a nonce writes it into the metadata.
    if (facts.readOnly === true) return { ...readOnly(job), progress };
    return { kind: 'needs-nonce', progress, searching: metadata.read?.lastPosition !== undefined };
  }
  if (data.files.length === 0 && metadata.read === undefined) {
    const gone = emptied(job, facts);
    if (gone !== undefined) return gone;
  }
  if (facts.readOnly === true) return { ...readOnly(job), progress };
  return { kind: progress.bytes === 0 ? 'not-begun' : 'unfinished', progress };
}

function full({ bytes }: JobFiles): JobProgress {
  return { bytes, expectedBytes: bytes };
}

function holdsNone(data: FolderSeen, files: JobFiles): boolean {
  return data.kind === 'missing' || (data.kind === 'seen' && !data.files.some(inRange(files)));
}

function away({ data }: InitialisationJob, seen: Exclude<FolderSeen, Listed>): JobState {
  switch (seen.kind) {
    case 'missing':
      return {
        kind: 'away',
        why: `${data} is not there: is its disk mounted?`,
        next: `Mount it (or make the directory, if there never was one), ${THEN_AGAIN}`,
      };
    case 'forbidden':
      return {
        kind: 'away',
        why: `this user may not look into ${data}`,
        next: 'sudo smesh-compose post init --resume',
      };
    case 'late':
      return {
        kind: 'away',
        why: `${data} does not answer: its disk is dying, or a share whose server is gone`,
        next: `sudo dmesg | tail -50   tells what the kernel saw; ${THEN_AGAIN}`,
      };
    case 'broken':
      return {
        kind: 'away',
        why: `the disk answers with an error (${seen.fault}) at ${data}`,
        next: `sudo dmesg | tail -50   tells what the kernel saw; ${THEN_AGAIN}`,
      };
  }
}

/** A mount point whose disk is away is an empty folder on another disk: begun anew there, it would fill that one. */
function emptied({ data }: InitialisationJob, { fileSystem, last }: JobFacts): JobState | undefined {
  if (last === undefined) return undefined;
  const had =
    last.bytes > 0
      ? `had ${last.bytes} bytes of data before`
      : last.fileSystem !== undefined && fileSystem !== undefined && last.fileSystem !== fileSystem
        ? `was begun on ${last.fileSystem}, and is on ${fileSystem} now`
        : undefined;
  if (had === undefined) return undefined;
  return {
    kind: 'away',
    why: `${data} is empty, and ${had}: is its disk mounted?`,
    next: `Mount it, ${THEN_AGAIN}   (emptied or moved on purpose: remove .smesh/initialisation.json first)`,
  };
}

function readOnly({ data }: InitialisationJob): Refusal {
  return refuse(
    'read-only',
    `${data} lies on a file system that is mounted read-only: no label can be written`,
    `Look why (sudo dmesg | tail -50: a disk with errors is remounted so), mount it read-write, ${THEN_AGAIN}`,
  );
}

/** The metadata if it can be used; a state where that alone decides. */
function takeMetadata(
  { data }: InitialisationJob,
  seen: MetadataSeen,
  labels: boolean,
): { readonly read: PostMetadata | undefined } | { readonly state: JobState } {
  const path = `${data}/${METADATA_FILE}`;
  if (seen.kind === 'unreadable') {
    return {
      state: {
        kind: 'away',
        why: `this user may not read ${path}`,
        next: 'sudo smesh-compose post init --resume',
      },
    };
  }
  if (seen.kind === 'absent') {
    if (!labels) return { read: undefined };
    return {
      state: refuse(
        'metadata-missing',
        `${data} holds labels, but no ${METADATA_FILE}: whose they are is not known, and postcli would not go on`,
        `Put ${METADATA_FILE} back from a backup or from another part of the same initialisation, ${THEN_AGAIN}`,
      ),
    };
  }
  const reading = readMetadata(seen.text);
  if (reading.kind === 'read') return { read: reading.metadata };
  return {
    state: refuse(
      'metadata-malformed',
      `${path} cannot be used: ${reading.reasons.join('; ')}`,
      `Put it back from a backup or from another part of the same initialisation, ${THEN_AGAIN}`,
    ),
  };
}

/** What is in the directory against what smesh.yaml wants there. */
function compare(
  job: InitialisationJob,
  network: Network,
  found: PostMetadata | undefined,
  labels: boolean,
): Refusal | undefined {
  if (found === undefined) return undefined;
  const wanted = metadataOf(job, network);
  const place = `${job.data} holds data`;
  const yaml = 'Correct smesh.yaml (init.jobs), or name another directory there. Nothing was changed.';
  if (found.smesherId !== wanted.smesherId) {
    return refuse(
      'other-identity',
      `${place} of identity ${found.smesherId.slice(0, 8)}, and job ${job.name} is for ${wanted.smesherId.slice(0, 8)}`,
      yaml,
    );
  }
  if (found.commitmentAtx !== wanted.commitmentAtx) {
    return refuse(
      'other-commitment',
      `${place} with commitment ${found.commitmentAtx.slice(0, 8)}, and job ${job.name} has ${wanted.commitmentAtx.slice(0, 8)}: their labels do not belong together`,
      yaml,
    );
  }
  // Without a label nothing can be lost: postcli writes the metadata anew.
  if (!labels) return undefined;
  if (found.labelsPerUnit !== wanted.labelsPerUnit) {
    return refuse(
      'other-labels-per-unit',
      `${place} with ${found.labelsPerUnit} labels per unit; ${network.name} has ${wanted.labelsPerUnit}`,
      yaml,
    );
  }
  if (found.maxFileSize !== wanted.maxFileSize) {
    return refuse(
      'other-file-size',
      `${place} in files of ${found.maxFileSize} bytes, and job ${job.name} wants ${wanted.maxFileSize}`,
      `In smesh.yaml give ${job.name} maxFileSize: ${found.maxFileSize}. Nothing was changed.`,
    );
  }
  if (wanted.units === found.units) return undefined;
  const back = `In smesh.yaml give ${job.name} units: ${found.units}. Nothing was changed.`;
  return wanted.units < found.units
    ? refuse(
        'fewer-units',
        `${place} of ${found.units} units, and job ${job.name} has ${wanted.units}: postcli would delete the labels of the others without asking`,
        back,
      )
    : refuse(
        'more-units',
        `${place} of ${found.units} units, and job ${job.name} has ${wanted.units}: data cannot be grown; postcli would refuse`,
        `${back} More space takes another identity: smesh-compose post init`,
      );
}
