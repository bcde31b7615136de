import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';

/** One line of a stand-in's ledger (`test/sim/common/ledger.ts`): what truly happened, told by who did it. */
export interface LedgerEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Life of the process. */
  readonly boot: string;
  readonly event: string;
  /** Smesher ID, where the node says it of an identity. */
  readonly id?: string;
  readonly round?: number;
  readonly epoch?: number;
  readonly poet?: string;
  readonly challenge?: string;
}

/** Entries of a ledger that is being written, in order. */
export class LedgerReader {
  readonly #path: string;
  readonly #entries: LedgerEntry[] = [];
  #offset = 0;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** All that has been written by now. */
  read(): readonly LedgerEntry[] {
    if (!existsSync(this.#path)) return this.#entries;
    const size = statSync(this.#path).size;
    if (size === this.#offset) return this.#entries;
    const bytes = Buffer.alloc(size - this.#offset);
    const file = openSync(this.#path, 'r');
    try {
      this.#offset += readSync(file, bytes, 0, bytes.length, this.#offset);
    } finally {
      closeSync(file);
    }
    const lines = (this.#rest + bytes.toString('utf8')).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#entries.push(JSON.parse(line) as LedgerEntry);
    return this.#entries;
  }
}
