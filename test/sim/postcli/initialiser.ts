import { closeSync, fstatSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Batches } from './batches.ts';
import { type DataFile, type Layout, listDataFiles, totalFiles } from './data-files.ts';
import { GoPanic, InitialisationFault, osErrorText } from './exits.ts';
import type { Interruption } from './interruption.ts';
import type { Knobs } from './knobs.ts';
import { LABEL_BYTES, LabelSource, smallestBelow, vrfDifficulty } from './labels.ts';
import type { Log } from './log.ts';
import { loadMetadata, METADATA_NAME, type PostMetadata, saveMetadata } from './metadata.ts';
import type { Options } from './options.ts';
import type { Job } from './preflight.ts';

const MIN_FILE_BYTES = 1024;

/** Writes the labels of one identity, or goes on where an earlier run ended (spacemesh.md §8.1, §14.4). */
export class Initialiser {
  readonly #options: Options;
  readonly #log: Log;
  readonly #interruption: Interruption;
  readonly #source: LabelSource;
  readonly #batches: Batches;
  readonly #difficulty: Buffer;
  #metadata: PostMetadata;

  /** Checks everything against what is on the disk and writes the metadata. Throws GoPanic. */
  constructor(options: Options, job: Job, knobs: Knobs, log: Log, interruption: Interruption) {
    this.#options = options;
    this.#log = log;
    this.#interruption = interruption;
    validate(options, job);
    this.#metadata = {
      nodeId: job.id,
      commitmentAtxId: job.commitmentAtxId,
      labelsPerUnit: options.labelsPerUnit,
      numUnits: options.numUnits,
      maxFileSize: options.maxFileSize,
      nonce: undefined,
      nonceValue: undefined,
      lastPosition: undefined,
    };
    this.#source = new LabelSource(job.id, job.commitmentAtxId, options.scryptN);
    this.#batches = new Batches(this.#source, options.provider, knobs, log, options.datadir);
    this.#difficulty = vrfDifficulty(options.numUnits * options.labelsPerUnit);
    // Without a single label the old metadata is not looked at: it is overwritten.
    if (listDataFiles(options.datadir).some((file) => file.size >= LABEL_BYTES)) this.#takeOver();
    panicOnError(() => this.#save());
  }

  /** `-reset`: deletes data and metadata. */
  reset(): void {
    for (const file of listDataFiles(this.#options.datadir)) rmSync(file.path);
    rmSync(join(this.#options.datadir, METADATA_NAME), { force: true });
  }

  /** Throws InitialisationFault or Interrupted. */
  async initialise(): Promise<void> {
    const options = this.#options;
    const layout = layoutOf(options);
    this.#log('info', 'initialization started', {
      datadir: options.datadir,
      numUnits: options.numUnits,
      maxFileSize: options.maxFileSize,
      labelsPerUnit: options.labelsPerUnit,
    });
    this.#log('info', 'initialization file layout', {
      labelsPerFile: layout.labelsPerFile,
      labelsLastFile: layout.labelsLastFile,
      firstFileIndex: layout.firstFile,
      lastFileIndex: layout.lastFile,
    });
    this.#removeRedundant();
    for (let index = layout.firstFile; index <= layout.lastFile; index += 1) {
      const count = index === layout.lastFile ? layout.labelsLastFile : layout.labelsPerFile;
      await this.#initialiseFile(index, index * layout.labelsPerFile, count);
    }
    await this.#ensureNonce(layout);
  }

  #takeOver(): void {
    const { datadir } = this.#options;
    const found = panicOnError(() => loadMetadata(datadir));
    if (found === undefined) throw new GoPanic('metadata file is missing');
    checkAgainst(this.#metadata, found, datadir);
    const { nonce, lastPosition } = found;
    const computed = nonce === undefined ? undefined : this.#source.label(nonce);
    this.#metadata = { ...this.#metadata, nonce, lastPosition, nonceValue: found.nonceValue ?? computed };
  }

