import type { SmesherId } from '../domain/identity/smesher-id.ts';
import { formatDuration, plural } from './units.ts';

/** What tells a container from its replacement, and a run of it from the next. */
export interface ContainerMark {
  readonly service: string;
  readonly containerId: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

export interface Marks {
  readonly node: ContainerMark | undefined;
  readonly provers: readonly ContainerMark[];
}

/** More rows than these prove nothing more; the rest is counted. */
const MOST_ROWS = 12;

/** Two moments side by side: whose container and whose start time are the same. */
export function renderMarks(before: Marks, after: Marks): readonly string[] {
  const earlier = new Map(listMarks(before).map((mark) => [mark.service, mark]));
  const rows = listMarks(after).map((mark) => {
    const was = earlier.get(mark.service);
    return { mark, was, same: was !== undefined && isSame(was, mark) };
  });
  // What changed first: it is what there is to see.
  rows.sort((a, b) => Number(a.same) - Number(b.same) || (a.mark.service < b.mark.service ? -1 : 1));
  const width = Math.max(...rows.map(({ mark }) => mark.service.length));
  const lines = rows.slice(0, MOST_ROWS).map(({ mark, was, same }) => {
    const change = same ? 'the same' : `${markText(mark)}  ${was === undefined ? 'added' : 'recreated'}`;
    return `${mark.service.padEnd(width)}  ${(was === undefined ? '–' : markText(was)).padEnd(30)}  ${change}`;
  });
  const rest = rows.slice(MOST_ROWS);
  if (rest.length === 0) return lines;
  return [
    ...lines,
    `… and ${rest.length} more, ${rest.every(({ same }) => same) ? 'all the same' : 'not all the same'}`,
  ];
}

function listMarks({ node, provers }: Marks): readonly ContainerMark[] {
  return node === undefined ? provers : [node, ...provers];
}

function isSame(a: ContainerMark, b: ContainerMark): boolean {
  return a.containerId === b.containerId && a.startedAt === b.startedAt;
}

/** `3f2a9c81 since 00:25:41 UTC` */
function markText({ containerId, startedAt }: ContainerMark): string {
  return `${containerId.slice(0, 8)} since ${new Date(startedAt).toISOString().slice(11, 19)} UTC`;
}

/** What a rehearsal has shown. Times are milliseconds since its beginning. */
export interface RehearsalSummary {
  readonly project: string;
  readonly directory: string;
  readonly images: Readonly<Record<'node' | 'post' | 'postcli', string>>;
  readonly epochSeconds: number;
  readonly disks: number;
  readonly identities: readonly {
    readonly name: string;
    readonly smesher: SmesherId;
    readonly data: string;
    readonly added: boolean;
    readonly publishEpochs: readonly number[];
  }[];
  readonly untouched: readonly ContainerMark[];
  readonly nodeRecreated: boolean;
  readonly startedAfterMs: number;
  readonly publishedAfterMs: number;
  readonly addedAfterMs: number;
}

/** How it ended: taken down, or left for the user. */
export interface RehearsalEnd {
  readonly tookMs: number;
  readonly kept: boolean;
  /** What of the folder is still there although nothing was to be kept: a person's own files. */
  readonly left: readonly string[];
}

/** The result of a rehearsal that passed, one line per thing shown. */
export function renderRehearsal(summary: RehearsalSummary, end: RehearsalEnd): string {
  const first = summary.identities.filter(({ added }) => !added);
  const added = summary.identities.filter((identity) => identity.added);
  const names = added.map(({ name }) => name).join(', ');
  const rows: readonly (readonly [string, number])[] = [
    [
      `1 node and ${plural(first.length, 'post-service')} on ${plural(summary.disks, 'disk')}: up and healthy`,
      summary.startedAfterMs,
    ],
    [
      `${plural(first.length, 'identity', 'identities')} published ${first.length === 1 ? 'its ATX' : 'their ATXs'}`,
      summary.publishedAfterMs,
    ],
    [
      `${names} added: ${plural(summary.untouched.length, 'post-service')} untouched, only the node recreated; published`,
      summary.addedAfterMs,
    ],
  ];
  const width = Math.max(...rows.map(([text]) => text.length));
  return [
    `Rehearsal passed in ${formatSeconds(end.tookMs)}.`,
    ...rows.map(([text, after]) => `  ok  ${text.padEnd(width)}  after ${formatSeconds(after)}`),
    ...(end.kept
      ? [`  --  left running as asked: Compose project ${summary.project} in ${summary.directory}/project`]
      : ['  ok  taken down: containers, network, keys and data']),
    ...end.left.map((path) => `  !   not made by the rehearsal, so still there: ${path}`),
  ].join('\n');
}

/** `3 min 12 s`: rehearsals are measured in seconds. */
function formatSeconds(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return formatDuration(seconds * 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** The same for `--json`. */
export function rehearsalToJson(
  summary: RehearsalSummary,
  end: RehearsalEnd,
): Readonly<Record<string, unknown>> {
  return { schemaVersion: 1, verdict: 'passed', ...summary, ...end };
}
