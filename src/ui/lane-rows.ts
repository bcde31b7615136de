import type { IdentityReport, StatusReport } from '../domain/proving/status-report.ts';
import { PATIENT } from '../domain/schedule/outlook.ts';
import type { Lane, LaneView } from './lanes.ts';
import { type MomentStyle, shortMoment } from './moments.ts';
import { painted, toneOf } from './status-tone.ts';
import { serviceWords } from './status-words.ts';
import type { Cell } from './table.ts';
import { enumerate } from './text.ts';
import { formatRate } from './units.ts';

export interface LaneRow {
  readonly disk: string;
  readonly identity: string;
  readonly does: Cell;
  readonly rate: string;
  readonly doneAt: Cell;
  /** Too late to register. */
  readonly isLate: boolean;
}

type Place = 'works' | 'held' | 'waits' | 'trouble' | 'rests';

const PLACES: readonly Place[] = ['works', 'held', 'waits', 'trouble', 'rests'];

/** As many with the same words have a row each; more share one. */
const MOST_ALIKE = 2;

/** Where one stands on its disk. */
export function placeOf(identity: IdentityReport): Place {
  const { state, waiting, startsNow } = identity;
  if (state.held) return 'held';
  switch (state.activity.kind) {
    case 'idle':
      return 'rests';
    case 'down':
    case 'not-created':
      if (waiting !== undefined && PATIENT.has(waiting.why)) return 'waits';
      if (startsNow === true) return 'waits';
      return state.wants === 'a-proof' ? 'trouble' : 'rests';
    case 'starting':
      return state.wants === 'a-proof' ? 'works' : 'rests';
    case 'failed':
    case 'not-connected':
    case 'paused':
    case 'silent':
    case 'unknown':
      return 'trouble';
    default:
      return 'works';
  }
}

/**
 * The rows of one disk: who works, who is held ahead, who waits in the order of turns, who is in trouble, who is done.
 *
 * @param size `compact`: those at work, with the others counted beside them
 */
export function laneRows(
  lane: Lane,
  report: StatusReport,
  view: LaneView,
  style: MomentStyle,
  size: 'full' | 'compact',
): readonly LaneRow[] {
  const turns = new Map((report.schedule?.turns ?? []).map((id, turn) => [id, turn]));
  const placed = new Map<Place, IdentityReport[]>(PLACES.map((place) => [place, []]));
  for (const identity of lane.identities) placed.get(placeOf(identity))?.push(identity);
  // Who would be started now is not among those that wait: it comes before them.
  placed.get('waits')?.sort((a, b) => (turns.get(a.smesher) ?? -1) - (turns.get(b.smesher) ?? -1));
  const row = (members: readonly IdentityReport[], place: Place) =>
    rowOf(lane, members, place, report, view, style);
  if (size === 'compact') {
    const shown = placed.get('works') ?? [];
    const others = PLACES.slice(1).flatMap((place) => {
      const count = placed.get(place)?.length ?? 0;
      return count === 0 ? [] : [`${count} ${COUNTED[place]}`];
    });
    const rows = shown.map((one) => row([one], 'works'));
    const [first = { ...row(lane.identities, 'rests'), does: '' }, ...more] = rows;
    return [{ ...first, does: withCounts(first.does, others) }, ...more];
  }
  return PLACES.flatMap((place) =>
    alike(placed.get(place) ?? [], place, view, report).map((members) => row(members, place)),
  );
}

const COUNTED: Readonly<Record<Place, string>> = {
  works: 'at work',
  held: 'held',
  waits: 'waiting',
  trouble: 'in trouble',
  rests: 'at rest',
};

function withCounts(does: Cell, counts: readonly string[]): Cell {
  if (counts.length === 0) return does;
  const text = typeof does === 'string' ? does : does.text;
  return {
    ...(typeof does === 'string' ? {} : does),
    text: [text, counts.join(', ')].filter(Boolean).join('  · '),
  };
}

/** Neighbours that would say the same share a row. */
function alike(
  members: readonly IdentityReport[],
  place: Place,
  view: LaneView,
  report: StatusReport,
): readonly (readonly IdentityReport[])[] {
  if (view.all || place === 'works' || place === 'held') return members.map((one) => [one]);
  const groups = new Map<string, IdentityReport[]>();
  for (const one of members) {
    const words = doesWords(one, report, 0);
    const known = groups.get(words);
    if (known === undefined) groups.set(words, [one]);
    else known.push(one);
  }
  const most = place === 'rests' ? 1 : MOST_ALIKE;
  return [...groups.values()].flatMap((group) => (group.length > most ? [group] : group.map((one) => [one])));
}

