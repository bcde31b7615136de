import type { Project } from '../../domain/project/types.ts';
import type { CommandPart } from '../init/headless.ts';
import type { Shares } from './ask-count.ts';
import type { PostInitOptions } from './options.ts';
import type { NewData } from './plan-new.ts';

/** What was answered, as flags. */
export function flagsOf(
  { backup }: Project,
  plan: NewData,
  { making, served }: Pick<Shares, 'making' | 'served'>,
  options: PostInitOptions,
  resumed: boolean,
): readonly CommandPart[] {
  const units = new Set(plan.identities.map((identity) => identity.units));
  const [same] = units;
  // With other units they do not count for the same command.
  const counted = making.filter((job) => units.size !== 1 || job.units === same);
  const hasKey = options.recipients.length + (backup?.recipients.length ?? 0) > 0;
  const repeated = (flag: string, values: readonly string[]): CommandPart[] =>
    [...new Set(values)].map((value) => [flag, value]);
  return [
    // Without it `--yes` takes as much as fits, which is what differs from place to place.
    ['--units', resumed || units.size !== 1 || same === undefined ? undefined : String(same)],
    [
      '--count',
      resumed
        ? undefined
        : String(plan.identities.length + new Set(counted.map(({ id }) => id)).size + served.length),
    ],
    ['--gpu', plan.gpu],
    ['--cpu', plan.gpu === 'cpu' ? true : undefined],
    ...repeated(
      '--device',
      plan.jobs.flatMap(({ job }) => job.device ?? []),
    ),
    ...repeated(
      '--provider',
      plan.jobs.flatMap(({ job }) => (job.provider === undefined ? [] : [String(job.provider)])),
    ),
    ['--split', plan.split ? true : undefined],
    [
      '--max-file-size',
      resumed || options.maxFileSize === undefined ? undefined : String(options.maxFileSize),
    ],
    ['--commitment', resumed ? undefined : options.commitment],
    ['--user', options.user],
    ['--passphrase-file', options.passphraseFile ?? (hasKey ? undefined : 'FILE')],
    ...repeated('--recipient', options.recipients),
    ...repeated('--keys', options.keys),
    ['--no-start', options.noStart ? true : undefined],
    ['--detach', options.detach ? true : undefined],
  ];
}
