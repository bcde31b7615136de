/**
 * Releases that fit together and are not known to be broken (spacemesh.md §0, §3.6, §9.1): a node that today's network
 * accepts, the post-service that speaks to it, the postcli whose data both read.
 */
export const DEFAULT_IMAGES = {
  node: 'spacemeshos/go-spacemesh:v1.7.6',
  prover: 'spacemeshos/post-service:v0.8.5',
  initialisation: 'spacemeshos/postcli:v0.12.9',
  poet: 'spacemeshos/poet:v0.10.8',
} as const;

export type ImageRole = keyof typeof DEFAULT_IMAGES;

/** What is wrong with an image: an error stops generation, a warning is shown. */
export interface ImageFinding {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** It may go on where it runs, but nobody should be brought to it. */
  readonly outdated?: true;
}

interface KnownTags {
  readonly tags: RegExp;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly outdated?: true;
}

/** Facts about published tags, by the last part of the image's name (spacemesh.md §3.6, §4, §9.1, §9.2). */
const KNOWN: Readonly<Record<string, readonly KnownTags[]>> = {
  'go-spacemesh': [
    {
      tags: /^v1\.7\.5$/,
      severity: 'error',
      message: 'v1.7.5 writes invalid ATX data; use v1.7.6 or newer',
    },
    {
      tags: /^v1\.[0-3]\./,
      severity: 'error',
      message: 'releases before v1.4.0 cannot serve several identities',
    },
    {
      tags: /^v1\.([45]\.|6\.|7\.[0-4]$)/,
      severity: 'warning',
      message: "releases before v1.7.6 are known to break on today's network",
    },
  ],
  'post-service': [
    {
      tags: /^v0\.8\.[01]$/,
      severity: 'error',
      message: 'this image lacks libssl and cannot start; use v0.8.2 or newer',
    },
    {
      tags: /^v0\.7\.(9|10)$/,
      severity: 'error',
      message: 'this image was built with a wrong entry point and cannot start; use v0.7.13 or v0.8.5',
    },
    {
      tags: /^v0\.7\.1[12]$/,
      severity: 'warning',
      message: 'TLS connections to the node fail in this release; v0.7.13 mended them',
    },
    {
      tags: /^v0\.[0-6]\.|^v0\.7\.[0-8]$/,
      severity: 'warning',
      message: 'releases before v0.7.13 have other flags and another program name; v0.8.5 is tested',
      outdated: true,
    },
  ],
};

/** Tag of an image reference: the part after the last `:` behind the last `/`, without a digest. */
function splitReference(reference: string): { name: string; tag: string | undefined; digest: boolean } {
  const [path = '', digest] = reference.split('@', 2);
  const base = path.slice(path.lastIndexOf('/') + 1);
  const colon = base.indexOf(':');
  return {
    name: colon < 0 ? base : base.slice(0, colon),
    tag: colon < 0 ? undefined : base.slice(colon + 1),
    digest: digest !== undefined,
  };
}

/** Judges an image reference: no floating tag, no release known to be broken. */
export function inspectImage(reference: string): readonly ImageFinding[] {
  if (!/^[a-z0-9]\S*$/i.test(reference)) {
    return [{ severity: 'error', message: `${JSON.stringify(reference)} is no image name` }];
  }
  const { name, tag, digest } = splitReference(reference);
  if (tag === 'latest' || (tag === undefined && !digest)) {
    // A tag that moves would swap programs under running provers and throw their proofs away.
    return [
      {
        severity: 'error',
        message: `${reference} moves with every release; name one, such as ${exampleFor(name)}`,
      },
    ];
  }
  return (KNOWN[name] ?? [])
    .filter((known) => tag !== undefined && known.tags.test(tag))
    .map(({ severity, message, outdated }) => ({
      severity,
      message: `${reference}: ${message}`,
      ...(outdated === undefined ? {} : { outdated }),
    }));
}

function exampleFor(name: string): string {
  return Object.values(DEFAULT_IMAGES).find((image) => image.includes(`/${name}:`)) ?? DEFAULT_IMAGES.prover;
}
