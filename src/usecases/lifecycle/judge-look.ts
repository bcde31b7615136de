import { readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { servedFolders } from '../../domain/compose/who-serves.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import { type GapSources, gapProgress, type LocalRows } from '../../domain/plan/gap-progress.ts';
import { judgeNodeChange, type NodeChange, restartMargin } from '../../domain/plan/node-change.ts';
import { currentOrNextGap, type EpochTimeline, epochClock, epochTimeline } from '../../domain/poet/epochs.ts';
import type { Project } from '../../domain/project/types.ts';
import { type IdentityProgress, identityProgress } from '../../domain/proving/identity-progress.ts';
import { identityState, isHeld } from '../../domain/proving/identity-state.ts';
import { nodeCertainty } from '../../domain/proving/node-certainty.ts';
import type { ProofLog } from '../../domain/proving/proof-log.ts';
import type { ServiceStatus } from '../../domain/proving/service-status.ts';
import { priceOfStop, type StopPrice } from '../../domain/proving/stop-price.ts';
import { judgeStop, type NodeCertainty, type StopFacts } from '../../domain/proving/stop-risk.ts';
import type { LocalDatabaseFacts } from '../../ports/local-database.ts';
import type { NodeSnapshot } from '../../ports/node-api.ts';
import type { ProverLook } from './look-at-provers.ts';

/** What one look at the node and its database found; a part that could not be learnt is undefined. */
export interface World {
  readonly project: Project;
  readonly snapshot: NodeSnapshot | undefined;
  readonly database: LocalDatabaseFacts | undefined;
  readonly node: ObservedContainer | undefined;
  readonly now: number;
  readonly timeline: EpochTimeline;
  /** A schedule is at work; absent: nobody can tell, or nobody is held. */
  readonly scheduleRuns?: boolean;
}

/** What one look at one prover found. */
export interface Seen {
  readonly service: string;
  readonly container: ObservedContainer;
  readonly unchangedMs: number;
  readonly status: ServiceStatus | undefined;
  readonly log: ProofLog | undefined;
  readonly dataBytes: number | undefined;
}

/** Judges what a stop of one prover would lose, and prices it. */
export function judgeProver(world: World, seen: Seen): ProverLook {
  const { container, service, status, log, dataBytes, unchangedMs } = seen;
  const id = idOf(container, world.project);
  const progress = id === undefined ? undefined : progressOf(world, id);
  const facts: StopFacts = {
    now: world.now,
    layerMs: world.project.network.layerSeconds * 1000,
    container: container.state,
    held: isHeld(container.host),
    ...(world.scheduleRuns === undefined ? {} : { heldBySchedule: world.scheduleRuns }),
    wanted: wantedBy(world.snapshot, id),
    node: certaintyOf(world),
    unchangedMs,
    ...(container.startedAt === undefined ? {} : { startedAt: container.startedAt }),
    ...(status === undefined ? {} : { status }),
    ...(log === undefined ? {} : { log }),
    ...(dataBytes === undefined ? {} : { dataBytes }),
    ...(progress?.wantedSince === undefined ? {} : { wantedSince: progress.wantedSince }),
  };
  const risk = judgeStop(facts);
  const price = risk.safe || progress === undefined ? undefined : priceOf(world, facts, progress);
  return {
    service,
    container,
    risk,
    ...(id === undefined ? {} : { smesherId: id }),
    ...(price === undefined ? {} : { price }),
  };
}

function priceOf({ now, timeline }: World, facts: StopFacts, progress: IdentityProgress): StopPrice {
  const { activity } = identityState({
    ...facts,
    container: { kind: 'present', state: 'running', held: facts.held === true, oomKilled: false },
    data: 'unknown',
    ...(facts.status === undefined ? {} : { service: facts.status }),
  });
  return priceOfStop({
    now,
    timeline,
    progress,
    ...(facts.log === undefined ? {} : { log: facts.log }),
    ...(activity.kind === 'reading' && activity.doneAt !== undefined ? { doneAt: activity.doneAt } : {}),
  });
}

/**
 * Whom a prover proves for: by its label; one that was adopted and not yet recreated has none, and is known by its service,
 * where it works on that identity's very directory.
 */
export function idOf(
  container: Pick<ObservedContainer, 'labels' | 'service' | 'command' | 'mounts' | 'image'>,
  project: Pick<Project, 'identities'>,
): SmesherId | undefined {
  const ours = readLabels(container.labels);
  if (ours !== undefined) return ours.smesherId;
  const identity = project.identities.find(({ name }) => name === container.service);
  const isServed = identity !== undefined && servedFolders(container).post.includes(identity.data);
  return isServed ? identity.id : undefined;
}

export function timelineOf(project: Project, now: number): EpochTimeline {
  return epochTimeline(epochClock(project.network, project.poet), now);
}

export function certaintyOf({ project, snapshot, node, now }: World): NodeCertainty {
  const startedAt = node?.startedAt;
  const status = snapshot?.status;
  return nodeCertainty({
    now,
    layerMs: project.network.layerSeconds * 1000,
    container: node?.state === 'running' || node?.state === 'paused' ? 'running' : 'not-running',
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(status?.ok === true && snapshot?.postStates.ok === true ? { synced: status.value.synced } : {}),
  });
}

export function wantedBy(
  snapshot: NodeSnapshot | undefined,
  id: SmesherId | undefined,
): 'idle' | 'proving' | 'unlisted' | 'unknown' {
  if (snapshot === undefined || !snapshot.postStates.ok || id === undefined) return 'unknown';
  const states = snapshot.postStates.value.filter(({ smesher }) => smesher === id);
  const [told] = states;
  // Told twice and differently it is not known.
  if (told !== undefined) return states.every(({ state }) => state === told.state) ? told.state : 'unknown';
  // A list that leaves out somebody whom the node smeshes with says nothing; an empty answer reads like such a list.
  const { smesherIds } = snapshot;
  return smesherIds.ok && !smesherIds.value.includes(id) ? 'unlisted' : 'unknown';
}

/** How far an identity is in its epoch, by node and database. */
export function progressOf(
  { snapshot, database, timeline }: Pick<World, 'snapshot' | 'database' | 'timeline'>,
  id: SmesherId,
): IdentityProgress {
  const rows =
    database?.kind === 'read'
      ? (database.identities.find(({ smesherId }) => smesherId === id) ?? ('none' as const))
      : undefined;
  return identityProgress(
    {
      smesher: id,
      ...(snapshot?.activations.ok ? { activations: snapshot.activations.value } : {}),
      ...(snapshot?.events.ok ? { events: snapshot.events.value } : {}),
      ...(rows === undefined ? {} : { rows }),
    },
    timeline.deadlines.epoch,
  );
}

/** Whether the node may be stopped or restarted now (design §8). */
export function judgeNode({ project, snapshot, database, now }: World): NodeChange {
  const clock = epochClock(project.network, project.poet);
  const gap = currentOrNextGap(clock, now);
  const sources: GapSources = {
    epoch: gap.epoch,
    ...(snapshot?.smesherIds.ok ? { loaded: snapshot.smesherIds.value } : {}),
    ...(snapshot?.activations.ok ? { atxs: snapshot.activations.value } : {}),
    ...(snapshot?.postStates.ok ? { states: snapshot.postStates.value } : {}),
    ...(snapshot?.events.ok ? { events: snapshot.events.value } : {}),
    ...(database?.kind === 'read' ? { rows: localRows(database) } : {}),
  };
  const progress = project.identities.map(({ id, name }) => gapProgress(id, name, sources));
  return judgeNodeChange(gap, now, progress, restartMargin(clock));
}

function localRows({
  identities,
}: Extract<LocalDatabaseFacts, { kind: 'read' }>): ReadonlyMap<SmesherId, LocalRows> {
  return new Map(
    identities.map(({ smesherId, post, challenge, registrations }) => [
      smesherId,
      {
        post,
        ...(challenge === undefined ? {} : { challengeEpoch: challenge.publishEpoch }),
        registeredRounds: registrations.map(({ roundId }) => roundId),
      },
    ]),
  );
}
