import { dirname } from 'node:path';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { spread } from '../../domain/post-init/directories.ts';
import type { InitialisationJob } from '../../domain/project/types.ts';
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
}

/**
 * How many identities go to each place: as told, else as a person says, else one each. Those that are being made on a disk
 * with as many units count.
 *
 * @param units of each, as told; absent: any
 */
export async function askShares(
  context: Context,
  places: readonly Place[],
  jobs: readonly InitialisationJob[],
  { count: given, units }: { readonly count?: number; readonly units?: number },
): Promise<Shares> {
  const there = places.map(({ path, use }) =>
    use.kind === 'parent'
      ? jobs.filter((job) => dirname(job.into ?? job.data) === path && (units ?? job.units) === job.units)
      : [],
  );
  const making = there.flat();
  const begun = new Set(making.map(({ id }) => id)).size;
  const least = places.length;
  const canAsk = context.out.interactive && !context.yes && places.some(({ use }) => use.kind === 'parent');
  const count = given ?? (canAsk ? await ask(context, least, making, begun) : least);
  if (count < least)
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      `--count ${count} for ${plural(least, 'place')}: each gets one at least. Nothing was changed.`,
    );
  const each = spread(count, least);
  const shares = places.map((place, index) => {
    const here = new Set(there[index]?.map(({ id }) => id)).size;
    return { place, identities: Math.max(0, (each[index] ?? 0) - here) };
  });
  return { shares: shares.filter(({ identities }) => identities > 0), making };
}

async function ask(
  { ports }: Context,
  least: number,
  making: readonly InitialisationJob[],
  begun: number,
): Promise<number> {
  const names = [...new Set(making.map(({ identity, name }) => identity ?? name))];
  const answer = await ports.prompt.input({
    message: 'How many identities?',
    explanation: [
      'Each has a key and a directory of its own. One per disk is usual; with more than 64 units, several.',
      ...(begun === 0
        ? []
        : [`${enumerate(names)}: being made there already, and counted; a larger number makes more.`]),
    ].join('\n'),
    flag: '--count N',
    initial: String(Math.max(least, begun)),
    validate: (text) =>
      /^\d{1,3}$/.test(text.trim()) && Number(text) >= least ? undefined : `a number from ${least}`,
  });
  return Number(answer);
}
