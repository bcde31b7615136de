import { explainForeign, isForeign } from '../identity/lease-findings.ts';
import { type SmesherId, shortId } from '../identity/smesher-id.ts';
import type { Finding } from '../plan/findings.ts';
import { quoteForShell } from '../shell-quote.ts';
import type { MergeFacts, MergeSource, SmeshingRows } from './facts.ts';
import { judgeKeys, refusal } from './judge-keys.ts';
import { judgeSpace } from './judge-space.ts';
import { judgeVersions } from './judge-versions.ts';

/** Everything that keeps nodes from being merged; empty: it may be done. Nothing overrides any of it. */
export function judgeMerge(facts: MergeFacts): readonly Finding[] {
  return [
    ...facts.sources.flatMap((source, index) => judgeSource(facts, source, facts.atWork[index] ?? [])),
    ...judgeTarget(facts),
    ...judgeBetweenSources(facts.sources),
    ...judgeSpace(facts),
  ];
}

function judgeSource(facts: MergeFacts, source: MergeSource, atWork: readonly string[]): readonly Finding[] {
  const { folder } = source;
  const { project } = facts;
  // With its own identities no advice of the others would be right.
  if (source.isTarget === true) {
    return [
      refusal(
        'source-is-target',
        "This is the data folder of this project's own node",
        folder,
        'Name the folder of the other node',
      ),
    ];
  }
  const keys = judgeKeys(facts, source);
  const versions =
    source.keys.length === 0
      ? []
      : judgeVersions({
          source,
          target: facts.database,
          nodeData: project.node.data,
          ...(facts.wantedVersion === undefined ? {} : { wanted: facts.wantedVersion }),
        });
  return [
    ...keys,
    ...versions,
    ...judgeIdentities(facts, source),
    ...judgeLeases(source),
    ...judgeGenesis(facts, source),
    ...(atWork.length === 0
      ? []
      : [
          refusal(
            'source-at-work',
            `The node of this folder works, or nobody can say that it does not: ${atWork.join('; ')}`,
            folder,
            'Stop it for good, so that nothing starts it again (docker stop NAME, systemctl disable --now UNIT), then merge again',
          ),
        ]),
  ];
}

/** One identity in both: whichever of the two histories is taken, the other one is left behind (spacemesh.md §9.1). */
function judgeIdentities(facts: MergeFacts, source: MergeSource): readonly Finding[] {
  const { project, installed, database } = facts;
  const findings: Finding[] = [];
  const files = new Map(installed.map((key) => [key.smesherId, key.file]));
  const rowsHere = new Map(
    database.kind === 'read' ? database.rows.map((row) => [row.smesherId, row] as const) : [],
  );
  const rowsThere = source.database.kind === 'read' ? source.database.rows : [];
  for (const { smesherId, path } of source.keys) {
    const file = files.get(smesherId);
    if (file === undefined) continue;
    const here = rowsHere.has(smesherId) ? ', with a history of its own' : ', without a history';
    findings.push(
      refusal(
        'identity-in-both',
        `${shortId(smesherId)} is an identity of both nodes: ${path}, and ${file} in this project's identities${here}`,
        source.folder,
        rowsHere.has(smesherId)
          ? 'Two histories of one identity cannot be merged. Find out which node it has served; its key is moved away from the other one'
          : `Left by a merge-nodes that failed, it is a copy of the one that is to come: mv ${quoteForShell(`${project.node.data}/identities/${file}`)} ${quoteForShell(`${project.node.data}/identities/${file}.aside`)}, then merge again`,
      ),
    );
  }
  const keysThere = new Set(source.keys.map(({ smesherId }) => smesherId));
  for (const row of rowsThere) {
    const other = rowsHere.get(row.smesherId);
    // Told already with its key.
    if (other === undefined || (files.has(row.smesherId) && keysThere.has(row.smesherId))) continue;
    findings.push(
      refusal(
        'rows-in-both',
        `${shortId(row.smesherId)} has a history in both local.sql (here: ${describeRows(other)}; there: ${describeRows(row)})`,
        `${source.folder}/local.sql`,
        'Two histories of one identity cannot be merged: merge-nodes would fail, and no other way is safe. Let it go on with the node that it is with now',
      ),
    );
  }
  for (const { smesherId } of source.keys) {
    const data = facts.data.get(smesherId);
    if (data?.kind !== 'twice') continue;
    findings.push(
      refusal(
        'data-twice',
        `The PoST data of ${shortId(smesherId)} lies in more than one directory: ${data.paths.join(' and ')}`,
        source.folder,
        'Decide which copy is served and leave the other one out: --ignore DIRECTORY',
      ),
    );
  }
  return findings;
}

