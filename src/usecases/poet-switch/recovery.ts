import { isMap, isSeq, parseDocument } from 'yaml';
import { NODE_CONFIG_PATH } from '../../domain/compose/node.ts';
import { readConfiguredPoets } from '../../domain/doctor/poet.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { defaultPoet } from '../../domain/node/networks.ts';
import { epochClock } from '../../domain/poet/epochs.ts';
import {
  decideRecovery,
  type KnownPoet,
  type Recovery,
  type RecoveryFacts,
  type Stranded,
  strandedBy,
  type WrittenServer,
} from '../../domain/poet/switch/recover.ts';
import { rowsToDelete } from '../../domain/poet/switch/rows.ts';
import { parseProject, requireProject } from '../../domain/project/parse.ts';
import type { PoetSettings, Project } from '../../domain/project/types.ts';
import { backUpBefore } from '../backup/back-up-before.ts';
import type { Context } from '../context.ts';
import { loadProject, PROJECT_FILE } from '../load-project.ts';
import { notePendingStarts } from '../up/pending-starts.ts';
import { NODE, startNode, writeSettings } from './acts.ts';
import { askPoet, takesOnePoet } from './ask-targets.ts';
import { lookAtNode, type NodeLook, rowsOf } from './observe.ts';
import { readSwitchRecord, writeSwitchRecord } from './record.ts';

/** A project whose list may lack public keys, which is one of the things that are recovered from. */
export interface LenientProject {
  readonly project: Project;
  readonly text: string;
  readonly servers: readonly WrittenServer[];
}

const PLACEHOLDER = `${'A'.repeat(43)}=`;

/** smesh.yaml, also where nothing but public keys of PoETs is missing in it. Other faults reject as ever (exit 3). */
export async function loadLeniently(context: Context): Promise<LenientProject> {
  const text = await context.ports.files.readTextIfPresent(`${context.directory}/${PROJECT_FILE}`);
  const options = { directory: context.directory };
  if (text === undefined || parseProject(text, options).ok) {
    const loaded = await loadProject(context);
    return { ...loaded, servers: loaded.project.poet.servers };
  }
  const filled = withPlaceholders(text);
  // Where something else is wrong, too, the lines are those of the file as it is.
  const reading = filled === undefined ? undefined : parseProject(filled, options);
  const project = reading?.ok === true ? reading.project : requireProject(text, options).project;
  const servers = project.poet.servers.map(({ address, pubkey }) => ({
    address,
    ...(pubkey === PLACEHOLDER ? {} : { pubkey }),
  }));
  return { project, text, servers };
}

/** Only to be read: never written. */
function withPlaceholders(text: string): string | undefined {
  const document = parseDocument(text, { merge: true });
  const servers = document.errors.length > 0 ? undefined : document.getIn(['poet', 'servers']);
  if (!isSeq(servers)) return undefined;
  for (const server of servers.items) {
    if (isMap(server) && (server.get('pubkey') ?? '') === '') server.set('pubkey', PLACEHOLDER);
  }
  return String(document);
}

export interface RecoveryLook {
  readonly lenient: LenientProject;
  readonly look: NodeLook;
  readonly facts: RecoveryFacts;
  readonly recovery: Recovery;
  readonly stranded: readonly Stranded[];
  /** node/config.json names other PoETs than smesh.yaml: somebody has changed it by hand. */
  readonly configDiffers: boolean;
}

/** Looks at node, rows and servers, and decides what would make the node run again. Reads only. */
export async function lookForRecovery(context: Context, deletes: boolean): Promise<RecoveryLook> {
  const lenient = await loadLeniently(context);
  const { project, servers } = lenient;
  const look = await lookAtNode(context, project);
  const identities = look.identities.map(({ smesher, name }) => {
    const rows = rowsOf(look.database, smesher);
    return { smesher, name, ...(rows === undefined ? {} : { rows }) };
  });
  const registered = identities.flatMap(({ rows }) =>
    rows === undefined || rows === 'none' ? [] : rows.registrations.map(({ address }) => address),
  );
  const addresses = [...new Set([...servers.map(({ address }) => address), ...registered])];
  const facts: RecoveryFacts = {
    servers,
    identities,
    takesOne: takesOnePoet(project),
    times: project.poet,
    known: await knowPoets(context, project, addresses),
    clock: epochClock(project.network, project.poet),
  };
  const now = context.clock.now();
  const stranded = strandedBy(facts, now);
  // Those whose registrations are deleted need nobody's proof any more.
  const left = deletes
    ? {
        ...facts,
        identities: identities.filter(({ smesher }) => !stranded.some((one) => one.smesher === smesher)),
      }
    : facts;
  return {
    lenient,
    look,
    facts,
    stranded,
    recovery: decideRecovery(left, now),
    configDiffers: await differs(context, servers),
  };
}

