import type { ObservedContainer } from '../../domain/compose/observed.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import { type EpochTimeline, epochClock, epochTimeline } from '../../domain/poet/epochs.ts';
import type { Project } from '../../domain/project/types.ts';
import { identityProgress } from '../../domain/proving/identity-progress.ts';
import {
  type ContainerFacts,
  identityState,
  isHeld,
  isHeldDeep,
  type ReadingSample,
} from '../../domain/proving/identity-state.ts';
import { nodeCertainty } from '../../domain/proving/node-certainty.ts';
import type { IdentityReport, NodeReport, StatusReport } from '../../domain/proving/status-report.ts';
import { courtesyOf } from '../../domain/schedule/courtesy.ts';
import { NO_HISTORY, type ScheduleHistory } from '../../domain/schedule/history.ts';
import type { ProverFacts } from '../../domain/schedule/observation.ts';
import type { SchedulePolicy } from '../../domain/schedule/policy.ts';
import { type ScheduleReport, scheduleReport } from '../../domain/schedule/schedule-report.ts';
import type { NodeFault } from '../../ports/node-api.ts';
import type { Observation } from '../observe.ts';
import { findTrouble } from './findings.ts';
import { proverFacts } from './prover-facts.ts';
import { countAll, registrationOf } from './registration.ts';

/** First sample of each identity's present pass, carried from look to look. */
export type Samples = ReadonlyMap<SmesherId, ReadingSample>;

export interface ReportInputs {
  readonly directory: string;
  readonly project: Project;
  readonly observation: Observation;
  readonly samples?: Samples;
  /** Absent: nothing is said of waiting, and of nobody when it will be done who does not read yet. */
  readonly schedule?: ScheduleInputs;
}

/** What the schedule's own decision needs beside the observation. */
export interface ScheduleInputs {
  readonly policy: SchedulePolicy;
  /** A `smesh-compose run` is at work; absent: nobody can tell. */
  readonly runs?: boolean;
  /** What the loop remembers: whom a person stopped, on which disk those are that are away. */
  readonly history: ScheduleHistory;
}

/** Decides what an observation means. Pure: the time is the observation's. */
export function buildReport({
  directory,
  project,
  observation,
  samples,
  schedule,
}: ReportInputs): StatusReport {
  const clock = epochClock(project.network, project.poet);
  const timeline = epochTimeline(clock, observation.at);
  const node = nodeReport(observation, clock.layer);
  const sources = progressSources(observation);
  const provers = new Map<SmesherId, ProverFacts>();
  const history = schedule?.history ?? NO_HISTORY;
  const judged = observation.identities.map((observed): Omit<IdentityReport, 'registration'> => {
    const { identity, container, log, units, dataBytes, disk } = observed;
    const progress = identityProgress(
      { smesher: identity.id, ...sources(identity.id) },
      timeline.deadlines.epoch,
    );
    const seen = containerFacts(observation, container);
    // A disk that is away has no name any more.
    const knownDisk = disk ?? history.diskOf.get(identity.id);
    const facts = proverFacts({
      observed: knownDisk === undefined ? observed : { ...observed, disk: knownDisk },
      container: seen,
      wanted: wantedOf(observation, identity.id),
      progress,
      sample: samples?.get(identity.id),
      courtesy: courtesyOf(history, identity.id, seen, container?.id),
    });
    provers.set(identity.id, facts);
    const state = identityState({
      ...facts,
      now: observation.at,
      layerMs: clock.layer,
      node: node.certainty,
    });
    return {
      smesher: identity.id,
      name: identity.name,
      data: identity.data,
      dataSeen: observed.data,
      ...(disk === undefined ? {} : { disk }),
      ...(units === undefined ? {} : { units }),
      ...(dataBytes === undefined ? {} : { dataBytes }),
      ...(container === undefined ? {} : { container }),
      ...(log === undefined ? {} : { log }),
      state,
      progress,
    };
  });
  const plan =
    schedule === undefined
      ? undefined
      : scheduleReport(
          {
            at: observation.at,
            layerMs: clock.layer,
            timeline,
            node: node.certainty,
            provers: [...provers.values()],
          },
          schedule.policy,
          schedule.runs,
        );
  const identities = judged.map((one) => withSchedule(one, plan, timeline, observation.at));
  return {
    at: observation.at,
    engineAnswers: observation.engineFault === undefined,
    project: project.name,
    directory,
    network: project.network.name,
    node,
    timeline,
    identities,
    counts: countAll(identities),
    ...(plan === undefined ? {} : { schedule: plan }),
    findings: findTrouble(observation, {
      node,
      timeline,
      identities,
      network: project.network.name,
      ...(plan === undefined ? {} : { schedule: plan }),
    }),
  };
}

