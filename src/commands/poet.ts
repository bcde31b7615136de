import { ExitCode, SmeshError } from '../domain/errors.ts';
import { fromWorkingDirectory } from '../usecases/init/options.ts';
import { loadProject } from '../usecases/load-project.ts';
import { addPoets } from '../usecases/poet/change-list.ts';
import { checkPoets } from '../usecases/poet/check.ts';
import { listPoets } from '../usecases/poet/list.ts';
import { removePoets } from '../usecases/poet/remove.ts';
import { showSchedule } from '../usecases/poet/schedule.ts';
import { servePoet } from '../usecases/poet/serve.ts';
import { lockedUnlessDry } from '../usecases/project-lock.ts';
import { type Context, defineCommand, type Invocation } from './command.ts';
import { durationOption, flagOption, integerOption, textOption } from './options.ts';
import { POET_ACTIONS, POET_OPTIONS, refuseOptionsOfOthers } from './poet-options.ts';
import { runPoetRecover, runPoetSwitch, SWITCH_EXAMPLES } from './poet-switch.ts';

const DEFAULT_TIMEOUT_MS = 5000;

type Act = (invocation: Invocation, context: Context, rest: readonly string[]) => Promise<number>;

const ACTS: Readonly<Record<string, Act>> = {
  list,
  add,
  remove,
  check,
  schedule,
  serve,
  switch: change,
  recover,
};

export const poetCommand = defineCommand({
  name: 'poet',
  summary: 'PoET servers: list, add, remove, check, rounds and deadlines, change of phase, one of your own',
  description:
    'list (the default): the servers, what they are, their work in the last rounds, and how many identities are registered there. add, remove: change the list in smesh.yaml; the node reads it at its next start. check: are they there, the right ones and of this network; exit 3 when not. schedule: gaps, rounds and deadlines, also as a calendar file. serve: a PoET service of your own in the project. switch: change to PoETs of another phase, in the window in which it costs nothing or what was said; can be killed and run again. recover: a node that ends again and again because of its PoETs.',
  arguments: [
    { name: '[action]', summary: `${POET_ACTIONS.join(', ')}; default: list` },
    { name: '[addresses...]', summary: 'add, remove, check: https://host, exactly as registered with' },
  ],
  options: POET_OPTIONS,
  examples: [
    {
      command: 'smesh-compose poet check',
      summary: 'before every gap, from cron: exit code 3 when one fails',
    },
    {
      command: 'smesh-compose poet add https://poet.example.org',
      summary: 'takes its key from the server, shows it and writes it down',
    },
    {
      command: 'smesh-compose poet schedule --ics gaps.ics --alarm 24h',
      summary: 'the next gaps for your calendar, with a reminder a day before',
    },
    {
      command: 'smesh-compose poet schedule --network mainnet --preset team24',
      summary: 'another rhythm, without a project',
    },
    ...SWITCH_EXAMPLES,
  ],
  async run(invocation, context) {
    const [action = 'list', ...rest] = invocation.arguments;
    const act = Object.hasOwn(ACTS, action) ? ACTS[action] : undefined;
    if (act === undefined) {
      throw new SmeshError(
        'unknown-action',
        ExitCode.usage,
        `poet can ${POET_ACTIONS.join(', ')}, not ${action}`,
        { hint: 'Help: smesh-compose poet --help' },
      );
    }
    refuseOptionsOfOthers(invocation, action);
    return act(invocation, context, rest);
  },
});

function refuseArguments(action: string, rest: readonly string[]): void {
  if (rest.length === 0) return;
  throw new SmeshError('usage', ExitCode.usage, `poet ${action} takes no ${JSON.stringify(rest[0])}`);
}

function requireArguments(action: string, rest: readonly string[]): void {
  if (rest.length > 0) return;
  throw new SmeshError('usage', ExitCode.usage, `poet ${action} wants the address of a PoET`, {
    hint: `Nothing was changed. For example: smesh-compose poet ${action} https://poet.example.org`,
  });
}

function change(invocation: Invocation, context: Context, rest: readonly string[]): Promise<number> {
  refuseArguments('switch', rest);
  return runPoetSwitch(invocation, context);
}

