import { hours } from '../doctor/poet.ts';
import { type PoetInfo, samePlace } from '../doctor/poet-info.ts';
import { ExitCode, SmeshError } from '../errors.ts';
import type { PoetServer, PoetSettings } from '../project/types.ts';
import { losingAll, type RegisteredIdentity, type Registrations } from './registrations.ts';

const UNCHANGED = 'Nothing was changed.';

/** Beginning of a PoET's address; the same as smesh.yaml takes. */
const ADDRESS = /^https?:\/\/[^\s/?#]+[^\s]*$/;

/** Throws (exit 2) for what is no address of a PoET. */
export function requireAddress(address: string): void {
  if (ADDRESS.test(address) && URL.canParse(address)) return;
  throw new SmeshError(
    'bad-address',
    ExitCode.usage,
    `${JSON.stringify(address)} is no address of a PoET: it begins with http:// or https:// and a host`,
    { hint: `${UNCHANGED} For example: smesh-compose poet add https://poet.example.org` },
  );
}

/** What a server that is to be added said of itself. */
export interface OfferedServer {
  readonly address: string;
  readonly info: PoetInfo;
}

/**
 * Whether a server may come into the list: its rhythm must be the project's, because the node ends FATAL on another phase
 * shift (spacemesh.md §6.4) and nobody notices another cycle gap until a proof is late; its key must be the one that was
 * expected, if one was. Throws exit 3 with both numbers.
 *
 * @param pubkey what `--pubkey` says
 */
export function requireFit(
  { address, info }: OfferedServer,
  times: Pick<PoetSettings, 'phaseShift' | 'cycleGap'>,
  pubkey: string | undefined,
): void {
  const refuse = (code: string, message: string, hint: string) =>
    new SmeshError(code, ExitCode.invalid, message, { hint: `${UNCHANGED} ${hint}` });
  if (info.phaseShift !== times.phaseShift) {
    throw refuse(
      'poet-phase-shift',
      `${address} has a phase shift of ${hours(info.phaseShift)}, this project one of ${hours(times.phaseShift)}: the node refuses to start with it, again and again`,
      'To change to PoETs of another phase: smesh-compose poet switch --help',
    );
  }
  if (info.cycleGap !== times.cycleGap) {
    throw refuse(
      'poet-cycle-gap',
      `${address} has a cycle gap of ${hours(info.cycleGap)}, this project one of ${hours(times.cycleGap)}: node and tool would expect its proofs at the wrong time, and the node does not notice`,
      'To change to PoETs of another rhythm: smesh-compose poet switch --help',
    );
  }
  if (pubkey !== undefined && pubkey !== info.pubkey) {
    throw refuse(
      'poet-key',
      `${address} has the public key ${info.pubkey}, and --pubkey says ${pubkey}: it is not the server that was meant, or the key was copied wrongly`,
      'Ask its operator which one is right.',
    );
  }
}

/** What adding to a list comes to. */
export interface Addition {
  readonly servers: readonly PoetServer[];
  readonly added: readonly PoetServer[];
  readonly present: readonly PoetServer[];
  /** An address of the list that means the same place, by the one that was added. */
  readonly otherSpellings: ReadonlyMap<string, string>;
}

/**
 * The list with more servers at its end. An address stays letter for letter: the node registers under it. Throws exit 3
 * where one is in the list with another key.
 */
export function addServers(list: readonly PoetServer[], offered: readonly OfferedServer[]): Addition {
  const servers = [...list];
  const added: PoetServer[] = [];
  const present: PoetServer[] = [];
  const otherSpellings = new Map<string, string>();
  for (const { address, info } of offered) {
    const known = servers.find((server) => server.address === address);
    if (known !== undefined && known.pubkey !== info.pubkey) {
      throw new SmeshError(
        'poet-key',
        ExitCode.invalid,
        `${address} stands in poet.servers with the public key ${known.pubkey}, and answers with ${info.pubkey}: it has a new key, or it is another server`,
        { hint: `${UNCHANGED} If the new one is right, set its pubkey in smesh.yaml: ${info.pubkey}` },
      );
    }
    if (known !== undefined) {
      if (!added.includes(known)) present.push(known);
      continue;
    }
    const other = servers.find((server) => samePlace(server.address) === samePlace(address));
    if (other !== undefined) otherSpellings.set(address, other.address);
    const server = { address, pubkey: info.pubkey };
    servers.push(server);
    added.push(server);
  }
  return { servers, added, present, otherSpellings };
}

/** What taking out of a list comes to. */
export interface Removal {
  readonly servers: readonly PoetServer[];
  readonly removed: readonly PoetServer[];
  /** Not in the list, in no spelling. */
  readonly absent: readonly string[];
  /** Identities that are registered at one of the removed, and at another that stays. */
  readonly fewer: readonly RegisteredIdentity[];
}

/**
 * The list without some servers. Refuses (exit 5) what would end the node FATAL at its next start: taking the last server
 * at which an identity is registered (spacemesh.md §6.4, §14.7), the last one of all, and any while nobody can say who is
 * registered where. Exit 2 where only another spelling is in the list.
 */
export function removeServers(
  list: readonly PoetServer[],
  addresses: readonly string[],
  registrations: Registrations,
  nameOf: (identity: RegisteredIdentity) => string,
): Removal {
  const wanted = new Set(addresses);
  for (const address of wanted) refuseOtherSpelling(list, address);
  const servers = list.filter(({ address }) => !wanted.has(address));
  const removed = list.filter(({ address }) => wanted.has(address));
  const absent = [...wanted].filter((address) => !list.some((server) => server.address === address));
  if (removed.length === 0) return { servers, removed, absent, fewer: [] };
  const names = removed.map(({ address }) => address).join(', ');
  if (servers.length === 0) {
    throw new SmeshError(
      'last-poet',
      ExitCode.refused,
      `Without ${names} there would be no PoET at all: nothing could be registered`,
      { hint: `${UNCHANGED} Add another one first: smesh-compose poet add ADDRESS` },
    );
  }
  if (registrations.kind === 'unknown') {
    throw new SmeshError(
      'registrations-unknown',
      ExitCode.refused,
      `Nobody can say which identities are registered with ${names}: without the last server of one of them the node would end at every start`,
      {
        details: [registrations.reason],
        hint: `${UNCHANGED} It is read from local.sql in the node's data folder: smesh-compose doctor`,
      },
    );
  }
  const stranded = losingAll(
    registrations.identities,
    list.map(({ address }) => address),
    servers.map(({ address }) => address),
  );
  if (stranded.length > 0) throw strandedError(names, stranded, nameOf);
  const fewer = registrations.identities.filter((identity) =>
    identity.addresses.some((address) => wanted.has(address)),
  );
  return { servers, removed, absent, fewer };
}

function refuseOtherSpelling(list: readonly PoetServer[], address: string): void {
  if (list.some((server) => server.address === address)) return;
  const other = list.find((server) => samePlace(server.address) === samePlace(address));
  if (other === undefined) return;
  throw new SmeshError(
    'poet-spelling',
    ExitCode.usage,
    `${address} is not in the list, but ${other.address} is: the node tells the two apart`,
    { hint: `${UNCHANGED} If that one is meant: smesh-compose poet remove ${other.address}` },
  );
}

function strandedError(
  names: string,
  stranded: readonly RegisteredIdentity[],
  nameOf: (identity: RegisteredIdentity) => string,
): SmeshError {
  return new SmeshError(
    'poet-registered',
    ExitCode.refused,
    `${stranded.length === 1 ? 'One identity is' : `${stranded.length} identities are`} registered for this round with ${names} and with no server that stays: the node would end at every start (None of the poets listed in the config matches the existing registrations), and the only other cure costs an epoch`,
    {
      details: stranded.map((identity) => `${nameOf(identity)}: ${identity.addresses.join(', ')}`),
      hint: `${UNCHANGED} Wait until they have published (smesh-compose status), then remove it before they register again: smesh-compose poet schedule`,
      facts: {
        identities: stranded.map(({ smesherId, addresses }) => ({ id: smesherId, addresses })),
      },
    },
  );
}
