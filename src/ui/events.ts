import type { SmesherId } from '../domain/identity/smesher-id.ts';
import { shortId } from '../domain/identity/smesher-id.ts';
import { eventWords } from '../domain/node/event-words.ts';
import type { NodeEvent } from '../domain/node/events.ts';
import { printable } from './text.ts';

export interface EventView {
  readonly color: boolean;
  /** Names by smesher ID; whoever has none is called by the first digits. */
  readonly names: ReadonlyMap<SmesherId, string>;
}

/** Whose event it is; about all identities, or the network, is the node's own. */
function nameOf(event: NodeEvent, names: EventView['names']): string {
  if (!('smesher' in event)) return 'node';
  return names.get(event.smesher) ?? shortId(event.smesher);
}

/** Makes `2026-11-22 20:00:12  post-0001  is asked to prove its data` of events; times in UTC. */
export function eventRenderer({ color, names }: EventView): (event: NodeEvent) => string {
  const width = Math.max(4, ...[...names.values()].map((name) => name.length));
  return (event) => {
    const name = printable(nameOf(event, names)).padEnd(width);
    const words = printable(eventWords(event, (at) => `${moment(at).replace(/:00$/, '')} UTC`));
    const isBad = event.failed || event.kind === 'malfeasance' || event.kind === 'init-failed';
    return `${moment(event.at)}  ${name}  ${color && isBad ? `\u001b[31m${words}\u001b[39m` : words}`;
  };
}

function moment(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}

/**
 * One event as a line of JSON (docs/reference/json.md). `type` is always the newer form of a wait, whichever the node
 * sent; what is not known is null.
 */
export function eventDocument(
  event: NodeEvent,
  names: EventView['names'],
): Readonly<Record<string, unknown>> {
  const { at, failed, help, kind, ...details } = event;
  const smesher = 'smesher' in event ? event.smesher : undefined;
  return {
    at: new Date(at).toISOString(),
    type: kind === 'legacy-wait' ? newerForm(event) : kind,
    smesher: smesher ?? null,
    name: smesher === undefined ? null : (names.get(smesher) ?? null),
    failed,
    text: eventWords(event, (time) => new Date(time).toISOString()),
    help,
    details: Object.fromEntries(
      Object.entries(details)
        .filter(([field]) => field !== 'smesher' && field !== 'for')
        .map(([field, value]) => [field, detail(field, value)]),
    ),
  };
}

function newerForm(event: NodeEvent): string {
  return event.kind === 'legacy-wait' && event.for === 'round-start'
    ? 'waiting-for-registration-window'
    : 'waiting-for-round-end';
}

function detail(field: string, value: unknown): unknown {
  // More than a number may hold exactly.
  if (typeof value === 'bigint') return value.toString();
  return field === 'until' && typeof value === 'number' ? new Date(value).toISOString() : value;
}
