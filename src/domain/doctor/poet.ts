import type { PoetServer, PoetSettings } from '../project/types.ts';
import { type DoctorFinding, finding } from './finding.ts';
import { type PoetInfo, samePlace } from './poet-info.ts';

/** What was learnt from one server. */
export type PoetObservation =
  | { readonly kind: 'answered'; readonly info: PoetInfo; readonly elapsedMs: number }
  | { readonly kind: 'unreachable'; readonly reason: string }
  | { readonly kind: 'late'; readonly afterMs: number }
  | { readonly kind: 'malformed'; readonly reason: string };

export interface AskedPoet {
  readonly server: PoetServer;
  readonly answer: PoetObservation;
}

const EDIT = 'Correct it under poet in smesh.yaml, then: smesh-compose up';

/**
 * Compares each PoET with the configuration (spacemesh.md §7.2, §7.3, §9.1 hazard 15): the node itself looks at the phase
 * shift alone, and refuses to start when it differs (§6.4).
 */
export function judgePoets(
  asked: readonly AskedPoet[],
  times: Pick<PoetSettings, 'phaseShift' | 'cycleGap'>,
): readonly DoctorFinding[] {
  return withGoodWord(asked, times, [...asked.flatMap((one) => judgeOne(one, times)), ...judgeList(asked)]);
}

/** The same for some servers, in the list or not: nothing is said of how many there are. */
export function judgeSomePoets(
  asked: readonly AskedPoet[],
  times: Pick<PoetSettings, 'phaseShift' | 'cycleGap'>,
): readonly DoctorFinding[] {
  return withGoodWord(
    asked,
    times,
    asked.flatMap((one) => judgeOne(one, times)),
  );
}

function withGoodWord(
  asked: readonly AskedPoet[],
  times: Pick<PoetSettings, 'phaseShift' | 'cycleGap'>,
  found: readonly DoctorFinding[],
): readonly DoctorFinding[] {
  if (found.some(({ severity }) => severity !== 'info')) return found;
  const slowest = Math.max(
    0,
    ...asked.map(({ answer }) => (answer.kind === 'answered' ? answer.elapsedMs : 0)),
  );
  return [
    ...found,
    finding('poet-ok', {
      message: `${asked.length === 1 ? '1 PoET server answers and fits' : `${asked.length} PoET servers answer and fit`}: phase shift ${hours(times.phaseShift)}, cycle gap ${hours(times.cycleGap)}`,
      evidence: `${asked.length === 1 ? '1 PoET server fits' : `${asked.length} PoET servers fit`}, phase shift ${hours(times.phaseShift)}, cycle gap ${hours(times.cycleGap)}; the slowest answer took ${Math.round(slowest)} ms`,
      measured: { servers: asked.length, slowestMs: Math.round(slowest) },
    }),
  ];
}

function judgeOne(
  { server, answer }: AskedPoet,
  times: Pick<PoetSettings, 'phaseShift' | 'cycleGap'>,
): readonly DoctorFinding[] {
  const { address: subject, pubkey } = server;
  switch (answer.kind) {
    case 'unreachable':
    case 'late':
      return [
        finding('poet-unreachable', {
          subject,
          message:
            'This PoET does not answer: the node waits 9 to 18 minutes for it at every start, and the other servers have to carry the registration',
          evidence: answer.kind === 'late' ? `no answer within ${answer.afterMs / 1000} s` : answer.reason,
          measured: { reason: answer.kind === 'late' ? 'timeout' : answer.reason },
          remedy: `Try it: curl ${subject.replace(/\/+$/, '')}/v1/info   If it is gone for good, after all identities have published: smesh-compose poet remove ${subject}`,
        }),
      ];
    case 'malformed':
      return [
        finding('poet-malformed', {
          subject,
          message: 'What answers there is no PoET: nothing can be registered with it',
          evidence: answer.reason,
          remedy: EDIT,
        }),
      ];
    case 'answered':
      return compare(subject, pubkey, answer.info, times);
  }
}

function compare(
  subject: string,
  pubkey: string,
  info: PoetInfo,
  times: Pick<PoetSettings, 'phaseShift' | 'cycleGap'>,
): readonly DoctorFinding[] {
  const found: DoctorFinding[] = [];
  if (info.phaseShift !== times.phaseShift) {
    found.push(
      finding('poet-phase-shift', {
        subject,
        message:
          'This PoET has another phase shift than the project: the node refuses to start with it, again and again',
        evidence: `server ${hours(info.phaseShift)}, project ${hours(times.phaseShift)}`,
        measured: { server: info.phaseShift, project: times.phaseShift },
        remedy:
          'Take the server out of poet.servers in smesh.yaml, or set poet.phaseShift if all servers have it',
      }),
    );
  }
  if (info.cycleGap !== times.cycleGap) {
    found.push(
      finding('poet-cycle-gap', {
        subject,
        message:
          'This PoET has another cycle gap than the project: node and tool would expect proofs at the wrong time, and the node does not notice',
        evidence: `server ${hours(info.cycleGap)}, project ${hours(times.cycleGap)}`,
        measured: { server: info.cycleGap, project: times.cycleGap },
        remedy:
          'Take the server out of poet.servers in smesh.yaml, or set poet.cycleGap if all servers have it',
      }),
    );
  }
  if (info.pubkey !== pubkey) {
    found.push(
      finding('poet-key', {
        subject,
        message:
          'This PoET has another public key than the project says: its proofs are fetched again and again, or it is not the server that was meant',
        evidence: `server ${info.pubkey}, project ${pubkey}`,
        measured: { server: info.pubkey, project: pubkey },
        remedy: `If the server is the right one, set its pubkey in smesh.yaml: ${info.pubkey}`,
      }),
    );
  }
  return found;
}

