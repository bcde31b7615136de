import type { ContainerState } from '../compose/observed.ts';
import type { IdentityProgress } from './identity-progress.ts';
import { groupsOf, type NonceRange, type ProofLog } from './proof-log.ts';
import type { ServiceStatus } from './service-status.ts';
import type { NodeCertainty } from './stop-risk.ts';

/** A container as far as it matters here. */
export type ContainerFacts =
  /** The engine cannot be asked. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'present';
      readonly state: ContainerState;
      /** Its CPU is cut down to next to nothing (`isHeld`). */
      readonly held: boolean;
      /** Cut down so far that it could not even read at a crawl (`isHeldDeep`). */
      readonly heldDeep?: boolean;
      readonly startedAt?: number;
      readonly finishedAt?: number;
      readonly exitCode?: number;
      readonly startError?: string;
      readonly oomKilled: boolean;
    };

/** A reading of `/status`, kept to measure the speed between two of them. */
export interface ReadingSample {
  readonly at: number;
  readonly nonces: NonceRange;
  readonly position: number;
}

/** Everything that is known of one identity at one moment; what could not be learnt is left out or says so. */
export interface IdentityFacts {
  readonly now: number;
  readonly layerMs: number;
  readonly container: ContainerFacts;
  /** As in StopFacts: `unlisted` means that the node answered and does not know the identity. */
  readonly wanted: 'idle' | 'proving' | 'unlisted' | 'unknown';
  readonly node: NodeCertainty;
  /** Absent: it was not asked. */
  readonly service?: ServiceStatus;
  /** Absent: the log was not read. */
  readonly log?: ProofLog;
  readonly progress?: IdentityProgress;
  /** Whether the metadata file is where it should be, seen from this host. */
  readonly data: 'present' | 'absent' | 'unreadable' | 'unknown';
  /** Size of the PoST data. */
  readonly dataBytes?: number;
  /** The first sample of the present pass, from an earlier look. */
  readonly firstSample?: ReadingSample;
}

/** `nothing` only when the node has said so and its word counts (spacemesh.md §14.2). */
export type Wants = 'a-proof' | 'nothing' | 'unlisted' | 'unknown';

export interface PassFacts {
  readonly nonces?: NonceRange;
  /** 1-based. */
  readonly pass?: number;
}

/** What the post-service of an identity does. */
export type Activity =
  | { readonly kind: 'idle' }
  /** Wanted and idle, and nothing is wrong yet: the node asks within seconds. */
  | { readonly kind: 'about-to-prove' }
  | { readonly kind: 'preparing'; readonly since?: number }
  | ({
      readonly kind: 'k2pow';
      readonly since?: number;
      readonly group?: number;
      readonly groups?: number;
    } & PassFacts)
  /** k2pow is over, nothing has been read: the moment to be held at (design §7). */
  | ({ readonly kind: 'ready-to-read' } & PassFacts)
  /** Somewhere before the first piece of data; the log, which alone tells where, was not there. */
  | ({ readonly kind: 'before-reading' } & PassFacts)
  | ({
      readonly kind: 'reading';
      readonly position: number;
      /** Of all data, 0 to 1. */
      readonly fraction?: number;
      /** Bytes per second, average of this pass. */
      readonly rate?: number;
      /** When this pass has read everything: done by then if this pass succeeds. */
      readonly doneAt?: number;
    } & PassFacts)
  /** A proof is there: the node fetches it within seconds. */
  | { readonly kind: 'proof-ready' }
  /** The last attempt failed and the node asks again. `stuck`: only a restart helps (spacemesh.md §3.2). */
  | { readonly kind: 'failed'; readonly reason: string; readonly stuck: boolean }
  | { readonly kind: 'not-connected'; readonly reason: string }
  | { readonly kind: 'paused' }
  /** Takes the connection and does not answer; nothing says why. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'down'; readonly reason: string }
  | { readonly kind: 'not-created' }
  | { readonly kind: 'unknown'; readonly reason: string };

export interface IdentityState {
  readonly wants: Wants;
  readonly activity: Activity;
  /** Slowed by CPU quota; its work and memory are kept. */
  readonly held: boolean;
}

const MINUTE = 60_000;

/** A service that is asked for takes at most so long to begin (operators.md d.6). */
const ASKED_WITHIN = 2 * MINUTE;

/** A container's port opens within seconds; fifty at once on a slow machine take longer. */
const OPENS_WITHIN = 30_000;

/** Log times are whole seconds: over a shorter time they make no speed. */
const LEAST_FOR_RATE = 5_000;

