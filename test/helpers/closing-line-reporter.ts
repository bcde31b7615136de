import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';
import { tallyFile } from './places.ts';

export interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Counts tests. A file that could not be loaded, a hook that threw and an error nobody caught each count as one
 * failure: none of them may hide behind tests that never ran.
 */
export function countTests(modules: readonly TestModule[], unhandled: readonly SerializedError[]): Tally {
  const tally: Tally = { passed: 0, failed: unhandled.length, skipped: 0 };
  for (const module of modules) {
    tally.failed += module.errors().length;
    for (const suite of module.children.allSuites()) tally.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'pending') tally.failed += 1;
      else tally[state] += 1;
    }
  }
  return tally;
}

/** Ends the report with one plain line: `N passed, N failed, N skipped`. */
export class ClosingLineReporter implements Reporter {
  private readonly file: string;

  constructor(file = tallyFile) {
    this.file = file;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const tally = countTests(modules, unhandled);
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(this.file, JSON.stringify(tally));
    if (tally.skipped > 0 && process.env.SMESH_RECORDINGS === undefined) {
      process.stdout.write(
        '\nskipped: what needs recordings of the real programs; SMESH_RECORDINGS names their folder\n',
      );
    }
    process.stdout.write(`\n${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped\n`);
  }
}
