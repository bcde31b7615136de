import { describe, expect, it } from 'vitest';
import {
  parseImageReference,
  pinned,
  resolveTyped,
  shortReference,
} from '../../../src/domain/upgrade/image-reference.ts';
import {
  canGoBack,
  lineOfDatabase,
  migratesState,
  nextOnPath,
  nodePath,
} from '../../../src/domain/upgrade/node-path.ts';
import {
  compareReleases,
  formatRelease,
  newerStable,
  parseRelease,
  type Release,
} from '../../../src/domain/upgrade/release.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;

function release(text: string): Release {
  const parsed = parseRelease(text);
  if (parsed === undefined) throw new Error(`${text} is no release`);
  return parsed;
}

function image(text: string) {
  const parsed = parseImageReference(text);
  if (parsed === undefined) throw new Error(`${text} is no image`);
  return parsed;
}

describe('names of images', () => {
  it.each([
    ['ubuntu', { registry: 'docker.io', repository: 'library/ubuntu', name: 'ubuntu' }],
    [
      'spacemeshos/post-service:v0.8.5',
      { registry: 'docker.io', repository: 'spacemeshos/post-service', tag: 'v0.8.5' },
    ],
    ['docker.io/a/b:1', { registry: 'docker.io', repository: 'a/b', name: 'docker.io/a/b' }],
    [
      '127.0.0.1:5000/a/b:v1',
      { registry: '127.0.0.1:5000', repository: 'a/b', name: '127.0.0.1:5000/a/b', tag: 'v1' },
    ],
    ['localhost/a', { registry: 'localhost', repository: 'a' }],
    ['ghcr.io/a/b/c', { registry: 'ghcr.io', repository: 'a/b/c' }],
    [`a/b:v1@${DIGEST}`, { repository: 'a/b', tag: 'v1', digest: DIGEST, name: 'a/b' }],
    [`a/b@${DIGEST}`, { repository: 'a/b', digest: DIGEST }],
  ])('%s', (text, parts) => {
    expect(parseImageReference(text)).toMatchObject({ text, ...parts });
  });

  it.each([
    '',
    'A/b',
    'a//b',
    'a:b:c',
    'a/b:',
    'a@sha256:12',
    `a@${DIGEST}@x`,
    'a b',
    'a/b:-x',
    'http://a/b',
    'a_/b',
  ])('%j is none', (text) => {
    expect(parseImageReference(text)).toBeUndefined();
  });

  it('takes a tag of the repository in use, or a whole name', () => {
    const current = image(`mirror.example:5000/spacemeshos/go-spacemesh:v1.7.6@${DIGEST}`);
    expect(resolveTyped(current, 'v1.7.7', '--node').text).toBe(
      'mirror.example:5000/spacemeshos/go-spacemesh:v1.7.7',
    );
    expect(resolveTyped(current, 'my/node:main', '--node').text).toBe('my/node:main');
    expect(resolveTyped(current, `my/node@${DIGEST}`, '--node').digest).toBe(DIGEST);
    for (const typed of ['', 'v 1', 'my/node', '-v1'])
      expect(() => resolveTyped(current, typed, '--node')).toThrow(/--node wants a tag/);
  });

  it('pins the digest that the registry of that name knows, and nothing for what was built here', () => {
    const wanted = image('a/b:v1');
    const other = `sha256:${'0b'.repeat(32)}`;
    expect(pinned(wanted, [`mirror.example/a/b@${other}`, `a/b@${DIGEST}`])?.text).toBe(`a/b:v1@${DIGEST}`);
    expect(pinned(wanted, [])).toBeUndefined();
    expect(pinned(wanted, [`mirror.example/a/b@${other}`])).toBeUndefined();
    expect(pinned(image(`a/b:v1@${other}`), [`a/b@${DIGEST}`])?.digest).toBe(other);
    expect(shortReference(image(`a/b:v1@${DIGEST}`))).toBe('a/b:v1');
    expect(shortReference(image(`a/b@${DIGEST}`))).toBe('a/b@sha256:0a0a0a0a0a0a');
  });
});

