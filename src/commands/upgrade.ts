import { ExitCode, SmeshError } from '../domain/errors.ts';
import { runUpgradeCheck } from '../usecases/upgrade/check.ts';
import { runUpgrade } from '../usecases/upgrade/upgrade.ts';
import { defineCommand } from './command.ts';
import { durationOption, flagOption, textOption } from './options.ts';
import { SAFETY_OPTIONS, safetyOptions } from './safety-options.ts';

/** A node that migrates its database may take hours (spacemesh.md §4). */
const DEFAULT_TIMEOUT_MS = 6 * 3600 * 1000;

export const upgradeCommand = defineCommand({
  name: 'upgrade',
  summary: 'bring new images in, in safe moments, and go back when they do not work',
  description: [
    'Checks the way of releases and the free space, pulls, and pins the digests in smesh.yaml before anything is touched.',
    'Then idle post-services first, the node when nobody needs it, the rest as they become idle. A node that is not',
    'healthy and in sync again goes back to its former image (exit 6). Ends with 10 when some have to wait.',
  ].join(' '),
  options: [
    { flags: '--node <image>', summary: 'tag (v1.7.7) or whole image for the node' },
    { flags: '--post-service <image>', summary: 'tag or whole image for all post-services' },
    {
      flags: '--check',
      summary:
        'only say what is newer among stable releases (exit 10 when something is, 4 when nobody could be asked)',
    },
    { flags: '--dry-run', summary: 'show the plan; pull and change nothing' },
    ...SAFETY_OPTIONS,
    {
      flags: '--timeout <duration>',
      summary: 'how long the node may take to be healthy and in sync (default: 6h; a migration takes hours)',
    },
  ],
  examples: [
    { command: 'smesh-compose upgrade --check', summary: 'is there anything newer?' },
    { command: 'smesh-compose upgrade --node v1.7.7 --wait', summary: 'and stay until all is done' },
    {
      command: 'smesh-compose upgrade',
      summary: 'the newest that are known to fit; or go on with one begun',
    },
  ],
  run(invocation, context) {
    const [node, postService] = [textOption(invocation, 'node'), textOption(invocation, 'post-service')];
    if (flagOption(invocation, 'check')) {
      if (node !== undefined || postService !== undefined) {
        throw new SmeshError('bad-option', ExitCode.usage, '--check only looks, and takes no image');
      }
      const { force, wait } = safetyOptions(invocation);
      if (force || wait !== undefined) {
        throw new SmeshError(
          'bad-option',
          ExitCode.usage,
          '--check only looks, and has nothing to wait for or to force',
          { hint: 'smesh-compose upgrade --check   and then: smesh-compose upgrade --wait' },
        );
      }
      return runUpgradeCheck(context);
    }
    return runUpgrade(context, {
      ...(node === undefined ? {} : { node }),
      ...(postService === undefined ? {} : { postService }),
      dryRun: flagOption(invocation, 'dry-run'),
      ...safetyOptions(invocation),
      timeoutMs: durationOption(invocation, 'timeout') ?? DEFAULT_TIMEOUT_MS,
    });
  },
});
