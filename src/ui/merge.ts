import { type SmesherId, shortId } from '../domain/identity/smesher-id.ts';
import type { Arrivals } from '../domain/merge/arrivals.ts';
import type { Arrival, MergeFacts, SmeshingRows } from '../domain/merge/facts.ts';
import type { SourceRecord } from '../domain/merge/swap-steps.ts';
import { quoteForShell } from '../domain/shell-quote.ts';
import { renderTable } from './table.ts';
import { printable } from './text.ts';
import { plural } from './units.ts';

export interface MergePreview extends Arrivals {
  readonly facts: MergeFacts;
  readonly records: readonly SourceRecord[];
  readonly columns: number;
}

/** Who comes, what does not, and what becomes of the nodes that they come from. */
export function renderMerge(preview: MergePreview): string {
  const { facts, arrivals, columns } = preview;
  const count = plural(arrivals.length, 'identity', 'identities');
  const nodes = plural(facts.sources.length, 'node');
  const lines = [
    `${count} of ${nodes} will come to ${facts.project.name} (${facts.directory}); merging is all or nothing`,
    '',
    ...renderTable(
      [
        { title: 'SMESHER' },
        { title: 'NAME' },
        { title: 'KEY FILE', flexible: true, minWidth: 14 },
        { title: 'DATA', flexible: true, cut: 'start', minWidth: 16 },
        { title: 'HISTORY', flexible: true, minWidth: 16 },
      ],
      arrivals.map((arrival) => [
        shortId(arrival.smesherId),
        arrival.name ?? '-',
        arrival.keyFile,
        arrival.data ?? arrival.dataFault ?? '',
        arrival.rows === undefined ? 'none' : shortHistory(arrival.rows),
      ]),
      columns,
    ),
    ...withoutData(arrivals),
    ...others(preview),
    '',
    ...facts.sources.flatMap((source, index) => describeSource(preview, index, source.folder)),
  ];
  return lines.map((line) => printable(line)).join('\n');
}

/** What is under way, in the room of a table: `epoch 12, registered`. */
function shortHistory({ publishEpoch, registrations, nipost }: SmeshingRows): string {
  if (publishEpoch === undefined && !nipost) return 'initial proof';
  const epoch = publishEpoch === undefined ? '' : `epoch ${publishEpoch}, `;
  if (nipost) return `${epoch}proof is done`;
  return `${epoch}${registrations > 0 ? 'registered' : 'not registered'}`;
}

function withoutData(arrivals: readonly Arrival[]): readonly string[] {
  const without = arrivals.filter(({ data }) => data === undefined);
  if (without.length === 0) return [];
  return [
    '',
    `! ${plural(without.length, 'identity comes', 'identities come')} without PoST data that could be proved: ${ids(without)}.`,
    '  The node will register them, and they miss their proofs until their data is there: smesh-compose add DIRECTORY',
    ...without
      .filter(({ dataFault }) => dataFault !== 'not found')
      .map(({ smesherId, dataFault }) => `  ${shortId(smesherId)}: ${dataFault ?? ''}`),
  ];
}

function others({ arrivals, leftBehind, withoutKey, facts }: MergePreview): readonly string[] {
  const configs = facts.sources.filter(({ config }) => config !== undefined);
  return [
    ...[...facts.shares].map(
      ([folder, share]) =>
        `! ${folder} lies on a share (${share}): whether another host runs a node on it cannot be seen from here.`,
    ),
    ...leftBehind.map(
      ({ key }) =>
        `! local.key (${shortId(key.smesherId)}) does not come: that node made it by itself, and it has neither data nor history. It stays there, under another name.`,
    ),
    ...withoutKey.map(
      ({ rows, source }) =>
        `! The history of ${shortId(rows.smesherId)} comes, its key does not: ${source.folder} has none of it. Is it at work elsewhere? Then its place is there.`,
    ),
    ...facts.sources.flatMap(({ folder, pending = [] }) =>
      pending.map(
        (file) =>
          `! ${file} waits there for its PoST data and does not come. Without it that data is worth nothing; take both in once the data is complete: mv -n ${quoteForShell(`${folder}/identities/${file}`)} ${quoteForShell(`${facts.project.node.data}/identities/`)}   smesh-compose add DIRECTORY`,
      ),
    ),
    ...configs.flatMap(({ config, folder }) => {
      const coinbase = config?.coinbase;
      const settings = Object.entries(
        arrivals.find(({ source }) => source.folder === folder)?.prover ?? {},
      ).map(([name, value]) => `${name} ${value}`);
      return [
        ...(settings.length === 0
          ? []
          : ['', `Proved as ${config?.path ?? ''} says: ${settings.join(', ')}`]),
        ...(coinbase === undefined || coinbase === facts.project.coinbase
          ? []
          : [`! Its rewards went to ${coinbase}; from now on they go to ${facts.project.coinbase}.`]),
        ...(config === undefined || config.dropped.length === 0
          ? []
          : [
              '',
              `Of ${config.path} these have no place here and are left out:`,
              ...config.dropped.map((line) => `  ${line}`),
            ]),
      ];
    }),
  ];
}

function describeSource({ records }: MergePreview, index: number, folder: string): readonly string[] {
  const record = records[index];
  const notice = record?.notice.slice(record.notice.lastIndexOf('/') + 1) ?? '';
  const renamed = record?.keys[0];
  const ending = renamed === undefined ? '' : renamed.to.slice(renamed.from.length);
  return [
    `What becomes of ${folder}`,
    ...(renamed === undefined
      ? []
      : [`  its keys are renamed to *.key${ending}; nothing is deleted, its local.sql stays as it is`]),
    `  it gets ${notice}, which is no key: a node that finds it refuses to start, and names it`,
  ];
}

function ids(arrivals: readonly { readonly smesherId: SmesherId }[]): string {
  return arrivals.map(({ smesherId }) => shortId(smesherId)).join(', ');
}

/** The same for `--json`. */
export function mergeToJson({
  facts,
  arrivals,
  leftBehind,
  withoutKey,
  records,
}: Omit<MergePreview, 'columns'>): object {
  return {
    nodeData: facts.project.node.data,
    identities: arrivals.map(
      ({ smesherId, name, data, dataFault, keyFile, known, rows, source, prover }) => ({
        id: smesherId,
        name: name ?? null,
        data: data ?? null,
        ...(dataFault === undefined ? {} : { dataFault }),
        keyFile,
        inProject: known,
        from: source.folder,
        rows: rows ?? null,
        settings: prover,
      }),
    ),
    leftBehind: leftBehind.map(({ key }) => ({ id: key.smesherId, path: key.path })),
    withoutKey: withoutKey.map(({ rows, source }) => ({ id: rows.smesherId, from: source.folder })),
    sources: facts.sources.map((source, index) => ({
      folder: source.folder,
      config: source.config?.path ?? null,
      dropped: source.config?.dropped ?? [],
      ...(source.pending === undefined ? {} : { waitingKeys: source.pending }),
      notice: records[index]?.notice ?? null,
      keys: records[index]?.keys ?? [],
    })),
  };
}
