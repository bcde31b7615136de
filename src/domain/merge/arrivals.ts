import { fileNameFor } from '../identity/decide-keys.ts';
import { type SmesherId, shortId } from '../identity/smesher-id.ts';
import { namesFor } from '../project/name.ts';
import type { NewIdentity } from '../project/new-project.ts';
import type { Project } from '../project/types.ts';
import type { Arrival, MergeFacts, MergeSource, SmeshingRows, SourceKey } from './facts.ts';

const SUPERVISED = 'local.key';

export interface Arrivals {
  readonly arrivals: readonly Arrival[];
  /** Keys that a node made by itself and that never smeshed (S9): out of the way with the others, and not brought in. */
  readonly leftBehind: readonly { readonly key: SourceKey; readonly source: MergeSource }[];
  /** Whose rows come although their key is not in that node. */
  readonly withoutKey: readonly { readonly rows: SmeshingRows; readonly source: MergeSource }[];
}

/**
 * Who comes with the nodes, under which name. All that a node has comes, or nothing: what stays behind has no history any
 * more. Every key gets a file name that is free in the project and is not `local.key` (spacemesh.md §2.1, §6.3).
 */
export function findArrivals(facts: MergeFacts): Arrivals {
  const { project, sources } = facts;
  const leftBehind = sources.flatMap((source) =>
    source.keys.filter((key) => wasMadeByNode(facts, source, key)).map((key) => ({ key, source })),
  );
  const staying = new Set(leftBehind.map(({ key }) => key.smesherId));
  const coming = sources.flatMap((source) =>
    source.keys.filter(({ smesherId }) => !staying.has(smesherId)).map((key) => ({ key, source })),
  );
  const known = new Map(project.identities.map((identity) => [identity.id, identity]));
  const fresh = coming
    .map(({ key }) => key.smesherId)
    .filter((id) => !known.has(id) && facts.data.get(id)?.kind === 'ready');
  const names = namesFor(project, fresh);
  const taken = new Set(facts.installed.map(({ file }) => file));
  const arrivals = coming.map(({ key, source }): Arrival => {
    const { smesherId } = key;
    const name = known.get(smesherId)?.name ?? names.get(smesherId);
    const keyFile = fileNameFor({ id: smesherId, name: name ?? `merged-${shortId(smesherId)}` }, taken);
    taken.add(keyFile);
    const rows =
      source.database.kind === 'read'
        ? source.database.rows.find((row) => row.smesherId === smesherId)
        : undefined;
    return {
      smesherId,
      source,
      key,
      known: known.has(smesherId),
      keyFile,
      ...(name === undefined ? {} : { name }),
      ...dataOf(facts, smesherId),
      ...(rows === undefined ? {} : { rows }),
      prover: differing(source, project),
    };
  });
  const withoutKey = sources.flatMap((source) => {
    const keys = new Set(source.keys.map(({ smesherId }) => smesherId));
    const rows = source.database.kind === 'read' ? source.database.rows : [];
    return rows.filter(({ smesherId }) => !keys.has(smesherId)).map((row) => ({ rows: row, source }));
  });
  return { arrivals, leftBehind, withoutKey };
}

/** A node that found no key made `local.key`: no history, no data, and not the only key that there is. */
function wasMadeByNode(facts: MergeFacts, source: MergeSource, key: SourceKey): boolean {
  if (!key.path.endsWith(`/${SUPERVISED}`) || source.keys.length < 2) return false;
  const hasRows =
    source.database.kind !== 'read' ||
    source.database.rows.some(({ smesherId }) => smesherId === key.smesherId);
  const isKnown = facts.project.identities.some(({ id }) => id === key.smesherId);
  return !hasRows && !isKnown && !facts.data.has(key.smesherId);
}

function dataOf(facts: MergeFacts, id: SmesherId): Pick<Arrival, 'data' | 'dataFault'> {
  const known = facts.project.identities.find((identity) => identity.id === id);
  if (known !== undefined) return { data: known.data };
  const found = facts.data.get(id);
  switch (found?.kind) {
    case 'ready':
      return { data: found.path };
    case 'unfit':
      return { dataFault: `${found.path}: ${found.why}` };
    case 'twice':
      return { dataFault: `in two places: ${found.paths.join(', ')}` };
    default:
      return { dataFault: 'not found' };
  }
}

function differing(source: MergeSource, { defaults }: Project): Arrival['prover'] {
  const { nonces, threads, randomx } = source.config?.prover ?? {};
  return {
    ...(nonces === undefined || nonces === defaults.nonces ? {} : { nonces }),
    ...(threads === undefined || threads === defaults.threads ? {} : { threads }),
    ...(randomx === undefined || randomx === defaults.randomx ? {} : { randomx }),
  };
}

/** The entries that smesh.yaml gets. */
export function newIdentities(arrivals: readonly Arrival[]): readonly NewIdentity[] {
  return arrivals.flatMap(({ smesherId, name, data, known, prover }) =>
    known || name === undefined || data === undefined ? [] : [{ id: smesherId, name, data, ...prover }],
  );
}
