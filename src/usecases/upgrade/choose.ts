import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Finding } from '../../domain/plan/findings.ts';
import type { Project } from '../../domain/project/types.ts';
import { type ImageReference, resolveTyped, shortReference } from '../../domain/upgrade/image-reference.ts';
import { acceptUnknown, judgeImage, judgeNodeStep } from '../../domain/upgrade/judge.ts';
import { nodePath } from '../../domain/upgrade/node-path.ts';
import { judgePair } from '../../domain/upgrade/pairing.ts';
import { formatRelease, parseRelease, type Release } from '../../domain/upgrade/release.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import { type ImageUse, imagesInUse, lookUpReleases, type ReleaseLookup } from './check.ts';
import { nodeStepFacts, type Standing } from './look.ts';

/** One kind of container gets another image. */
export interface Change {
  readonly use: ImageUse;
  readonly from: readonly ImageReference[];
  readonly to: ImageReference;
}

export interface Wishes {
  readonly node?: string;
  readonly postService?: string;
}

/** What is to be changed: as typed, else what registries have that is newer and fits together. */
export async function chooseChanges(
  context: Context,
  project: Project,
  wishes: Wishes,
): Promise<readonly Change[]> {
  const inUse = imagesInUse(project);
  const imagesOf = (use: ImageUse) => inUse.filter((one) => one.use === use).map(({ image }) => image);
  const typed = [
    ['node', wishes.node, '--node'],
    ['post-service', wishes.postService, '--post-service'],
  ] as const;
  if (typed.every(([, text]) => text === undefined)) return chooseNewer(context, project, imagesOf);
  return typed.flatMap(([use, text, option]) => {
    const from = imagesOf(use);
    const [first] = from;
    if (text === undefined || first === undefined) return [];
    const to = resolveTyped(first, text, option);
    return from.every((image) => isSame(image, to)) ? [] : [{ use, from, to }];
  });
}

/** A tag that is named again, and pinned already, changes nothing. */
function isSame(image: ImageReference, to: ImageReference): boolean {
  if (image.text === to.text) return image.digest !== undefined;
  return (
    image.name === to.name && image.tag === to.tag && to.digest === undefined && image.digest !== undefined
  );
}

async function chooseNewer(
  context: Context,
  project: Project,
  imagesOf: (use: ImageUse) => readonly ImageReference[],
): Promise<readonly Change[]> {
  const lookups = await Promise.all(
    (['node', 'post-service'] as const).flatMap((use) =>
      imagesOf(use).map((image) => lookUpReleases(context, use, image)),
    ),
  );
  const unknown = lookups.filter(({ state }) => state === 'unknown');
  if (unknown.length === lookups.length) {
    throw new SmeshError(
      'releases-unknown',
      ExitCode.usage,
      'Nobody can say which releases there are, so name them. Nothing was changed.',
      {
        details: unknown.map(({ image, reason }) => `${shortReference(image)}: ${reason}`),
        hint: 'smesh-compose upgrade --node TAG --post-service TAG',
      },
    );
  }
  for (const { image, reason } of unknown)
    context.out.warn(`${shortReference(image)} is left as it is: ${reason}.`);
  const remoteK2pow = usesRemoteK2pow(project);
  return (['node', 'post-service'] as const).flatMap((use): Change[] => {
    const from = imagesOf(use);
    const [first] = from;
    const fitting = lookups
      .filter((lookup) => lookup.use === use)
      .flatMap((lookup) => newestFitting(lookup, lookups, remoteK2pow));
    const [newest] = fitting;
    for (const lookup of lookups.filter((one) => one.use === use)) warnOfOthers(context, lookup, newest);
    if (first === undefined || newest === undefined) return [];
    return [{ use, from, to: resolveTyped(first, formatRelease(newest), `--${use}`) }];
  });
}

/** Only what this tool knows to fit: everything else a person has to name. */
function newestFitting(
  { use, current, newer }: ReleaseLookup,
  lookups: readonly ReleaseLookup[],
  remoteK2pow: boolean,
): readonly Release[] {
  const other = lookups.find((lookup) => lookup.use !== use)?.current;
  const found = newer.find((release) => {
    if (current === undefined) return false;
    if (use === 'node' && nodePath(current, release).kind !== 'direct') return false;
    if (other === undefined) return true;
    const pair = use === 'node' ? { node: release, prover: other } : { node: other, prover: release };
    return judgePair({ ...pair, remoteK2pow }).length === 0;
  });
  return found === undefined ? [] : [found];
}

function warnOfOthers(context: Context, { use, newer }: ReleaseLookup, taken: Release | undefined): void {
  const [newest] = newer;
  if (newest === undefined || newest === taken) return;
  context.out.warn(
    `${use} ${formatRelease(newest)} is there, too, but is not taken unasked: whether it fits, or can be reached at once, is not known to this version of the tool. By name: --${use} ${formatRelease(newest)}`,
  );
}

function usesRemoteK2pow(project: Project): boolean {
  return project.identities.some(({ remoteK2pow }) => remoteK2pow !== undefined);
}

/**
 * What stands in the way of the changes (S24): the images themselves, the way of the node's databases, the pair.
 *
 * @param releases as the programs themselves say, where they have been asked; else the tags count
 */
export function judgeChanges(
  project: Project,
  standing: Standing,
  changes: readonly Change[],
  options: { readonly force: boolean; readonly releases?: ReadonlyMap<ImageUse, Release> },
): readonly Finding[] {
  const releaseOf = (use: ImageUse): Release | undefined => {
    const to = changes.find((change) => change.use === use)?.to;
    const image = to ?? imagesInUse(project).find((one) => one.use === use)?.image;
    const said = to === undefined ? undefined : options.releases?.get(use);
    return said ?? parseRelease(image?.tag ?? '');
  };
  const [node, prover] = [releaseOf('node'), releaseOf('post-service')];
  const changesNode = changes.some(({ use }) => use === 'node');
  const findings = [
    ...changes.flatMap(({ to }) => judgeImage(to)),
    ...(changesNode && (node !== undefined || options.releases !== undefined)
      ? judgeNodeStep(nodeStepFacts(standing, node))
      : []),
    ...(node !== undefined && prover !== undefined
      ? judgePair({ node, prover, remoteK2pow: usesRemoteK2pow(project) })
      : []),
    ...judgeMixture(project, changes),
  ];
  return options.force ? acceptUnknown(findings) : findings;
}

function judgeMixture(project: Project, changes: readonly Change[]): readonly Finding[] {
  if (changes.some(({ use }) => use === 'post-service')) return [];
  const images = [...new Set(project.identities.map(({ image }) => image))];
  if (images.length < 2) return [];
  return [
    {
      code: 'mixed-versions',
      severity: 'warning',
      kind: 'invalid',
      message: `Post-services of ${images.length} versions: ${enumerate(images)}`,
      next: 'One version for all is what is tested: smesh-compose upgrade --post-service TAG',
    },
  ];
}
