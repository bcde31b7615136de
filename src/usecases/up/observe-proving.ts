import { OPERATOR_PORT } from '../../domain/compose/hardening.ts';
import { readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { PostState } from '../../domain/node/answers.ts';
import { type GapSources, gapProgress, type LocalRows } from '../../domain/plan/gap-progress.ts';
import { judgeNodeChange, type NodeChange, restartMargin } from '../../domain/plan/node-change.ts';
import { currentOrNextGap, epochClock } from '../../domain/poet/epochs.ts';
import type { Project } from '../../domain/project/types.ts';
import type { ServiceStatus } from '../../domain/proving/service-status.ts';
import { judgeStop, type NodeCertainty, type StopRisk } from '../../domain/proving/stop-risk.ts';
import type { IdentityRows, LocalDatabaseFacts } from '../../ports/local-database.ts';
import type { NodeSnapshot } from '../../ports/node-api.ts';
import type { Context } from '../context.ts';

const ASK_TIMEOUT_MS = 3000;

/** Who proves and how far, and whether the node may be restarted. */
export interface ProvingObservation {
  /** By service: all provers with a container, those of removed identities too. */
  stopRisks(dataBytes: ReadonlyMap<string, number>): ReadonlyMap<string, StopRisk>;
  readonly nodeChange: NodeChange;
}

/** Asks the node and every running prover, all at once. Never rejects for what they do not answer: unknown is unsafe. */
export async function observeProving(
  context: Context,
  project: Project,
  own: readonly ObservedContainer[],
): Promise<ProvingObservation> {
  const node = own.find((container) => readLabels(container.labels)?.role === 'node');
  const provers = own.filter((container) => readLabels(container.labels)?.role === 'prover');
  const nodeRuns = node?.state === 'running';
  // A paused one cannot be asked, but goes on where it was: in the gap it counts as one that answers nothing.
  const nodeIsUp = nodeRuns || node?.state === 'paused';
  const [snapshot, statuses, database] = await Promise.all([
    nodeRuns ? askNode(context, project) : undefined,
    askServices(context, provers),
    nodeIsUp ? readDatabase(context, project) : undefined,
  ]);
  const now = context.clock.now();
  const certainty = nodeCertainty(project, node, snapshot, now);
  return {
    stopRisks: (dataBytes) => {
      const risks = new Map<string, StopRisk>();
      for (const container of provers) {
        const { id, service, state } = container;
        // Scaled by hand, or left over from a recreation that was killed: the one that may prove counts.
        if (service === undefined || risks.get(service)?.safe === false) continue;
        const status = statuses.get(id);
        const bytes = dataBytes.get(service);
        const risk = judgeStop({
          container: state,
          wanted: wantedBy(snapshot, readLabels(container.labels)?.smesherId),
          node: certainty,
          ...(status === undefined ? {} : { status }),
          ...(bytes === undefined ? {} : { dataBytes: bytes }),
        });
        risks.set(service, risk);
      }
      return risks;
    },
    nodeChange: nodeIsUp ? judgeNode(project, snapshot, database, now) : { kind: 'free' },
  };
}

async function askNode(context: Context, project: Project): Promise<NodeSnapshot> {
  const api = await context.ports.nodeApi();
  const { publicApi, privateApi } = project.node.ports;
  return api.snapshot(
    { publicApi: `127.0.0.1:${publicApi}`, privateApi: `127.0.0.1:${privateApi}` },
    { timeoutMs: ASK_TIMEOUT_MS, activationsOf: project.identities.map(({ id }) => id) },
  );
}

async function askServices(
  context: Context,
  provers: readonly ObservedContainer[],
): Promise<ReadonlyMap<string, ServiceStatus>> {
  const running = provers.filter(({ state }) => state === 'running');
  if (running.length === 0) return new Map();
  const api = await context.ports.postApi();
  return new Map(
    await Promise.all(
      running.map(async (container) => {
        const ip = container.addresses.find((address) => address.ip !== undefined)?.ip;
        const target = {
          containerId: container.id,
          port: OPERATOR_PORT,
          ...(ip === undefined ? {} : { ip }),
        };
        return [container.id, await api.status(target, ASK_TIMEOUT_MS)] as const;
      }),
    ),
  );
}

async function readDatabase(context: Context, project: Project): Promise<LocalDatabaseFacts> {
  const database = await context.ports.localDatabase();
  return database.read(`${project.node.data}/local.sql`);
}

/** After a start all states read IDLE for a while; two layers later they count (operators.md §d.6). */
function nodeCertainty(
  project: Project,
  node: ObservedContainer | undefined,
  snapshot: NodeSnapshot | undefined,
  now: number,
): NodeCertainty {
  if (node === undefined || !['running', 'paused'].includes(node.state)) return 'down';
  if (snapshot === undefined || !snapshot.status.ok || !snapshot.postStates.ok) return 'unknown';
  const upSince = node.startedAt ?? now;
  const settled = now - upSince >= 2 * project.network.layerSeconds * 1000;
  return settled && snapshot.status.value.synced ? 'settled' : 'fresh';
}

function wantedBy(
  snapshot: NodeSnapshot | undefined,
  id: SmesherId | undefined,
): 'idle' | 'proving' | 'unlisted' | 'unknown' {
  if (snapshot === undefined || !snapshot.postStates.ok || id === undefined) return 'unknown';
  return findState(snapshot.postStates.value, id)?.state ?? 'unlisted';
}

function findState(states: readonly PostState[], id: SmesherId): PostState | undefined {
  return states.find(({ smesher }) => smesher === id);
}

function judgeNode(
  project: Project,
  snapshot: NodeSnapshot | undefined,
  database: LocalDatabaseFacts | undefined,
  now: number,
): NodeChange {
  const clock = epochClock(project.network, project.poet);
  const gap = currentOrNextGap(clock, now);
  const sources: GapSources = {
    epoch: gap.epoch,
    ...(snapshot?.smesherIds.ok ? { loaded: snapshot.smesherIds.value } : {}),
    ...(snapshot?.activations.ok ? { atxs: snapshot.activations.value } : {}),
    ...(snapshot?.postStates.ok ? { states: snapshot.postStates.value } : {}),
    ...(snapshot?.events.ok ? { events: snapshot.events.value } : {}),
    ...(database?.kind === 'read' ? { rows: localRows(database.identities) } : {}),
  };
  const progress = project.identities.map(({ id, name }) => gapProgress(id, name, sources));
  return judgeNodeChange(gap, now, progress, restartMargin(clock));
}

function localRows(identities: readonly IdentityRows[]): ReadonlyMap<SmesherId, LocalRows> {
  return new Map(
    identities.map(({ smesherId, challenge, registrations }) => [
      smesherId,
      {
        ...(challenge === undefined ? {} : { challengeEpoch: challenge.publishEpoch }),
        registeredRounds: registrations.map(({ roundId }) => roundId),
      },
    ]),
  );
}