function judgeLeases(source: MergeSource): readonly Finding[] {
  return source.keys.flatMap(({ smesherId, lease }) =>
    lease === undefined || !isForeign(lease.verdict)
      ? []
      : [
          refusal(
            'lease-held-elsewhere',
            `The key of ${shortId(smesherId)} ${explainForeign(lease.verdict)}`,
            lease.path,
            'Settle that in the project that this folder belongs to first: smesh-compose -C PROJECT keys, and keys adopt there',
          ),
        ],
  );
}

function judgeGenesis(facts: MergeFacts, source: MergeSource): readonly Finding[] {
  const [ours, theirs] = [facts.genesis, source.genesis];
  if (ours === undefined || theirs === undefined) return [];
  if (ours.time === theirs.time && ours.extraData === theirs.extraData) return [];
  return [
    refusal(
      'other-network',
      `It belongs to another network: its genesis is ${new Date(theirs.time).toISOString()}, that of this project ${new Date(ours.time).toISOString()}`,
      `${source.folder}/genesis.json`,
      'Merge it into a project of its own network',
    ),
  ];
}

function judgeTarget(facts: MergeFacts): readonly Finding[] {
  const { project, atWork, installed } = facts;
  const reasons = atWork[facts.sources.length] ?? [];
  return [
    ...(reasons.length === 0
      ? []
      : [
          refusal(
            'node-at-work',
            `This project's node works, or nobody can say that it does not: ${reasons.join('; ')}`,
            project.node.data,
            'Stop the node, its post-services may go on: smesh-compose stop node   (then merge again)',
          ),
        ]),
    ...installed
      .filter(({ smesherId }) => smesherId === undefined)
      .map(
        ({ file, fault }): Finding => ({
          code: 'installed-key-faulty',
          severity: 'error',
          kind: 'invalid',
          message: `This project's node would not start: ${file}: ${fault ?? 'not readable'}`,
          evidence: `${project.node.data}/identities`,
          next: 'Repair the file, or move it out of the folder (keep it!), then merge again',
        }),
      ),
  ];
}

function judgeBetweenSources(sources: readonly MergeSource[]): readonly Finding[] {
  const seen = new Map<SmesherId, MergeSource>();
  const findings: Finding[] = [];
  for (const source of sources) {
    const rows = source.database.kind === 'read' ? source.database.rows : [];
    const ids = new Set([...source.keys, ...rows].map(({ smesherId }) => smesherId));
    for (const id of ids) {
      const first = seen.get(id);
      if (first !== undefined) {
        findings.push(
          refusal(
            'identity-in-two-sources',
            `${shortId(id)} is in two of the nodes that are to be merged: ${first.folder} and ${source.folder}`,
            source.folder,
            'Two histories of one identity cannot be merged. Find out which node it has served last; leave the other one out',
          ),
        );
      } else seen.set(id, source);
    }
  }
  return findings;
}

/** `initial proof, challenge for epoch 12, 2 registrations` */
export function describeRows(rows: SmeshingRows): string {
  const parts = [
    ...(rows.post ? ['initial proof'] : []),
    ...(rows.publishEpoch === undefined ? [] : [`challenge for epoch ${rows.publishEpoch}`]),
    ...(rows.registrations === 0
      ? []
      : [`${rows.registrations} ${rows.registrations === 1 ? 'registration' : 'registrations'}`]),
    ...(rows.nipost ? ['a proof that waits for publication'] : []),
  ];
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}