/** By `/v1/info`; who does not answer, by what the change that is under way or the network itself says. */
async function knowPoets(
  context: Context,
  project: Project,
  addresses: readonly string[],
): Promise<ReadonlyMap<string, KnownPoet>> {
  const record = await readSwitchRecord(context);
  const earlier: readonly (readonly [PoetSettings, string])[] = [
    ...(record === undefined
      ? []
      : [
          [record.from, 'the list before the change'] as const,
          [record.to, 'the list after the change'] as const,
        ]),
    [defaultPoet(project.network), "the network's own list"],
  ];
  const found = await Promise.all(
    addresses.map(async (address): Promise<[string, KnownPoet][]> => {
      const answer = await askPoet(context, project, address, timesOf(earlier, address) ?? project.poet);
      if (answer.kind === 'answered') return [[address, { ...answer.info, source: '/v1/info' }]];
      for (const [{ servers, phaseShift, cycleGap }, source] of earlier) {
        const pubkey = servers.find((one) => one.address === address)?.pubkey;
        if (pubkey !== undefined) return [[address, { pubkey, phaseShift, cycleGap, source }]];
      }
      return [];
    }),
  );
  return new Map(found.flat());
}

/** The rhythm in which a server was used: the one inside the node of a private network has that of its configuration. */
function timesOf(
  earlier: readonly (readonly [PoetSettings, string])[],
  address: string,
): PoetSettings | undefined {
  return earlier
    .map(([settings]) => settings)
    .find(({ servers }) => servers.some((one) => one.address === address));
}

async function differs(context: Context, servers: readonly WrittenServer[]): Promise<boolean> {
  const text = await context.ports.files.readTextIfPresent(`${context.directory}/${NODE_CONFIG_PATH}`);
  if (text === undefined) return false;
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    return true;
  }
  const list = (all: readonly WrittenServer[]) =>
    all
      .map(({ address, pubkey = '' }) => `${address} ${pubkey}`)
      .sort()
      .join('\n');
  return list(readConfiguredPoets(config)?.servers ?? []) !== list(servers);
}

export interface RecoveryMade {
  readonly backup: readonly string[];
  readonly deleted: number;
}

/**
 * Backup, settings, and only where that was asked for the rows of those who are stranded; then the node. Whatever it is killed
 * at, the same command goes on: the settings are written in one journaled act, the rows go in one transaction.
 */
export async function applyRecovery(
  context: Context,
  found: RecoveryLook,
  options: { readonly deletes: boolean; readonly timeoutMs: number },
): Promise<RecoveryMade> {
  const { lenient, look, recovery, stranded } = found;
  const { project, text } = lenient;
  const rows = rowsToDelete(look.release, 'too-late');
  if (options.deletes && stranded.length > 0 && !rows.ok) {
    throw new SmeshError('release-not-supported', ExitCode.refused, `${rows.why}. Nothing was changed.`);
  }
  const { paths } = await backUpBefore(context, project, 'poet-switch');
  await notePendingStarts(context, project.name, [NODE]);
  // In a restart loop it would be started in the middle of it.
  if (look.container !== undefined) await (await context.ports.docker()).stop(look.container.id);
  const after: PoetSettings =
    recovery.kind === 'settings'
      ? {
          ...project.poet,
          servers: recovery.servers,
          phaseShift: recovery.phaseShift,
          cycleGap: recovery.cycleGap,
        }
      : project.poet;
  await writeSettings(context, text, project.poet, after, { force: true });
  const deleted =
    options.deletes && stranded.length > 0
      ? await (await context.ports.databaseEditor()).deleteRegistrations(
          `${project.node.data}/local.sql`,
          stranded.map(({ smesher }) => smesher),
        )
      : 0;
  await startNode(context, options.timeoutMs);
  const record = await readSwitchRecord(context);
  // The node runs, and not as a change that was under way had left it.
  if (record?.nodeRan === true) await writeSwitchRecord(context, { ...record, nodeRan: false });
  return { backup: paths, deleted };
}
