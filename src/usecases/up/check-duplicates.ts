import { readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { flagValue, servedFolders } from '../../domain/compose/who-serves.ts';
import { readKeyFile } from '../../domain/identity/key-file.ts';
import { type SmesherId, shortId } from '../../domain/identity/smesher-id.ts';
import type { Finding } from '../../domain/plan/findings.ts';
import { lookAtMetadata } from '../../domain/post/data-access.ts';
import { METADATA_FILE } from '../../domain/post/metadata.ts';
import type { Ports } from '../../ports/index.ts';
import type { Context } from '../context.ts';
import { isAlive, isDenied } from '../engine-nodes.ts';
import type { EngineObservation } from './observe-engine.ts';

/** Somebody beside this project who has a key or the data of one of its identities. */
interface Claim {
  readonly smesherId: SmesherId;
  /** With the key two nodes publish; with the data alone two services fight for one place. */
  readonly by: 'key' | 'data';
  readonly who: string;
  /** Runs, or is a node of a Compose project: one `up` there and two nodes have the key. */
  readonly live: boolean;
  /** What takes it away. */
  readonly remedy: string;
}

/**
 * The same identity in two places: the one thing that costs it for ever (spacemesh.md §9.1). Looks at all containers of
 * the engine and all processes of the host; there is no way to override what is found alive (design §8, S23).
 *
 * @param names all identities that the node will register, and what they are called
 */
export async function checkDuplicates(
  context: Context,
  observation: EngineObservation,
  names: ReadonlyMap<SmesherId, string>,
): Promise<readonly Finding[]> {
  const reader = createReader(context.ports);
  const [containers, processes] = await Promise.all([
    Promise.all(observation.foreign.map((container) => claimsOfContainer(reader, observation, container))),
    observation.engineIsHere ? claimsOfProcesses(context.ports, reader, observation) : [],
  ]);
  const claims = [...containers.flat(), ...processes].filter(({ smesherId }) => names.has(smesherId));
  return [
    ...claims.map((claim) => toFinding(claim, names.get(claim.smesherId) ?? '')),
    ...reader.closed().map(([folder, holder]) => toUnknown(folder, holder)),
  ];
}

/**
 * Not known is not clean (design §8): while such a node runs nothing is started beside it, or a key in both is lost. One
 * that is down does no harm yet.
 */
function toUnknown(folder: string, { who, live, stop }: Holder): Finding {
  const finding = { code: 'identities-unknown', kind: 'refused', evidence: folder } as const;
  const risk =
    'whether it has a key of this project nobody can say; two nodes with one key cost that identity for ever';
  if (live) {
    return {
      ...finding,
      severity: 'error',
      message: `A node runs whose keys may not be read, ${who}: ${risk}`,
      next: `Look there as root: sudo smesh-compose up.  Or stop that node: ${stop}`,
    };
  }
  return {
    ...finding,
    severity: 'warning',
    message: `Keys of a node that is down may not be read, ${who}: ${risk}`,
    next: 'Look there as root before that node starts again: sudo smesh-compose plan',
  };
}

function toFinding(claim: Claim, name: string): Finding {
  const who = `${claim.who} ${claim.by === 'key' ? 'has its key' : 'has its PoST data'}`;
  if (!claim.live) {
    return {
      code: 'identity-elsewhere',
      severity: 'warning',
      kind: 'refused',
      message: `${name} (${shortId(claim.smesherId)}) stands in a second place, which is down now: ${who}`,
      next: `Make sure that it never starts again: ${claim.remedy}`,
    };
  }
  const cost =
    claim.by === 'key'
      ? 'two nodes with one key: the network cancels that identity for ever'
      : 'two services for one identity keep each other out';
  return {
    code: 'identity-twice',
    severity: 'error',
    kind: 'refused',
    message: `${name} (${shortId(claim.smesherId)}) is served by somebody else: ${who} — ${cost}`,
    next: claim.remedy,
  };
}

/** Who has a node's data folder. */
interface Holder {
  readonly who: string;
  readonly live: boolean;
  /** What ends it. */
  readonly stop: string;
}

interface FolderReader {
  dataOf(folder: string): Promise<readonly SmesherId[]>;
  keysOf(nodeData: string, holder: Holder): Promise<readonly SmesherId[]>;
  /** Data folders of nodes whose keys this user may not look at; of several that have one, who is live. */
  closed(): readonly (readonly [string, Holder])[];
}

/** Each folder is looked into once, however many containers mount it. Public halves only leave this function. */
function createReader({ files, crypto }: Pick<Ports, 'files' | 'crypto'>): FolderReader {
  const closed = new Set<string>();
  const holders = new Map<string, Holder>();
  const remember = (look: (folder: string) => Promise<readonly SmesherId[]>) => {
    const known = new Map<string, Promise<readonly SmesherId[]>>();
    return (folder: string) => {
      const found = known.get(folder) ?? look(folder).catch(() => []);
      known.set(folder, found);
      return found;
    };
  };
  const keysOf = remember(async (nodeData) => {
    const note = (error: unknown) => {
      if (isDenied(error)) closed.add(nodeData);
      return undefined;
    };
    const folder = `${nodeData}/identities`;
    const facts = await files.facts(folder).catch(note);
    const entries = facts?.kind === 'directory' ? await files.list(folder).catch(note) : undefined;
    const names = (entries ?? []).map(({ name }) => name).filter((name) => name.endsWith('.key'));
    const keys = await Promise.all(
      names.map(async (name) => {
        const bytes = await files.readBytes(`${folder}/${name}`).catch(note);
        const reading = readKeyFile(bytes ?? new Uint8Array(), (seed) => crypto.publicKeyOfSeed(seed));
        return reading.kind === 'malformed' ? [] : [reading.smesherId];
      }),
    );
    return keys.flat();
  });
  return {
    dataOf: remember(async (folder) => {
      const text = await files.readTextIfPresent(`${folder}/${METADATA_FILE}`);
      const look = text === undefined ? undefined : lookAtMetadata(text);
      return look?.kind === 'readable' && look.smesherId !== undefined ? [look.smesherId] : [];
    }),
    keysOf(nodeData, holder) {
      if (holders.get(nodeData)?.live !== true) holders.set(nodeData, holder);
      return keysOf(nodeData);
    },
    closed: () => [...holders].filter(([folder]) => closed.has(folder)).sort(([a], [b]) => (a < b ? -1 : 1)),
  };
}

async function claimsOfContainer(
  reader: FolderReader,
  observation: EngineObservation,
  container: ObservedContainer,
): Promise<readonly Claim[]> {
  const labels = readLabels(container.labels);
  // Jobs of this project's `init` profile work on directories that are not proved yet.
  if (labels?.role === 'initialisation') return [];
  const folders = observation.engineIsHere ? servedFolders(container) : { post: [], node: [] };
  const runs = isAlive(container.state);
  const project = container.project;
  const who =
    project === undefined
      ? `container ${container.name}`
      : `container ${container.name} of Compose project ${project}`;
  const holder: Holder = { who, live: runs, stop: `docker stop ${container.name}` };
  const [data, keys] = await Promise.all([
    Promise.all(folders.post.map(reader.dataOf)),
    Promise.all(folders.node.map((folder) => reader.keysOf(folder, holder))),
  ]);
  const byData = [...data.flat(), ...(labels?.smesherId === undefined ? [] : [labels.smesherId])];
  const removal =
    project === undefined ? `docker rm -f ${container.name}` : `docker compose -p ${project} down`;
  // Of a Compose project others may prove even where this one does not.
  const mayProve = project !== undefined || (runs && byData.length > 0);
  const remedy = mayProve ? whenIdle(removal) : removal;
  const claim = (smesherId: SmesherId, by: Claim['by']): Claim => ({
    smesherId,
    by,
    who,
    live: runs || (by === 'key' && project !== undefined && !container.oneOff),
    remedy,
  });
  return [
    ...[...new Set(byData)].map((id) => claim(id, 'data')),
    ...[...new Set(keys.flat())].map((id) => claim(id, 'key')),
  ];
}

/** What ends a post-service ends its proof, and how far that is can be asked where it is served (spacemesh.md §9.1). */
function whenIdle(command: string): string {
  return `${command}   (when nothing proves there: it stops proofs in progress)`;
}

const NODE_PROGRAMS = new Set(['go-spacemesh', 'node-spacemesh']);
const PROVER_PROGRAMS = new Set(['post-service']);

/** Nodes and post-services that run outside of this engine's containers: systemd, a shell, another engine. */
async function claimsOfProcesses(
  ports: Pick<Ports, 'files'>,
  reader: FolderReader,
  observation: EngineObservation,
): Promise<readonly Claim[]> {
  const entries = await ports.files.list('/proc').catch(() => []);
  const containers = [...observation.own, ...observation.foreign].map(({ id }) => id);
  const claims = await Promise.all(
    entries
      .filter(({ name }) => /^\d+$/.test(name))
      .map(({ name }) => claimsOfProcess(ports, reader, containers, name)),
  );
  return claims.flat();
}

async function claimsOfProcess(
  { files }: Pick<Ports, 'files'>,
  reader: FolderReader,
  containers: readonly string[],
  pid: string,
): Promise<readonly Claim[]> {
  // Processes end while we look; those of others may be hidden.
  const command = await files.readText(`/proc/${pid}/cmdline`).catch(() => '');
  const words = command.split('\0');
  const program = words[0]?.slice(words[0].lastIndexOf('/') + 1) ?? '';
  const isNode = NODE_PROGRAMS.has(program);
  if (!isNode && !PROVER_PROGRAMS.has(program)) return [];
  const groups = await files.readText(`/proc/${pid}/cgroup`).catch(() => '');
  if (containers.some((id) => groups.includes(id))) return [];
  const folder = await processFolder(files, pid, words, isNode);
  const service = /\/([^/\n]+\.service)/.exec(groups)?.[1];
  const named = `process ${program} (pid ${pid}${service === undefined ? '' : `, ${service}`}`;
  const stop = service === undefined ? `kill ${pid}` : `systemctl disable --now ${service}`;
  const ids = isNode
    ? await reader.keysOf(folder, { who: `${named})`, live: true, stop })
    : await reader.dataOf(folder);
  const removal = service === undefined ? `End that process for good, then try again: ${stop}` : stop;
  return ids.map((smesherId) => ({
    smesherId,
    by: isNode ? 'key' : 'data',
    who: `${named}, ${folder})`,
    live: true,
    remedy: isNode ? removal : whenIdle(removal),
  }));
}

/** Its folder as this process can reach it: relative ones from its working directory, and in its own root. */
async function processFolder(
  files: Ports['files'],
  pid: string,
  words: readonly string[],
  isNode: boolean,
): Promise<string> {
  const given = flagValue(words, isNode ? ['--data-folder', '-d'] : ['--dir', '-d']);
  if (given?.startsWith('/')) return `/proc/${pid}/root${given}`;
  if (given !== undefined) return `/proc/${pid}/cwd/${given}`;
  // Without a flag: in the home folder of whoever runs it (spacemesh.md §1.2).
  const environment = await files.readText(`/proc/${pid}/environ`).catch(() => '');
  const home = environment.split('\0').find((entry) => entry.startsWith('HOME='));
  return `/proc/${pid}/root${home?.slice('HOME='.length) ?? '/root'}/spacemesh`;
}
