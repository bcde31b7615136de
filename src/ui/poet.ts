import { hours } from '../domain/doctor/poet.ts';
import type { PoetServer } from '../domain/project/types.ts';
import type { PoetAnswer, PoetProofAnswer } from '../ports/poet-api.ts';
import { renderTable } from './table.ts';
import { printable } from './text.ts';
import { formatCount } from './units.ts';

/** One server as it answered; the shape that the use cases ask with. */
export interface ShownServer {
  readonly address: string;
  readonly info: PoetAnswer;
  readonly rounds: readonly {
    readonly round: number;
    readonly running: boolean;
    readonly answer: PoetProofAnswer;
  }[];
}

export interface ShownList {
  readonly servers: readonly PoetServer[];
  readonly asked: readonly ShownServer[];
  /** Identities registered at each address; `undefined`: nobody knows. */
  readonly registered: ReadonlyMap<string, number> | undefined;
  readonly identities: number;
  /** Leaves of a tick; absent where the network has no such number that is known. */
  readonly tickSize?: number;
}

/** `poet list` as text: a line per server, and below what does not fit into one. */
export function renderPoetList(list: ShownList, columns: number): string[] {
  const { servers, asked, registered, identities } = list;
  const rounds = [
    ...new Set(
      asked.flatMap((one) => one.rounds.filter(({ running }) => !running).map(({ round }) => round)),
    ),
  ].sort((a, b) => b - a);
  const rows = servers.map(({ address, pubkey }) => {
    const one = asked.find((server) => server.address === address);
    const info = one?.info.kind === 'answered' ? one.info.info : undefined;
    const here = registered?.get(address) ?? 0;
    return [
      address,
      pubkey.slice(0, 8),
      ...(info === undefined
        ? [one === undefined ? '' : 'no answer', '', '']
        : [hours(info.phaseShift), hours(info.cycleGap), info.certifier === undefined ? 'work' : 'cert']),
      ...rounds.map((round) => workOf(one, round, list.tickSize)),
      registered === undefined ? '?' : `${here} of ${identities}`,
    ];
  });
  const unit = list.tickSize === undefined ? 'LEAVES' : 'TICKS';
  const lines = renderTable(
    [
      { title: 'ADDRESS', flexible: true, minWidth: 20, cut: 'middle' },
      { title: 'KEY' },
      { title: 'PHASE' },
      { title: 'GAP' },
      { title: 'AUTH' },
      ...rounds.map((round) => ({ title: `${unit} ${round}`, align: 'right' }) as const),
      { title: 'HERE', align: 'right' },
    ],
    rows,
    columns,
  );
  return [...lines, ...silent(asked)];
}

function silent(asked: readonly ShownServer[]): string[] {
  const lines = asked.flatMap(({ address, info }) => {
    if (info.kind === 'answered') return [];
    const why = info.kind === 'late' ? `no answer within ${info.afterMs / 1000} s` : info.reason;
    return [printable(`! ${address}: ${why}`)];
  });
  if (lines.length === 0) return [];
  const each = lines.length === 1 ? 'for it' : 'for each of them';
  return ['', ...lines, `The node waits 9 to 18 minutes ${each} at every start.`];
}

function workOf(one: ShownServer | undefined, round: number, tickSize: number | undefined): string {
  const answer = one?.rounds.find((asked) => asked.round === round)?.answer;
  if (answer === undefined) return '';
  if (answer.kind === 'none') return 'none';
  if (answer.kind !== 'proof') return '?';
  return formatCount(Math.floor(answer.facts.leaves / (tickSize ?? 1)));
}

/** The servers for `--json`, whole (docs/reference/json.md). */
export function serversToJson(
  asked: readonly ShownServer[],
  servers: readonly PoetServer[],
  registered?: ReadonlyMap<string, number>,
): readonly unknown[] {
  return asked.map(({ address, info, rounds }) => {
    const known = servers.find((server) => server.address === address);
    const answered = info.kind === 'answered' ? info : undefined;
    return {
      address,
      pubkey: known?.pubkey ?? null,
      inList: known !== undefined,
      reachable: answered !== undefined,
      reason: info.kind === 'answered' ? null : info.kind === 'late' ? 'timeout' : info.reason,
      answeredPubkey: answered?.info.pubkey ?? null,
      phaseShiftSeconds: answered?.info.phaseShift ?? null,
      cycleGapSeconds: answered?.info.cycleGap ?? null,
      certifier: answered?.info.certifier?.url ?? null,
      elapsedMs: answered === undefined ? null : Math.round(answered.elapsedMs),
      clockOffsetMs: answered?.clock === undefined ? null : Math.round(answered.clock.offsetMs),
      rounds: rounds.map(({ round, running, answer }) => ({
        round,
        running,
        proof: answer.kind === 'proof' ? true : answer.kind === 'none' ? false : null,
        leaves: answer.kind === 'proof' ? answer.facts.leaves : null,
      })),
      ...(registered === undefined ? {} : { registeredIdentities: registered.get(address) ?? 0 }),
    };
  });
}
