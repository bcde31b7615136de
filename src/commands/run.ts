import { runSchedule } from '../usecases/schedule/run-loop.ts';
import { defineCommand } from './command.ts';
import { flagOption } from './options.ts';

export const runCommand = defineCommand({
  name: 'run',
  summary: 'the schedule: starts, holds and stops post-services so that all proofs fit the gap',
  description: [
    'Looks at node, services, logs and disks again and again: starts whose proof the node wants as soon as its disk, a k2pow',
    'slot and memory are free, does the k2pow of the next one ahead, and stops who has nothing to do. Never stops one that',
    'proves. A line per act; alarms go to stderr. Goes on until Ctrl-C or SIGTERM, which leave all as it is (exit 0); a',
    'second one for the same project ends with 75. With --json a line of JSON per act, alarm and look.',
  ].join(' '),
  options: [
    { flags: '--once', summary: 'one look and its acts' },
    { flags: '--dry-run', summary: 'one look; say what would be done, exit 10 where something would' },
  ],
  examples: [
    { command: 'smesh-compose run', summary: 'in the foreground; systemd/ has a unit for it' },
    { command: 'smesh-compose run --dry-run', summary: 'who would be started now, and who waits for what' },
  ],
  run(invocation, context) {
    return runSchedule(context, {
      once: flagOption(invocation, 'once'),
      dryRun: flagOption(invocation, 'dry-run'),
    });
  },
});