/** Keeps the first reading of each pass that goes on, and begins anew with the next pass. */
export function nextSamples(samples: Samples, observation: Observation): Samples {
  const next = new Map<SmesherId, ReadingSample>();
  for (const { identity, service } of observation.identities) {
    if (service?.kind !== 'proving' || service.position === 0) continue;
    const before = samples.get(identity.id);
    const goesOn =
      before !== undefined &&
      before.nonces.start === service.nonces.start &&
      before.position <= service.position;
    next.set(identity.id, goesOn ? before : { at: observation.at, ...service });
  }
  return next;
}

function nodeReport(observation: Observation, layerMs: number): NodeReport {
  const { container, answers, freeBytes } = observation.node;
  const status = answers?.status;
  const startedAt = container?.startedAt;
  const certainty = nodeCertainty({
    now: observation.at,
    layerMs,
    container:
      observation.engineFault === undefined
        ? container?.state === 'running'
          ? 'running'
          : 'not-running'
        : 'unknown',
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(status?.ok ? { synced: status.value.synced } : {}),
  });
  return {
    certainty,
    ...(container === undefined ? {} : { container }),
    ...(freeBytes === undefined ? {} : { freeBytes }),
    ...(answers?.version.ok ? { version: answers.version.value } : {}),
    ...(status?.ok ? { synced: status.value.synced, peers: status.value.peers } : {}),
    ...(answers?.currentLayer.ok ? { layer: answers.currentLayer.value } : {}),
    ...(answers?.currentEpoch.ok ? { epoch: answers.currentEpoch.value } : {}),
    ...(status !== undefined && !status.ok ? { fault: faultWords(status.error) } : {}),
  };
}

/** gRPC's own words for a closed port are of no use to anybody. */
function faultWords({ kind, message }: NodeFault): string {
  if (kind === 'unreachable') return 'its port is closed';
  return kind === 'timeout' ? 'no answer in time' : message;
}

/** A container as far as it matters to a state. */
export function containerFacts(
  observation: Pick<Observation, 'engineFault'>,
  container: ObservedContainer | undefined,
): ContainerFacts {
  if (observation.engineFault !== undefined) return { kind: 'unknown' };
  if (container === undefined) return { kind: 'absent' };
  const { state, startedAt, finishedAt, exitCode, startError, oomKilled } = container;
  return {
    kind: 'present',
    state,
    held: isHeld(container.host),
    heldDeep: isHeldDeep(container.host),
    oomKilled,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(startError === undefined ? {} : { startError }),
  };
}

function wantedOf(observation: Observation, id: SmesherId): 'idle' | 'proving' | 'unlisted' | 'unknown' {
  const states = observation.node.answers?.postStates;
  if (states?.ok !== true) return 'unknown';
  return states.value.find(({ smesher }) => smesher === id)?.state ?? 'unlisted';
}

function progressSources(observation: Observation) {
  const { answers } = observation.node;
  const { localDatabase } = observation;
  const rows =
    localDatabase.kind === 'read'
      ? new Map(localDatabase.identities.map((found) => [found.smesherId, found]))
      : undefined;
  return (id: SmesherId) => ({
    ...(answers?.activations.ok ? { activations: answers.activations.value } : {}),
    ...(answers?.events.ok ? { events: answers.events.value } : {}),
    ...(rows === undefined ? {} : { rows: rows.get(id) ?? ('none' as const) }),
  });
}

/** What the schedule makes of one identity. */
function withSchedule(
  identity: Omit<IdentityReport, 'registration'>,
  plan: ScheduleReport | undefined,
  timeline: EpochTimeline,
  now: number,
): IdentityReport {
  const id = identity.smesher;
  const waiting = plan?.waiting.get(id);
  const expectedAt = plan?.outlook.doneAt.get(id);
  const startsNow = plan?.startsNow.has(id) === true;
  const works = waiting === undefined && !startsNow && !identity.state.held;
  const known = {
    ...identity,
    ...(waiting === undefined ? {} : { waiting }),
    ...(startsNow ? { startsNow } : {}),
    ...(expectedAt === undefined ? {} : { expectedAt }),
  };
  return { ...known, registration: registrationOf(known, timeline, now, works || plan?.runs === true) };
}
