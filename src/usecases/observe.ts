import { readLabels } from '../domain/compose/labels.ts';
import type { ObservedContainer } from '../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { SmesherId } from '../domain/identity/smesher-id.ts';
import { unitBytes } from '../domain/node/networks.ts';
import type { Identity, Project } from '../domain/project/types.ts';
import type { ProofLog } from '../domain/proving/proof-log.ts';
import type { ServiceStatus } from '../domain/proving/service-status.ts';
import type { DataSeen } from '../domain/proving/status-report.ts';
import type { ClockPort } from '../ports/clock.ts';
import type { DockerPort } from '../ports/docker.ts';
import type { LocalDatabaseFacts } from '../ports/local-database.ts';
import type { NodeSnapshot } from '../ports/node-api.ts';
import { askNode } from './observe/ask-node.ts';
import { askServices } from './observe/ask-services.ts';
import { lookAtAllData } from './observe/data.ts';
import { readLogs } from './observe/logs.ts';
import { type ObservePorts, type Question, within } from './observe/question.ts';

/** What one look at a project found: nothing is decided here, and what could not be learnt says so. */
export interface Observation {
  /** Milliseconds since 1970, when the look ended. */
  readonly at: number;
  /** Present: the engine could not be asked, and nothing is known of any container. */
  readonly engineFault?: SmeshError;
  readonly node: ObservedNode;
  /** In the order of smesh.yaml. */
  readonly identities: readonly ObservedIdentity[];
  /** Provers of this project that belong to no identity of smesh.yaml any more. */
  readonly strays: readonly ObservedContainer[];
  readonly localDatabase: LocalDatabaseFacts;
  /** The container in which the schedule may run, where the project has one (profile `orchestrator`). */
  readonly orchestrator?: ObservedContainer;
}

export interface ObservedNode {
  readonly container?: ObservedContainer;
  /** Absent: its container does not run, so it was not asked: whoever listens there is somebody else. */
  readonly answers?: NodeSnapshot;
  /** On the file system of its data folder; absent where it cannot be told. */
  readonly freeBytes?: number;
}

export interface ObservedIdentity {
  readonly identity: Identity;
  readonly container?: ObservedContainer;
  /** Absent: its container does not run, or is paused and cannot answer. */
  readonly service?: ServiceStatus;
  /** Only of those whose phase the status does not tell, and within the time limit. */
  readonly log?: ProofLog;
  readonly data: DataSeen;
  /** As `scan` names it. */
  readonly disk?: string;
  /** From its metadata, else from its latest ATX. */
  readonly units?: number;
  readonly dataBytes?: number;
}

export interface ObserveOptions {
  /** For each question. One that is not answered in time delays nothing else. Default: 2 s. */
  readonly timeoutMs?: number;
}

/** Name of the optional service that runs the schedule. */
const ORCHESTRATOR = 'orchestrator';

/** The engine answers for all containers at once. */
const ENGINE_TIMEOUT_FACTOR = 5;

/**
 * Asks engine, node, services, disks and database at once (design §4). Never rejects for what does not answer: that is
 * what it reports. At most one question waits for another: logs for the statuses, which tell whose are needed.
 */
export async function observeProject(
  ports: ObservePorts,
  project: Project,
  clock: ClockPort,
  options: ObserveOptions = {},
): Promise<Observation> {
  const timeoutMs = options.timeoutMs ?? 2000;
  const question: Question = { ports, project, clock, timeoutMs };
  const engine = findContainers(question);
  // One whose container does not run is not asked: whoever listens there is somebody else.
  const answers = engine.then(({ fault, node }) =>
    fault === undefined && node?.state !== 'running' ? undefined : askNode(ports, project, node, timeoutMs),
  );
  const disks = lookAtAllData(question);
  const statuses = engine.then(({ provers }) => askServices(ports, [...provers.values()], timeoutMs));
  const localDatabase = readLocalDatabase(question);
  const freeBytes = within(clock, ports.files.freeBytes(project.node.data), timeoutMs);
  const logs = Promise.all([engine, answers, statuses]).then(([found, snapshot, services]) =>
    readLogs(
      question,
      [...found.provers].map(([id, container]) => ({
        container: container.id,
        wanted: wantedBy(snapshot).has(id),
        status: services.get(container.id),
      })),
    ),
  );

  const [found, snapshot, data, services, proofLogs, database, free] = await Promise.all([
    engine,
    answers,
    disks,
    statuses,
    logs,
    localDatabase,
    freeBytes,
  ]);
  const identities = project.identities.map((identity, index): ObservedIdentity => {
    const container = found.provers.get(identity.id);
    const service = container === undefined ? undefined : services.get(container.id);
    const log = container === undefined ? undefined : proofLogs.get(container.id);
    const look = data[index];
    const units = look?.units ?? unitsFromAtx(snapshot, identity.id);
    return {
      identity,
      data: found.isHere ? (look?.kind ?? 'unknown') : 'unknown',
      ...(look?.disk === undefined ? {} : { disk: look.disk }),
      ...(container === undefined ? {} : { container }),
      ...(service === undefined ? {} : { service }),
      ...(log === undefined ? {} : { log }),
      ...(units === undefined ? {} : { units, dataBytes: units * unitBytes(project.network.post) }),
    };
  });
  return {
    at: clock.now(),
    ...(found.fault === undefined ? {} : { engineFault: found.fault }),
    node: {
      ...(found.node === undefined ? {} : { container: found.node }),
      ...(snapshot === undefined ? {} : { answers: snapshot }),
      ...(free === undefined ? {} : { freeBytes: free }),
    },
    identities,
    strays: found.strays,
    localDatabase: database,
    ...(found.orchestrator === undefined ? {} : { orchestrator: found.orchestrator }),
  };
}

