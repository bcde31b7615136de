import { type NodeEvent, parseNodeEvent } from '../../domain/node/events.ts';
import type { Answer } from '../../ports/node-api.ts';
import type { NodeChannel } from './channel.ts';
import { failed, faultOf } from './faults.ts';

export const EVENTS = 'spacemesh.v1.AdminService/EventsStream';

/** The ring holds so many (spacemesh.md §5.4). */
const RING_SIZE = 100;

/** The old events come in one burst; after so much silence there are no more of them. */
const QUIET_MS = 120;

/** Reads the ring of past events and leaves before the node goes on with live ones. */
export function collectRecentEvents(
  channel: NodeChannel,
  timeoutMs: number,
): Promise<Answer<readonly NodeEvent[]>> {
  return new Promise((resolve) => {
    const stream = channel.stream(EVENTS, {}, timeoutMs);
    const events: NodeEvent[] = [];
    let quiet: NodeJS.Timeout | undefined;
    let answered = false;
    const finish = (answer: Answer<readonly NodeEvent[]>): void => {
      if (answered) return;
      answered = true;
      clearTimeout(quiet);
      stream.cancel();
      resolve(answer);
    };
    const waitForQuiet = (): void => {
      clearTimeout(quiet);
      quiet = setTimeout(() => finish({ ok: true, value: events }), QUIET_MS);
    };
    // Headers mean that the node has subscribed us: with an empty ring nothing else comes.
    stream.on('metadata', waitForQuiet);
    stream.on('data', (answer: unknown) => {
      const parsed = parseNodeEvent(answer);
      if (!parsed.ok) return finish(failed({ kind: 'malformed', message: `an event: ${parsed.reason}` }));
      events.push(parsed.value);
      if (events.length >= RING_SIZE) return finish({ ok: true, value: events });
      waitForQuiet();
    });
    // Also cancelling reports here, after the answer.
    stream.on('error', (error) => finish(failed(faultOf(error))));
    stream.on('end', () => finish({ ok: true, value: events }));
  });
}
