import { type Activity, type IdentityState, identityState, type Wants } from '../proving/identity-state.ts';
import { judgeStop, type StopRisk } from '../proving/stop-risk.ts';
import { k2powLeft, k2powMs, prepareMs, proofMemory, readMs } from './estimates.ts';
import type { ProverFacts, ScheduleObservation } from './observation.ts';
import type { SchedulePolicy } from './policy.ts';

/**
 * How far a prover is, as the schedule counts it. From `beginning` to `reading` it claims its disk, memory and, until it
 * reads, a k2pow slot.
 */
export type Stage =
  /** There is no container, or the engine is at it. */
  | 'absent'
  | 'down'
  | 'resting'
  /** Runs and is wanted: the node asks it within seconds. */
  | 'beginning'
  | 'preparing'
  | 'k2pow'
  /** Its k2pow is over; the next that it does is to read. */
  | 'ready'
  | 'reading'
  /** The proof is there and waits for the node. */
  | 'handing-over'
  /** Runs, is wanted and cannot prove until something is mended. */
  | 'failing'
  /** Works, perhaps, and nobody can say on what: it counts as a reader. */
  | 'unclear';

/** One prover, judged: facts, what they mean, and what is left to do. */
export interface Worker {
  readonly facts: ProverFacts;
  /** In the order of smesh.yaml. */
  readonly index: number;
  readonly state: IdentityState;
  readonly risk: StopRisk;
  readonly stage: Stage;
  readonly held: boolean;
  readonly remote: boolean;
  readonly memory: number;
  readonly preparingLeft: number;
  /** k2pow that is left of this pass. */
  readonly k2powLeft: number;
  /** Reading that is left, on the average. */
  readonly readLeft: number;
  /** Where its log tells the groups of its k2pow. */
  readonly groups?: { readonly groupsLeft: number; readonly groupMs: number; readonly leftMs: number };
}

const RANK: Readonly<Record<Stage, number>> = {
  absent: 0,
  down: 0,
  resting: 0,
  failing: 0,
  'handing-over': 0,
  beginning: 1,
  preparing: 2,
  k2pow: 3,
  ready: 4,
  // Before one that is seen to read a guess gives way.
  unclear: 4.5,
  reading: 5,
};

/** More is further on the way to its proof; 0: it claims nothing. */
export function rankOf({ stage }: Pick<Worker, 'stage'>): number {
  return RANK[stage];
}

export function judgeWorker(
  facts: ProverFacts,
  index: number,
  observation: ScheduleObservation,
  policy: SchedulePolicy,
  now: number,
): Worker {
  const { container } = facts;
  const { node, layerMs } = observation;
  const state = identityState({ ...facts, now, layerMs, node });
  const present = container.kind === 'present' ? container : undefined;
  const risk = judgeStop({
    now,
    layerMs,
    node,
    wanted: facts.wanted,
    ...(present === undefined ? {} : { container: present.state, held: present.held }),
    ...(present?.startedAt === undefined ? {} : { startedAt: present.startedAt }),
    ...(facts.service === undefined ? {} : { status: facts.service }),
    ...(facts.progress?.wantedSince === undefined ? {} : { wantedSince: facts.progress.wantedSince }),
    ...(facts.unchangedMs === undefined ? {} : { unchangedMs: facts.unchangedMs }),
    ...(facts.log === undefined ? {} : { log: facts.log }),
    ...(facts.dataBytes === undefined ? {} : { dataBytes: facts.dataBytes }),
  });
  const held = present?.state === 'running' && present.held;
  // Asked for nothing, whatever it waits for: it must not keep a disk and a slot from the others.
  const unreached = risk.safe && risk.trouble === 'not-connected';
  const stage = unreached ? 'failing' : stageOf(facts, state);
  const groups = k2powLeft(facts, policy);
  return {
    facts,
    index,
    state,
    risk,
    stage,
    held,
    remote: facts.settings.remoteK2pow !== undefined,
    memory: proofMemory(facts.settings),
    preparingLeft: RANK[stage] <= RANK.preparing ? prepareMs(facts.settings, policy) : 0,
    k2powLeft: RANK[stage] >= RANK.ready ? 0 : (groups?.leftMs ?? k2powMs(facts, policy)),
    readLeft: readLeft(state.activity, facts, policy, now),
    ...(groups === undefined ? {} : { groups }),
  };
}

function stageOf(facts: ProverFacts, { activity, wants }: IdentityState): Stage {
  switch (activity.kind) {
    case 'not-created':
      return 'absent';
    case 'down': {
      const state = facts.container.kind === 'present' ? facts.container.state : 'dead';
      return state === 'exited' || state === 'created' ? 'down' : 'absent';
    }
    case 'idle':
      return 'resting';
    case 'about-to-prove':
      return 'beginning';
    case 'starting':
      return wants === 'a-proof' ? 'beginning' : 'resting';
    case 'preparing':
      return 'preparing';
    case 'k2pow':
    // The log alone would tell whether it reads already: without it the position has not moved yet.
    case 'before-reading':
      return 'k2pow';
    case 'ready-to-read':
      return 'ready';
    case 'reading':
      return 'reading';
    case 'proof-ready':
      return 'handing-over';
    case 'failed':
      return activity.stuck ? 'failing' : facts.courtesy.invalidProofs > 1 ? 'failing' : 'beginning';
    case 'not-connected':
      return 'failing';
    case 'silent':
      return stageByLog(facts, wants);
    case 'paused':
      return 'unclear';
    case 'unknown':
      return facts.container.kind === 'unknown' ? 'absent' : stageByLog(facts, wants);
  }
}

/** Held ones answer slowly, and frozen disks make everybody silent: the log's last word counts then. */
function stageByLog({ log, container }: ProverFacts, wants: Wants): Stage {
  switch (log?.phase.kind) {
    case 'preparing':
      return 'preparing';
    case 'k2pow':
      return 'k2pow';
    case 'k2pow-finished':
      return 'ready';
    case 'reading':
    case 'read':
      return 'reading';
    case 'found':
    case 'verifying':
      return 'handing-over';
    case 'valid':
      // Too busy a host to answer in time is no new proof.
      if (wants !== 'a-proof') return 'resting';
      return container.kind === 'present' && container.held ? 'preparing' : 'unclear';
    case 'none':
    case 'failed':
    case undefined:
      // The node's word counts, and it wants nothing: it has nothing to read for.
      if (wants === 'nothing') return 'resting';
      // What is held reads next to nothing; were it to own its disk as a reader, nobody would ever release it.
      return container.kind === 'present' && container.held ? 'preparing' : 'unclear';
  }
}

function readLeft(activity: Activity, facts: ProverFacts, policy: SchedulePolicy, now: number): number {
  const expected = readMs(facts, policy);
  if (activity.kind !== 'reading') return expected;
  if (activity.doneAt !== undefined && activity.rate !== undefined) return Math.max(activity.doneAt - now, 0);
  return activity.fraction === undefined ? expected : expected * (1 - activity.fraction);
}

/** Its k2pow is still to be done, so it needs a slot. */
export function needsK2pow({ stage }: Pick<Worker, 'stage'>): boolean {
  return stage === 'beginning' || stage === 'preparing' || stage === 'k2pow';
}

/** Its k2pow is done elsewhere, and its last process ended in the middle of a proof (exit 101, spacemesh.md §3.4). */
export function hasLostItsWorker({ settings, container, log, wanted }: ProverFacts): boolean {
  if (settings.remoteK2pow === undefined || wanted !== 'proving') return false;
  const ended = container.kind === 'present' && container.exitCode === 101;
  return ended || log?.interrupted !== undefined;
}
