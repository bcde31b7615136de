import { readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import type { Project } from '../../domain/project/types.ts';
import { parseImageReference } from '../../domain/upgrade/image-reference.ts';
import type { NodeStepFacts } from '../../domain/upgrade/judge.ts';
import { type DatabaseVersions, lineOfDatabase } from '../../domain/upgrade/node-path.ts';
import { parseRelease, type Release } from '../../domain/upgrade/release.ts';
import type { NodeSnapshot } from '../../ports/node-api.ts';
import type { Context } from '../context.ts';
import { askNode } from '../observe/ask-node.ts';

const ASK_TIMEOUT_MS = 3000;

/** How the project stands before anything is decided. */
export interface Standing {
  /** Of this project; one-off containers left out. */
  readonly own: readonly ObservedContainer[];
  readonly node?: ObservedContainer;
  /** Only of a node that runs. */
  readonly snapshot?: NodeSnapshot;
  readonly databases: DatabaseFacts;
  /** The release that last had the databases in hand, as far as anybody can tell. */
  readonly release?: Release;
}

export interface DatabaseFacts extends DatabaseVersions {
  /** Neither of the two is there: a node that has never run. */
  readonly fresh: boolean;
  readonly stateBytes?: number;
  readonly freeBytes?: number;
}

export async function lookAtProject(context: Context, project: Project): Promise<Standing> {
  const docker = await context.ports.docker();
  const own = (await docker.containers({ project: project.name })).filter(({ oneOff }) => !oneOff);
  const node = own.find(({ labels }) => readLabels(labels)?.role === 'node');
  const [snapshot, databases] = await Promise.all([
    node?.state === 'running' ? askNode(context.ports, project, node, ASK_TIMEOUT_MS) : undefined,
    lookAtDatabases(context, project),
  ]);
  const release = releaseOf(snapshot, node, databases);
  return {
    own,
    databases,
    ...(node === undefined ? {} : { node }),
    ...(snapshot === undefined ? {} : { snapshot }),
    ...(release === undefined ? {} : { release }),
  };
}

/** What the node says it is, else what its container was made from, else what its databases tell. */
export function releaseOf(
  snapshot: NodeSnapshot | undefined,
  node: ObservedContainer | undefined,
  { local }: DatabaseVersions,
): Release | undefined {
  const said = snapshot?.version.ok === true ? parseRelease(snapshot.version.value) : undefined;
  const made = parseRelease(parseImageReference(node?.image ?? '')?.tag ?? '');
  return said ?? made ?? (local === undefined ? undefined : lineOfDatabase(local));
}

export async function lookAtDatabases(context: Context, project: Project): Promise<DatabaseFacts> {
  const { files } = context.ports;
  const { data } = project.node;
  const versions = await context.ports.databaseVersion();
  const [local, state, facts, freeBytes] = await Promise.all([
    versions.read(`${data}/local.sql`),
    versions.read(`${data}/state.sql`),
    files.facts(`${data}/state.sql`).catch(() => undefined),
    files.freeBytes(data).catch(() => undefined),
  ]);
  return {
    fresh: local.kind === 'absent' && state.kind === 'absent',
    ...(local.kind === 'read' ? { local: local.version } : {}),
    ...(state.kind === 'read' ? { state: state.version } : {}),
    // Where there is none the node makes it anew, and migrates nothing.
    ...(state.kind === 'absent' ? { stateBytes: 0 } : facts === undefined ? {} : { stateBytes: facts.size }),
    ...(freeBytes === undefined ? {} : { freeBytes }),
  };
}

export function nodeStepFacts(
  { databases, release }: Pick<Standing, 'databases' | 'release'>,
  to: Release | undefined,
): NodeStepFacts {
  const { fresh, local, state, stateBytes, freeBytes } = databases;
  return {
    from: release,
    to,
    fresh,
    ...(local === undefined ? {} : { localVersion: local }),
    ...(state === undefined ? {} : { stateVersion: state }),
    ...(stateBytes === undefined ? {} : { stateBytes }),
    ...(freeBytes === undefined ? {} : { freeBytes }),
  };
}

export function isNode({ labels }: ObservedContainer): boolean {
  return readLabels(labels)?.role === 'node';
}

export function isProver({ labels }: ObservedContainer): boolean {
  return readLabels(labels)?.role === 'prover';
}
