/** A release as its tag names it. */
export interface Release {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** `rc.1`, `hotfix1`: not one of the stable ones. */
  readonly suffix?: string;
}

/** `v1.7.6`, `1.7.6`, `v1.8.0-rc.1`; `undefined` for commits, branches and `latest`. */
export function parseRelease(text: string): Release | undefined {
  const match = /^v?(\d{1,5})\.(\d{1,5})\.(\d{1,5})(?:[-+]([0-9A-Za-z.-]+))?$/.exec(text);
  if (match === null) return undefined;
  const [, major, minor, patch, suffix] = match;
  return {
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch),
    ...(suffix === undefined ? {} : { suffix }),
  };
}

export function formatRelease({ major, minor, patch, suffix }: Release): string {
  return `v${major}.${minor}.${patch}${suffix === undefined ? '' : `-${suffix}`}`;
}

/** Older first. What has a suffix comes before the release of the same number, as semantic versioning has it. */
export function compareReleases(a: Release, b: Release): number {
  const numbers = a.major - b.major || a.minor - b.minor || a.patch - b.patch;
  if (numbers !== 0) return numbers;
  if (a.suffix === b.suffix) return 0;
  if (a.suffix === undefined) return 1;
  if (b.suffix === undefined) return -1;
  return natural.compare(a.suffix, b.suffix);
}

const natural = new Intl.Collator('en', { numeric: true });

/** Stable releases among the tags of a repository that are newer than one, newest first, each once. */
export function newerStable(tags: readonly string[], than: Release): readonly Release[] {
  const found = new Map<string, Release>();
  for (const tag of tags) {
    const release = parseRelease(tag);
    if (release === undefined || release.suffix !== undefined) continue;
    if (compareReleases(release, than) > 0) found.set(formatRelease(release), release);
  }
  return [...found.values()].sort((a, b) => compareReleases(b, a));
}
