import type { LeaseVerdict } from '../domain/identity/lease.ts';
import { describeHolder, isForeign } from '../domain/identity/lease-findings.ts';
import type { ClosedFolder, Place, PlacesVerdict } from '../domain/identity/places.ts';
import { type SmesherId, shortId } from '../domain/identity/smesher-id.ts';
import { type Cell, renderTable } from './table.ts';
import { printable, wrapText } from './text.ts';

export interface ListedKey {
  readonly smesherId: SmesherId;
  readonly name: string;
  readonly places: readonly Place[];
  readonly verdict: PlacesVerdict;
  /** Absent: its key is not installed here. */
  readonly lease?: LeaseVerdict;
  /** Of a removed identity: whether its node has been seen without it. */
  readonly left?: 'leaving' | 'released';
  /** The node does not read it yet: its data is being made. */
  readonly waits?: true;
}

export interface KeysReport {
  readonly keys: readonly ListedKey[];
  readonly closed: readonly ClosedFolder[];
  readonly unseen: readonly string[];
}

export interface KeysLook {
  readonly columns: number;
  readonly color: boolean;
  /** Project directory: files in it are named without it. */
  readonly directory: string;
  /** Names all places of everybody, not just of those in trouble. */
  readonly everyPlace: boolean;
}

const VERDICTS: Readonly<Record<PlacesVerdict, string>> = {
  twice: 'IN TWO PLACES',
  unknown: 'unknown',
  'second-place': 'second place, down',
  clean: 'ok',
};

/** Of 150 identities that were moved together ten say enough. */
const MOST_DETAILS = 10;

/** The index as a table, and below it whoever needs a look, with what to do (ux.md). */
export function renderKeys(report: KeysReport, look: KeysLook): string[] {
  const rows = report.keys.map((key): readonly Cell[] => [
    shortId(key.smesherId),
    key.name,
    runsHere(key),
    leaseWord(key),
    whereabouts(key, look.directory),
    verdictCell(key, look.color),
  ]);
  const table = renderTable(
    [
      { title: 'SMESHER' },
      { title: 'NAME', flexible: true },
      { title: 'RUNS' },
      { title: 'LEASE' },
      { title: 'KEY', flexible: true, cut: 'start', minWidth: 16 },
      { title: 'VERDICT' },
    ],
    rows,
    look.columns,
  );
  const described = report.keys.map((key) => describeKey(key, look)).filter((lines) => lines.length > 0);
  const details = described.slice(0, MOST_DETAILS).flat();
  if (described.length > MOST_DETAILS)
    details.push(
      `… and ${described.length - MOST_DETAILS} more like that; each by: smesh-compose keys list NAME`,
    );
  const hidden = [
    ...report.unseen.map((reason) => `! ${reason}`),
    ...report.closed.map(
      ({ who, path, live, stop }) =>
        `! ${who}${live ? '' : ', which is down,'} has keys that may not be read: ${path}. Look there as root: sudo smesh-compose keys${live ? `.  Or stop it: ${stop}` : ''}`,
    ),
  ].flatMap((line) => indented(line, look.columns));
  const parts = [table, details, hidden].filter((part) => part.length > 0);
  return parts.flatMap((part, index) => (index === 0 ? part : ['', ...part]));
}

/** One line for a key of which nothing needs to be said beyond the table. */
function describeKey(key: ListedKey, look: KeysLook): string[] {
  const foreign = key.lease !== undefined && isForeign(key.lease);
  const trouble = key.verdict === 'twice' || key.verdict === 'second-place' || foreign;
  if (!trouble && !look.everyPlace) return [];
  const lines = [`${trouble ? '! ' : '  '}${key.name} (${shortId(key.smesherId)})`];
  for (const place of key.places) lines.push(`    ${describePlace(place, look.directory)}`);
  if (key.verdict === 'twice')
    lines.push('    Two nodes with one key: the network cancels that identity for ever.');
  for (const place of key.places)
    if (trouble && !place.own && place.remedy !== undefined) lines.push(`    → ${place.remedy}`);
  if (key.lease !== undefined && isForeign(key.lease)) {
    lines.push(`    Its lease: ${describeHolder(key.lease)}`);
    lines.push(`    → smesh-compose keys adopt ${key.name}   (says first what must be true)`);
  }
  return lines.flatMap((line) => indented(line, look.columns));
}

