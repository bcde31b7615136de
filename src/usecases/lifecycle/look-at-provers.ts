import { isUp, rolesIn } from '../../domain/compose/container-role.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ORCHESTRATOR } from '../../domain/compose/orchestrator.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { NodeChange } from '../../domain/plan/node-change.ts';
import { type EligibleLayers, eligibleLayers } from '../../domain/plan/node-moment.ts';
import type { EpochTimeline } from '../../domain/poet/epochs.ts';
import { lookAtMetadata } from '../../domain/post/data-access.ts';
import { METADATA_FILE } from '../../domain/post/metadata.ts';
import type { Project } from '../../domain/project/types.ts';
import { isHeld } from '../../domain/proving/identity-state.ts';
import { NO_MEMORY, remember, type StopMemory, unchangedFor } from '../../domain/proving/stop-memory.ts';
import type { StopPrice } from '../../domain/proving/stop-price.ts';
import {
  type NodeCertainty,
  type StopRisk,
  UNKNOWN_RISK,
  type UnsafeStop,
} from '../../domain/proving/stop-risk.ts';
import type { LocalDatabaseFacts } from '../../ports/local-database.ts';
import type { Context } from '../context.ts';
import { askNode } from '../observe/ask-node.ts';
import { askServices } from '../observe/ask-services.ts';
import { readLogs } from '../observe/logs.ts';
import { within } from '../observe/question.ts';
import { scheduleIsRunning } from '../status/schedule-is-running.ts';
import { certaintyOf, idOf, judgeNode, judgeProver, timelineOf, type World, wantedBy } from './judge-look.ts';

const ASK_TIMEOUT_MS = 3000;

const natural = new Intl.Collator('en', { numeric: true });

/** What one look found of one prover, judged. */
export interface ProverLook {
  readonly service: string;
  /** Absent: a container of ours without a readable identity. */
  readonly smesherId?: SmesherId;
  readonly container: ObservedContainer;
  readonly risk: StopRisk;
  /** Only where the risk is not safe and its identity is known. */
  readonly price?: StopPrice;
}

/** Who proves and how far, and whether the node may be stopped. */
export interface ProverLooks {
  /** Milliseconds since 1970, when the look ended. */
  readonly at: number;
  readonly timeline: EpochTimeline;
  /** All provers with a container, those of removed identities too; of several of one service the one with most to lose. */
  readonly provers: ReadonlyMap<string, ProverLook>;
  readonly node: { readonly container?: ObservedContainer; readonly certainty: NodeCertainty };
  readonly nodeChange: NodeChange;
  /** By layer, who may propose; empty where no node runs, or it does not say. */
  readonly eligible: EligibleLayers;
  /** To be given to the next look. */
  readonly memory: StopMemory;
}

/**
 * Asks the node and every running prover, all at once, and judges what a stop of each would lose. Never rejects for what
 * they do not answer: unknown is unsafe (design §7).
 *
 * @param own containers of the project, as the engine has just shown them
 * @param memory of the look before, when somebody watches; without it only logs and events tell durations
 */
