import { ExitCode, SmeshError } from '../domain/errors.ts';
import { POET_PRESETS } from '../domain/poet/presets.ts';
import type { Invocation, OptionSpec } from './command.ts';
import { SWITCH_OPTIONS } from './poet-switch.ts';

/** Which options belong to which action: one that means nothing there is a misunderstanding. */
const OPTIONS_OF: Readonly<Record<string, readonly string[]>> = {
  list: ['rounds', 'timeout'],
  add: ['pubkey', 'timeout', 'dry-run', 'force'],
  remove: ['dry-run', 'force'],
  check: ['rounds', 'timeout'],
  schedule: ['epochs', 'network', 'preset', 'phase-shift', 'cycle-gap', 'grace', 'ics', 'alarm'],
  serve: ['use', 'port', 'publish', 'data', 'image', 'dry-run', 'force'],
  switch: ['to', 'cancel', 'wait', 'start-time', 'start-timeout', 'delete-registrations', 'dry-run'],
  recover: ['start-timeout', 'delete-registrations', 'dry-run'],
};

export const POET_ACTIONS: readonly string[] = Object.keys(OPTIONS_OF);

/** Options of all actions of `poet`; each summary begins with those that it belongs to. */
export const POET_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--pubkey <base64>',
    summary: 'add: what the public key of the server must be, if you were told it',
  },
  { flags: '--rounds <n>', summary: 'list, check: finished rounds to ask each server for (default: 2)' },
  {
    flags: '--timeout <duration>',
    summary: 'list, add, check: for each question to a server (default: 5s)',
  },
  { flags: '--epochs <n>', summary: 'schedule: how many epochs (default: 6)' },
  {
    flags: '--network <name>',
    summary: "schedule: instead of the project's; without a project mainnet",
    choices: ['mainnet', 'testnet'],
  },
  {
    flags: '--preset <name>',
    summary: `schedule: the rhythm of certain PoETs: ${POET_PRESETS.map(({ name }) => name).join(', ')}`,
  },
  { flags: '--phase-shift <duration>', summary: 'schedule: another phase shift, such as 288h' },
  { flags: '--cycle-gap <duration>', summary: 'schedule: another cycle gap, such as 24h' },
  { flags: '--grace <duration>', summary: 'schedule: another grace period, such as 1h' },
  { flags: '--ics <file>', summary: 'schedule: write a calendar file; - prints it' },
  { flags: '--alarm <duration>', summary: 'schedule: with --ics, a reminder that long before each gap' },
  { flags: '--use', summary: 'serve: put it into the list of servers, too' },
  { flags: '--port <n>', summary: 'serve: port on this host (default: 8080)' },
  {
    flags: '--publish <address>',
    summary: 'serve: address of this host on which others may reach it (default: 127.0.0.1, nobody)',
  },
  {
    flags: '--data <dir>',
    summary: 'serve: folder for its key and proofs (default: poet, in the project)',
  },
  { flags: '--image <image>', summary: 'serve: another release of the service' },
  {
    flags: '--dry-run',
    summary: 'add, remove, serve, switch, recover: show what would be done, change nothing',
  },
  {
    flags: '--force',
    summary: 'add, remove, serve: overwrite generated files changed by hand; they are kept in .smesh/backups',
  },
  ...SWITCH_OPTIONS,
];

/** Exit 2 for an option that means nothing to the action. */
export function refuseOptionsOfOthers(invocation: Invocation, action: string): void {
  const all = new Set(Object.values(OPTIONS_OF).flat());
  for (const name of all) {
    const given = invocation.options[name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    if (given === undefined || given === false || OPTIONS_OF[action]?.includes(name)) continue;
    const owners = Object.keys(OPTIONS_OF).filter((other) => OPTIONS_OF[other]?.includes(name));
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      `--${name} belongs to: ${owners.map((owner) => `poet ${owner}`).join(', ')}`,
    );
  }
}
