import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { unitBytes } from '../../domain/node/networks.ts';
import {
  MANY_UNITS,
  readSize,
  reserveBytes,
  roomForData,
  unitsOfSize,
  unitsThatFit,
} from '../../domain/post-init/size.ts';
import type { Network } from '../../domain/project/types.ts';
import { formatBytes, plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import type { Place } from './look-at-places.ts';
import type { PostInitOptions } from './options.ts';

/** A place with how many identities go there. */
export interface Share {
  readonly place: Place;
  readonly identities: number;
}

/** What every place could have at most, by place; several on one file system share its room. */
function mostUnits(shares: readonly Share[], network: Network): ReadonlyMap<Place, number> {
  return new Map(
    shares.map(({ place }) => {
      const alike = shares.filter((share) => share.place.mountPoint === place.mountPoint);
      const identities = alike.reduce((sum, share) => sum + share.identities, 0);
      return [place, unitsThatFit(place, Math.max(identities, 1), network.post)];
    }),
  );
}

const MOST = 'most';

/**
 * Units of each identity, by place: as told, else as a person says, else (with `--yes`) as many as fit. Space is counted
 * with all jobs that are planned there, and a reserve (scenario S12). Refuses what does not fit (exit 3) or what the network
 * does not take (exit 2).
 */
export async function askUnits(
  context: Context,
  network: Network,
  shares: readonly Share[],
  options: Pick<PostInitOptions, 'units' | 'sizeBytes'>,
): Promise<ReadonlyMap<Place, number>> {
  const most = mostUnits(shares, network);
  const given = options.units ?? sizeInUnits(context, options.sizeBytes, network);
  const units = given ?? (await decide(context, network, shares, most));
  if (units === MOST) {
    refuseFull(shares, most, network, network.post.minUnits);
    return most;
  }
  const fault = networkFault(units, network);
  if (fault !== undefined)
    throw new SmeshError('bad-option', ExitCode.usage, `${plural(units, 'unit')}: ${fault}`, {
      hint: 'Nothing was changed.',
    });
  refuseFull(shares, most, network, units);
  return new Map(shares.map(({ place }) => [place, units]));
}

function sizeInUnits(context: Context, bytes: number | undefined, network: Network): number | undefined {
  if (bytes === undefined) return undefined;
  const units = unitsOfSize(bytes, network.post);
  const taken = units * unitBytes(network.post);
  if (taken !== bytes)
    context.out.note(
      `${formatBytes(bytes)} hold ${plural(units, 'whole unit')}; ${formatBytes(bytes - taken)} of it make none.`,
    );
  return units;
}

async function decide(
  context: Context,
  network: Network,
  shares: readonly Share[],
  most: ReadonlyMap<Place, number>,
): Promise<number | typeof MOST> {
  const system = shares.find(({ place }) => place.mountPoint === '/');
  // All that is free there is what the node, Docker and the host live on.
  if (context.yes && system !== undefined)
    throw new SmeshError(
      'input-required',
      ExitCode.usage,
      `${system.place.path} lies on the disk of the system, which nobody fills without saying how much`,
      {
        hint: 'Nothing was changed. Say it: --units N or --size SIZE   Or is the disk that you mean not mounted?',
      },
    );
  if (context.yes) return MOST;
  refuseFull(shares, most, network, network.post.minUnits);
  const values = new Set(most.values());
  const [first = 0] = values;
  const answer = await context.ports.prompt.input({
    message: 'Units of each identity',
    explanation: [
      ...shares.map((share) => roomLine(share, most.get(share.place) ?? 0, network)),
      `A unit is ${formatBytes(unitBytes(network.post))}; a size such as 2TiB will do, too. Data cannot grow later.`,
    ].join('\n'),
    flag: '--units N or --size SIZE',
    initial: system !== undefined ? String(network.post.minUnits) : values.size === 1 ? String(first) : MOST,
    validate: (text) => {
      const units = readUnits(text, network);
      if (units === MOST) return undefined;
      if (units === undefined) return `a number of units, a size such as 2TiB, or ${MOST}`;
      const small = shares.find(({ place }) => units > (most.get(place) ?? 0));
      return (
        networkFault(units, network) ??
        (small === undefined ? undefined : `${small.place.path} has room for ${most.get(small.place)} each`)
      );
    },
  });
  return readUnits(answer, network) ?? MOST;
}

function readUnits(text: string, network: Network): number | typeof MOST | undefined {
  const word = text.trim();
  if (word === MOST) return MOST;
  if (/^\d{1,10}$/.test(word)) return Number(word);
  const bytes = readSize(word);
  return bytes === undefined ? undefined : unitsOfSize(bytes, network.post);
}

function networkFault(units: number, { name, post }: Network): string | undefined {
  if (units >= post.minUnits && units <= post.maxUnits) return undefined;
  return units < post.minUnits
    ? `${name} takes ${post.minUnits} at least`
    : `${name} takes ${post.maxUnits} at most`;
}

function roomLine({ place, identities }: Share, most: number, network: Network): string {
  const each = identities > 1 ? ` each for ${identities}` : '';
  return `${place.path} (${place.disk}): ${freeWords(place)}; room for ${plural(most, 'unit')}${each} (${formatBytes(most * unitBytes(network.post))})`;
}

function freeWords(place: Place): string {
  const planned =
    place.plannedBytes > 0 ? `, ${formatBytes(place.plannedBytes)} of it planned for other jobs` : '';
  return `${formatBytes(place.freeBytes)} free${planned}, ${formatBytes(reserveBytes(place.freeBytes))} of it kept free`;
}

function refuseFull(
  shares: readonly Share[],
  most: ReadonlyMap<Place, number>,
  network: Network,
  units: number,
): void {
  const bytes = units * unitBytes(network.post);
  const full = shares.filter(({ place, identities }) => identities > 0 && (most.get(place) ?? 0) < units);
  if (full.length === 0) return;
  throw new SmeshError(
    'no-room',
    ExitCode.invalid,
    `There is no room for ${plural(units, 'unit')} (${formatBytes(bytes)}) of each identity`,
    {
      details: full.map(
        ({ place, identities }) =>
          `${place.path}: ${freeWords(place)}; ${formatBytes(roomForData(place))} for data of ${plural(identities, 'identity', 'identities')}`,
      ),
      hint: 'Nothing was changed. Take fewer units, fewer identities, or another disk.',
    },
  );
}

/** What guides advise, which is no fault (scenario S10). */
export function sizeNotes(units: readonly number[]): readonly string[] {
  const largest = Math.max(0, ...units);
  if (largest <= MANY_UNITS) return [];
  const count = Math.ceil(largest / MANY_UNITS);
  return [
    `${largest} units are more than the ${MANY_UNITS} that guides advise for one identity: ${count} with ${Math.ceil(largest / count)} each would be proved one by one, and one fault would not cost all: --count ${count}`,
  ];
}