export async function lookAtProvers(
  context: Context,
  project: Project,
  own: readonly ObservedContainer[],
  memory: StopMemory = NO_MEMORY,
): Promise<ProverLooks> {
  const { ports, clock } = context;
  const roleOf = rolesIn(project);
  const nodes = own.filter((one) => roleOf(one) === 'node');
  const upNodes = nodes.filter(isUp);
  const node = upNodes[0] ?? nodes[0];
  const containers = own
    .filter((one) => roleOf(one) === 'prover')
    // As people count them: post-2 before post-10, whatever order the engine tells them in.
    .sort((a, b) => natural.compare(a.service ?? '', b.service ?? ''));
  const nodeRuns = node?.state === 'running' && upNodes.length === 1;
  // A paused one cannot be asked, but goes on where it was: in the gap it counts as one that answers nothing.
  // Of two that are up nobody knows which one answers on its ports: they count as one that answers nothing, too.
  const nodeIsUp = nodeRuns || node?.state === 'paused' || upNodes.length > 1;
  const [snapshot, statuses, database, dataBytes, scheduleRuns] = await Promise.all([
    nodeRuns ? askNode(ports, project, node, ASK_TIMEOUT_MS) : undefined,
    askServices(ports, containers, ASK_TIMEOUT_MS),
    nodeIsUp ? readDatabase(context, project) : undefined,
    readDataBytes(context, project),
    isScheduleAtWork(context, own, containers),
  ]);
  const logs = await readLogs(
    { ports, clock, timeoutMs: ASK_TIMEOUT_MS },
    containers.map((container) => ({
      container: container.id,
      wanted: wantedBy(snapshot, idOf(container, project)) === 'proving',
      status: statuses.get(container.id),
    })),
  );
  const now = clock.now();
  const next = remember(
    memory,
    containers.map((container) => ({
      container: container.id,
      wanted: wantedBy(snapshot, idOf(container, project)),
      status: statuses.get(container.id)?.kind ?? 'unasked',
      ...(container.startedAt === undefined ? {} : { startedAt: container.startedAt }),
    })),
    now,
  );
  const world: World = {
    ...{ project, snapshot, database, node, now, timeline: timelineOf(project, now) },
    ...(scheduleRuns === undefined ? {} : { scheduleRuns }),
  };
  const provers = new Map<string, ProverLook>();
  for (const container of containers) {
    const { service, id } = container;
    if (service === undefined) continue;
    const seen = {
      container,
      unchangedMs: unchangedFor(next, id),
      status: statuses.get(id),
      log: logs.get(id),
    };
    const look = judgeProver(world, { ...seen, service, dataBytes: dataBytes.get(service) });
    const known = provers.get(service);
    // Scaled by hand, or left over from a recreation that was killed: the one with most to lose counts.
    if (known === undefined || weight(look) > weight(known)) provers.set(service, look);
  }
  return {
    at: now,
    timeline: world.timeline,
    provers,
    node: { certainty: certaintyOf(world), ...(node === undefined ? {} : { container: node }) },
    nodeChange: nodeIsUp ? judgeNode(world) : { kind: 'free' },
    eligible: eligibleLayers(snapshot?.events.ok === true ? snapshot.events.value : []),
    memory: next,
  };
}

/** Only asked where somebody is held: it decides nothing, and says who will release them. */
async function isScheduleAtWork(
  { ports, directory }: Context,
  own: readonly ObservedContainer[],
  provers: readonly ObservedContainer[],
): Promise<boolean | undefined> {
  if (!provers.some(({ host }) => isHeld(host))) return undefined;
  const orchestrator = own.find(({ service }) => service === ORCHESTRATOR);
  return scheduleIsRunning(ports.files, directory, orchestrator === undefined ? {} : { orchestrator });
}

function weight({ risk, container }: ProverLook): number {
  return risk.safe ? (isUp(container) ? 1 : 0) : 2;
}

/** The risk of a service of which no look is known: unsafe. */
export function riskOf({ provers }: Pick<ProverLooks, 'provers'>, service: string): StopRisk {
  return provers.get(service)?.risk ?? UNKNOWN_RISK;
}

/** Those that a stop would, or might, cost something. */
export function unsafeOf(
  { provers }: Pick<ProverLooks, 'provers'>,
  services: Iterable<string>,
): readonly (ProverLook & { readonly risk: UnsafeStop })[] {
  return [...services].sort(natural.compare).flatMap((service) => {
    const look = provers.get(service);
    return look !== undefined && !look.risk.safe ? [{ ...look, risk: look.risk }] : [];
  });
}

async function readDatabase({ ports, clock }: Context, project: Project): Promise<LocalDatabaseFacts> {
  const database = await ports.localDatabase();
  const facts = await within(clock, database.read(`${project.node.data}/local.sql`), ASK_TIMEOUT_MS);
  return facts ?? { kind: 'unknown', reason: 'it does not answer' };
}

/** Sizes for the percentages, by service; a directory that is away has none, and a dead share delays nobody. */
async function readDataBytes(
  { ports, clock }: Context,
  project: Project,
): Promise<ReadonlyMap<string, number>> {
  const sizes = await Promise.all(
    project.identities.map(async ({ name, data }): Promise<[string, number][]> => {
      const text = await within(
        clock,
        ports.files.readText(`${data}/${METADATA_FILE}`).catch(() => undefined),
        ASK_TIMEOUT_MS,
      );
      const look = text === undefined ? undefined : lookAtMetadata(text);
      return look?.kind === 'readable' && look.dataBytes !== undefined ? [[name, look.dataBytes]] : [];
    }),
  );
  return new Map(sizes.flat());
}
