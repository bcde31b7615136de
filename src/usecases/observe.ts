import { OPERATOR_PORT } from '../domain/compose/hardening.ts';
import { readLabels } from '../domain/compose/labels.ts';
import type { ObservedContainer } from '../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { SmesherId } from '../domain/identity/smesher-id.ts';
import { NODE_PORTS } from '../domain/node/config.ts';
import { unitBytes } from '../domain/node/networks.ts';
import { METADATA_FILE, readMetadata } from '../domain/post/metadata.ts';
import type { Identity, Project } from '../domain/project/types.ts';
import { type ProofLog, readProofLog } from '../domain/proving/proof-log.ts';
import type { ServiceStatus } from '../domain/proving/service-status.ts';
import type { DataSeen } from '../domain/proving/status-report.ts';
import type { ClockPort } from '../ports/clock.ts';
import type { DockerPort } from '../ports/docker.ts';
import type { Ports } from '../ports/index.ts';
import type { LocalDatabaseFacts } from '../ports/local-database.ts';
import type { NodeEndpoint, NodeSnapshot } from '../ports/node-api.ts';

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

interface Question {
  readonly ports: ObservePorts;
  readonly project: Project;
  readonly clock: ClockPort;
  readonly timeoutMs: number;
}

type ObservePorts = Pick<Ports, 'files' | 'docker' | 'nodeApi' | 'postApi' | 'localDatabase'>;

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
  const answers = engine.then((found) => askNode(question, found));
  const disks = Promise.all(project.identities.map((identity) => lookAtData(question, identity)));
  const statuses = engine.then((found) => askServices(question, found));
  const localDatabase = readLocalDatabase(question);
  const freeBytes = within(clock, ports.files.freeBytes(project.node.data), timeoutMs);
  const logs = Promise.all([engine, answers, statuses]).then(([found, snapshot, services]) =>
    readLogs(question, found, wantedBy(snapshot), services),
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
    const service = services.get(identity.id);
    const log = proofLogs.get(identity.id);
    const units = data[index]?.units ?? unitsFromAtx(snapshot, identity.id);
    return {
      identity,
      data: found.isHere ? (data[index]?.kind ?? 'unknown') : 'unknown',
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
  };
}

interface FoundContainers {
  readonly fault?: SmeshError;
  /** Paths of this host mean the same to the engine. */
  readonly isHere: boolean;
  readonly node?: ObservedContainer;
  readonly provers: ReadonlyMap<SmesherId, ObservedContainer>;
  readonly strays: readonly ObservedContainer[];
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
    const container = own.find(
      ({ labels, service }) => service === identity.name || readLabels(labels)?.smesherId === identity.id,
    );
    if (container !== undefined) provers.set(identity.id, container);
  }
  const known = new Set([...provers.values()].map(({ id }) => id));
  return {
    isHere: docker.endpoint.startsWith('unix:'),
    ...(node === undefined ? {} : { node }),
    provers,
    strays: own.filter(({ id, labels }) => readLabels(labels)?.role === 'prover' && !known.has(id)),
  };
}

async function askNode(
  { ports, project, timeoutMs }: Question,
  { fault, node }: FoundContainers,
): Promise<NodeSnapshot | undefined> {
  if (fault === undefined && node?.state !== 'running') return undefined;
  const nodeApi = await ports.nodeApi();
  return nodeApi.snapshot(endpointOf(project, node), {
    timeoutMs,
    activationsOf: project.identities.map(({ id }) => id),
  });
}

/** As the container publishes its ports; smesh.yaml may have been edited since it was made. */
function endpointOf(project: Project, node: ObservedContainer | undefined): NodeEndpoint {
  const published = (inside: number, written: number) => {
    const port = node?.ports.find(({ containerPort }) => containerPort === inside)?.hostPort;
    return `127.0.0.1:${port ?? written}`;
  };
  const { publicApi, privateApi } = project.node.ports;
  return {
    publicApi: published(NODE_PORTS.publicApi, publicApi),
    privateApi: published(NODE_PORTS.privateApi, privateApi),
  };
}

