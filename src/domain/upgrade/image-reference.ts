import { ExitCode, SmeshError } from '../errors.ts';

/** An image as it is named: `[registry/]path[:tag][@sha256:…]`. */
export interface ImageReference {
  /** As it was written. */
  readonly text: string;
  /** Registry and path as they were written: `spacemeshos/go-spacemesh`. */
  readonly name: string;
  /** `docker.io` where none is named. */
  readonly registry: string;
  /** Of the repository in its registry: `spacemeshos/go-spacemesh`, `library/ubuntu`. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:…` */
  readonly digest?: string;
}

const COMPONENT = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/;
const REGISTRY = /^(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+|[a-z0-9.-]+(?=:))(?::\d{1,5})?$/i;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Reads an image's name by the engine's rules; `undefined` for what is none. */
export function parseImageReference(text: string): ImageReference | undefined {
  const [named = '', digest, ...rest] = text.split('@');
  if (rest.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return undefined;
  const slash = named.lastIndexOf('/');
  const colon = named.indexOf(':', slash + 1);
  const name = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) return undefined;
  const parts = name.split('/');
  const [first = ''] = parts;
  // The engine's own rule for what is a host and what the first part of a path.
  const hasRegistry = parts.length > 1 && (/[.:]/.test(first) || first === 'localhost');
  if (hasRegistry && !REGISTRY.test(first)) return undefined;
  const path = hasRegistry ? parts.slice(1) : parts;
  if (!path.every((part) => COMPONENT.test(part))) return undefined;
  const registry = hasRegistry && first !== 'index.docker.io' ? first : 'docker.io';
  return {
    text,
    name,
    registry,
    repository: registry === 'docker.io' && path.length === 1 ? `library/${path[0]}` : path.join('/'),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** `name:tag`, without a digest: what a registry is asked for. */
export function tagged({ name, tag }: ImageReference): string {
  return tag === undefined ? name : `${name}:${tag}`;
}

/**
 * What is typed for an image: a tag of the repository that is used now (`v1.7.7`), or a whole name, from another registry
 * too. Exit 2 for what is neither.
 */
export function resolveTyped(current: ImageReference, typed: string, option: string): ImageReference {
  const whole = /[/:@]/.test(typed);
  const reference = parseImageReference(whole ? typed : `${current.name}:${typed}`);
  if (reference !== undefined && (reference.tag !== undefined || reference.digest !== undefined)) {
    return reference;
  }
  throw new SmeshError(
    'bad-option',
    ExitCode.usage,
    `${option} wants a tag, such as ${current.tag ?? 'v1.7.6'}, or the name of an image with one, not ${JSON.stringify(typed)}`,
    { hint: 'Which releases there are: smesh-compose upgrade --check' },
  );
}

/**
 * The name with the digest that its tag has now, so that a tag which is moved later changes nothing here:
 * `spacemeshos/go-spacemesh:v1.7.6@sha256:…`. An image that was built here is in no registry and has none: `undefined`.
 *
 * @param digests `RepoDigests` of the image on the engine
 */
export function pinned(reference: ImageReference, digests: readonly string[]): ImageReference | undefined {
  if (reference.digest !== undefined) return reference;
  const digest = digests
    .map(parseImageReference)
    .find(
      (one) =>
        one !== undefined && one.registry === reference.registry && one.repository === reference.repository,
    )?.digest;
  return digest === undefined ? undefined : parseImageReference(`${tagged(reference)}@${digest}`);
}

/** For people: a digest of 64 characters says no more than its first twelve. */
export function shortReference({ name, tag, digest }: ImageReference): string {
  const base = tagged({ name, ...(tag === undefined ? {} : { tag }) } as ImageReference);
  return tag === undefined && digest !== undefined ? `${base}@${digest.slice(0, 19)}` : base;
}
