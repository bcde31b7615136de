import { ExitCode, SmeshError } from '../domain/errors.ts';
import { readSize } from '../domain/post-init/size.ts';
import type { GpuVendor } from '../domain/project/types.ts';
import { quoteForShell } from '../domain/shell-quote.ts';
import { fromWorkingDirectory } from '../usecases/init/options.ts';
import { finishPost } from '../usecases/post-init/finish-post.ts';
import { type Prepared, preparePost } from '../usecases/post-init/init-post.ts';
import type { PostInitOptions } from '../usecases/post-init/options.ts';
import { jobsToJson, runJobs } from '../usecases/post-init/run-jobs.ts';
import { lockedUnlessDry } from '../usecases/project-lock.ts';
import type { Context, Invocation, OptionSpec } from './command.ts';
import { readInitOptions, settingOptions } from './init-options.ts';
import { flagOption, integerOption, listOption, textOption } from './options.ts';

const GPUS: readonly GpuVendor[] = ['nvidia', 'amd', 'intel', 'cpu'];

export const POST_INIT_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--units <n>',
    summary:
      'init: space units of each identity (64 GiB on mainnet); default: asked, with --yes all that fit',
  },
  { flags: '--size <size>', summary: 'init: the same as a size, such as 2TiB' },
  { flags: '--count <n>', summary: 'init: how many identities, spread over the places (default: one each)' },
  { flags: '--gpu <vendor>', summary: 'init: whose cards compute (default: what is there)', choices: GPUS },
  { flags: '--device <device...>', summary: 'init: these cards, as gpu list names them' },
  { flags: '--provider <n...>', summary: 'init: these OpenCL providers, as numbered inside a container' },
  { flags: '--split', summary: 'init: deal each identity out to all chosen cards, in ranges of files' },
  { flags: '--cpu', summary: 'init: consent to compute on the processor, which takes months' },
  {
    flags: '--max-file-size <bytes>',
    summary: 'init: size of a data file, a multiple of 16 (default: 4 GiB)',
  },
  {
    flags: '--commitment <atx>',
    summary:
      "init: golden, latest (the node's highest) or 64 hex digits (default: latest where a synced node answers)",
  },
  { flags: '--user <uid:gid>', summary: 'init: whom new directories belong to, who fills and proves them' },
  {
    flags: '--resume',
    summary: 'init: go on with the jobs, those in the places, or data that was begun elsewhere',
  },
  { flags: '--keys <path...>', summary: 'init: with --resume, where the key of data from elsewhere is' },
  { flags: '--detach', summary: 'init: start the jobs and end; they go on by themselves' },
  { flags: '--no-start', summary: 'init: make key, backup and project, start nothing' },
  { flags: '--dry-run', summary: 'init, stop, verify: show what would be done, change nothing' },
  {
    flags: '--force',
    summary: 'init: overwrite generated files changed by hand; they are kept in .smesh/backups',
  },
  {
    flags: '--passphrase-file <file>',
    summary: 'init: what the backup of the keys is encrypted with (default: asked)',
  },
  {
    flags: '--recipient <age1...>',
    summary: 'init: encrypt that backup for this age key instead',
  },
  ...settingOptions.map((option) => ({ ...option, summary: `init, without a project: ${option.summary}` })),
];

/** Makes new identities: key, backup, project, then the data; or goes on with what was begun. */
export async function runPostInit(
  invocation: Invocation,
  context: Context,
  places: readonly string[],
): Promise<number> {
  const options = readOptions(invocation, places);
  const prepared = await lockedUnlessDry(context, 'post init', options.dryRun, () =>
    preparePost(context, options),
  );
  if (options.dryRun || options.noStart || prepared.names.length === 0)
    return sayWritten(context, prepared, options.dryRun);
  saySame(context, prepared);
  const run = await runJobs(context, prepared.project, {
    names: prepared.names,
    detach: options.detach,
    repair: flagOption(invocation, 'repair'),
    duringGap: flagOption(invocation, 'during-gap'),
  });
  if (context.json)
    context.out.json({ schemaVersion: 1, dryRun: false, ...prepared.facts, run: jobsToJson(run) });
  if (run.exitCode !== ExitCode.ok || options.detach) return run.exitCode;
  return finishPost(context, run.finished);
}

