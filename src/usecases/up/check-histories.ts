import { readLabels } from '../../domain/compose/labels.ts';
import { type SmesherId, shortId } from '../../domain/identity/smesher-id.ts';
import type { Finding } from '../../domain/plan/findings.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import type { Context } from '../context.ts';
import { findNodeFolders } from '../engine-nodes.ts';
import { findForeignHistory } from '../init/foreign-history.ts';
import { readSmeshedHere } from '../node-keys.ts';
import type { EngineObservation } from './observe-engine.ts';

/**
 * Identities that have smeshed with another node of this engine and not with ours: with their history left behind there
 * ours would build a second ATX for the same epoch, which bans them, whether that node runs or not (spacemesh.md §9.1.2,
 * S23). What was merged has its rows here as well, and passes.
 *
 * @param ids all that the node will register, with what they are called
 */
export async function checkHistories(
  context: Context,
  observation: EngineObservation,
  ids: ReadonlyMap<SmesherId, string>,
  nodeData: string,
): Promise<readonly Finding[]> {
  if (!observation.engineIsHere) return [];
  // Folders that may not be entered are told of where keys are looked for.
  // Our own node may still have the folder that node.data named before: what it published is in that one's database.
  const former = observation.own.filter(({ labels }) => readLabels(labels)?.role === 'node');
  const { nodes } = await findNodeFolders(context.ports.files, [...observation.foreign, ...former]);
  if (nodes.length === 0) return [];
  const here = await readSmeshedHere(context, nodeData);
  // Of a database that cannot be read nobody can say whether the histories are in it.
  if (here === 'unknown') return [];
  const strangers = [...ids.keys()].filter((id) => !here.has(id));
  const histories = await findForeignHistory(
    context,
    strangers.map((smesherId) => ({ smesherId, key: { path: '' } })),
    { nodeFolders: [], engineNodes: nodes, nodeData },
  );
  return histories.flatMap(({ folder, identities, servedBy }) =>
    identities.map(
      ({ smesherId }): Finding => ({
        code: 'smeshed-elsewhere',
        severity: 'error',
        kind: 'refused',
        message: `${ids.get(smesherId)} (${shortId(smesherId)}) has smeshed with another node of this engine, and its history is not in this one's database: with a second ATX for the same epoch it is banned for ever`,
        evidence: `${folder}/local.sql${servedBy === undefined ? '' : `, container ${servedBy.container}`}`,
        next: `Stop that node for good and let this project go on with its folder (node.data in smesh.yaml), or bring it in with keys and history, both stopped: smesh-compose merge ${quoteForShell(folder)}   Where it is a smesh-compose project, it can give the identity up instead: smesh-compose remove there, then up`,
      }),
    ),
  );
}
