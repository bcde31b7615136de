import { shortId } from '../domain/identity/smesher-id.ts';
import type { EpochTimeline } from '../domain/poet/epochs.ts';
import type { IdentityReport, StatusReport } from '../domain/proving/status-report.ts';
import { countdown, longMoment, type MomentStyle, momentHere, shortMoment } from './moments.ts';
import { findingLines } from './status-findings.ts';
import { painted, toneOf } from './status-tone.ts';
import { serviceWords, wantsWords } from './status-words.ts';
import { type Cell, type Column, renderTable } from './table.ts';
import { cutText, printable, textWidth, wrapText } from './text.ts';
import { formatCount, formatDuration, formatRate, plural } from './units.ts';

export interface StatusView extends Pick<MomentStyle, 'localOffsetMinutes'> {
  readonly columns: number;
  readonly color: boolean;
  /** Every identity, however many there are. */
  readonly all: boolean;
}

/** More rows than this are read by nobody: the restful ones are counted instead (S16). */
const MOST_ROWS = 60;

/** Epochs of a rehearsal last minutes. */
const SHORT_EPOCH_MS = 6 * 3_600_000;

/** How moments are written in the epochs of a project. */
export function momentStyle({ at, timeline }: StatusReport, view: StatusView): MomentStyle {
  return {
    now: at,
    localOffsetMinutes: view.localOffsetMinutes,
    seconds: timeline.epochEnds - timeline.epochStarts < SHORT_EPOCH_MS,
  };
}

/** `status` as text: node, time, identities, findings (ux.md). Lines, none wider than the view. */
export function renderStatus(report: StatusReport, view: StatusView): string[] {
  const style = momentStyle(report, view);
  const findings = report.findings.flatMap((finding) => findingLines(finding, view));
  return [
    nodeLine(report, view),
    ...timeLines(report, view, style),
    '',
    ...identityLines(report, view, style),
    ...(findings.length === 0 ? [] : ['', ...findings]),
  ];
}

/** What the node says of itself, and where the project is. */
export function nodeLine(report: StatusReport, view: Pick<StatusView, 'columns'>): string {
  return spread(`node  ${nodeWords(report)}`, printable(report.directory), view.columns, 'start');
}

/** Where in the epoch we are, and the deadlines with who will keep them. */
export function timeLines(report: StatusReport, view: StatusView, style: MomentStyle): string[] {
  const { timeline, at } = report;
  const { deadlines, phase } = timeline;
  const rows: (readonly [label: string, text: string, right: string])[] = [
    ['now', phaseWords(timeline, style), `${longMoment(at, style)} UTC`],
  ];
  if (phase.kind !== 'before-genesis') {
    const gap = timeline.gap;
    if (!gap.open) {
      rows.push(['next gap', `${momentHere(gap.opens, style)}, ${countdown(gap.opens, at)}`, '']);
    }
    rows.push([
      'register by',
      `${momentHere(deadlines.registerBy, style)}, ${countdown(deadlines.registerBy, at)}`,
      phase.kind === 'waiting' ? '' : registrationWords(report),
    ]);
    rows.push([
      'publish by',
      `${momentHere(deadlines.publishBy, style)}, ${countdown(deadlines.publishBy, at)}`,
      phase.kind === 'waiting' ? '' : publicationWords(report),
    ]);
  }
  const labels = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, text, right], index) => {
    const branch = index === rows.length - 1 ? '└' : '├';
    return spread(`${branch} ${label.padEnd(labels)}  ${text}`, right, view.columns);
  });
}

/** Left and right on one line; the right part gives way, then the left is cut. */
function spread(left: string, right: string, columns: number, cut: 'start' | 'end' = 'end'): string {
  if (right === '') return cutText(left, columns);
  const room = columns - textWidth(left) - 2;
  if (room < 8) return cutText(left, columns);
  const shown = cutText(right, room, cut);
  return left + ' '.repeat(columns - textWidth(left) - textWidth(shown)) + shown;
}

function nodeWords({ node, at, timeline }: StatusReport): string {
  const { container, version, synced, peers, layer, epoch, fault } = node;
  const startedAt = container?.state === 'running' ? container.startedAt : undefined;
  const up = startedAt === undefined ? [] : [`up ${formatDuration(at - startedAt)}`];
  if (synced === undefined) {
    const state =
      fault !== undefined
        ? 'does not answer'
        : container === undefined
          ? node.certainty === 'unknown'
            ? 'unknown'
            : 'no container yet'
          : container.state === 'running'
            ? 'unknown'
            : `down (${container.state})`;
    return [state, `epoch ${timeline.epoch} by the clock`, ...up].join(' · ');
  }
  return [
    `${printable(version ?? '?')} ${synced ? 'synced' : 'not synced'}`,
    peers === undefined ? '? peers' : plural(peers, 'peer'),
    `layer ${layer === undefined ? '?' : formatCount(layer)}`,
    `epoch ${epoch ?? '?'}`,
    ...up,
  ].join(' · ');
}