function rowOf(
  { disk }: Lane,
  members: readonly IdentityReport[],
  place: Place,
  report: StatusReport,
  view: LaneView,
  style: MomentStyle,
): LaneRow {
  const [first] = members;
  if (first === undefined) return { disk, identity: '', does: '', rate: '', doneAt: '', isLate: false };
  const { activity } = first.state;
  const rate = activity.kind === 'reading' && place === 'works' ? activity.rate : undefined;
  const { at, isSeen } = place === 'rests' ? {} : endOf(members, place, report);
  const isLate = at !== undefined && at > report.timeline.deadlines.registerBy;
  // `~`: by averages, nothing of it has been measured.
  const end = at === undefined ? '' : `${isSeen ? '' : '~'}${shortMoment(at, style)}${isLate ? ' late' : ''}`;
  return {
    disk,
    identity: namesOf(members, place),
    does: painted(doesWords(first, report, barWidth(view)), toneOf(first), view),
    rate: rate === undefined ? '' : formatRate(rate),
    doneAt: painted(end, isLate ? 'bad' : 'plain', view),
    isLate,
  };
}

/** Who waits is named by who comes next: their order is that of turns. */
function namesOf(members: readonly IdentityReport[], place: Place): string {
  const names = members.map(({ name }) => name);
  return place === 'waits' && names.length > 2
    ? `${names[0]} and ${names.length - 1} more`
    : enumerate(names);
}

/** The last one's end. What nobody lets go on has none. */
function endOf(
  members: readonly IdentityReport[],
  place: Place,
  report: StatusReport,
): { readonly at?: number; readonly isSeen?: boolean } {
  const { activity } = members[0]?.state ?? {};
  if (activity?.kind === 'reading' && place === 'works' && activity.doneAt !== undefined) {
    return { at: activity.doneAt, isSeen: true };
  }
  const expected = members.flatMap(({ expectedAt }) => expectedAt ?? []);
  const isServed = place === 'works' || report.schedule?.runs === true;
  return isServed && expected.length === members.length ? { at: Math.max(...expected) } : {};
}

function doesWords(identity: IdentityReport, report: StatusReport, bar: number): string {
  const { state, startsNow, disk } = identity;
  const { activity } = state;
  if (state.held) return heldWords(identity, report, disk ?? 'its disk');
  if (activity.kind === 'reading') {
    const { fraction, pass } = activity;
    const again = pass === undefined || pass === 1 ? '' : `, pass ${pass}`;
    if (fraction === undefined) return serviceWords(identity).replace(/ {2}nonces \S+/, '');
    // Never full while it still reads.
    const percent = Math.min(Math.floor(fraction * 100), 99);
    if (bar === 0) return `${percent} % read${again}`;
    return `${progressBar(fraction, bar)} ${String(percent).padStart(2)} %${again}`;
  }
  if (startsNow === true && activity.kind === 'down' && report.schedule?.runs === true) {
    return 'is about to be started';
  }
  return serviceWords(identity);
}

/** What it has done ahead, and until when it is held. */
function heldWords({ smesher, state }: IdentityReport, report: StatusReport, disk: string): string {
  const { activity } = state;
  const done =
    activity.kind === 'ready-to-read'
      ? 'k2pow done'
      : activity.kind === 'k2pow' && activity.group !== undefined && activity.groups !== undefined
        ? `k2pow ${activity.group} of ${activity.groups}`
        : activity.kind === 'reading'
          ? 'reading'
          : 'begun';
  if (report.schedule?.runs !== true) return `${done}, held`;
  const others = report.identities.some(
    (other) => other.smesher !== smesher && other.disk === disk && placeOf(other) === 'works',
  );
  return others ? `${done}, held until ${disk} is free` : `${done}, held until its turn comes`;
}

function barWidth({ columns }: LaneView): number {
  if (columns >= 90) return 20;
  return columns >= 56 ? 10 : 0;
}

/** `██████░░░░`: how much of the data this pass has read. */
export function progressBar(fraction: number, width: number): string {
  const full = Math.min(Math.floor(fraction * width), width - 1);
  return '█'.repeat(full) + '░'.repeat(width - full);
}
