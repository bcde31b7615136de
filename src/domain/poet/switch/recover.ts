import type { SmesherId } from '../../identity/smesher-id.ts';
import type { PoetServer, PoetSettings } from '../../project/types.ts';
import type { EpochClock } from '../epochs.ts';
import { roundEnd, roundStart } from '../epochs.ts';
import type { StageRows } from './stages.ts';

/** What is known of a server: from `/v1/info`, else from the network's own settings or an earlier smesh.yaml. */
export interface KnownPoet {
  readonly pubkey: string;
  /** Seconds. */
  readonly phaseShift: number;
  readonly cycleGap: number;
  /** Where that comes from, for words: `/v1/info`. */
  readonly source: string;
}

/** A server as smesh.yaml has it; its key may be missing, which is what crashes the node. */
export interface WrittenServer {
  readonly address: string;
  readonly pubkey?: string;
}

export interface RecoveryFacts {
  readonly servers: readonly WrittenServer[];
  readonly times: Pick<PoetSettings, 'phaseShift' | 'cycleGap'>;
  /** By address, of the servers in the list and of those with registrations. */
  readonly known: ReadonlyMap<string, KnownPoet>;
  readonly identities: readonly {
    readonly smesher: SmesherId;
    readonly name: string;
    readonly rows?: StageRows | 'none';
  }[];
  /** A private network: its node takes exactly one server, the one in its own process. */
  readonly takesOne: boolean;
  /** Genesis and epoch of the network; phase and gap are put in from each server. */
  readonly clock: EpochClock;
}

/** Somebody whose present registrations lead to no server in the list, and whose round has begun. */
export interface Stranded {
  readonly smesher: SmesherId;
  readonly name: string;
  readonly addresses: readonly string[];
  /** Publish epoch of the ATX that hangs on it; it earns in the next one. */
  readonly publishEpoch: number;
}

export type Recovery =
  /** The list is as it has to be: if the node fails, it is for another reason. */
  | { readonly kind: 'nothing' }
  /** Nothing is lost by it. */
  | {
      readonly kind: 'settings';
      readonly servers: readonly PoetServer[];
      readonly phaseShift: number;
      readonly cycleGap: number;
      /** What is done and why, a sentence each. */
      readonly reasons: readonly string[];
      readonly stranded: readonly Stranded[];
    }
  /** What would have to be known cannot be learnt. */
  | { readonly kind: 'stuck'; readonly why: string; readonly stranded: readonly Stranded[] };

/** Those that end the node at every start (`None of the poets listed…`, spacemesh.md §14.7). */
export function strandedBy(facts: RecoveryFacts, now: number): readonly Stranded[] {
  const listed = new Set(facts.servers.map(({ address }) => address));
  return facts.identities.flatMap(({ smesher, name, rows }) => {
    if (rows === undefined || rows === 'none' || rows.challenge === undefined) return [];
    const { publishEpoch } = rows.challenge;
    const addresses = rows.registrations.map(({ address }) => address);
    if (addresses.length === 0 || addresses.some((address) => listed.has(address))) return [];
    // The node clears a challenge itself whose epoch is over.
    if (now >= facts.clock.genesis + (publishEpoch + 1) * facts.clock.epoch) return [];
    return hasBegun(facts, addresses, publishEpoch - 1, now)
      ? [{ smesher, name, addresses, publishEpoch }]
      : [];
  });
}

/** PoETs say how long a round still takes by clocks of their own. */
const CLOCKS_DIFFER_OF_EPOCH = 1 / 200;
const CLOCKS_DIFFER_MOST_MS = 10 * 60_000;
const WHOLE_SECONDS_MS = 2000;

/**
 * Registered for a round that is still to begin and ends at another time than the configured ones do, with PoETs that the list
 * does not name: started now, the node would register them with both, and rounds that overlap can end with two ATXs
 * (spacemesh.md §6.4). By the rows alone: nobody is asked.
 */
