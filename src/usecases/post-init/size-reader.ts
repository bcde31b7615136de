import { type DataFile, dataFileIndex } from '../../domain/post/completeness.ts';
import { bytesOf, jobFiles } from '../../domain/post-init/job-files.ts';
import type { InitialisationJob, Network } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { within } from '../observe/question.ts';

/** A disk that is written to by a fast card may be slow to answer. */
const PATIENCE_MS = 10_000;

/**
 * How much of a job is there, again and again while it runs: files that were full are not asked for their size anew. One
 * that once did not answer in time is not asked again: the thread that waits there could not be ended.
 */
export class SizeReader {
  readonly #context: Context;
  readonly #network: Network;
  /** Indices of full files, by job. */
  readonly #full = new Map<string, Set<number>>();
  readonly #hanging = new Set<string>();

  constructor(context: Context, network: Network) {
    this.#context = context;
    this.#network = network;
  }

  /** `undefined`: it cannot be told now. */
  async bytes(job: InitialisationJob): Promise<number | undefined> {
    if (this.#hanging.has(job.name)) return undefined;
    let late = true;
    const read = this.#read(job).then(
      (bytes) => {
        late = false;
        return bytes;
      },
      () => {
        late = false;
        return undefined;
      },
    );
    const bytes = await within(this.#context.clock, read, PATIENCE_MS);
    if (late) this.#hanging.add(job.name);
    return bytes;
  }

  async #read(job: InitialisationJob): Promise<number> {
    const { files } = this.#context.ports;
    const wanted = jobFiles(job, this.#network);
    const full = this.#full.get(job.name) ?? new Set<number>();
    this.#full.set(job.name, full);
    const found: DataFile[] = [];
    for (const { name } of await files.list(job.data)) {
      const index = dataFileIndex(name);
      if (index === undefined || index < wanted.from || index > wanted.to) continue;
      const expected = wanted.sizeOf(index);
      const size = full.has(index) ? expected : ((await files.facts(`${job.data}/${name}`))?.size ?? 0);
      if (size === expected) full.add(index);
      found.push({ index, size });
    }
    return bytesOf(wanted, found);
  }
}