describe('releases', () => {
  it('orders by numbers, not by letters', () => {
    const texts = ['v1.10.0', 'v1.7.6', 'v1.7.10', 'v0.8.5', 'v1.8.0-rc.2', 'v1.8.0-rc.10', 'v1.8.0'];
    const sorted = texts.map(release).sort(compareReleases).map(formatRelease);
    expect(sorted).toEqual([
      'v0.8.5',
      'v1.7.6',
      'v1.7.10',
      'v1.8.0-rc.2',
      'v1.8.0-rc.10',
      'v1.8.0',
      'v1.10.0',
    ]);
  });

  it('of all tags only the stable releases count', () => {
    const tags = [
      'latest',
      'v1.7.7',
      '1.7.7',
      'v1.8.0-rc.1',
      'develop',
      '158fac3',
      'v1.7.6',
      'v1.7.12',
      'v1.7',
      'v01x',
    ];
    expect(newerStable(tags, release('v1.7.6')).map(formatRelease)).toEqual(['v1.7.12', 'v1.7.7']);
    expect(newerStable(tags, release('v1.7.12'))).toEqual([]);
  });
});

describe('the path of node releases (spacemesh.md §9.2)', () => {
  it.each([
    ['v1.7.6', 'v1.7.6', { kind: 'same' }],
    ['v1.7.5', 'v1.7.6', { kind: 'direct' }],
    ['v1.6.8', 'v1.7.6', { kind: 'direct' }],
    ['v1.5.6', 'v1.7.6', { kind: 'through', stops: ['v1.6.8'] }],
    ['v1.4.6', 'v1.7.6', { kind: 'through', stops: ['v1.5.6', 'v1.6.8'] }],
    ['v1.3.11', 'v1.7.6', { kind: 'through', stops: ['v1.4.6', 'v1.5.6', 'v1.6.8'] }],
    ['v1.2.0', 'v1.4.6', { kind: 'direct' }],
    ['v1.3.0', 'v1.5.0', { kind: 'through', stops: ['v1.4.6'] }],
    ['v1.7.6', 'v1.8.0', { kind: 'direct' }],
    ['v1.7.6', 'v1.9.0', { kind: 'through', stops: ['v1.8.x'] }],
    ['v1.7.6', 'v2.0.0', { kind: 'unknown' }],
    ['v1.7.6', 'v1.7.5', { kind: 'back', possible: true }],
    ['v1.7.6', 'v1.7.4', { kind: 'back', possible: false }],
    ['v1.7.6', 'v1.6.8', { kind: 'back', possible: false }],
    ['v1.8.1', 'v1.8.0', { kind: 'back', possible: false }],
  ])('%s to %s', (from, to, path) => {
    expect(nodePath(release(from), release(to))).toEqual(path);
  });

  it('takes the newest release that one leads to at once', () => {
    const newer = ['v1.9.0', 'v1.8.3', 'v1.7.9'].map(release);
    expect(nextOnPath(release('v1.7.6'), newer)).toEqual(release('v1.8.3'));
    expect(nextOnPath(release('v1.7.6'), [release('v1.9.0')])).toBeUndefined();
  });

  it('knows which release had a database in hand, the older one where two may have', () => {
    expect([2, 5, 7, 8, 9].map((version) => lineOfDatabase(version)?.minor)).toEqual([3, 4, 4, 6, 7]);
    expect(lineOfDatabase(10)).toBeUndefined();
  });

  it.each([
    ['v1.6.8', 'v1.7.6', undefined, 'yes'],
    ['v1.7.4', 'v1.7.6', undefined, 'yes'],
    ['v1.7.5', 'v1.7.6', undefined, 'no'],
    ['v1.7.6', 'v1.7.7', undefined, 'unknown'],
    ['v1.7.6', 'v1.7.6', undefined, 'no'],
    // Its tag says 1.7.6, but the file was never migrated.
    ['v1.7.6', 'v1.7.6', 23, 'yes'],
    ['v1.6.8', 'v1.7.6', 25, 'no'],
  ] as const)('from %s to %s (state.sql %s) migrates: %s', (from, to, present, answer) => {
    expect(migratesState(release(from), release(to), present)).toBe(answer);
  });

  it('goes back only with databases that the former release still takes', () => {
    expect(canGoBack({ local: 9, state: 25 }, { local: 9, state: 25 })).toBe(true);
    expect(canGoBack({ local: 9, state: 25 }, { local: 9, state: 26 })).toBe(false);
    expect(canGoBack({ local: 9, state: 25 }, { local: 10, state: 25 })).toBe(false);
    expect(canGoBack({ local: 9 }, { local: 9, state: 25 })).toBe('unknown');
    expect(canGoBack({ local: 9, state: 25 }, {})).toBe('unknown');
    expect(canGoBack({ local: 9 }, { local: 10 })).toBe(false);
  });
});
