import { dirname } from 'node:path';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { METADATA_FILE, readMetadata } from '../../domain/post/metadata.ts';
import { spread } from '../../domain/post-init/directories.ts';
import type { Identity, InitialisationJob, Project } from '../../domain/project/types.ts';
import { enumerate } from '../../ui/text.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import type { Share } from './ask-size.ts';
import type { Place } from './look-at-places.ts';

export interface Shares {
  /** What is to be made anew, by place; places that have all already are left out. */
  readonly shares: readonly Share[];
  /** Jobs there that count: the same command typed again goes on with them and makes nothing twice (scenario S44). */
  readonly making: readonly InitialisationJob[];
  /** Names of identities that are made, are served from there, and count for the same reason. */
  readonly served: readonly string[];
}

interface Told {
  readonly count?: number;
  /** Of each; absent: of whatever size. */
  readonly units?: number;
}

/**
 * How many identities go to each place: as told, else as a person says, else one each. Those that are being made on a disk
 * with as many units count, and those that are served from it.
 */
export async function askShares(
  context: Context,
  places: readonly Place[],
  { identities, initialisation }: Project,
  { count: given, units }: Told,
): Promise<Shares> {
  const there = await Promise.all(
    places.map(async (place) => {
      if (place.use.kind !== 'parent') return { jobs: [], served: [] };
      const isHere = (data: string) => [place.path, place.realPath].includes(dirname(data));
      const jobs = (initialisation?.jobs ?? []).filter(
        (job) => isHere(job.into ?? job.data) && (units ?? job.units) === job.units,
      );
      const here = identities.filter(({ data }) => isHere(data));
      return { jobs, served: await withUnits(context, here, units) };
    }),
  );
  const making = there.flatMap(({ jobs }) => jobs);
  const served = there.flatMap((one) => one.served);
  const least = places.length;
  const canAsk = context.out.interactive && !context.yes && places.some(({ use }) => use.kind === 'parent');
  const count = given ?? (canAsk ? await ask(context, least, making, served) : least);
  if (count < least)
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      `--count ${count} for ${plural(least, 'place')}: each gets one at least. Nothing was changed.`,
    );
  const each = spread(count, least);
  const shares = places.map((place, index) => {
    const here = new Set(there[index]?.jobs.map(({ id }) => id)).size + (there[index]?.served.length ?? 0);
    return { place, identities: Math.max(0, (each[index] ?? 0) - here) };
  });
  const left = shares.filter(({ identities: wanted }) => wanted > 0);
  if (served.length > 0)
    context.out.note(
      `${enumerate(served)}: served from there, and counted. More of them on a disk: --count N, all included.`,
    );
  return { shares: left, making, served };
}

/** Those with as many units, as their metadata say. Names. */
async function withUnits(
  { ports: { files } }: Context,
  identities: readonly Identity[],
  units: number | undefined,
): Promise<readonly string[]> {
  const names = await Promise.all(
    identities.map(async ({ name, data }) => {
      const text = await files.readTextIfPresent(`${data}/${METADATA_FILE}`).catch(() => undefined);
      const reading = text === undefined ? undefined : readMetadata(text);
      if (reading?.kind !== 'read') return [];
      return (units ?? reading.metadata.units) === reading.metadata.units ? [name] : [];
    }),
  );
  return names.flat();
}

async function ask(
  { ports }: Context,
  least: number,
  making: readonly InitialisationJob[],
  served: readonly string[],
): Promise<number> {
  const begun = [...new Set(making.map(({ identity, name }) => identity ?? name))];
  const counted = [
    ...(begun.length === 0 ? [] : [`${enumerate(begun)}: being made there already, and counted.`]),
    ...(served.length === 0 ? [] : [`${enumerate(served)}: served from there, and counted.`]),
  ];
  const all = begun.length + served.length;
  const answer = await ports.prompt.input({
    message: 'How many identities?',
    explanation: [
      'Each has a key and a directory of its own. One per disk is usual; with more than 64 units, several.',
      ...counted,
      ...(all === 0 ? [] : ['A larger number makes more.']),
    ].join('\n'),
    flag: '--count N',
    // Who comes with nothing under way wants another one.
    initial: String(Math.max(least, begun.length > 0 ? all : all + (served.length > 0 ? 1 : 0))),
    validate: (text) =>
      /^\d{1,3}$/.test(text.trim()) && Number(text) >= least ? undefined : `a number from ${least}`,
  });
  return Number(answer);
}
