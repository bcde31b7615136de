import type { SmesherId } from '../identity/smesher-id.ts';
import { groupsOf } from '../proving/proof-log.ts';
import type { ProverFacts, ScheduleObservation } from './observation.ts';

/** A pass over data, or a k2pow, that is watched from look to look. */
interface Watched {
  readonly kind: 'reading' | 'k2pow';
  readonly nonces: number;
  readonly at: number;
  readonly position: number;
  readonly lastAt: number;
  readonly lastPosition: number;
  /** Held, or not alone: what it took says nothing. */
  readonly spoilt: boolean;
}

/** Keyed by identity; only of those that are at it at this moment. */
export type Watch = ReadonlyMap<SmesherId, Watched>;

export type Measurement =
  | { readonly kind: 'disk'; readonly disk: string; readonly bytesPerSecond: number }
  | { readonly kind: 'k2pow'; readonly hashesPerSecond: number };

/** Shorter reading says more about caches and whole seconds than about a disk. */
const LEAST_READING_MS = 60_000;
const LEAST_READ_BYTES = 2 ** 30;

/** Fewer hashes than these are luck: 16 nonce groups vary by a quarter. */
const LEAST_HASHES = 100_000;

/** Looks further apart may have missed that somebody else read meanwhile. */
const LONGEST_PAUSE_MS = 2 * 60_000;

/**
 * What can be measured from one look to the next: how fast a disk is read by one reader, from a pass that has ended; how
 * fast the host hashes, from a k2pow that was alone. What was held or shared in between is thrown away.
 *
 * @param hashesPerUnitGroup expected for one nonce group of one unit
 */
export function measure(
  before: Watch,
  observation: ScheduleObservation,
  { hashesPerUnitGroup, cores }: { readonly hashesPerUnitGroup: number; readonly cores: number },
): { readonly watch: Watch; readonly measured: readonly Measurement[] } {
  const watch = new Map<SmesherId, Watched>();
  const measured: Measurement[] = [];
  const doing = new Map(observation.provers.map((prover) => [prover.id, stepOf(prover)]));
  for (const prover of observation.provers) {
    const known = before.get(prover.id);
    const now = doing.get(prover.id);
    const goesOn = known !== undefined && now?.kind === known.kind && now.nonces === known.nonces;
    if (known !== undefined && !goesOn) {
      const found = resultOf(known, prover, observation.at, hashesPerUnitGroup, cores);
      if (found !== undefined) measured.push(found);
    }
    if (now === undefined) continue;
    const spoilt =
      isHeld(prover) ||
      observation.provers.some((other) => other !== prover && hinders(other, prover, doing)) ||
      (known !== undefined && observation.at - known.lastAt > LONGEST_PAUSE_MS);
    watch.set(prover.id, {
      ...now,
      at: goesOn ? known.at : now.at,
      position: goesOn ? known.position : now.position,
      lastAt: observation.at,
      lastPosition: now.position,
      spoilt: spoilt || (goesOn && known.spoilt),
    });
  }
  return { watch, measured };

  function stepOf({
    service,
    log,
  }: ProverFacts): Pick<Watched, 'kind' | 'nonces' | 'at' | 'position'> | undefined {
    if (service?.kind === 'proving' && service.position > 0) {
      return {
        kind: 'reading',
        nonces: service.nonces.start,
        at: observation.at,
        position: service.position,
      };
    }
    const phase = log?.phase;
    if (phase?.kind !== 'k2pow' || phase.nonces === undefined || phase.since === undefined) return undefined;
    return { kind: 'k2pow', nonces: phase.nonces.start, at: phase.since, position: groupsOf(phase.nonces) };
  }
}

function isHeld({ container }: ProverFacts): boolean {
  return container.kind === 'present' && container.held;
}

function hinders(
  other: ProverFacts,
  prover: ProverFacts,
  doing: ReadonlyMap<SmesherId, Pick<Watched, 'kind'> | undefined>,
): boolean {
  const [its, own] = [doing.get(other.id)?.kind, doing.get(prover.id)?.kind];
  if (its === undefined || its !== own) return false;
  // One that is held reads and hashes at a hundredth.
  if (isHeld(other)) return false;
  return own === 'k2pow' ? other.settings.remoteK2pow === undefined : other.disk === prover.disk;
}

function resultOf(
  known: Watched,
  prover: ProverFacts,
  now: number,
  hashesPerUnitGroup: number,
  cores: number,
): Measurement | undefined {
  if (known.spoilt) return undefined;
  if (known.kind === 'reading') {
    const ms = known.lastAt - known.at;
    const bytes = known.lastPosition - known.position;
    if (ms < LEAST_READING_MS || bytes < LEAST_READ_BYTES) return undefined;
    return { kind: 'disk', disk: prover.disk, bytesPerSecond: (bytes / ms) * 1000 };
  }
  const { settings, units, log } = prover;
  // The rate is one of this host in fast mode.
  if (settings.remoteK2pow !== undefined || settings.randomx !== 'fast' || units === undefined)
    return undefined;
  const end = endOfK2pow(log);
  if (end === undefined || end > now || end <= known.at) return undefined;
  const hashes = known.position * units * hashesPerUnitGroup;
  if (hashes < LEAST_HASHES) return undefined;
  const share = settings.threads === 0 ? 1 : Math.min(settings.threads / cores, 1);
  return { kind: 'k2pow', hashesPerSecond: ((hashes / (end - known.at)) * 1000) / share };
}

function endOfK2pow(log: ProverFacts['log']): number | undefined {
  const phase = log?.phase;
  if (phase?.kind === 'k2pow-finished') return phase.at;
  return phase?.kind === 'reading' ? phase.since : undefined;
}