function recover(invocation: Invocation, context: Context, rest: readonly string[]): Promise<number> {
  refuseArguments('recover', rest);
  return runPoetRecover(invocation, context);
}

const timeoutOf = (invocation: Invocation) => durationOption(invocation, 'timeout') ?? DEFAULT_TIMEOUT_MS;
const roundsOf = (invocation: Invocation) => integerOption(invocation, 'rounds', { min: 0, max: 20 }) ?? 2;
const writing = (invocation: Invocation) => ({
  dryRun: flagOption(invocation, 'dry-run'),
  force: flagOption(invocation, 'force'),
});

async function list(invocation: Invocation, context: Context, rest: readonly string[]): Promise<number> {
  refuseArguments('list', rest);
  const { project } = await loadProject(context);
  return listPoets(context, project, { timeoutMs: timeoutOf(invocation), rounds: roundsOf(invocation) });
}

async function check(
  invocation: Invocation,
  context: Context,
  addresses: readonly string[],
): Promise<number> {
  const { project } = await loadProject(context);
  const request = { addresses, timeoutMs: timeoutOf(invocation), rounds: roundsOf(invocation) };
  return checkPoets(context, project, request);
}

function add(invocation: Invocation, context: Context, addresses: readonly string[]): Promise<number> {
  requireArguments('add', addresses);
  const options = writing(invocation);
  const pubkey = textOption(invocation, 'pubkey');
  return lockedUnlessDry(context, 'poet add', options.dryRun, async () =>
    addPoets(context, await loadProject(context), {
      ...options,
      addresses,
      timeoutMs: timeoutOf(invocation),
      ...(pubkey === undefined ? {} : { pubkey }),
    }),
  );
}

function remove(invocation: Invocation, context: Context, addresses: readonly string[]): Promise<number> {
  requireArguments('remove', addresses);
  const options = writing(invocation);
  return lockedUnlessDry(context, 'poet remove', options.dryRun, async () =>
    removePoets(context, await loadProject(context), { ...options, addresses }),
  );
}

function serve(invocation: Invocation, context: Context, rest: readonly string[]): Promise<number> {
  refuseArguments('serve', rest);
  const options = writing(invocation);
  const port = integerOption(invocation, 'port', { min: 1, max: 65_535 });
  const texts = ['image', 'publish', 'data'].flatMap((name) => {
    const value = textOption(invocation, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return lockedUnlessDry(context, 'poet serve', options.dryRun, async () =>
    servePoet(context, await loadProject(context), {
      ...options,
      use: flagOption(invocation, 'use'),
      ...(port === undefined ? {} : { port }),
      ...Object.fromEntries(texts),
    }),
  );
}

function schedule(invocation: Invocation, context: Context, rest: readonly string[]): Promise<number> {
  refuseArguments('schedule', rest);
  const network = textOption(invocation, 'network');
  const preset = textOption(invocation, 'preset');
  const ics = textOption(invocation, 'ics');
  const alarmMs = durationOption(invocation, 'alarm');
  if (alarmMs !== undefined && ics === undefined) {
    throw new SmeshError('bad-option', ExitCode.usage, '--alarm belongs to --ics');
  }
  const seconds = Object.entries({ phaseShift: 'phase-shift', cycleGap: 'cycle-gap', gracePeriod: 'grace' })
    .map(([key, name]) => [key, durationOption(invocation, name)] as const)
    .filter((entry): entry is readonly [string, number] => entry[1] !== undefined)
    .map(([key, ms]) => [key, ms / 1000] as const);
  return showSchedule(context, {
    epochs: integerOption(invocation, 'epochs', { min: 1, max: 200 }) ?? 6,
    ...Object.fromEntries(seconds),
    ...(network === 'mainnet' || network === 'testnet' ? { network } : {}),
    ...(preset === undefined ? {} : { preset }),
    ...(ics === undefined ? {} : { ics: ics === '-' ? ics : fromWorkingDirectory(ics) }),
    ...(alarmMs === undefined ? {} : { alarmMs }),
  });
}
