import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's root folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The built command line program; `prepare-engine.ts` builds it before the suites that need it. */
export const builtCli = join(root, 'dist/cli.js');

/** What the programs under test said, and which keys they were given: read by `scripts/check-no-private-keys.ts`. */
export const transcriptsFolder = join(root, 'build/transcripts');
export const recordedKeysFile = join(root, 'build/test-keys.txt');

/** Holds the reason when `dist` could not be built, so that no test runs an older one by accident. */
export const buildFailureFile = join(root, 'build/build-failure.txt');

/** Passed, failed and skipped of the last run, for the summary of `scripts/test`. */
export const tallyFile = join(root, 'build/test-tally.json');
