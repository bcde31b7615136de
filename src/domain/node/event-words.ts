import type { NodeEvent } from './events.ts';

/** How moments are written for the reader at hand. */
export type TellMoment = (at: number) => string;

/** The kinds of the malfeasance enumeration (spacemesh.md §5.4) in words. */
const OFFENCES: Readonly<Record<string, string>> = {
  MALFEASANCE_ATX: 'two ATXs in one epoch',
  MALFEASANCE_BALLOT: 'two ballots in one layer',
  MALFEASANCE_HARE: 'two Hare messages in one round',
  MALFEASANCE_POST_INDEX: 'an invalid PoST',
  MALFEASANCE_INCORRECT_PREV_ATX: 'an ATX with a wrong predecessor',
};

const INITIAL_CHALLENGE = /^0*$/;

/** More layers than this are counted. */
const LAYERS_NAMED = 6;

/**
 * What an event means to an operator, continuing the name of the identity, or of the node where it is about all. Rounds
 * carry the number of the epoch before the publish epoch (spacemesh.md §7.1).
 */
export function eventWords(event: NodeEvent, tell: TellMoment): string {
  switch (event.kind) {
    case 'beacon':
      return `knows the beacon of epoch ${event.epoch} (${event.beacon}): eligible layers are drawn with it`;
    case 'init-start':
      return 'begins to initialise PoST data itself';
    case 'init-complete':
      return 'has initialised its PoST data';
    case 'init-failed':
      return `FAILED to initialise its PoST data: ${event.error}`;
    case 'post-start':
      return INITIAL_CHALLENGE.test(event.challenge)
        ? 'is asked for its initial proof'
        : `is asked to prove its data (challenge ${event.challenge.slice(0, 8)})`;
    case 'post-complete':
      if (event.failed) return `FAILED to prove: ${event.help}`;
      return INITIAL_CHALLENGE.test(event.challenge) ? 'has made its initial proof' : 'has proved its data';
    case 'atx-published':
      return `has published its ATX ${event.atx.slice(0, 8)} in epoch ${event.current}: it earns in epoch ${event.target}, from ${tell(event.until)} on`;
    case 'eligibilities':
      return eligibilityWords(event);
    case 'proposal':
      return `has published a proposal in layer ${digits(event.layer)}: paid when it is in a block`;
    case 'malfeasance':
      return `is CANCELLED by the network for ever: ${OFFENCES[event.what] ?? event.what}`;
    case 'post-service-started':
      return 'has started a post-service of its own (supervised smeshing)';
    case 'post-service-stopped':
      return 'has stopped its own post-service (supervised smeshing)';
    case 'waiting-for-registration-window':
      return windowWords(event.publish, event.until, tell);
    case 'waiting-for-round-end':
      return roundWords(event.publish, event.until, tell);
    case 'legacy-wait':
      return event.for === 'round-start'
        ? windowWords(event.publish, event.until, tell)
        : roundWords(event.publish, event.until, tell);
    case 'registered-in-poet':
      return `is registered for round ${event.roundId} at ${event.url}`;
    case 'poet-proof-downloaded':
      return `has the proof of round ${event.roundId} from ${event.url}: ${digits(event.ticks)} ticks`;
    case 'poet-proof-selected':
      return `takes the proof of round ${event.roundId} from ${event.url}: ${digits(event.ticks)} ticks`;
    case 'other':
      return `says something that this version does not know (${event.name || 'unnamed'}): ${event.help}`;
  }
}

function windowWords(publish: number, until: number, tell: TellMoment): string {
  return `waits for registration for round ${publish - 1}, which opens ${tell(until)}`;
}

function roundWords(publish: number, until: number, tell: TellMoment): string {
  return `waits for the end of round ${publish - 1}, ${tell(until)}; then it proves, and its ATX earns in epoch ${publish + 1}`;
}

function eligibilityWords({ epoch, layers }: Extract<NodeEvent, { kind: 'eligibilities' }>): string {
  if (layers.length === 0) return `has no eligible layer in epoch ${epoch}: its weight is too small for one`;
  // The node's own map has no order.
  const sorted = layers.map(({ layer }) => layer).sort((a, b) => a - b);
  const named = sorted.slice(0, LAYERS_NAMED).map(digits).join(', ');
  const more = sorted.length > LAYERS_NAMED ? ` … ${digits(sorted.at(-1) ?? 0)}` : '';
  const what = sorted.length === 1 ? '1 eligible layer' : `${sorted.length} eligible layers`;
  return `has ${what} in epoch ${epoch}: ${named}${more}`;
}

function digits(count: number | bigint): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}
