import { dirname } from 'node:path';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { LeaseReading } from '../../domain/identity/lease.ts';
import { type SmesherId, shortId } from '../../domain/identity/smesher-id.ts';
import type { ScanReport } from '../../domain/post/types.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import type { Context } from '../context.ts';
import { type EngineNode, findEngineNodes } from '../engine-nodes.ts';
import { readLeaseFiles } from '../leases/read-leases.ts';

/** A key that is about to be installed, and where it lies now. */
export interface KeyInQuestion {
  readonly smesherId: SmesherId;
  readonly key: { readonly path: string };
}

/** Another node's data folder on this host in which chosen identities have smeshed, or may have. */
export interface ForeignHistory {
  readonly folder: string;
  readonly identities: readonly KeyInQuestion[];
  /** Why nobody can tell; counts as smeshed (design §10). */
  readonly unknown?: string;
  /** The container that has this folder, where one of the engine's does. */
  readonly servedBy?: EngineNode;
}

export interface HistoryRequest {
  /** Data folders of nodes that lie about. */
  readonly nodeFolders: readonly string[];
  /** Those that containers have. */
  readonly engineNodes?: readonly EngineNode[];
  /** Of the node that the identities shall smesh with. */
  readonly nodeData: string;
}

/**
 * Looks into the local.sql of every other node on this host that the chosen identities might come from: an identity
 * whose history stays behind would build a second ATX for the same epoch, which bans it (spacemesh.md §9.1.2).
 */
export async function findForeignHistory(
  context: Context,
  chosen: readonly KeyInQuestion[],
  request: HistoryRequest,
): Promise<readonly ForeignHistory[]> {
  const { files } = context.ports;
  const own = await files.realPath(request.nodeData).catch(() => request.nodeData);
  const folders = new Set<string>();
  const servedBy = new Map<string, EngineNode>();
  const add = async (folder: string, node?: EngineNode) => {
    const real = await files.realPath(folder).catch(() => folder);
    if (real === own || !(await files.exists(`${real}/local.sql`))) return;
    folders.add(real);
    // Of several containers the one that runs is the one to tell of.
    if (node !== undefined && servedBy.get(real)?.runs !== true) servedBy.set(real, node);
  };
  for (const folder of [...request.nodeFolders, ...chosen.flatMap(folderOfKey)]) await add(folder);
  for (const node of request.engineNodes ?? []) await add(node.folder, node);
  if (folders.size === 0) return [];
  const database = await context.ports.localDatabase();
  // What was merged has its rows here as well; its former folder may lie about for ever.
  const here = await database.read(`${own}/local.sql`);
  const merged = new Set(here.kind === 'read' ? here.identities.map(({ smesherId }) => smesherId) : []);
  const unknownHere = chosen.filter(({ smesherId }) => !merged.has(smesherId));
  const histories = await Promise.all(
    [...folders].map(async (folder): Promise<ForeignHistory | undefined> => {
      const released = await findReleased(files, folder);
      const strangers = unknownHere.filter(({ smesherId }) => !released.has(smesherId));
      const facts = await database.read(`${folder}/local.sql`);
      if (facts.kind === 'absent') return undefined;
      const node = servedBy.get(folder);
      const where = { folder, ...(node === undefined ? {} : { servedBy: node }) };
      if (facts.kind === 'unknown') {
        // Only keys that lie in this very node can be told to concern it.
        const identities = strangers.filter((candidate) => folderOfKey(candidate).includes(folder));
        return identities.length === 0 ? undefined : { ...where, identities, unknown: facts.reason };
      }
      const smeshed = new Set<SmesherId>(facts.identities.map(({ smesherId }) => smesherId));
      const identities = strangers.filter(({ smesherId }) => smeshed.has(smesherId));
      return identities.length === 0 ? undefined : { ...where, identities };
    }),
  );
  return histories.filter((history) => history !== undefined);
}

/**
 * Whom that node has given up: it has been seen to go on without them, so it publishes nothing for them any more; what it
 * did publish, ours learns from the network before it builds anything (spacemesh.md §9.1.2).
 */