/** Below a twentieth of one CPU nobody proves: that is a hold (spacemesh.md §14.6). */
export function isHeld(host: { readonly cpuQuota: number; readonly cpuPeriod: number }): boolean {
  return host.cpuQuota > 0 && host.cpuQuota < (host.cpuPeriod || 100_000) / 20;
}

/** Below a five-hundredth of one CPU: what is held while its disk is read by somebody else. */
export function isHeldDeep(host: { readonly cpuQuota: number; readonly cpuPeriod: number }): boolean {
  return host.cpuQuota > 0 && host.cpuQuota < (host.cpuPeriod || 100_000) / 500;
}

/** The state of one identity, from what node, engine, service and log say. Contradictions and gaps become `unknown`. */
export function identityState(facts: IdentityFacts): IdentityState {
  const { container } = facts;
  return {
    wants: wantsOf(facts),
    activity: activityOf(facts),
    held: container.kind === 'present' && container.state === 'running' && container.held,
  };
}

function wantsOf({ wanted, node }: IdentityFacts): Wants {
  if (node === 'down') return 'unknown';
  switch (wanted) {
    case 'proving':
      return 'a-proof';
    case 'idle':
      // All states read IDLE for a while after each start, whatever is due.
      return node === 'settled' ? 'nothing' : 'unknown';
    case 'unlisted':
    case 'unknown':
      return wanted;
  }
}

function activityOf(facts: IdentityFacts): Activity {
  const { container } = facts;
  if (container.kind === 'unknown') return unknown('the engine cannot be asked');
  if (container.kind === 'absent') return { kind: 'not-created' };
  switch (container.state) {
    case 'paused':
      return { kind: 'paused' };
    case 'running':
      return runningActivity(facts, container);
    default:
      return { kind: 'down', reason: whyDown(facts, container) };
  }
}

type Present = Extract<ContainerFacts, { kind: 'present' }>;

function runningActivity(facts: IdentityFacts, container: Present): Activity {
  const { service, log, now } = facts;
  switch (service?.kind) {
    case undefined:
      return unknown('it was not asked');
    case 'idle':
      return idleActivity(facts, container);
    case 'proving':
      return provingActivity(facts, service);
    case 'done-proving':
      return doneActivity(facts);
    case 'no-answer':
      return log?.phase.kind === 'preparing'
        ? { kind: 'preparing', ...(log.phase.since === undefined ? {} : { since: log.phase.since }) }
        : { kind: 'silent' };
    case 'refused':
      return container.startedAt !== undefined && now - container.startedAt < OPENS_WITHIN
        ? { kind: 'starting' }
        : unknown('it runs, but nobody listens on its operator port');
    case 'unreachable':
    case 'malformed':
      return unknown(service.reason);
  }
}

function idleActivity(facts: IdentityFacts, container: Present): Activity {
  const { log, now, progress } = facts;
  if (wantsOf(facts) !== 'a-proof') return { kind: 'idle' };
  // The log may end with the proof of an epoch ago: only what has just happened explains why it is idle now.
  const { phase, lastFailure } = log ?? {};
  // The node still has to take note of the proof that it was given.
  if (phase?.kind === 'valid' && isRecent(phase.at, ASKED_WITHIN, now)) return { kind: 'proof-ready' };
  if (phase?.kind === 'failed' && isRecent(lastFailure?.at, ASKED_WITHIN + 2 * facts.layerMs, now)) {
    return { kind: 'failed', reason: phase.reason, stuck: false };
  }
  if (log?.connection.kind === 'lost') return { kind: 'not-connected', reason: log.connection.reason };
  const { startedAt } = container;
  const waits = Math.min(
    progress?.wantedSince === undefined ? 0 : now - progress.wantedSince,
    startedAt === undefined ? 0 : now - startedAt,
  );
  if (waits <= ASKED_WITHIN) return { kind: 'about-to-prove' };
  const minutes = Math.floor(waits / MINUTE);
  return { kind: 'not-connected', reason: `wanted for ${minutes} min, and the node has not asked it` };
}

function isRecent(at: number | undefined, within: number, now: number): boolean {
  return at !== undefined && now - at <= within;
}

