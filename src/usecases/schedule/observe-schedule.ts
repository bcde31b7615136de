import { epochClock } from '../../domain/poet/epochs.ts';
import type { Project } from '../../domain/project/types.ts';
import type { ServiceStatus } from '../../domain/proving/service-status.ts';
import { NO_MEMORY, remember, type StopMemory, unchangedFor } from '../../domain/proving/stop-memory.ts';
import type { NodeCertainty } from '../../domain/proving/stop-risk.ts';
import type { ScheduleHistory } from '../../domain/schedule/history.ts';
import type { ScheduleObservation } from '../../domain/schedule/observation.ts';
import type { Context } from '../context.ts';
import { certaintyOf, progressOf, timelineOf, wantedBy } from '../lifecycle/judge-look.ts';
import { type Observation, observeProject } from '../observe.ts';
import { proverFacts } from '../status/prover-facts.ts';
import { containerFacts, nextSamples, type Samples } from '../status/report.ts';

/** Who builds its dataset answers nothing, and a look takes as long as the slowest answer. */
const ASK_TIMEOUT_MS = 2000;

/** What is carried from look to look; holds no more than what is there now. */
export interface LookMemory {
  readonly stops: StopMemory;
  readonly samples: Samples;
}

export const NO_LOOKS: LookMemory = { stops: NO_MEMORY, samples: new Map() };

/** One look of the schedule, as it decides from it and as it acts on it. */
export interface ScheduleLook {
  readonly observation: ScheduleObservation;
  readonly seen: Observation;
  readonly memory: LookMemory;
}

/** By container id, what each service has said; whoever was not asked is missing. */
export function statusesOf({ seen }: Pick<ScheduleLook, 'seen'>): ReadonlyMap<string, ServiceStatus['kind']> {
  return new Map(
    seen.identities.flatMap(({ container, service }) =>
      container === undefined || service === undefined ? [] : [[container.id, service.kind] as const],
    ),
  );
}

/**
 * Looks at node, services, logs and disks at once, each question with its own end (`observeProject`), and judges the
 * node's word as every command that stops something does. Never rejects for what does not answer.
 */
export async function observeSchedule(
  { ports, clock }: Pick<Context, 'ports' | 'clock'>,
  project: Project,
  history: ScheduleHistory,
  memory: LookMemory,
): Promise<ScheduleLook> {
  const seen = await observeProject(ports, project, clock, { timeoutMs: ASK_TIMEOUT_MS });
  const { at, identities } = seen;
  const snapshot = seen.node.answers;
  const timeline = timelineOf(project, at);
  const stops = remember(
    memory.stops,
    identities.flatMap(({ identity, container, service }) =>
      container === undefined
        ? []
        : [
            {
              container: container.id,
              wanted: wantedBy(snapshot, identity.id),
              status: service?.kind ?? ('unasked' as const),
              ...(container.startedAt === undefined ? {} : { startedAt: container.startedAt }),
            },
          ],
    ),
    at,
  );
  const samples = nextSamples(memory.samples, seen);
  const world = { project, snapshot, database: seen.localDatabase, timeline };
  const provers = identities.map((observed) => {
    const { identity, container } = observed;
    // A disk that is away has no name any more.
    const disk = observed.disk ?? history.diskOf.get(identity.id);
    const facts = proverFacts({
      observed: disk === undefined ? observed : { ...observed, disk },
      container: containerFacts(seen, container),
      wanted: wantedBy(snapshot, identity.id),
      progress: progressOf(world, identity.id),
      sample: samples.get(identity.id),
      courtesy: undefined,
    });
    return container === undefined ? facts : { ...facts, unchangedMs: unchangedFor(stops, container.id) };
  });
  return {
    seen,
    memory: { stops, samples },
    observation: {
      at,
      layerMs: epochClock(project.network, project.poet).layer,
      timeline,
      node: nodeOf(project, seen),
      provers,
    },
  };
}

/** An engine that does not answer says nothing of the node, least of all that it is down. */
function nodeOf(project: Project, { at, engineFault, node, localDatabase }: Observation): NodeCertainty {
  if (engineFault !== undefined) return 'unknown';
  return certaintyOf({
    project,
    snapshot: node.answers,
    database: localDatabase,
    node: node.container,
    now: at,
    timeline: timelineOf(project, at),
  });
}
