import { rolesIn } from '../../domain/compose/container-role.ts';
import { readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { digestOf } from '../../domain/digest.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import { nodeConfigText } from '../../domain/node/config.ts';
import { type EpochClock, epochClock } from '../../domain/poet/epochs.ts';
import type { NodeStand, SwitchObservation } from '../../domain/poet/switch/decide.ts';
import { type PoetFatal, readPoetFatal } from '../../domain/poet/switch/node-log.ts';
import { rowsToDelete } from '../../domain/poet/switch/rows.ts';
import { type StagedIdentity, type StageRows, stageOf } from '../../domain/poet/switch/stages.ts';
import { sameRhythm, sameSettings } from '../../domain/poet/switch/target.ts';
import type { PoetSettings, Project } from '../../domain/project/types.ts';
import type { Release } from '../../domain/upgrade/release.ts';
import type { LocalDatabaseFacts } from '../../ports/local-database.ts';
import type { NodeSnapshot } from '../../ports/node-api.ts';
import type { Context } from '../context.ts';
import { identitiesFolder, readInstalledKeys } from '../node-keys.ts';
import { nodeEndpoint } from '../observe/ask-node.ts';
import { lookAtDatabases, releaseOf } from '../upgrade/look.ts';

const ASK_TIMEOUT_MS = 5000;

/** Younger than this, and it has died before: it is about to do it again. */
const SETTLED_MS = 120_000;

const LOG_LINES = 80;

/** Whoever has a key that the node reads, and those that smesh.yaml names. */
export interface NamedIdentity {
  readonly smesher: SmesherId;
  readonly name: string;
}

/** The node and its database, before anything is judged by any PoET. */
export interface NodeLook {
  readonly stand: NodeStand;
  readonly container?: ObservedContainer;
  readonly fatal?: PoetFatal;
  readonly snapshot?: NodeSnapshot;
  readonly database: LocalDatabaseFacts;
  readonly release?: Release;
  readonly identities: readonly NamedIdentity[];
}

/** Looks at the node, its log where it is failing, and the rows of all identities. Rejects only where the engine does. */
export async function lookAtNode(context: Context, project: Project): Promise<NodeLook> {
  const { ports, clock } = context;
  const docker = await ports.docker();
  const roleOf = rolesIn(project);
  const own = (await docker.containers({ project: project.name })).filter(({ oneOff }) => !oneOff);
  const nodes = own.filter((one) => roleOf(one) === 'node');
  const up = nodes.filter(({ state }) => state === 'running' || state === 'paused' || state === 'restarting');
  const container = up[0] ?? nodes[0];
  const identities = await listIdentities(context, project);
  const snapshot =
    container?.state === 'running' && up.length === 1
      ? await (await ports.nodeApi()).snapshot(nodeEndpoint(project, container), {
          timeoutMs: ASK_TIMEOUT_MS,
          activationsOf: identities.map(({ smesher }) => smesher),
          withoutEvents: true,
        })
      : undefined;
  // Behind the node's answer: what it publishes in between is then seen in one of the two.
  const database = trustAbsence(
    await (await ports.localDatabase()).read(`${project.node.data}/local.sql`),
    container,
  );
  const { stand, fatal } = await standOf(context, { up, container, snapshot, now: clock.now() });
  const release = releaseOf(snapshot, container, await lookAtDatabases(context, project));
  return {
    stand,
    database,
    identities,
    ...(container === undefined ? {} : { container }),
    ...(fatal === undefined ? {} : { fatal }),
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(release === undefined ? {} : { release }),
  };
}

/** A node that has run has a database: where none is, its disk is not mounted, and nobody knows who is registered. */
export function trustAbsence(
  database: LocalDatabaseFacts,
  container: Pick<ObservedContainer, 'startedAt'> | undefined,
): LocalDatabaseFacts {
  if (database.kind !== 'absent' || container?.startedAt === undefined) return database;
  return { kind: 'unknown', reason: 'local.sql is not there, although the node has run' };
}

async function standOf(
  context: Context,
  look: {
    readonly up: readonly ObservedContainer[];
    readonly container: ObservedContainer | undefined;
    readonly snapshot: NodeSnapshot | undefined;
    readonly now: number;
  },
): Promise<{ readonly stand: NodeStand; readonly fatal?: PoetFatal }> {
  const { up, container, snapshot, now } = look;
  if (container === undefined) return { stand: 'absent' };
  if (up.length > 1 || container.state === 'removing' || container.state === 'paused')
    return { stand: 'unknown' };
  const answers = snapshot?.status.ok === true;
  const isYoung = container.startedAt !== undefined && now - container.startedAt < SETTLED_MS;
  if (container.state === 'exited') {
    // Stopped by hand while it ended again and again, it would do so again: its last life tells.
    const since = container.startedAt === undefined ? {} : { since: container.startedAt - 500 };
    const fatal = readPoetFatal(await lastLines(context, container.id, since));
    return fatal === undefined ? { stand: 'down' } : { stand: 'failing', fatal };
  }
  const isAgain = container.state === 'running' && container.restartCount > 0 && isYoung;
  if (container.state !== 'restarting' && !isAgain) {
    return { stand: container.state === 'running' ? 'up' : 'down' };
  }
  const fatal = readPoetFatal(await lastLines(context, container.id, {}));
  // One that looks at its registrations last has open ports and answers for a moment in each of its lives.
  if (fatal === undefined && isAgain && answers) return { stand: 'up' };
  return { stand: 'failing', ...(fatal === undefined ? {} : { fatal }) };
}

async function lastLines(
  context: Context,
  containerId: string,
  since: { readonly since?: number },
): Promise<readonly string[]> {
  const docker = await context.ports.docker();
  const lines: string[] = [];
  try {
    for await (const { text } of docker.logs(containerId, { tail: LOG_LINES, ...since })) lines.push(text);
  } catch {
    // Gone meanwhile.
  }
  return lines;
}

async function listIdentities(context: Context, project: Project): Promise<readonly NamedIdentity[]> {
  const installed = await readInstalledKeys(context, identitiesFolder(project));
  const named = new Map<SmesherId, string>(project.identities.map(({ id, name }) => [id, name]));
  for (const { smesherId, file } of installed) {
    if (smesherId !== undefined && !named.has(smesherId)) named.set(smesherId, file);
  }
  return [...named].map(([smesher, name]) => ({ smesher, name }));
}

/** Rows of one identity; `undefined` where the database could not be read. No file: a node that never ran. */
export function rowsOf(database: LocalDatabaseFacts, smesher: SmesherId): StageRows | 'none' | undefined {
  if (database.kind === 'unknown') return undefined;
  if (database.kind === 'absent') return 'none';
  return database.identities.find(({ smesherId }) => smesherId === smesher) ?? 'none';
}

export function stagesBy(look: NodeLook, clock: EpochClock, now: number): readonly StagedIdentity[] {
  const { database, snapshot, identities, stand } = look;
  const atxs = snapshot?.activations.ok === true ? snapshot.activations.value : undefined;
  return identities.map(({ smesher, name }) => {
    const rows = rowsOf(database, smesher);
    const published = atxs?.filter((atx) => atx.smesher === smesher).map(({ publishEpoch }) => publishEpoch);
    const facts = {
      smesher,
      name,
      ...(rows === undefined ? {} : { rows }),
      ...(published === undefined ? {} : { published }),
    };
    return { smesher, name, stage: stageOf(facts, clock, now, stand === 'down' || stand === 'absent') };
  });
}

export interface SwitchQuestion {
  readonly from: PoetSettings;
  readonly to: PoetSettings;
  readonly targetFaults: readonly string[];
  readonly leadMs: number;
  readonly begun: SwitchObservation['begun'];
}

/** One look as the decision wants it. */
export function observationOf(
  project: Project,
  look: NodeLook,
  question: SwitchQuestion,
  now: number,
): SwitchObservation {
  const { from, to, targetFaults, leadMs, begun } = question;
  const rhythms = { from: epochClock(project.network, from), to: epochClock(project.network, to) };
  const addresses = to.servers.map(({ address }) => address);
  const written = sameSettings(project.poet, to) ? 'target' : 'present';
  return {
    written,
    rhythms,
    leadMs,
    begun,
    targetFaults,
    sameRounds: sameRhythm(from, to),
    targetAddresses: addresses,
    node: look.stand,
    nodeIsCurrent: isCurrent(look, project),
    identities: stagesBy(look, rhythms.from, now),
    rows: rowsToDelete(look.release, 'window'),
    registered: written === 'target' ? registeredWith(stagesBy(look, rhythms.to, now), addresses) : new Set(),
    ...(look.fatal === undefined ? {} : { fatal: look.fatal }),
  };
}

/** Its container was made for what smesh.yaml says now. */
export function isCurrent({ container }: Pick<NodeLook, 'container'>, project: Project): boolean {
  const made = container === undefined ? undefined : readLabels(container.labels)?.config;
  return made === digestOf(nodeConfigText(project)).slice(0, 16);
}

function registeredWith(
  staged: readonly StagedIdentity[],
  addresses: readonly string[],
): ReadonlySet<string> {
  return new Set(
    staged.flatMap(({ smesher, stage }) =>
      'addresses' in stage && stage.addresses.some((address) => addresses.includes(address)) ? [smesher] : [],
    ),
  );
}