function provingActivity(
  facts: IdentityFacts,
  service: Extract<ServiceStatus, { kind: 'proving' }>,
): Activity {
  const { log } = facts;
  // An instant at the start, and the RandomX cache in light mode: no nonces have been chosen.
  const nonces = service.nonces.end > 0 ? service.nonces : undefined;
  if (service.position > 0) return reading(facts, service.position, nonces);
  const phase = log?.phase;
  const pass = passFacts(phase !== undefined && 'nonces' in phase ? (phase.nonces ?? nonces) : nonces);
  switch (phase?.kind) {
    case 'preparing':
      return { kind: 'preparing', ...(phase.since === undefined ? {} : { since: phase.since }) };
    case 'k2pow': {
      const { nonces: range } = pass;
      const groups = phase.groups ?? (range === undefined ? undefined : groupsOf(range));
      return {
        kind: 'k2pow',
        ...pass,
        ...(phase.since === undefined ? {} : { since: phase.since }),
        ...(phase.group === undefined ? {} : { group: phase.group }),
        ...(groups === undefined ? {} : { groups }),
      };
    }
    case 'k2pow-finished':
      return { kind: 'ready-to-read', ...pass };
    case 'reading':
      return reading(facts, 0, pass.nonces);
    // The log is younger than the answer: the proof was finished in between.
    case 'found':
    case 'verifying':
    case 'valid':
      return { kind: 'proof-ready' };
    default:
      if (nonces === undefined) return { kind: 'preparing' };
      return { kind: 'before-reading', ...pass };
  }
}

function reading(facts: IdentityFacts, position: number, nonces: NonceRange | undefined): Activity {
  const { dataBytes, now } = facts;
  const rate = rateOf(facts, position, nonces);
  const left = dataBytes === undefined ? undefined : Math.max(dataBytes - position, 0);
  return {
    kind: 'reading',
    position,
    ...passFacts(nonces),
    ...(dataBytes === undefined || dataBytes <= 0 ? {} : { fraction: Math.min(position / dataBytes, 1) }),
    ...(rate === undefined ? {} : { rate }),
    ...(rate === undefined || left === undefined ? {} : { doneAt: now + (left / rate) * 1000 }),
  };
}

/** From the pass's beginning in the log, else from the first look at this pass. */
function rateOf(facts: IdentityFacts, position: number, nonces: NonceRange | undefined): number | undefined {
  const { log, now, firstSample } = facts;
  const phase = log?.phase;
  const inLog =
    phase?.kind === 'reading' && phase.since !== undefined && isSamePass(phase.nonces, nonces)
      ? { at: phase.since, position: 0 }
      : undefined;
  const seen = firstSample !== undefined && isSamePass(firstSample.nonces, nonces) ? firstSample : undefined;
  const from = inLog ?? seen;
  if (from === undefined) return undefined;
  const elapsed = now - from.at;
  const bytes = position - from.position;
  return elapsed >= LEAST_FOR_RATE && bytes > 0 ? (bytes / elapsed) * 1000 : undefined;
}

function isSamePass(a: NonceRange | undefined, b: NonceRange | undefined): boolean {
  // A log that begins within the pass does not name its nonces; its reading is the present one all the same.
  return a === undefined || (b !== undefined && a.start === b.start && a.end === b.end);
}

function doneActivity({ log, now, layerMs }: IdentityFacts): Activity {
  if (log?.phase.kind !== 'failed') return { kind: 'proof-ready' };
  const { since, reason } = log.phase;
  return { kind: 'failed', reason, stuck: since !== undefined && now - since > 2 * layerMs };
}

function passFacts(nonces: NonceRange | undefined): PassFacts {
  if (nonces === undefined) return {};
  const width = nonces.end - nonces.start;
  return width > 0 ? { nonces, pass: Math.floor(nonces.start / width) + 1 } : { nonces };
}

function whyDown(facts: IdentityFacts, container: Present): string {
  if (facts.data === 'absent') return 'its data is away';
  if (container.startError !== undefined) return container.startError;
  if (container.oomKilled) return 'killed: out of memory';
  const { state, exitCode } = container;
  if (state === 'created') return 'created, never started';
  if (state === 'restarting') return `fails and is restarted again and again (exit ${exitCode ?? '?'})`;
  if (state === 'removing' || state === 'dead') return `the engine is removing it (${state})`;
  switch (exitCode) {
    case undefined:
      return 'ended';
    case 0:
    case 143:
    case 137:
      // 137 too: without an init process that is how a stop ends (spacemesh.md §14.1).
      return 'stopped';
    case 101:
      return 'crashed (exit 101): see its log';
    default:
      return `failed (exit ${exitCode}): see its log`;
  }
}

function unknown(reason: string): Activity {
  return { kind: 'unknown', reason };
}
