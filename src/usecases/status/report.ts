import type { ObservedContainer } from '../../domain/compose/observed.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import { type EpochTimeline, epochClock, epochTimeline } from '../../domain/poet/epochs.ts';
import type { Project } from '../../domain/project/types.ts';
import { type IdentityProgress, identityProgress } from '../../domain/proving/identity-progress.ts';
import {
  type ContainerFacts,
  type IdentityState,
  identityState,
  isHeld,
  type ReadingSample,
} from '../../domain/proving/identity-state.ts';
import { nodeCertainty } from '../../domain/proving/node-certainty.ts';
import type {
  IdentityReport,
  NodeReport,
  Registration,
  StatusCounts,
  StatusReport,
} from '../../domain/proving/status-report.ts';
import type { NodeFault } from '../../ports/node-api.ts';
import type { Observation } from '../observe.ts';
import { findTrouble } from './findings.ts';

/** First sample of each identity's present pass, carried from look to look. */
export type Samples = ReadonlyMap<SmesherId, ReadingSample>;

export interface ReportInputs {
  readonly directory: string;
  readonly project: Project;
  readonly observation: Observation;
  readonly samples?: Samples;
}

/** Decides what an observation means. Pure: the time is the observation's. */
export function buildReport({ directory, project, observation, samples }: ReportInputs): StatusReport {
  const clock = epochClock(project.network, project.poet);
  const timeline = epochTimeline(clock, observation.at);
  const node = nodeReport(observation, clock.layer);
  const sources = progressSources(observation);
  const identities = observation.identities.map((observed): IdentityReport => {
    const { identity, container, log, units, dataBytes, disk } = observed;
    const progress = identityProgress(
      { smesher: identity.id, ...sources(identity.id) },
      timeline.deadlines.epoch,
    );
    const sample = samples?.get(identity.id);
    const state = identityState({
      now: observation.at,
      layerMs: clock.layer,
      container: containerFacts(observation, container),
      wanted: wantedOf(observation, identity.id),
      node: node.certainty,
      progress,
      data: observed.data,
      ...(observed.service === undefined ? {} : { service: observed.service }),
      ...(log === undefined ? {} : { log }),
      ...(dataBytes === undefined ? {} : { dataBytes }),
      ...(sample === undefined ? {} : { firstSample: sample }),
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
      registration: registrationOf(state, progress, timeline, observation.at),
    };
  });
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
    findings: findTrouble(observation, { node, timeline, identities, network: project.network.name }),
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

function containerFacts(observation: Observation, container: ObservedContainer | undefined): ContainerFacts {
  if (observation.engineFault !== undefined) return { kind: 'unknown' };
  if (container === undefined) return { kind: 'absent' };
  const { state, startedAt, finishedAt, exitCode, startError, oomKilled } = container;
  return {
    kind: 'present',
    state,
    held: isHeld(container.host),
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

function registrationOf(
  { wants, activity }: IdentityState,
  progress: IdentityProgress,
  { deadlines }: EpochTimeline,
  now: number,
): Registration {
  if (progress.registered === 'yes') return 'have';
  if (now >= deadlines.registerBy) return progress.registered === 'no' ? 'miss' : 'unknown';
  if (activity.kind === 'reading' && activity.doneAt !== undefined) {
    return activity.doneAt <= deadlines.registerBy ? 'will' : 'miss';
  }
  if (activity.kind === 'proof-ready' || progress.published === 'yes') return 'will';
  // A new identity has nothing to prove now: its initial proof is all that registration needs.
  if (wants === 'nothing' && progress.initialProof === 'yes' && progress.due === 'no') return 'will';
  return 'unknown';
}

function countAll(identities: readonly IdentityReport[]): StatusCounts {
  const published = { yes: 0, no: 0, unknown: 0 };
  const registration = { have: 0, will: 0, miss: 0, unknown: 0 };
  for (const identity of identities) {
    published[identity.progress.published] += 1;
    registration[identity.registration] += 1;
  }
  return { identities: identities.length, published, registration };
}