export function doubledBy(
  { servers, clock }: Pick<RecoveryFacts, 'servers' | 'clock'>,
  identities: readonly {
    readonly name: string;
    readonly publishEpoch?: number;
    /** `roundEnd` in seconds since 1970, 0 where the PoET did not say. */
    readonly registrations: readonly { readonly address: string; readonly roundEnd: number }[];
  }[],
  now: number,
): readonly { readonly name: string; readonly addresses: readonly string[] }[] {
  const listed = new Set(servers.map(({ address }) => address));
  const tolerance = Math.max(
    WHOLE_SECONDS_MS,
    Math.min(CLOCKS_DIFFER_MOST_MS, clock.epoch * CLOCKS_DIFFER_OF_EPOCH),
  );
  return identities.flatMap(({ name, publishEpoch, registrations }) => {
    if (publishEpoch === undefined || registrations.some(({ address }) => listed.has(address))) return [];
    if (now >= roundStart(clock, publishEpoch - 1)) return [];
    const ends = roundEnd(clock, publishEpoch - 1);
    const odd = registrations.filter(
      (one) => one.roundEnd > 0 && Math.abs(one.roundEnd * 1000 - ends) > tolerance,
    );
    return odd.length === 0 ? [] : [{ name, addresses: odd.map(({ address }) => address) }];
  });
}

/**
 * Registered for a round that is still to begin, with PoETs of another rhythm than the configured one: the node would register
 * it with these, too, and two rounds that overlap can end with two ATXs (spacemesh.md §6.4).
 */
function bindsElsewhere(facts: RecoveryFacts, now: number): readonly Pick<Stranded, 'addresses'>[] {
  const listed = new Set(facts.servers.map(({ address }) => address));
  return facts.identities.flatMap(({ rows }) => {
    if (rows === undefined || rows === 'none' || rows.challenge === undefined) return [];
    const addresses = rows.registrations.map(({ address }) => address);
    if (addresses.length === 0 || addresses.some((address) => listed.has(address))) return [];
    if (now >= facts.clock.genesis + (rows.challenge.publishEpoch + 1) * facts.clock.epoch) return [];
    const others = addresses.flatMap((address) => facts.known.get(address) ?? []);
    return others.some((one) => !fits(facts.times, one)) ? [{ addresses }] : [];
  });
}

/** By what the servers say that were registered with, and by what the node is configured with: it goes by the latter. */
function hasBegun(
  { known, times, clock }: RecoveryFacts,
  addresses: readonly string[],
  round: number,
  now: number,
) {
  const shifts = [times.phaseShift, ...addresses.flatMap((address) => known.get(address)?.phaseShift ?? [])];
  return shifts.some((shift) => now >= roundStart({ ...clock, phaseShift: shift * 1000 }, round));
}

/**
 * The settings with which the node runs again and nobody loses a proof: the servers come back that registrations lead to,
 * those of another rhythm go, and every key is put in (spacemesh.md §6.4, §7.2, §14.7). Which rhythm is right the
 * registrations say; without any, what is configured if a server has it, else what all servers say.
 */
export function decideRecovery(facts: RecoveryFacts, now: number): Recovery {
  const stranded = strandedBy(facts, now);
  const bound = [...stranded, ...bindsElsewhere(facts, now)];
  const needed = [...new Set(bound.flatMap(({ addresses }) => addresses))];
  const unknown = needed.filter((address) => !facts.known.has(address));
  const reachable = needed.filter((address) => facts.known.has(address));
  const covered = bound.every(({ addresses }) => addresses.some((address) => reachable.includes(address)));
  if (!covered) {
    return {
      kind: 'stuck',
      stranded,
      why: `${unknown.join(', ')} ${unknown.length === 1 ? 'does' : 'do'} not answer, and without ${unknown.length === 1 ? 'its public key' : 'their public keys'} the node would crash when the round ends`,
    };
  }
  const rhythm = rhythmOf(facts, reachable);
  if (typeof rhythm === 'string') return { kind: 'stuck', stranded, why: rhythm };
  return settle(facts, rhythm, reachable, stranded);
}

