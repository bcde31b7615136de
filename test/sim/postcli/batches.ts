import { setTimeout as sleep, setImmediate as tick } from 'node:timers/promises';
import { InitialisationFault } from './exits.ts';
import { Faults } from './faults.ts';
import type { Knobs } from './knobs.ts';
import { LABEL_BYTES, type LabelSource } from './labels.ts';
import type { Log } from './log.ts';
import { openProvider } from './providers.ts';

const SLICE = 32_768;

/** Computes labels at the pace that a test asked for, with the provider opened at the first batch. */
export class Batches {
  readonly #source: LabelSource;
  readonly #provider: number;
  readonly #knobs: Knobs;
  readonly #log: Log;
  readonly #faults: Faults;
  #opened = false;

  constructor(source: LabelSource, provider: number, knobs: Knobs, log: Log, datadir: string) {
    this.#source = source;
    this.#provider = provider;
    this.#knobs = knobs;
    this.#log = log;
    this.#faults = new Faults(knobs, datadir);
  }

  get size(): number {
    return this.#knobs.batchLabels;
  }

  /** One batch, in memory: a process that is killed now loses all of it. */
  async compute(first: number, count: number): Promise<Buffer> {
    if (!this.#opened) await openProvider(this.#provider, this.#knobs, this.#log);
    this.#opened = true;
    await this.#faults.strike(first, count);
    const started = performance.now();
    const bytes = Buffer.allocUnsafe(count * LABEL_BYTES);
    for (let at = 0; at < count; at += SLICE) {
      const part = Math.min(SLICE, count - at);
      this.#source.labels(first + at, part).copy(bytes, at * LABEL_BYTES);
      await tick();
    }
    this.#faults.spoil(bytes, first);
    const rate = this.#knobs.labelsPerSecond;
    if (rate !== undefined) await sleep((count / rate) * 1000 - (performance.now() - started));
    return bytes;
  }

  /**
   * The last label of a batch is computed by the CPU, too, and compared: all that is noticed of a provider that computes
   * wrongly. Throws InitialisationFault.
   */
  checkReference(labels: Buffer, first: number): void {
    const last = first + labels.length / LABEL_BYTES - 1;
    const actual = labels.subarray(-LABEL_BYTES);
    const expected = this.#source.label(last);
    if (expected.equals(actual)) return;
    const commitment = this.#source.commitment.toString('hex');
    const values = `expected ${expected.toString('hex')}, actual ${actual.toString('hex')}`;
    throw new InitialisationFault(
      `reference label mismatch at ${last} with commitment ${commitment}: ${values}`,
    );
  }
}