function phaseWords({ phase }: EpochTimeline, { now }: MomentStyle): string {
  switch (phase.kind) {
    case 'before-genesis':
      return `before genesis, which is ${countdown(phase.until, now)}`;
    case 'cycle-gap':
      return `cycle gap, ${formatDuration(now - phase.since)} in`;
    case 'late':
      return `the round runs; late proofs count until publish by`;
    case 'waiting':
      return 'waits for the next cycle gap';
  }
}

function registrationWords({ counts, timeline, at }: StatusReport): string {
  const { have, will, miss, unknown } = counts.registration;
  const over = at >= timeline.deadlines.registerBy;
  const parts = over ? [`${miss} missed it`] : [`${will} will`, `${miss} will miss`];
  if (unknown > 0) parts.push(`${unknown} unknown`);
  return `${have} of ${counts.identities} have, ${parts.join(', ')}`;
}

function publicationWords({ counts }: StatusReport): string {
  const { yes, unknown } = counts.published;
  return `${yes} of ${counts.identities} have${unknown > 0 ? `, ${unknown} unknown` : ''}`;
}

const COLUMNS: readonly Column[] = [
  { title: 'SMESHER' },
  { title: 'NAME', flexible: true, minWidth: 9, cut: 'middle' },
  { title: 'DISK', flexible: true, minWidth: 4 },
  { title: 'UNITS', align: 'right' },
  { title: 'NODE WANTS' },
  { title: 'SERVICE', flexible: true, minWidth: 20 },
  { title: 'RATE', align: 'right' },
  { title: 'DONE AT' },
];

function identityLines(report: StatusReport, view: StatusView, style: MomentStyle): string[] {
  const { identities } = report;
  const shown = view.all ? identities : chooseRows(report);
  const rows = shown.map((identity) => identityRow(identity, report, view, style));
  const lines = renderTable(COLUMNS, rows, view.columns);
  if (shown.length === identities.length) return lines;
  const chosen = new Set(shown);
  return [
    ...lines,
    ...restLines(
      identities.filter((identity) => !chosen.has(identity)),
      view,
    ),
  ];
}

/** Those with trouble, then those at work, then the others, as many as fit; in the order of smesh.yaml. */
function chooseRows({ identities, findings }: StatusReport): readonly IdentityReport[] {
  if (identities.length <= MOST_ROWS) return identities;
  const troubled = new Set(
    findings.flatMap(({ smeshers, severity }) => (severity === 'problem' ? smeshers : [])),
  );
  const rank = (identity: IdentityReport) =>
    troubled.has(identity.smesher) ? 0 : identity.state.activity.kind === 'idle' ? 2 : 1;
  const ranked = [...identities].sort((a, b) => rank(a) - rank(b)).slice(0, MOST_ROWS);
  const chosen = new Set(ranked);
  return identities.filter((identity) => chosen.has(identity));
}

/** What the rows that are not shown say, by how many say it. */
function restLines(others: readonly IdentityReport[], view: StatusView): string[] {
  const counts = new Map<string, number>();
  for (const identity of others) {
    const words = serviceWords(identity).replace(/ \d.*$/, '');
    counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  const parts = [...counts].sort((a, b) => b[1] - a[1]).map(([words, count]) => `${count} ${words}`);
  const text = `… and ${plural(others.length, 'more identity', 'more identities')}: ${parts.join(' · ')}   (--all shows each)`;
  return wrapText(text, view.columns);
}

function identityRow(
  identity: IdentityReport,
  report: StatusReport,
  view: StatusView,
  style: MomentStyle,
): readonly Cell[] {
  const { state, name, disk, units } = identity;
  const { activity } = state;
  const reading = activity.kind === 'reading' ? activity : undefined;
  const late = reading?.doneAt !== undefined && reading.doneAt > report.timeline.deadlines.registerBy;
  return [
    shortId(identity.smesher),
    name,
    disk ?? '?',
    units === undefined ? '?' : formatCount(units),
    wantsWords(state.wants),
    painted(serviceWords(identity), toneOf(identity), view),
    reading?.rate === undefined ? '' : formatRate(reading.rate),
    reading?.doneAt === undefined
      ? ''
      : painted(`${shortMoment(reading.doneAt, style)}${late ? ' late' : ''}`, late ? 'bad' : 'plain', view),
  ];
}
