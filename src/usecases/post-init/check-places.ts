import { isWithin } from '../../domain/disk/mounts.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import type { Place } from './look-at-places.ts';

/* What is wrong with the places that `post init` was told, before anything is made there. */

export function refuseTwice(paths: readonly string[]): void {
  const twice = paths.find((path, index) => paths.indexOf(path) !== index);
  if (twice === undefined) return;
  throw new SmeshError('place-twice', ExitCode.usage, `${twice} is named twice, perhaps under two names`, {
    hint: 'Nothing was changed. Name it once; several identities on one disk: --count N',
  });
}

export function oneKind(): SmeshError {
  return new SmeshError(
    'mixed-places',
    ExitCode.usage,
    'Some of these places hold data that is gone on with, others are for new data',
    { hint: 'Nothing was changed. Name them in two commands.' },
  );
}

export function nothingThere(places: readonly string[]): SmeshError {
  return new SmeshError(
    'nothing-to-resume',
    ExitCode.invalid,
    `There is nothing to go on with in ${enumerate(places)}`,
    {
      hint: 'Nothing was changed. See what is there: smesh-compose scan   New data: the same without --resume',
    },
  );
}

/** Found out after the key was made it would leave it without a job. */
export function refuseForeignNode(
  { ports: { system } }: Context,
  project: Project,
  facts: { readonly uid: number } | undefined,
): void {
  if (facts === undefined || system.user.uid === 0 || facts.uid === system.user.uid) return;
  throw new SmeshError(
    'foreign-owner',
    ExitCode.environment,
    `The node's data folder ${project.node.data} belongs to user ${facts.uid}; you are user ${system.user.uid} and cannot put a key there`,
    { hint: 'Nothing was changed. Run it as that user, or with sudo.' },
  );
}

/** New data in what is somebody's already, or around it, would sooner or later be mixed with it. */
export function refuseOverlaps(
  { node, identities, initialisation }: Project,
  places: readonly Place[],
): void {
  const owned = [
    { what: "the node's data folder", path: node.data },
    ...identities.map(({ name, data }) => ({ what: `the directory of ${name}`, path: data })),
    ...(initialisation?.jobs ?? []).map(({ name, data }) => ({
      what: `the directory that ${name} fills`,
      path: data,
    })),
  ];
  for (const { path, realPath, use } of places) {
    const owner = owned.find((one) => isWithin(path, one.path) || isWithin(realPath, one.path));
    // Its own data: what can be done about that is said where data is gone on with.
    if (owner === undefined || (use.kind === 'data' && owner.path === path)) continue;
    const same = path === owner.path;
    throw new SmeshError(
      'place-taken',
      ExitCode.invalid,
      same ? `${path} is ${owner.what}` : `${path} lies in ${owner.what}, ${owner.path}`,
      {
        hint: 'Nothing was changed. Name another directory.',
      },
    );
  }
}
