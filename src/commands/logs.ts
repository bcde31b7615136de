import { ExitCode, SmeshError } from '../domain/errors.ts';
import { parseSmesherId, shortId } from '../domain/identity/smesher-id.ts';
import type { Project } from '../domain/project/types.ts';
import { logLineRenderer } from '../ui/log-lines.ts';
import { loadProject } from '../usecases/load-project.ts';
import { followLogs, type LogSource, logSources, mergeLogs, type ServiceLine } from '../usecases/logs.ts';
import { type Context, defineCommand, type Invocation } from './command.ts';
import { flagOption, textOption } from './options.ts';
import { readSince } from './since.ts';

/** Of each service, unless something else is asked for: fifty whole logs help nobody. */
const DEFAULT_TAIL = 100;

/** `logs`: many services at once; exit code 0, also when it is ended with Ctrl-C. */
export const logsCommand = defineCommand({
  name: 'logs',
  summary: 'follow the logs of many services',
  description:
    'Lines of stopped containers too. Without -f they come in the order of their times. A service is named as in smesh.yaml, or by the first digits of its smesher ID; without names: all. With --json a line of JSON per line: service, smesher, at, stream, text.',
  arguments: [{ name: '[services...]', summary: 'node, post-0001, 62834bf0 …' }],
  options: [
    { flags: '-f, --follow', summary: 'go on until Ctrl-C, over restarts too' },
    {
      flags: '-n, --tail <lines>',
      summary: `newest lines of each service, or all (default: ${DEFAULT_TAIL})`,
    },
    { flags: '--since <time>', summary: 'lines from then on: 10m, 2h30m, or 2026-11-22T20:00:00Z' },
    { flags: '-t, --timestamps', summary: 'when the engine received each line, UTC' },
  ],
  examples: [
    { command: 'smesh-compose logs -f node', summary: 'what the node says' },
    {
      command: 'smesh-compose logs --since 20m post-0002 post-0003',
      summary: 'two provers, twenty minutes back',
    },
  ],
  run,
});

async function run(invocation: Invocation, context: Context): Promise<number> {
  const since = readSince(textOption(invocation, 'since'), invocation, context.clock.now());
  const tail = readTail(textOption(invocation, 'tail'), since !== undefined);
  const { project } = await loadProject(context);
  const docker = await context.ports.docker();
  const containers = await docker.containers({ project: project.name });
  const sources = choose(project, logSources(containers), invocation.arguments);
  const chosen = new Set(sources.map(({ service }) => service));
  const print = printer(context, sources, flagOption(invocation, 'timestamps'));
  const query = {
    signal: context.signal,
    ...(tail === undefined ? {} : { tail }),
    ...(since === undefined ? {} : { since }),
  };
  if (flagOption(invocation, 'follow')) {
    const isWanted = (service: string) => invocation.arguments.length === 0 || chosen.has(service);
    await followLogs(docker, project.name, isWanted, query, print);
  } else {
    for await (const line of mergeLogs(docker, sources, query)) print(line);
  }
  return ExitCode.ok;
}

function printer(
  { out, json }: Context,
  sources: readonly LogSource[],
  timestamps: boolean,
): (line: ServiceLine) => void {
  if (json) {
    return ({ service, smesher, at, stream, text }) =>
      out.verbatim(
        JSON.stringify({ service, smesher: smesher ?? null, at: new Date(at).toISOString(), stream, text }),
      );
  }
  const services = [...new Set(sources.map(({ service }) => service))];
  const render = logLineRenderer({ color: out.color, timestamps, services });
  return (line) => out.verbatim(render(line));
}

/** The containers of the named services; a name that means nothing or more than one identity is refused. */
function choose(
  project: Project,
  sources: readonly LogSource[],
  names: readonly string[],
): readonly LogSource[] {
  if (sources.length === 0) {
    throw new SmeshError('no-containers', ExitCode.invalid, `${project.name} has no containers yet`, {
      hint: 'Start it with: smesh-compose up',
    });
  }
  if (names.length === 0) return sources;
  const services = new Set(names.map((name) => serviceNamed(project, sources, name)));
  return sources.filter(({ service }) => services.has(service));
}

function serviceNamed(project: Project, sources: readonly LogSource[], name: string): string {
  if (sources.some(({ service }) => service === name)) return name;
  const byId = project.identities.filter(({ id }) => isPrefix(name) && id.startsWith(name.toLowerCase()));
  const [identity, other] = byId;
  if (identity !== undefined && other !== undefined) {
    throw new SmeshError('ambiguous-service', ExitCode.usage, `${name} stands for more than one identity`, {
      details: byId.map(({ id, name: service }) => `${shortId(id)}  ${service}`),
      hint: 'Give more digits of the smesher ID, or the name.',
    });
  }
  if (identity !== undefined && sources.some(({ service }) => service === identity.name))
    return identity.name;
  const isKnown = identity !== undefined || project.identities.some((known) => known.name === name);
  throw isKnown
    ? new SmeshError('no-containers', ExitCode.invalid, `${identity?.name ?? name} has no container yet`, {
        hint: 'Start it with: smesh-compose up',
      })
    : new SmeshError(
        'unknown-service',
        ExitCode.usage,
        `There is no service ${JSON.stringify(name)} in ${project.name}`,
        {
          details: [`It has: ${listOf(sources.map(({ service }) => service))}`],
        },
      );
}

/** Three digits are still a word: `add`, `bad`. */
function isPrefix(name: string): boolean {
  return name.length >= 4 && parseSmesherId(name.padEnd(64, '0')) !== undefined;
}

function listOf(names: readonly string[]): string {
  const shown = [...new Set(names)].slice(0, 12);
  return shown.join(', ') + (names.length > shown.length ? ', …' : '');
}

function readTail(text: string | undefined, hasSince: boolean): number | undefined {
  if (text === undefined) return hasSince ? undefined : DEFAULT_TAIL;
  if (text === 'all') return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new SmeshError(
    'bad-option',
    ExitCode.usage,
    `--tail wants a number of lines or all, not ${JSON.stringify(text)}`,
  );
}
