import { ExitCode } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import {
  type ImageReference,
  parseImageReference,
  resolveTyped,
  shortReference,
} from '../../domain/upgrade/image-reference.ts';
import { judgeImage } from '../../domain/upgrade/judge.ts';
import { nextOnPath } from '../../domain/upgrade/node-path.ts';
import { formatRelease, newerStable, parseRelease, type Release } from '../../domain/upgrade/release.ts';
import { printable } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import { loadProject } from '../load-project.ts';

const LOOK_UP_MS = 15_000;

export type ImageUse = 'node' | 'post-service';

/** What is newer than one image of the project. */
export interface ReleaseLookup {
  readonly use: ImageUse;
  readonly image: ImageReference;
  readonly current?: Release;
  /** `unknown` is never "up to date": nobody could be asked, or the tag is no release. */
  readonly state: 'newer' | 'newest' | 'unknown';
  /** Stable, not known to be broken, newest first. */
  readonly newer: readonly Release[];
  /** What can be taken at once: a node may have to go through another release first. */
  readonly next?: Release;
  /** With `unknown`. */
  readonly reason?: string;
}

/** Images of the project, each once: what smesh.yaml names, or what it leaves to the tool. */
export function imagesInUse(project: Project): readonly { use: ImageUse; image: ImageReference }[] {
  const provers = [...new Set([project.defaults.image, ...project.identities.map(({ image }) => image)])];
  const used =
    project.identities.length === 0
      ? []
      : provers.filter((one) => project.identities.some(({ image }) => image === one));
  return [
    ...[project.node.image].map((text) => ({ use: 'node' as const, text })),
    ...used.map((text) => ({ use: 'post-service' as const, text })),
  ].flatMap(({ use, text }) => {
    const image = parseImageReference(text);
    return image === undefined ? [] : [{ use, image }];
  });
}

/** Asks the registry of an image what is newer. Rejects only when the command is cancelled. */
export async function lookUpReleases(
  context: Context,
  use: ImageUse,
  image: ImageReference,
): Promise<ReleaseLookup> {
  const current = parseRelease(image.tag ?? '');
  if (current === undefined) {
    return { use, image, state: 'unknown', newer: [], reason: 'its tag names no release to compare with' };
  }
  const registry = await context.ports.registry();
  const answer = await registry.tags(image.registry, image.repository, {
    timeoutMs: LOOK_UP_MS,
    signal: context.signal,
  });
  if (answer.kind !== 'tags') {
    const reason = `${image.registry} could not say: ${printable(answer.reason)}`;
    return { use, image, current, state: 'unknown', newer: [], reason };
  }
  const newer = newerStable(answer.tags, current).filter((release) => !isBroken(image, release));
  const next = use === 'node' ? nextOnPath(current, newer) : newer[0];
  return {
    use,
    image,
    current,
    state: newer.length > 0 ? 'newer' : 'newest',
    newer,
    ...(next === undefined ? {} : { next }),
  };
}

function isBroken(image: ImageReference, release: Release): boolean {
  const reference = resolveTyped(image, formatRelease(release), '');
  return judgeImage(reference).some(({ severity }) => severity === 'error');
}

/**
 * `upgrade --check`: asks registries only, needs no engine and no lock. Exit 10 when something newer is there, 4 when of no
 * image anything could be learnt: for a cron job that is not "nothing new".
 */
export async function runUpgradeCheck(context: Context): Promise<ExitCode> {
  const { project } = await loadProject(context);
  const lookups = await Promise.all(
    imagesInUse(project).map(({ use, image }) => lookUpReleases(context, use, image)),
  );
  if (context.json) context.out.json({ schemaVersion: 1, images: lookups.map(lookupToJson) });
  else context.out.result(renderLookups(lookups).join('\n'));
  const words = nextCommand(lookups);
  if (words !== undefined) context.out.note(`Take it with: ${words}`);
  if (lookups.some(({ state }) => state === 'newer')) return ExitCode.changesPending;
  if (!lookups.every(({ state }) => state === 'unknown')) return ExitCode.ok;
  context.out.warn('Nobody could be asked, so whether anything is newer is not known.');
  return ExitCode.environment;
}

/** More than these say nothing more. */
const NAMED_RELEASES = 6;

function renderLookups(lookups: readonly ReleaseLookup[]): readonly string[] {
  const names = lookups.map(({ image }) => shortReference(image));
  const width = Math.max(...names.map(({ length }) => length));
  return lookups.map((lookup, index) => {
    const { use } = lookup;
    return `${use.padEnd('post-service'.length)}  ${(names[index] ?? '').padEnd(width)}  ${describeLookup(lookup)}`;
  });
}

function describeLookup({ state, newer, next, reason, current }: ReleaseLookup): string {
  if (state === 'unknown') return `nobody knows whether there is a newer one: ${reason}`;
  if (state === 'newest') return 'no newer stable release';
  const shown = newer.slice(0, NAMED_RELEASES).map(formatRelease).join(', ');
  const more = newer.length > NAMED_RELEASES ? ` and ${newer.length - NAMED_RELEASES} more` : '';
  const detour =
    next === undefined
      ? `; none of them can be reached from ${current === undefined ? 'here' : formatRelease(current)} at once`
      : next === newer[0]
        ? ''
        : `; first ${formatRelease(next)}`;
  return `newer: ${shown}${more}${detour}`;
}

function nextCommand(lookups: readonly ReleaseLookup[]): string | undefined {
  const options = lookups.flatMap(({ use, next }) =>
    next === undefined ? [] : [`--${use} ${formatRelease(next)}`],
  );
  return options.length === 0 ? undefined : `smesh-compose upgrade ${[...new Set(options)].join(' ')}`;
}

function lookupToJson({ use, image, current, state, newer, next, reason }: ReleaseLookup) {
  return {
    use,
    image: image.text,
    current: current === undefined ? null : formatRelease(current),
    state,
    newer: newer.map(formatRelease),
    next: next === undefined ? null : formatRelease(next),
    reason: reason ?? null,
  };
}
