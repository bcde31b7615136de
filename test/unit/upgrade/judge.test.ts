import { describe, expect, it } from 'vitest';
import { parseImageReference } from '../../../src/domain/upgrade/image-reference.ts';
import {
  acceptUnknown,
  judgeImage,
  judgeNodeStep,
  type NodeStepFacts,
} from '../../../src/domain/upgrade/judge.ts';
import { judgePair } from '../../../src/domain/upgrade/pairing.ts';
import { parseRelease, type Release } from '../../../src/domain/upgrade/release.ts';

const GIB = 1024 ** 3;

const release = (text: string): Release => parseRelease(text) as Release;

function step(from: string | undefined, to: string | undefined, facts: Partial<NodeStepFacts> = {}) {
  return judgeNodeStep({
    from: from === undefined ? undefined : release(from),
    to: to === undefined ? undefined : release(to),
    stateBytes: 100 * GIB,
    freeBytes: 200 * GIB,
    fresh: false,
    ...facts,
  });
}

const codes = (findings: readonly { code: string }[]) => findings.map(({ code }) => code);

describe('S24: what stands in the way of a node', () => {
  it('refuses a jump that needs another release first, and names it', () => {
    const [finding] = step('v1.5.6', 'v1.7.6');
    expect(finding).toMatchObject({ code: 'node-path', kind: 'refused', severity: 'error' });
    expect(finding?.next).toContain('v1.6.x (such as v1.6.8). First: smesh-compose upgrade --node v1.6.8');
    expect(step('v1.4.6', 'v1.7.6')[0]?.next).toMatch(/v1\.5\.x .*then v1\.6\.x .*--node v1\.5\.6/);
  });

  it('refuses an older one that would not take the databases', () => {
    const of176 = { localVersion: 9, stateVersion: 25 };
    expect(codes(step('v1.7.6', 'v1.7.4', of176))).toEqual(['node-downgrade']);
    expect(codes(step('v1.7.6', 'v1.6.8', of176))).toEqual(['node-downgrade']);
    expect(step('v1.7.6', 'v1.7.5', of176)).toEqual([]);
    // v1.7.7 has left the databases as they were, and so the way back is open.
    expect(step('v1.7.7', 'v1.7.6', of176)).toEqual([]);
    expect(codes(step('v1.7.7', 'v1.7.6', { localVersion: 9, stateVersion: 26 }))).toEqual([
      'node-downgrade',
    ]);
    // Nobody knows what they make of them.
    expect(codes(step('v1.7.8', 'v1.7.7', of176))).toEqual(['node-downgrade-unknown']);
    expect(codes(step('v1.7.7', 'v1.7.6'))).toEqual(['node-downgrade-unknown']);
  });

  it('says what v1.7.5 left behind', () => {
    expect(codes(step('v1.7.5', 'v1.7.6'))).toEqual(['rebuild-state']);
    expect(step('v1.7.5', 'v1.7.6')[0]?.severity).toBe('warning');
  });

  it('refuses a migration without room for a second state.sql, to the byte', () => {
    expect(step('v1.6.8', 'v1.7.6', { freeBytes: 100 * GIB })).toEqual([]);
    const [finding] = step('v1.6.8', 'v1.7.6', { freeBytes: 100 * GIB - 1 });
    expect(finding).toMatchObject({ code: 'migration-space', kind: 'environment' });
    expect(finding?.message).toContain('100 GiB');
    // Where nothing is migrated no room is needed.
    expect(codes(step('v1.7.5', 'v1.7.6', { freeBytes: 0 }))).toEqual(['rebuild-state']);
  });

  it('what is not known counts as a risk that only --force takes', () => {
    const unknown = [
      ...step('v1.7.6', 'v1.7.7', { freeBytes: GIB }),
      ...step('v1.7.6', 'v2.0.0'),
      ...step(undefined, 'v1.7.6'),
      ...step('v1.7.6', undefined),
    ];
    expect(codes(unknown)).toEqual([
      'migration-space-unknown',
      'node-path-unknown',
      'node-release-unknown',
      'node-release-unknown',
    ]);
    expect(acceptUnknown(unknown).every(({ severity }) => severity === 'warning')).toBe(true);
    const known = [...step('v1.5.6', 'v1.7.6'), ...step('v1.6.8', 'v1.7.6', { freeBytes: 0 })];
    expect(acceptUnknown(known)).toEqual(known);
  });

  it('asks nothing of a node that has no database yet', () => {
    expect(step(undefined, 'v1.7.6', { fresh: true })).toEqual([]);
  });
});

describe('S24: images and pairs', () => {
  it('knows the broken ones, with a digest too', () => {
    const digest = `sha256:${'00'.repeat(32)}`;
    const judge = (text: string) => {
      const reference = parseImageReference(text);
      return reference === undefined ? [] : codes(judgeImage(reference));
    };
    expect(judge(`spacemeshos/go-spacemesh:v1.7.5@${digest}`)).toEqual(['image-broken']);
    expect(judge('spacemeshos/post-service:v0.8.1')).toEqual(['image-broken']);
    expect(judge('spacemeshos/post-service:latest')).toEqual(['image-broken']);
    expect(judge('spacemeshos/post-service:v0.7.8')).toEqual(['image-outdated']);
    expect(judge('spacemeshos/post-service:v0.7.12')).toEqual(['image-doubtful']);
    expect(judge(`spacemeshos/go-spacemesh:v1.7.6@${digest}`)).toEqual([]);
  });

  it('warns of pairs that nobody has read, refuses flags that a release does not have', () => {
    const pair = (node: string, prover: string, remoteK2pow = false) =>
      judgePair({ node: release(node), prover: release(prover), remoteK2pow }).map(
        ({ code, severity }) => `${code} ${severity}`,
      );
    expect(pair('v1.7.6', 'v0.8.5', true)).toEqual([]);
    expect(pair('v1.7.6', 'v0.7.8')).toEqual([]);
    expect(pair('v1.8.0', 'v0.8.5')).toEqual(['pair-unknown warning']);
    expect(pair('v1.7.6', 'v0.9.0')).toEqual(['pair-unknown warning']);
    expect(pair('v1.7.6', 'v0.7.13', true)).toEqual(['remote-k2pow-missing error']);
  });
});