async function askServices(
  { ports, project, timeoutMs }: Question,
  { provers }: FoundContainers,
): Promise<ReadonlyMap<SmesherId, ServiceStatus>> {
  const running = project.identities.flatMap(({ id }) => {
    const container = provers.get(id);
    return container?.state === 'running' ? [{ id, container }] : [];
  });
  if (running.length === 0) return new Map();
  const postApi = await ports.postApi();
  const answers = running.map(async ({ id, container }) => {
    const ip = container.addresses.find((address) => address.ip !== undefined)?.ip;
    const target = {
      containerId: container.id,
      port: OPERATOR_PORT,
      ...(ip === undefined ? {} : { ip }),
    };
    return [id, await postApi.status(target, timeoutMs)] as const;
  });
  return new Map(await Promise.all(answers));
}

/** Lines from the end of a log that hold a whole proof but for its reading. */
const TAIL_LINES = 80;

/** While reading there is a line per file: so many, at the smallest usual size, since the pass began. */
const USUAL_FILE_BYTES = 2 ** 31;
const MOST_TAIL_LINES = 1500;

/** More logs at once only queue up inside the engine. */
const PARALLEL_LOGS = 16;

async function readLogs(
  { ports, project, clock, timeoutMs }: Question,
  { provers }: FoundContainers,
  wanted: ReadonlySet<SmesherId>,
  services: ReadonlyMap<SmesherId, ServiceStatus>,
): Promise<ReadonlyMap<SmesherId, ProofLog>> {
  const queue = project.identities.flatMap(({ id }) => {
    const container = provers.get(id);
    const tail = tailFor(services.get(id), wanted.has(id));
    return container === undefined || tail === 0 ? [] : [{ id, container: container.id, tail }];
  });
  const logs = new Map<SmesherId, ProofLog>();
  if (queue.length === 0) return logs;
  const docker = await ports.docker();
  const deadline = AbortSignal.timeout(timeoutMs);
  const work = async () => {
    for (let next = queue.shift(); next !== undefined && !deadline.aborted; next = queue.shift()) {
      const log = await readTail(docker, next.container, next.tail, deadline);
      if (log !== undefined) logs.set(next.id, log);
    }
  };
  await within(clock, Promise.all(Array.from({ length: PARALLEL_LOGS }, work)), timeoutMs);
  return logs;
}

/** How much of its log is needed to say what `/status` leaves open; 0: nothing. */
function tailFor(status: ServiceStatus | undefined, wanted: boolean): number {
  switch (status?.kind) {
    case 'proving': {
      const files = Math.ceil(status.position / USUAL_FILE_BYTES);
      return Math.min(TAIL_LINES + files, MOST_TAIL_LINES);
    }
    case 'done-proving':
    case 'no-answer':
      return TAIL_LINES;
    case 'idle':
      // Why does it not begin?
      return wanted ? TAIL_LINES : 0;
    default:
      return 0;
  }
}

async function readTail(
  docker: DockerPort,
  container: string,
  tail: number,
  signal: AbortSignal,
): Promise<ProofLog | undefined> {
  const lines: string[] = [];
  try {
    for await (const line of docker.logs(container, { tail, signal })) lines.push(line.text);
  } catch (error) {
    if (error instanceof SmeshError) return undefined;
    throw error;
  }
  // A log that was cut off at its end would tell of a phase that is over.
  return signal.aborted ? undefined : readProofLog(lines);
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

interface DataLook {
  readonly kind: DataSeen;
  readonly units?: number;
}

async function lookAtData(
  { ports, clock, timeoutMs }: Question,
  identity: Identity,
): Promise<DataLook | undefined> {
  const look = async (): Promise<DataLook> => {
    try {
      const reading = readMetadata(await ports.files.readText(`${identity.data}/${METADATA_FILE}`));
      return reading.kind === 'read'
        ? { kind: 'present', units: reading.metadata.units }
        : { kind: 'present' };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' };
      return { kind: code === 'EACCES' || code === 'EPERM' ? 'unreadable' : 'unknown' };
    }
  };
  // A dead network share answers never.
  return within(clock, look(), timeoutMs);
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

/** `undefined` when it takes too long, or when the system refuses; the question itself goes on unheard. */
async function within<T>(clock: ClockPort, question: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  const answered = new AbortController();
  const late = clock.sleep(timeoutMs, answered.signal).then(
    () => undefined,
    () => undefined,
  );
  const answer = question.catch((error: unknown) => {
    // Errors of the system say nothing about the project; everything else is for the caller.
    if (error instanceof Error && 'code' in error && !(error instanceof SmeshError)) return undefined;
    throw error;
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    // Else the process would wait for the end of the time.
    answered.abort();
  }
}
