import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InitialisationFault } from './exits.ts';
import type { Knobs } from './knobs.ts';
import { LABEL_BYTES } from './labels.ts';

const DAY_MS = 24 * 3600 * 1000;

/** Providers that die, hang or lie in mid-range, each batch by itself. */
export class Faults {
  readonly #knobs: Knobs;
  readonly #mark: string | undefined;

  constructor(knobs: Knobs, datadir: string) {
    this.#knobs = knobs;
    this.#mark = knobs.faultOnce === undefined ? undefined : resolve(datadir, knobs.faultOnce);
  }

  /** Before a batch is computed. Throws InitialisationFault, or never resolves. */
  async strike(first: number, count: number): Promise<void> {
    const hit = (at: number | undefined) => at !== undefined && at >= first && at < first + count;
    const { dieAtLabel, hangAtLabel } = this.#knobs;
    if (hit(hangAtLabel) && this.#happens()) for (;;) await sleep(DAY_MS);
    if (hit(dieAtLabel) && this.#happens()) {
      throw new InitialisationFault('failed to compute labels: initialization failed');
    }
  }

  /** What the provider makes of right labels; changes them in place. */
  spoil(labels: Buffer, first: number): void {
    const count = labels.length / LABEL_BYTES;
    const { lieFromLabel, wrongLabels } = this.#knobs;
    const isWrong = (at: number) => wrongLabels.has(at) || (lieFromLabel !== undefined && at >= lieFromLabel);
    const wrong = Array.from({ length: count }, (_, at) => at).filter((at) => isWrong(first + at));
    if (wrong.length === 0 || !this.#happens()) return;
    for (const at of wrong) {
      // The first bit is set, so that a wrong label never becomes the VRF nonce.
      for (let byte = 0; byte < LABEL_BYTES; byte += 1) {
        labels.writeUInt8(labels.readUInt8(at * LABEL_BYTES + byte) ^ 0xa5, at * LABEL_BYTES + byte);
      }
      labels.writeUInt8(labels.readUInt8(at * LABEL_BYTES) | 0x80, at * LABEL_BYTES);
    }
  }

  #happens(): boolean {
    if (this.#mark === undefined) return true;
    if (existsSync(this.#mark)) return false;
    writeFileSync(this.#mark, '');
    return true;
  }
}
