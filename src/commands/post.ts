import { ExitCode, SmeshError } from '../domain/errors.ts';
import { type Context, defineCommand, type Invocation } from './command.ts';
import { POST_INIT_OPTIONS, runPostInit } from './post-init.ts';
import { POST_JOB_OPTIONS, runPostStatus, runPostStop } from './post-jobs.ts';
import { refuseOptionsOfOthers } from './post-options.ts';
import { POST_VERIFY_OPTIONS, runPostVerify } from './post-verify.ts';

type Act = (invocation: Invocation, context: Context, rest: readonly string[]) => Promise<number>;

const ACTS: Readonly<Record<string, Act>> = {
  init: runPostInit,
  status: runPostStatus,
  stop: runPostStop,
  verify: runPostVerify,
};

export const postCommand = defineCommand({
  name: 'post',
  summary: 'PoST data of new identities: make it on the GPU, watch it, stop it, check its labels',
  description:
    'init makes new identities: key and its backup first, then the data, as Compose jobs of profile init that go on by themselves; run again it resumes. status: how far each job is. stop: ends jobs after their running batch. verify: structure always, a sample of labels with postcli.',
  arguments: [
    { name: '<action>', summary: 'init, status, stop or verify' },
    {
      name: '[places...]',
      summary: 'init: directories or disks; the others: identities, jobs or directories',
    },
  ],
  options: [...POST_INIT_OPTIONS, ...POST_JOB_OPTIONS, ...POST_VERIFY_OPTIONS],
  examples: [
    { command: 'smesh-compose post init /mnt/d5', summary: 'asks how much, and with which card' },
    {
      command: 'smesh-compose post init /mnt/d5 /mnt/d6 --units 40 --yes --passphrase-file ~/backup.pass',
      summary: 'without questions: one identity on each disk',
    },
    { command: 'smesh-compose post init --resume', summary: 'after a reboot, or to watch again' },
  ],
  async run(invocation, context) {
    const [action = '', ...rest] = invocation.arguments;
    const act = ACTS[action];
    if (act === undefined)
      throw new SmeshError(
        'unknown-action',
        ExitCode.usage,
        `post can ${Object.keys(ACTS).join(', ')}, not ${JSON.stringify(action)}`,
        { hint: 'See them: smesh-compose post --help' },
      );
    refuseOptionsOfOthers(invocation, action);
    return act(invocation, context, rest);
  },
});
