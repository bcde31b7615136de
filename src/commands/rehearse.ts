import { ExitCode, SmeshError } from '../domain/errors.ts';
import { DEFAULT_IMAGES } from '../domain/node/images.ts';
import { fromWorkingDirectory } from '../usecases/init/options.ts';
import { runRehearsal } from '../usecases/rehearse/run.ts';
import { defineCommand } from './command.ts';
import { durationOption, flagOption, integerOption, textOption } from './options.ts';

const MOST_IDENTITIES = 50;
const DEFAULT_IDENTITIES = 3;
const DEFAULT_DISKS = 2;
const DEFAULT_EPOCH_SECONDS = 180;

/** Below this nobody has time to prove between two rounds; above, it is no rehearsal any more. */
const SHORTEST_EPOCH_SECONDS = 20;
const LONGEST_EPOCH_SECONDS = 3600;

export const rehearseCommand = defineCommand({
  name: 'rehearse',
  summary: 'the whole thing on a private network with throw-away identities',
  description: [
    'Makes tiny identities, a project for them and a private network of one node, runs it until every identity has',
    'published its ATX, adds one more, shows that nothing else was touched, and takes it all down. The same programs and',
    'the same steps as in earnest; only the network differs.',
  ].join(' '),
  options: [
    { flags: '--identities <count>', summary: `how many identities (default: ${DEFAULT_IDENTITIES})` },
    { flags: '--disks <count>', summary: `folders that play disks (default: ${DEFAULT_DISKS})` },
    {
      flags: '--epoch <duration>',
      summary: 'length of an epoch (default: 180s, which suits the official images)',
    },
    { flags: '--node-image <image>', summary: `default: ${DEFAULT_IMAGES.node}` },
    { flags: '--post-image <image>', summary: `default: ${DEFAULT_IMAGES.prover}` },
    { flags: '--postcli-image <image>', summary: `default: ${DEFAULT_IMAGES.initialisation}` },
    { flags: '--dir <dir>', summary: 'an absent or empty folder for it (default: smesh-rehearsal)' },
    { flags: '--keep', summary: 'leave containers and folder at the end' },
    { flags: '--timeout <duration>', summary: 'give up after (default: three times the estimate)' },
  ],
  examples: [
    { command: 'smesh-compose rehearse', summary: 'three identities, about ten minutes' },
    {
      command: 'smesh-compose rehearse --identities 10 --disks 5 --keep',
      summary: 'a bigger one, to play with afterwards',
    },
  ],
  run(invocation, context) {
    const count = (name: string, max: number) => integerOption(invocation, name, { min: 1, max });
    const identities = count('identities', MOST_IDENTITIES) ?? DEFAULT_IDENTITIES;
    const directory = textOption(invocation, 'dir');
    const timeoutMs = durationOption(invocation, 'timeout');
    return runRehearsal(context, {
      identities,
      disks: Math.min(count('disks', MOST_IDENTITIES) ?? DEFAULT_DISKS, identities),
      epochSeconds: readEpoch(durationOption(invocation, 'epoch')),
      images: {
        node: textOption(invocation, 'node-image') ?? DEFAULT_IMAGES.node,
        post: textOption(invocation, 'post-image') ?? DEFAULT_IMAGES.prover,
        postcli: textOption(invocation, 'postcli-image') ?? DEFAULT_IMAGES.initialisation,
      },
      directory:
        directory === undefined ? `${context.directory}/smesh-rehearsal` : fromWorkingDirectory(directory),
      keep: flagOption(invocation, 'keep'),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  },
});

function readEpoch(ms: number | undefined): number {
  if (ms === undefined) return DEFAULT_EPOCH_SECONDS;
  const seconds = Math.round(ms / 1000);
  if (seconds >= SHORTEST_EPOCH_SECONDS && seconds <= LONGEST_EPOCH_SECONDS) return seconds;
  throw new SmeshError(
    'bad-option',
    ExitCode.usage,
    `--epoch wants ${SHORTEST_EPOCH_SECONDS}s to ${LONGEST_EPOCH_SECONDS / 60}m`,
  );
}
