import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/** Who has not read for so long is not reading any more: it was killed, or is held. */
const FORGOTTEN_AFTER_MS = 1000;

/** Several readers of a disk with heads together get so much of what one gets (operators.md d.5). */
const TOGETHER = 0.6;

const OWN = `reader-${randomBytes(4).toString('hex')}`;

/**
 * The disk that several provers share, where a test says so (`SIM_DISK`: a folder that all of them see). An engine can
 * throttle a container's reads, but each container has a rate of its own then: two readers would not hinder each other,
 * and what they cost in reality would not be felt.
 */
export class SharedDisk {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static ofEnvironment(): SharedDisk | undefined {
    const folder = process.env['SIM_DISK'];
    return folder === undefined || folder === '' ? undefined : new SharedDisk(folder);
  }

  /** Takes note that this process reads now; returns the part of one reader's rate that it gets, above 0. */
  share(): number {
    const own = join(this.#folder, OWN);
    const now = new Date();
    try {
      utimesSync(own, now, now);
    } catch {
      writeFileSync(own, '');
    }
    const readers = readdirSync(this.#folder).filter(
      (name) => name.startsWith('reader-') && this.#isReading(name),
    ).length;
    return (readers <= 1 ? 1 : TOGETHER / readers) / this.#slowness();
  }

  /** This process has read what it wanted. */
  leave(): void {
    rmSync(join(this.#folder, OWN), { force: true });
  }

  #isReading(name: string): boolean {
    try {
      return Date.now() - statSync(join(this.#folder, name)).mtimeMs < FORGOTTEN_AFTER_MS;
    } catch {
      return false;
    }
  }

  /** How many times longer than usual everything takes; a test writes it into `slowness` while the provers run. */
  #slowness(): number {
    try {
      return Number(readFileSync(join(this.#folder, 'slowness'), 'utf8')) || 1;
    } catch {
      return 1;
    }
  }
}
