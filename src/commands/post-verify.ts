import { ExitCode, SmeshError } from '../domain/errors.ts';
import { searchForNonces } from '../usecases/post-verify/search-nonce.ts';
import { runVerify } from '../usecases/post-verify/verify.ts';
import type { Context, Invocation, OptionSpec } from './command.ts';
import { flagOption, integerOption, textOption } from './options.ts';

/** postcli's own, in percent (spacemesh.md §8.1). */
const DEFAULT_FRACTION = 0.2;
const MOST_FILES = 2 ** 31;

/** Of `post verify`; each summary begins with it. */
export const POST_VERIFY_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--fraction <percent>',
    summary: `verify: how many of the labels are computed anew (default: ${DEFAULT_FRACTION})`,
  },
  { flags: '--from-file <n>', summary: 'verify: the first data file whose labels are checked' },
  { flags: '--to-file <n>', summary: 'verify: the last one' },
  { flags: '--structure', summary: 'verify: metadata, files, nonce and key only; possible at any time' },
  { flags: '--last', summary: 'verify: what was found the last time, and when' },
  {
    flags: '--search-nonce',
    summary: 'verify: where complete data have no VRF nonce, read them for it and write it',
  },
  {
    flags: '--again',
    summary: 'verify: with --search-nonce also where there is one, which is forgotten first',
  },
  { flags: '--scrypt-n <n>', summary: "verify: of a network that is neither public nor this project's" },
  { flags: '--postcli-image <image>', summary: 'verify: another release of postcli' },
];

/**
 * `post verify`: whether PoST data are what they should be.
 *
 * Exit codes: 0 right, 3 something is wrong, 5 refused now (cycle gap, somebody proves on the disk), 6 something could not
 * be looked at or was stopped, 4 Docker cannot be asked, 130 Ctrl-C.
 */
export async function runPostVerify(
  invocation: Invocation,
  context: Context,
  places: readonly string[],
): Promise<number> {
  const scryptN = integerOption(invocation, 'scrypt-n', { min: 2, max: 2 ** 31 });
  if (scryptN !== undefined && !Number.isInteger(Math.log2(scryptN))) {
    throw new SmeshError('bad-option', ExitCode.usage, `--scrypt-n wants a power of two, not ${scryptN}`);
  }
  const image = textOption(invocation, 'postcli-image');
  const given = {
    words: places,
    ...(scryptN === undefined ? {} : { scryptN }),
    ...(image === undefined ? {} : { image }),
  };
  if (flagOption(invocation, 'search-nonce')) {
    refuseBeside(invocation, 'search-nonce', ['fraction', 'from-file', 'to-file', 'structure', 'last']);
    return searchForNonces(context, {
      ...given,
      dryRun: flagOption(invocation, 'dry-run'),
      again: flagOption(invocation, 'again'),
    });
  }
  if (flagOption(invocation, 'again')) {
    throw new SmeshError('bad-option', ExitCode.usage, '--again belongs to --search-nonce');
  }
  const from = integerOption(invocation, 'from-file', { min: 0, max: MOST_FILES });
  const to = integerOption(invocation, 'to-file', { min: 0, max: MOST_FILES });
  if (from !== undefined && to !== undefined && to < from) {
    throw new SmeshError('bad-option', ExitCode.usage, `--to-file ${to} is before --from-file ${from}`);
  }
  const structureOnly = flagOption(invocation, 'structure');
  const last = flagOption(invocation, 'last');
  if (structureOnly) refuseBeside(invocation, 'structure', ['fraction', 'from-file', 'to-file', 'last']);
  if (last) refuseBeside(invocation, 'last', ['fraction', 'from-file', 'to-file']);
  return runVerify(context, {
    ...given,
    fraction: readFraction(textOption(invocation, 'fraction')),
    files: { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) },
    structureOnly,
    last,
    dryRun: flagOption(invocation, 'dry-run'),
  });
}

function refuseBeside(invocation: Invocation, name: string, others: readonly string[]): void {
  for (const other of others) {
    if (textOrFlag(invocation, other)) {
      throw new SmeshError(
        'bad-option',
        ExitCode.usage,
        `--${name} reads no sample of labels: it takes no --${other}`,
      );
    }
  }
}

function textOrFlag(invocation: Invocation, name: string): boolean {
  const key = name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const value = invocation.options[key];
  return value !== undefined && value !== false;
}

function readFraction(text: string | undefined): number {
  if (text === undefined) return DEFAULT_FRACTION;
  const value = /^(\d{1,3}(\.\d{1,6})?|\.\d{1,6})%?$/.test(text) ? Number.parseFloat(text) : Number.NaN;
  if (value > 0 && value <= 100) return value;
  throw new SmeshError(
    'bad-option',
    ExitCode.usage,
    `--fraction wants percent of the labels, more than 0 and at most 100, not ${JSON.stringify(text)}`,
  );
}
