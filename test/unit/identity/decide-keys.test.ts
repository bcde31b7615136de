import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideKeys, type InstalledKey, type KeyFacts } from '../../../src/domain/identity/decide-keys.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';

function id(number: number): SmesherId {
  const parsed = parseSmesherId(number.toString(16).padStart(64, '0'));
  if (parsed === undefined) throw new Error('not an ID');
  return parsed;
}

const owner = { uid: 1000, gid: 1000 };
const key = (file: string, number: number, more: Partial<InstalledKey> = {}): InstalledKey => ({
  file,
  mode: 0o600,
  ...owner,
  smesherId: id(number),
  ...more,
});
const identity = (number: number) => ({ id: id(number), name: `post-000${number}`, data: `/mnt/${number}` });
const source = (number: number, needsRepair = false) => ({
  path: `/mnt/${number}/identity.key`,
  smesherId: id(number),
  needsRepair,
});

function facts(more: Partial<KeyFacts>): KeyFacts {
  return {
    folder: '/node/identities',
    installed: [],
    identities: [],
    retired: [],
    sources: [],
    owner,
    smeshedHere: new Set(),
    repair: false,
    retiredFolder: '/p/.smesh/retired',
    ...more,
  };
}

describe('which keys go in and out of the node', () => {
  it('S18: each identity gets its key under its own name', () => {
    const { steps, installedAfter } = decideKeys(
      facts({ identities: [identity(1), identity(2)], sources: [source(2), source(1)] }),
    );
    expect(steps).toMatchObject([
      {
        kind: 'install-key',
        source: '/mnt/1/identity.key',
        target: '/node/identities/post-0001.key',
        mode: 0o600,
      },
      { kind: 'install-key', source: '/mnt/2/identity.key', target: '/node/identities/post-0002.key' },
    ]);
    expect(installedAfter).toEqual([id(1), id(2)]);
  });

  it('an installed key under another name stays; a wrong mode or owner is put right in place', () => {
    expect(decideKeys(facts({ identities: [identity(1)], installed: [key('old.key', 1)] })).steps).toEqual(
      [],
    );
    for (const wrong of [{ mode: 0o644 }, { uid: 0 }, { gid: 0 }]) {
      const { steps } = decideKeys(
        facts({ identities: [identity(1)], installed: [key('old.key', 1, wrong)] }),
      );
      const path = '/node/identities/old.key';
      expect(steps).toMatchObject([{ kind: 'install-key', source: path, target: path, ...owner }]);
    }
  });

  it('a name that another key has taken is not used', () => {
    const { steps } = decideKeys(
      facts({
        identities: [identity(1), identity(2)],
        installed: [key('post-0001.key', 2)],
        sources: [source(1)],
      }),
    );
    expect(steps).toMatchObject([{ target: '/node/identities/post-0001-00000000.key' }]);
  });

  it('S9: local.key of an identity is renamed and its mode put right in one go', () => {
    const decision = decideKeys(
      facts({ identities: [identity(1)], installed: [key('local.key', 1, { mode: 0o644 })] }),
    );
    expect(decision.steps).toMatchObject([
      { kind: 'move-key', from: '/node/identities/local.key', to: '/node/identities/post-0001.key' },
      {
        kind: 'install-key',
        source: '/node/identities/post-0001.key',
        target: '/node/identities/post-0001.key',
      },
    ]);
    expect(decision.installedAfter).toEqual([id(1)]);
  });

  it('S9: local.key that has smeshed here, or may have, is never moved away', () => {
    for (const smeshedHere of [new Set([id(9)]), 'unknown'] as const) {
      const asked = facts({
        identities: [identity(1)],
        installed: [key('local.key', 9)],
        sources: [source(1)],
        smeshedHere,
      });
      expect(() => decideKeys(asked)).toThrow(
        expect.objectContaining({ code: 'local-key-in-use', exitCode: 5 }),
      );
    }
  });

  it('S9: local.key of nobody is retired, not deleted', () => {
    const { steps, installedAfter } = decideKeys(facts({ installed: [key('local.key', 9)] }));
    expect(steps).toMatchObject([{ kind: 'move-key', to: '/p/.smesh/retired/local.key-00000000.key' }]);
    expect(installedAfter).toEqual([]);
  });

  it('a removed identity leaves the node; a key of nobody stays and is spoken of', () => {
    const { steps, notes, installedAfter } = decideKeys(
      facts({
        identities: [identity(1)],
        installed: [key('a.key', 1), key('b.key', 2), key('c.key', 3)],
        retired: [{ id: id(2), name: 'post-0002' }],
      }),
    );
    expect(steps).toMatchObject([{ kind: 'move-key', from: '/node/identities/b.key' }]);
    expect(notes).toEqual([expect.stringContaining('c.key')]);
    expect(installedAfter).toEqual([id(1), id(3)]);
  });

  it('S8: a repair needs consent, and what is missing is said for every identity at once', () => {
    const asked = facts({ identities: [identity(1), identity(2)], sources: [source(1, true)] });
    try {
      decideKeys(asked);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        code: 'key-missing',
        details: [expect.stringContaining('--repair-keys'), expect.stringContaining('/mnt/2')],
      });
    }
    const repaired = decideKeys({ ...asked, sources: [source(1, true), source(2)], repair: true });
    expect(repaired.steps).toMatchObject([{ repair: true }, { repair: false }]);
  });

  it('says of a key that may not be read that it is there', () => {
    const closed = facts({
      identities: [identity(1)],
      unreadable: ['/mnt/2/identity.key', '/mnt/1/identity.key'],
    });
    expect(() => decideKeys(closed)).toThrow(
      expect.objectContaining({ details: [expect.stringContaining('may not read /mnt/1/identity.key')] }),
    );
  });

  it('refuses what the node would refuse: a faulty file, one key twice', () => {
    const { smesherId: _, ...faulty } = key('x.key', 1);
    expect(() => decideKeys(facts({ installed: [{ ...faulty, fault: 'short' }] }))).toThrow(
      expect.objectContaining({ code: 'installed-key-faulty', details: ['x.key: short'] }),
    );
    expect(() => decideKeys(facts({ installed: [key('a.key', 1), key('b.key', 1)] }))).toThrow(
      expect.objectContaining({ code: 'installed-key-twice', exitCode: 5 }),
    );
  });

  it('after any decision: every identity has one key, no file twice, no local.key, and deciding again does nothing', () => {
    const number = fc.integer({ min: 1, max: 6 });
    const shuffled = fc.uniqueArray(number, { maxLength: 6 });
    fc.assert(
      fc.property(
        shuffled,
        shuffled,
        shuffled,
        fc.boolean(),
        fc.boolean(),
        (mine, there, gone, local, loose) => {
          const retired = gone
            .filter((n) => !mine.includes(n))
            .map((n) => ({ id: id(n), name: `post-000${n}` }));
          const installed = there.map((n, index) =>
            key(
              local && index === 0 ? 'local.key' : `post-000${(n % 6) + 1}.key`,
              n,
              loose ? { mode: 0o640 } : {},
            ),
          );
          const asked = facts({
            identities: mine.map(identity),
            installed,
            retired,
            sources: mine.map((n) => source(n)),
          });
          const { steps, installedAfter } = decideKeys(asked);
          const files = new Map(installed.map((entry) => [entry.file, entry]));
          for (const step of steps) {
            if (step.kind === 'install-key') {
              const file = step.target.slice('/node/identities/'.length);
              if (step.source !== step.target) expect(files.has(file)).toBe(false);
              files.set(file, { file, mode: 0o600, ...owner, smesherId: step.smesherId });
            } else if (step.kind === 'move-key') {
              const from = step.from.slice('/node/identities/'.length);
              const entry = files.get(from);
              expect(entry?.smesherId).toBe(step.smesherId);
              files.delete(from);
              if (step.to.startsWith('/node/identities/') && entry !== undefined) {
                const file = step.to.slice('/node/identities/'.length);
                expect(files.has(file)).toBe(false);
                files.set(file, { ...entry, file });
              }
            }
          }
          const after = [...files.values()];
          expect(files.has('local.key')).toBe(false);
          expect(after.map(({ smesherId }) => smesherId).sort()).toEqual([...installedAfter]);
          for (const n of mine) expect(after.filter(({ smesherId }) => smesherId === id(n))).toHaveLength(1);
          for (const { id: former } of retired) expect(installedAfter).not.toContain(former);
          expect(decideKeys({ ...asked, installed: after }).steps).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