type Rhythm = Pick<PoetSettings, 'phaseShift' | 'cycleGap'>;

const fits = (rhythm: Rhythm, { phaseShift, cycleGap }: Rhythm) =>
  rhythm.phaseShift === phaseShift && rhythm.cycleGap === cycleGap;

/** In words where it cannot be told. */
function rhythmOf(facts: RecoveryFacts, needed: readonly string[]): Rhythm | string {
  const kept = registeredInList(facts);
  const deciding = [...needed, ...kept].flatMap((address) => facts.known.get(address) ?? []);
  const listed = facts.servers.flatMap(({ address }) => facts.known.get(address) ?? []);
  const [first] = deciding;
  if (first !== undefined) {
    return deciding.every((one) => fits(first, one))
      ? first
      : 'identities are registered with PoETs of different rhythms, and a node takes only one';
  }
  if (listed.length === 0 || listed.some((one) => fits(facts.times, one))) return facts.times;
  const [other] = listed;
  return other !== undefined && listed.every((one) => fits(other, one))
    ? other
    : 'the PoETs in the list have different rhythms, and none has the one that is configured: leave those in poet.servers that belong together';
}

/** Addresses in the list that somebody needs for the proof that is being made. */
function registeredInList({ servers, identities }: RecoveryFacts): readonly string[] {
  const used = new Set(
    identities.flatMap(({ rows }) =>
      rows === undefined || rows === 'none' ? [] : rows.registrations.map(({ address }) => address),
    ),
  );
  return servers.map(({ address }) => address).filter((address) => used.has(address));
}

function settle(
  facts: RecoveryFacts,
  rhythm: Rhythm,
  back: readonly string[],
  stranded: readonly Stranded[],
): Recovery {
  const reasons: string[] = [];
  const servers: PoetServer[] = [];
  for (const { address, pubkey } of facts.servers) {
    const known = facts.known.get(address);
    if (known !== undefined && !fits(rhythm, known)) {
      reasons.push(
        `${address} goes out of the list: it has another rhythm, and the node ends at every start with it`,
      );
      continue;
    }
    const key = pubkey ?? known?.pubkey;
    if (key === undefined) {
      return {
        kind: 'stuck',
        stranded,
        why: `${address} has no public key in the list, and does not answer when it is asked for it`,
      };
    }
    if (pubkey === undefined) {
      reasons.push(
        `${address} gets its public key, ${key} (from ${known?.source ?? ''}): without it the node crashes when a round ends`,
      );
    }
    servers.push({ address, pubkey: key });
  }
  for (const address of back) {
    const known = facts.known.get(address);
    if (known === undefined || !fits(rhythm, known) || servers.some((one) => one.address === address))
      continue;
    const names = facts.identities
      .filter(
        ({ rows }) =>
          rows !== undefined && rows !== 'none' && rows.registrations.some((one) => one.address === address),
      )
      .map(({ name }) => name);
    reasons.push(
      `${address} comes back into the list, public key ${known.pubkey} (from ${known.source}): it has the registration of ${names.join(', ')}`,
    );
    servers.push({ address, pubkey: known.pubkey });
  }
  if (facts.takesOne && servers.length > 1) {
    const last = servers.at(-1);
    servers.splice(0, servers.length, ...(last === undefined ? [] : [last]));
  }
  if (servers.length === 0) return { kind: 'stuck', stranded, why: 'no PoET would be left in the list' };
  if (!fits(rhythm, facts.times)) {
    reasons.push('phase shift and cycle gap become those that these PoETs have');
  }
  if (reasons.length === 0) return { kind: 'nothing' };
  return {
    kind: 'settings',
    servers,
    phaseShift: rhythm.phaseShift,
    cycleGap: rhythm.cycleGap,
    reasons,
    stranded,
  };
}