async function findReleased(
  files: Context['ports']['files'],
  folder: string,
): Promise<ReadonlySet<SmesherId>> {
  const leases = await readLeaseFiles(files, `${folder}/identities`).catch(
    () => new Map<string, LeaseReading>(),
  );
  const released = [...leases].filter(
    ([, reading]) => reading.kind === 'read' && reading.lease.state === 'released',
  );
  const gone = await Promise.all(
    released.map(async ([path, reading]) => {
      // A key that came back under the same name stands beside its old lease.
      const key = path.replace(/\.lease$/, '.key');
      const isBack = await files.exists(key).catch(() => true);
      return isBack || reading.kind !== 'read' ? [] : [reading.lease.smesherId];
    }),
  );
  return new Set(gone.flat());
}

/** `…/identities/x.key` belongs to the node whose data folder is two levels up. */
function folderOfKey({ key }: KeyInQuestion): readonly string[] {
  const parent = dirname(key.path);
  return parent.endsWith('/identities') ? [dirname(parent)] : [];
}

/** What a person is told, and what can be typed, when identities have smeshed elsewhere. */
export function foreignHistoryError(histories: readonly ForeignHistory[]): SmeshError {
  const [first] = histories;
  const folder = first?.folder ?? '';
  const unknown = histories.every((history) => history.unknown !== undefined);
  return new SmeshError(
    'smeshed-elsewhere',
    ExitCode.refused,
    unknown
      ? `Some of these identities may have smeshed with the node in ${folder}. With their history left behind they could be banned for ever.`
      : `Some of these identities have smeshed with the node in ${folder}. With their history left behind they could be banned for ever.`,
    {
      details: histories.flatMap((history) => [
        `${history.folder}${whose(history)}: ${history.identities.map(({ smesherId }) => shortId(smesherId)).join(', ')}`,
        ...(history.unknown === undefined ? [] : [`  its local.sql cannot be read: ${history.unknown}`]),
      ]),
      hint: `Nothing was changed. Stop that node for good, then let this project go on with its folder: smesh-compose init --node-data ${quoteForShell(folder)} (in a project: node.data in smesh.yaml).  Or bring it in with keys and history, both stopped: smesh-compose merge ${quoteForShell(folder)}  A smesh-compose project gives an identity up with remove and up; then it may be added here.`,
    },
  );
}

function whose({ servedBy }: ForeignHistory): string {
  if (servedBy === undefined) return '';
  return ` (container ${servedBy.container}${servedBy.runs ? ', which runs' : ''})`;
}

/** The same for those chosen from a scan, with the nodes of this machine's engine; none chosen, nothing loaded. */
export async function findHistoryOfChosen(
  context: Context,
  chosen: readonly KeyInQuestion[],
  report: Pick<ScanReport, 'nodeFolders'>,
  nodeData: string,
): Promise<readonly ForeignHistory[]> {
  if (chosen.length === 0) return [];
  const { nodes } = await findEngineNodes(context);
  return findForeignHistory(context, chosen, {
    nodeFolders: report.nodeFolders,
    engineNodes: nodes,
    nodeData,
  });
}

/** Goes on with the folder of the node that they come from, or refuses: history must not stay behind. */
export async function settleHistory(
  context: Context,
  chosen: readonly KeyInQuestion[],
  report: ScanReport,
  nodeData: string,
): Promise<string> {
  const histories = await findHistoryOfChosen(context, chosen, report, nodeData);
  const [only] = histories;
  if (only === undefined) return nodeData;
  const error = foreignHistoryError(histories);
  const empty = !(await context.ports.files.exists(`${nodeData}/local.sql`));
  if (histories.length > 1 || !empty || context.yes || !context.out.interactive) throw error;
  // Of a node at work nobody shall be offered the database.
  if (only.servedBy?.runs) throw error;
  context.out.warn([error.message, ...error.details].join('\n'));
  const use = await context.ports.prompt.confirm({
    message: 'Go on with that folder?',
    explanation: `This project can go on with ${only.folder} as its node's data folder; that node must be stopped for good.`,
    flag: `--node-data ${only.folder}`,
    initial: false,
  });
  if (!use) throw error;
  return only.folder;
}