  /** Deletes files beyond the last one of all units: a smaller `-numUnits` erases data. */
  #removeRedundant(): void {
    const { numUnits, labelsPerUnit, maxFileSize, datadir } = this.#options;
    const files = totalFiles(numUnits, labelsPerUnit, maxFileSize);
    const redundant = listDataFiles(datadir).filter((file) => file.index >= files);
    for (const file of [...redundant].sort((a, b) => (a.name < b.name ? -1 : 1))) this.#remove(file);
  }

  #remove(file: DataFile): void {
    this.#log('info', 'removing redundant file', { fileName: file.name });
    rmSync(file.path);
  }

  async #initialiseFile(index: number, startPosition: number, target: number): Promise<void> {
    const file = openToAppend(join(this.#options.datadir, `postdata_${index}.bin`));
    try {
      // A torn label at the end is not cut off: what is appended behind it is misaligned, as with the real one.
      const present = Math.floor(fstatSync(file).size / LABEL_BYTES);
      const fields = {
        fileIndex: index,
        currentNumLabels: present,
        targetNumLabels: target,
        startPosition,
      };
      if (present === target) {
        this.#log('info', 'initialization: file already initialized', fields);
        return;
      }
      if (present > target) {
        this.#log('info', 'initialization: truncating file');
        ftruncateSync(file, target * LABEL_BYTES);
        return;
      }
      const what = present > 0 ? 'continuing' : 'starting';
      this.#log('info', `initialization: ${what} to write file`, fields);
      await this.#writeLabels(file, index, startPosition, present, target);
      this.#log('info', 'initialization: completed', { fileIndex: index, numLabelsWritten: target });
    } finally {
      closeSync(file);
    }
  }

  async #writeLabels(
    file: number,
    index: number,
    startPosition: number,
    present: number,
    target: number,
  ): Promise<void> {
    for (let at = present; at < target; at += this.#batches.size) {
      await this.#interruption.check(() => this.#log('info', 'initialization: stopped'));
      const first = startPosition + at;
      const labels = await this.#batches.compute(first, Math.min(this.#batches.size, target - at));
      this.#batches.checkReference(labels, first);
      const better = smallestBelow(labels, this.#metadata.nonceValue ?? this.#difficulty);
      if (better !== undefined) {
        const nonce = first + better.at;
        const value = better.value.toString('hex');
        this.#log('info', 'initialization: found new best nonce', { fileIndex: index, nonce, value });
        this.#metadata = { ...this.#metadata, nonce, nonceValue: Buffer.from(better.value) };
        this.#saveIfItGoes();
      }
      writeAll(file, labels, join(this.#options.datadir, `postdata_${index}.bin`));
    }
  }

  /** A whole set without a nonce is searched on beyond its end; a range is left without one. */
  async #ensureNonce(layout: Layout): Promise<void> {
    const { numUnits, labelsPerUnit, maxFileSize } = this.#options;
    if (this.#metadata.nonce !== undefined) {
      this.#log('info', 'initialization: completed, found nonce', { nonce: this.#metadata.nonce });
      return;
    }
    const files = layout.lastFile - layout.firstFile + 1;
    if (files < totalFiles(numUnits, labelsPerUnit, maxFileSize)) {
      this.#log('info', 'initialization: no nonce found while computing labels');
      return;
    }
    this.#log('info', 'initialization: no nonce found while computing labels, continue initializing');
    const end = numUnits * labelsPerUnit;
    for (let at = Math.max(this.#metadata.lastPosition ?? 0, end); ; at += this.#batches.size) {
      this.#metadata = { ...this.#metadata, lastPosition: at };
      this.#save();
      await this.#interruption.check(() => this.#log('info', 'initialization: stopped'));
      const labels = await this.#batches.compute(at, this.#batches.size);
      const found = smallestBelow(labels, this.#difficulty);
      if (found === undefined) continue;
      // The value is left out: so does the real program for a nonce beyond the data.
      this.#metadata = { ...this.#metadata, nonce: at + found.at };
      this.#save();
      return;
    }
  }

  #save(): void {
    saveMetadata(this.#options.datadir, this.#metadata);
  }

  /** The real program goes on where the metadata could not be written: on a full disk the labels tell it next. */
  #saveIfItGoes(): void {
    try {
      this.#save();
    } catch {
      // See above.
    }
  }
}

function openToAppend(path: string): number {
  try {
    return openSync(path, 'a', 0o600);
  } catch (error) {
    throw new InitialisationFault(osErrorText(error, 'open', path));
  }
}

/** A full disk takes the first part of a batch and refuses the rest. Throws InitialisationFault in Go's words. */
function writeAll(file: number, bytes: Buffer, path: string): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  } catch (error) {
    throw new InitialisationFault(osErrorText(error, 'write', path));
  }
}

