import { ExitCode } from '../domain/errors.ts';
import type { SmesherId } from '../domain/identity/smesher-id.ts';
import type { NodeEvent } from '../domain/node/events.ts';
import { eventDocument, eventRenderer } from '../ui/events.ts';
import { chooseIdentities } from '../usecases/choose-identities.ts';
import { followEvents, recentEvents } from '../usecases/events.ts';
import { loadProject } from '../usecases/load-project.ts';
import { type Context, defineCommand, type Invocation } from './command.ts';
import { flagOption, textOption } from './options.ts';
import { readSince } from './since.ts';

/** `events`: what the node says of its identities; exit code 0, also when it is ended with Ctrl-C. */
export const eventsCommand = defineCommand({
  name: 'events',
  summary: "the node's events, by identity and in plain words",
  description:
    "Proofs asked for and made, registrations, PoET proofs and their ticks, ATXs, eligible layers, proposals. The node remembers the last 100, and none from before its start. With names only those identities' own. With --json a line of JSON per event, described in docs/reference/json.md.",
  arguments: [{ name: '[identities...]', summary: 'names, or first digits of smesher IDs; without: all' }],
  options: [
    { flags: '-f, --follow', summary: 'go on until Ctrl-C, over restarts of the node too' },
    { flags: '--since <time>', summary: 'events from then on: 10m, 2h30m, or 2026-11-22T20:00:00Z' },
  ],
  examples: [
    { command: 'smesh-compose events', summary: 'what has happened lately' },
    { command: 'smesh-compose events -f post-0002', summary: 'one identity, as it happens' },
  ],
  run,
});

async function run(invocation: Invocation, context: Context): Promise<number> {
  const since = readSince(textOption(invocation, 'since'), invocation, context.clock.now());
  const { project } = await loadProject(context);
  const chosen = new Set<SmesherId>(chooseIdentities(project, invocation.arguments).map(({ id }) => id));
  const isNamed = invocation.arguments.length > 0;
  // Whoever was removed still has a past.
  const names = new Map([...project.retired, ...project.identities].map(({ id, name }) => [id, name]));
  const { out, json } = context;
  const render = eventRenderer({ color: out.color, names });
  const print = (event: NodeEvent): void => {
    if (since !== undefined && event.at < since) return;
    if (isNamed && !('smesher' in event && chosen.has(event.smesher))) return;
    if (json) out.verbatim(JSON.stringify(eventDocument(event, names)));
    else out.result(render(event));
  };
  if (flagOption(invocation, 'follow')) await followEvents(context, project, print);
  else for (const event of await recentEvents(context, project)) print(event);
  return ExitCode.ok;
}