function indented(line: string, columns: number): string[] {
  const margin = /^ */.exec(line)?.[0] ?? '';
  const [first = '', ...rest] = wrapText(
    printable(line.slice(margin.length)),
    Math.max(columns - margin.length - 2, 24),
  );
  return [margin + first, ...rest.map((part) => `${margin}  ${part}`)];
}

function describePlace(place: Place, directory: string): string {
  const what = place.by === 'key' ? 'key' : 'data';
  const state = stateOf(place);
  const path = place.path === undefined ? '' : `  ${shorten(place.path, directory)}`;
  return `${what.padEnd(5)}${state.padEnd(6)} ${place.who}${path}`;
}

/** `ready`: a node of another Compose project, down, and one `up` there starts it. */
function stateOf({ use, runs, live, own }: Place): string {
  if (use === 'lies') return 'copy';
  if (runs) return 'runs';
  return live && !own ? 'ready' : 'down';
}

function runsHere(key: ListedKey): string {
  const serving = key.places.filter(({ use, by }) => use === 'serves' && by === 'key');
  const running = serving.filter(({ runs }) => runs);
  if (running.some(({ own }) => own)) return running.some(({ own }) => !own) ? 'here, elsewhere' : 'here';
  if (running.length > 0) return 'elsewhere';
  // Whom nobody could look for may run all the same.
  return key.verdict === 'unknown' ? 'unknown' : 'no';
}

function leaseWord({ lease, left }: ListedKey): string {
  switch (lease?.kind) {
    case undefined:
      return left ?? '–';
    case 'absent':
      return 'none yet';
    case 'ours':
      return 'held';
    case 'ours-again':
      return lease.why;
    case 'unknown':
      return 'unreadable';
    case 'theirs':
      if (lease.why === 'given-up') return 'given up';
      return lease.why === 'other-host' || lease.why === 'clone' ? lease.holder.host.name : 'other project';
  }
}

function whereabouts(key: ListedKey, directory: string): string {
  const installed = key.places.find(({ own, by, use }) => own && by === 'key' && use === 'serves');
  const shown = installed ?? key.places.find(({ by }) => by === 'key') ?? key.places[0];
  return shown?.path === undefined ? '–' : shorten(shown.path, directory);
}

function verdictCell({ verdict, lease, waits }: ListedKey, color: boolean): Cell {
  const held = lease !== undefined && isForeign(lease);
  const known = waits && verdict === 'clean' ? 'waits for its data' : VERDICTS[verdict];
  const text = held && verdict !== 'twice' ? 'held elsewhere' : known;
  if (!color || (verdict === 'clean' && !held)) return text;
  const code = verdict === 'twice' || held ? '31' : '33';
  return { text, paint: (cut) => `\u001b[${code}m${cut}\u001b[0m` };
}

function shorten(path: string, directory: string): string {
  return path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : path;
}

export function keysToJson({ keys, closed, unseen }: KeysReport): Readonly<Record<string, unknown>> {
  return {
    schemaVersion: 1,
    identities: keys.map(({ smesherId, name, places, verdict, lease, left, waits }) => ({
      id: smesherId,
      name,
      verdict,
      ...(waits === true ? { waits } : {}),
      lease: left === undefined ? leaseToJson(lease) : { state: left },
      places: places.map(({ by, use, who, path, runs, live, own }) => ({
        by,
        use,
        who,
        path: path ?? null,
        runs,
        live,
        own,
      })),
    })),
    closed: closed.map(({ path, who, live }) => ({ path, who, live })),
    unseen,
  };
}

function leaseToJson(lease: LeaseVerdict | undefined): unknown {
  if (lease === undefined) return null;
  switch (lease.kind) {
    case 'unknown':
      return { state: 'unknown', reason: lease.reason };
    case 'theirs': {
      const { host, project, nodeData, renewedAt } = lease.holder;
      return {
        state: 'theirs',
        reason: lease.why,
        holder: { host: host.name, directory: project.directory, nodeData, renewedAt },
      };
    }
    case 'ours-again':
      return { state: 'ours', reason: lease.why };
    default:
      return { state: lease.kind };
  }
}