interface FoundContainers {
  readonly fault?: SmeshError;
  /** Paths of this host mean the same to the engine. */
  readonly isHere: boolean;
  readonly node?: ObservedContainer;
  readonly provers: ReadonlyMap<SmesherId, ObservedContainer>;
  readonly strays: readonly ObservedContainer[];
  readonly orchestrator?: ObservedContainer;
}

async function findContainers(question: Question): Promise<FoundContainers> {
  const { ports, project, clock, timeoutMs } = question;
  let docker: DockerPort;
  let containers: readonly ObservedContainer[] | undefined;
  try {
    docker = await ports.docker();
    containers = await within(
      clock,
      docker.containers({ project: project.name }),
      timeoutMs * ENGINE_TIMEOUT_FACTOR,
    );
  } catch (error) {
    if (!(error instanceof SmeshError)) throw error;
    return { fault: error, isHere: true, provers: new Map(), strays: [] };
  }
  if (containers === undefined) {
    const fault = new SmeshError(
      'engine-silent',
      ExitCode.environment,
      `The engine at ${docker.endpoint} does not answer`,
    );
    return { fault, isHere: true, provers: new Map(), strays: [] };
  }
  const own = containers.filter((container) => !container.oneOff);
  const node =
    own.find(({ labels }) => readLabels(labels)?.role === 'node') ??
    own.find(({ service }) => service === 'node');
  const provers = new Map<SmesherId, ObservedContainer>();
  for (const identity of project.identities) {
    const containers = own.filter(
      ({ labels, service }) => service === identity.name || readLabels(labels)?.smesherId === identity.id,
    );
    // Scaled by hand, or left over from a recreation that was killed: the one that runs is the one that proves.
    const container = containers.find(({ state }) => state === 'running') ?? containers[0];
    if (container !== undefined) provers.set(identity.id, container);
  }
  const known = new Set([...provers.values()].map(({ id }) => id));
  const orchestrator = own.find(({ service }) => service === ORCHESTRATOR);
  return {
    isHere: docker.endpoint.startsWith('unix:'),
    ...(node === undefined ? {} : { node }),
    provers,
    ...(orchestrator === undefined ? {} : { orchestrator }),
    strays: own.filter(
      ({ id, labels, service }) =>
        readLabels(labels)?.role === 'prover' &&
        !known.has(id) &&
        !project.identities.some(({ name }) => name === service),
    ),
  };
}

function wantedBy(snapshot: NodeSnapshot | undefined): ReadonlySet<SmesherId> {
  const states = snapshot?.postStates;
  if (states?.ok !== true) return new Set();
  return new Set(states.value.flatMap(({ smesher, state }) => (state === 'proving' ? [smesher] : [])));
}

function unitsFromAtx(snapshot: NodeSnapshot | undefined, id: SmesherId): number | undefined {
  const atxs = snapshot?.activations;
  return atxs?.ok === true ? atxs.value.findLast(({ smesher }) => smesher === id)?.units : undefined;
}

async function readLocalDatabase({
  ports,
  project,
  clock,
  timeoutMs,
}: Question): Promise<LocalDatabaseFacts> {
  const database = await ports.localDatabase();
  const facts = await within(clock, database.read(`${project.node.data}/local.sql`), timeoutMs);
  return facts ?? { kind: 'unknown', reason: 'it does not answer' };
}