function judgeList(asked: readonly AskedPoet[]): readonly DoctorFinding[] {
  const found: DoctorFinding[] = [];
  const groups = groupSame(asked);
  for (const { addresses } of groups) {
    if (addresses.length < 2) continue;
    found.push(
      finding('poet-duplicate', {
        subject: addresses[0] ?? '',
        message:
          'One PoET stands in the list more than once: the node takes each spelling for a server of its own, and it is no spare for itself',
        evidence: addresses.join(' = '),
        measured: { spellings: addresses.length },
        remedy:
          'Leave one spelling in poet.servers of smesh.yaml, the one that identities are registered with',
      }),
    );
  }
  if (asked.length > 0 && groups.length < 2) {
    found.push(
      finding('poet-single', {
        message:
          'Fewer than two PoET servers: when the one is down during registration or proof, an epoch is lost',
        evidence: `${groups.length} server in poet.servers`,
        measured: { servers: groups.length },
        remedy: 'Add another one with the same phase shift and cycle gap: smesh-compose poet add ADDRESS',
      }),
    );
  }
  if (asked.length > 0 && asked.every(({ answer }) => answer.kind !== 'answered')) {
    found.push(
      finding('poet-none-reachable', {
        message: 'No PoET answers: nothing can be registered, and the node takes very long to start',
        evidence: `0 of ${asked.length} answered`,
        measured: { reachable: 0, servers: asked.length },
        remedy:
          'Is this host connected to the internet, and is https let through? Then look at the addresses',
      }),
    );
  }
  return found;
}

interface SameServer {
  readonly addresses: string[];
  readonly places: Set<string>;
  readonly keys: Set<string>;
}

/** Servers that are one: the same place spelled differently, or two names that answer with one key. */
function groupSame(asked: readonly AskedPoet[]): readonly SameServer[] {
  const groups: SameServer[] = [];
  for (const { server, answer } of asked) {
    const place = samePlace(server.address);
    const key = answer.kind === 'answered' ? answer.info.pubkey : undefined;
    const group = groups.find(
      ({ places, keys }) => places.has(place) || (key !== undefined && keys.has(key)),
    );
    const target = group ?? { addresses: [], places: new Set<string>(), keys: new Set<string>() };
    if (group === undefined) groups.push(target);
    target.addresses.push(server.address);
    target.places.add(place);
    if (key !== undefined) target.keys.add(key);
  }
  return groups;
}

/** `240 h`, `30 s`: PoET times are hours on real networks and seconds on private ones. */
export function hours(seconds: number): string {
  return seconds >= 3600 && seconds % 1800 === 0 ? `${seconds / 3600} h` : `${seconds} s`;
}

/** What the node on this host is configured with, from its own file. */
export interface ConfiguredPoets {
  readonly servers: readonly { readonly address: string; readonly pubkey: string }[];
}

/** `main.poet-servers` of a node's configuration; `undefined` when there is none or it is of another shape. */
export function readConfiguredPoets(config: unknown): ConfiguredPoets | undefined {
  const main = fieldOf(config, 'main');
  const servers = fieldOf(main, 'poet-servers');
  if (!Array.isArray(servers)) return undefined;
  return {
    servers: servers.flatMap((server: unknown) => {
      const [address, pubkey] = [fieldOf(server, 'address'), fieldOf(server, 'pubkey')];
      return typeof address === 'string'
        ? [{ address, pubkey: typeof pubkey === 'string' ? pubkey : '' }]
        : [];
    }),
  };
}

/** The node reads keys without regard to case (spacemesh.md §1.1). */
function fieldOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([name]) => name.toLowerCase() === key)?.[1];
}

/** Whether the node that runs was told the same servers as smesh.yaml says. */
export function judgeConfiguredPoets(
  configured: ConfiguredPoets | undefined,
  servers: readonly PoetServer[],
): readonly DoctorFinding[] {
  if (configured === undefined) return [];
  const text = (list: readonly { readonly address: string; readonly pubkey: string }[]) =>
    list.map(({ address, pubkey }) => `${address} ${pubkey}`).sort();
  const [theirs, ours] = [text(configured.servers), text(servers)];
  if (theirs.length === ours.length && theirs.every((one, index) => one === ours[index])) return [];
  return [
    finding('poet-config-differs', {
      subject: 'node/config.json',
      message: 'The node is configured with other PoET servers than smesh.yaml names',
      evidence: `node/config.json: ${configured.servers.map(({ address }) => address).join(', ') || 'none'}; smesh.yaml: ${servers.map(({ address }) => address).join(', ')}`,
      remedy: 'smesh-compose plan   shows what would change and when it is safe',
    }),
  ];
}
