import { basename } from 'node:path';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { KeySweep } from '../../domain/doctor/key-sweep.ts';
import type { RedactionKnowledge } from '../../domain/doctor/redact.ts';
import { MAINNET_POETS } from '../../domain/node/networks.ts';
import { DEFAULT_NODE_DATA } from '../../domain/project/defaults.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';
import { identitiesFolder } from '../node-keys.ts';
import { inTime, type SharedLooks } from './look.ts';

/** What is known of this host and project, so that the right things are blanked and others stay. */
export async function gatherKnowledge(context: Context, looks: SharedLooks): Promise<RedactionKnowledge> {
  const [engine, containers] = await Promise.all([looks.engine(), looks.containers()]);
  const { env, directory, ports } = context;
  const project = looks.project.kind === 'read' ? looks.project.project : undefined;
  const own = ownContainers(containers, project);
  const jobs = project?.initialisation?.jobs ?? [];
  const engineFacts = engine.kind === 'usable' ? engine.facts : undefined;
  return {
    smeshers: [...(project?.identities ?? []), ...(project?.retired ?? []), ...jobs].map(({ id }) => id),
    harmless: [
      ...own.flatMap(({ id, imageId, configHash }) => [
        id,
        imageId,
        ...(configHash === undefined ? [] : [configHash]),
      ]),
      ...MAINNET_POETS.map(({ pubkey }) => pubkey),
      ...(project?.poet.servers ?? []).map(({ pubkey }) => pubkey),
    ],
    paths: [
      directory,
      ...(project === undefined ? [] : [project.node.data, ...project.identities.map(({ data }) => data)]),
      ...jobs.flatMap(({ data, into }) => [data, ...(into === undefined ? [] : [into])]),
      ...(engineFacts === undefined ? [] : [engineFacts.dataRoot]),
    ],
    userNames: [env['USER'], env['LOGNAME'], env['SUDO_USER'], basename(env['HOME'] ?? '')].filter(
      (name): name is string => name !== undefined && name !== '',
    ),
    hostNames: [ports.system.hostname, ...(engineFacts === undefined ? [] : [engineFacts.name])].filter(
      (name) => name !== '',
    ),
  };
}

/** Containers of the project, one-off ones too. */
export function ownContainers(
  containers: readonly ObservedContainer[] | undefined,
  project: Project | undefined,
): readonly ObservedContainer[] {
  if (project === undefined) return [];
  return (containers ?? []).filter((one) => one.project === project.name);
}

const PATIENCE_MS = 3000;

/**
 * The private keys of this project, only to make sure that nothing of them is in the report. What this user may not read
 * is left to the rules.
 */
export async function gatherKeys(
  context: Context,
  looks: SharedLooks,
): Promise<{ readonly sweep: KeySweep; readonly known: number }> {
  const project = looks.project.kind === 'read' ? looks.project.project : undefined;
  const [data, hanging] = await Promise.all([looks.data(), looks.hanging()]);
  // Where smesh.yaml cannot be read, the node's keys are still where they usually are.
  const identities =
    project === undefined
      ? `${context.directory}/${DEFAULT_NODE_DATA}/identities`
      : identitiesFolder(project);
  const folders = [
    ...(project !== undefined && hanging.includes(project.node.data) ? [] : [identities]),
    `${stateFolder(context.directory)}/retired`,
  ];
  const listed = await Promise.all(
    folders.map(async (folder) => {
      const entries = await context.ports.files.list(folder).catch(() => []);
      return entries.filter(({ kind }) => kind === 'file').map(({ name }) => `${folder}/${name}`);
    }),
  );
  const paths = [
    ...listed.flat(),
    // A disk that hangs is not touched again.
    ...data
      .filter(({ seen }) => seen === 'present')
      .flatMap(({ path }) => [`${path}/identity.key`, `${path}/key.bin`]),
  ];
  const seeds = await Promise.all(paths.map((path) => readSeed(context, path)));
  const poet = project === undefined ? undefined : poetSeed(project);
  const found = [...seeds, poet].filter((seed) => seed !== undefined);
  const distinct = new Set(found.map((seed) => Buffer.from(seed).toString('hex')));
  return { sweep: new KeySweep(found), known: distinct.size };
}

async function readSeed(context: Context, path: string): Promise<Uint8Array | undefined> {
  const facts = await inTime(context, context.ports.files.facts(path), PATIENCE_MS).catch(() => undefined);
  if (facts === undefined || facts.kind !== 'file' || facts.size > 4096) return undefined;
  const bytes = await context.ports.files.readBytes(path).catch(() => undefined);
  const hex = /[0-9a-f]{64}/i.exec(Buffer.from(bytes ?? []).toString('latin1'))?.[0];
  return hex === undefined ? undefined : Buffer.from(hex, 'hex');
}

function poetSeed({ network }: Project): Uint8Array | undefined {
  return network.poetPrivateKey === undefined
    ? undefined
    : Buffer.from(network.poetPrivateKey, 'base64').subarray(0, 32);
}