function validate(options: Options, job: Job): void {
  const length = (name: string, bytes: Buffer) => {
    if (bytes.length !== 32)
      throw new GoPanic(`invalid \`${name}\` length; expected: 32, given: ${bytes.length}`);
  };
  length('id', job.id);
  length('commitmentAtxId', job.commitmentAtxId);
  const least = (name: string, value: number, bound: number) => {
    if (value < bound) throw new GoPanic(`invalid \`opts.${name}\`; expected: >= ${bound}, given: ${value}`);
  };
  least('NumUnits', options.numUnits, job.minNumUnits);
  if (options.numUnits > job.maxNumUnits) {
    const { numUnits } = options;
    throw new GoPanic(`invalid \`opts.NumUnits\`; expected: <= ${job.maxNumUnits}, given: ${numUnits}`);
  }
  least('MaxFileSize', options.maxFileSize, MIN_FILE_BYTES);
}

function checkAgainst(wanted: PostMetadata, found: PostMetadata, datadir: string): void {
  const mismatch = (name: string, expected: string | number, present: string | number) =>
    new GoPanic(`\`${name}\` config mismatch; expected: ${expected}, found: ${present}, datadir: ${datadir}`);
  for (const [name, key] of [
    ['NodeId', 'nodeId'],
    ['CommitmentAtxId', 'commitmentAtxId'],
  ] as const) {
    if (!wanted[key].equals(found[key])) {
      throw mismatch(name, wanted[key].toString('hex'), found[key].toString('hex'));
    }
  }
  for (const [name, key] of [
    ['LabelsPerUnit', 'labelsPerUnit'],
    ['MaxFileSize', 'maxFileSize'],
  ] as const) {
    if (wanted[key] !== found[key]) throw mismatch(name, wanted[key], found[key]);
  }
  if (wanted.numUnits > found.numUnits) throw mismatch('NumUnits', `>= ${wanted.numUnits}`, found.numUnits);
}

function layoutOf(options: Options): Layout {
  const { numUnits, labelsPerUnit, maxFileSize, fromFile, toFile } = options;
  const labelsPerFile = Math.floor(maxFileSize / LABEL_BYTES);
  const last = totalFiles(numUnits, labelsPerUnit, maxFileSize) - 1;
  if (toFile !== undefined && toFile > last) {
    throw new InitialisationFault(`invalid range: opts.ToFileIdx (${toFile}) cannot be greater then ${last}`);
  }
  const lastFile = toFile ?? last;
  if (fromFile > lastFile) {
    const message = `invalid range: last file index (${lastFile}) must be greater then first (${fromFile})`;
    throw new InitialisationFault(message);
  }
  const left = numUnits * labelsPerUnit - lastFile * labelsPerFile;
  return { labelsPerFile, labelsLastFile: Math.min(labelsPerFile, left), firstFile: fromFile, lastFile };
}

function panicOnError<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof GoPanic
      ? error
      : new GoPanic(error instanceof Error ? error.message : String(error));
  }
}