function saySame({ out }: Context, { same }: Prepared): void {
  if (same !== undefined) out.note(`The same without questions:\n  ${same}\n`);
}

function sayWritten(context: Context, prepared: Prepared, dryRun: boolean): number {
  const { names, facts } = prepared;
  if (context.json) context.out.json({ schemaVersion: 1, dryRun, ...facts });
  else if (names.length > 0 && !dryRun)
    context.out.result(
      `${'resumed' in facts ? 'There' : 'Ready'}: ${names.join(', ')}. Nothing was started. Next: smesh-compose post init   (or: docker compose --profile init up)`,
    );
  else if (dryRun) context.out.note('Nothing was changed.');
  if (!dryRun) saySame(context, prepared);
  return ExitCode.ok;
}

function readOptions(invocation: Invocation, places: readonly string[]): PostInitOptions {
  const units = integerOption(invocation, 'units', { min: 1, max: 2 ** 32 - 1 });
  const sizeBytes = sizeOption(invocation);
  if (units !== undefined && sizeBytes !== undefined)
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      '--units and --size say the same in two ways: give one',
    );
  const gpu = GPUS.find((vendor) => vendor === textOption(invocation, 'gpu'));
  const passphraseFile = textOption(invocation, 'passphrase-file');
  const { dryRun, force, ...settings } = readInitOptions(invocation, undefined);
  return {
    places: places.map(placeOf),
    ...present({
      units,
      sizeBytes,
      gpu,
      count: integerOption(invocation, 'count', { min: 1, max: 999 }),
      maxFileSize: integerOption(invocation, 'max-file-size', { min: 1, max: Number.MAX_SAFE_INTEGER }),
      commitment: textOption(invocation, 'commitment'),
      user: userOption(invocation),
      passphraseFile: passphraseFile === undefined ? undefined : fromWorkingDirectory(passphraseFile),
    }),
    providers: (listOption(invocation, 'provider') ?? []).map(providerNumber),
    devices: listOption(invocation, 'device') ?? [],
    split: flagOption(invocation, 'split'),
    cpu: flagOption(invocation, 'cpu'),
    resume: flagOption(invocation, 'resume'),
    detach: flagOption(invocation, 'detach'),
    noStart: invocation.options['start'] === false,
    recipients: listOption(invocation, 'recipient') ?? [],
    keys: settings.keys,
    settings: { ...settings, dryRun, force },
    dryRun,
    force,
  };
}

/** An empty word, from a variable that is not set, would be the directory in which it is typed. */
function placeOf(text: string): string {
  const fault = (what: string) =>
    new SmeshError('bad-option', ExitCode.usage, `One of the places ${what}. Nothing was changed.`);
  if (text.trim() === '') throw fault('is an empty word');
  if (/\p{Cc}/u.test(text))
    throw fault(`holds a control character such as a line break: ${quoteForShell(text)}`);
  return fromWorkingDirectory(text);
}

function sizeOption(invocation: Invocation): number | undefined {
  const text = textOption(invocation, 'size');
  if (text === undefined) return undefined;
  const bytes = readSize(text);
  if (bytes !== undefined) return bytes;
  throw new SmeshError(
    'bad-option',
    ExitCode.usage,
    `--size wants a size such as 2TiB or 500GB, not ${JSON.stringify(text)}`,
  );
}

function userOption(invocation: Invocation): string | undefined {
  const text = textOption(invocation, 'user');
  const isUser = (word: string) => /^\d{1,10}$/.test(word) && Number(word) < 2 ** 32 - 1;
  const words = text?.split(':') ?? [];
  if (text === undefined || (words.length === 2 && words.every(isUser))) return text;
  throw new SmeshError(
    'bad-option',
    ExitCode.usage,
    `--user wants numbers, uid:gid such as 1000:1000, not ${JSON.stringify(text)}`,
  );
}

function providerNumber(text: string): number {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= 0 && number < 2 ** 32) return number;
  throw new SmeshError(
    'bad-option',
    ExitCode.usage,
    `--provider wants the number of a provider, not ${JSON.stringify(text)}`,
  );
}

/** Without the keys that are undefined, as `exactOptionalPropertyTypes` wants it. */
function present<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
