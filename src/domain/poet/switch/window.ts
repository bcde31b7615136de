import { type EpochClock, openRoundAt, roundEnd, roundStart } from '../epochs.ts';

/** The rhythm that a project has and the one it is to get. */
export interface Rhythms {
  readonly from: EpochClock;
  readonly to: EpochClock;
}

/** From `opens`, if everybody has published by then, to `closes`, when the node has to go down at the latest. */
export interface SwitchWindow {
  readonly opens: number;
  readonly closes: number;
}

const opensRegistration = (clock: EpochClock, round: number) => roundStart(clock, round) - clock.gracePeriod;

/**
 * The last moment at which a node that has nobody registered may go down: it has to be up again before registration opens
 * with the one rhythm or the other (spacemesh.md §6.4: before min(old, new) next round start − grace; §14.7: what counts is
 * when it is up again).
 *
 * @param leadMs from the stop of the node to its open ports
 */
export function windowCloses({ from, to }: Rhythms, now: number, leadMs: number): number {
  const next = [from, to].map((clock) => opensRegistration(clock, openRoundAt(clock, now)));
  return Math.min(...next) - leadMs;
}

/** The first stretch from that moment on in which a node without registrations may be changed. */
export function windowFrom(rhythms: Rhythms, earliest: number, leadMs: number): SwitchWindow | undefined {
  let opens = earliest;
  // With two rhythms at most two stretches are too short in a row; more would mean there is none.
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const closes = windowCloses(rhythms, opens, leadMs);
    if (opens < closes) return { opens, closes };
    opens = nextOpening(rhythms, opens, leadMs);
  }
  return undefined;
}

/** Behind a round of the old rhythm everybody is registered until it ends; behind one of the new rhythm nobody is. */
function nextOpening({ from, to }: Rhythms, at: number, leadMs: number): number {
  const isPast = (clock: EpochClock) => opensRegistration(clock, openRoundAt(clock, at)) - leadMs <= at;
  const past = [
    ...(isPast(from) ? [roundEnd(from, openRoundAt(from, at))] : []),
    ...(isPast(to) ? [roundStart(to, openRoundAt(to, at))] : []),
  ];
  return Math.max(...past);
}

/** What comes of it for an identity that nothing is registered of when the node is up again. */
export interface SwitchOutcome {
  /** Its next round with the new PoETs. */
  readonly round: number;
  readonly registrationOpens: number;
  readonly roundStarts: number;
  readonly roundEnds: number;
  /** Publish epoch of the first ATX through them; it earns in the next one. */
  readonly publishEpoch: number;
  /** Epochs without rewards that it would have had by staying. */
  readonly lostEpochs: readonly number[];
}

/**
 * An earlier phase has begun its round of this epoch already, and the next one makes an ATX one epoch later: the epoch
 * between is lost (spacemesh.md §6.4, §7.1).
 *
 * @param upAt when the node runs with the new PoETs
 */
export function outcomeOf({ from, to }: Rhythms, upAt: number): SwitchOutcome {
  const round = openRoundAt(to, upAt);
  const stays = openRoundAt(from, upAt);
  return {
    round,
    registrationOpens: opensRegistration(to, round),
    roundStarts: roundStart(to, round),
    roundEnds: roundEnd(to, round),
    publishEpoch: round + 1,
    lostEpochs: Array.from({ length: Math.max(0, round - stays) }, (_, index) => stays + 2 + index),
  };
}
