import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideKeys, type InstalledKey, type KeyFacts } from '../../../src/domain/identity/decide-keys.ts';
import type { PendingKey } from '../../../src/domain/identity/decide-pending.ts';
import { pendingName } from '../../../src/domain/identity/pending-key.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';

function id(number: number): SmesherId {
  const parsed = parseSmesherId(number.toString(16).padStart(64, '0'));
  if (parsed === undefined) throw new Error('not an ID');
  return parsed;
}

const FOLDER = '/node/identities';
const RETIRED = '/p/.smesh/retired';
const owner = { uid: 1000, gid: 1000 };
const name = (number: number) => `post-000${number}`;
const identity = (number: number) => ({ id: id(number), name: name(number), data: `/mnt/${number}` });
const installed = (file: string, number: number): InstalledKey => ({
  file,
  mode: 0o600,
  ...owner,
  smesherId: id(number),
});
const pending = (number: number, more: Partial<PendingKey> = {}): PendingKey => ({
  file: `${name(number)}.key.pending`,
  name: name(number),
  mode: 0o600,
  ...owner,
  smesherId: id(number),
  ...more,
});
const source = (number: number) => ({
  path: `/mnt/${number}/identity.key`,
  smesherId: id(number),
  needsRepair: false,
});

function facts(more: Partial<KeyFacts>): KeyFacts {
  return {
    folder: FOLDER,
    installed: [],
    identities: [],
    retired: [],
    sources: [],
    owner,
    smeshedHere: new Set(),
    repair: false,
    retiredFolder: RETIRED,
    ...more,
  };
}

describe('keys that wait for their data', () => {
  it('one whose identity is in the project is renamed, not copied, also where a copy lies beside the data', () => {
    const { steps, keyFiles } = decideKeys(
      facts({ identities: [identity(1)], pending: [pending(1)], sources: [source(1)] }),
    );
    expect(steps).toEqual([
      {
        kind: 'move-key',
        from: `${FOLDER}/post-0001.key.pending`,
        to: `${FOLDER}/post-0001.key`,
        smesherId: id(1),
      },
    ]);
    expect([...keyFiles]).toEqual([[id(1), 'post-0001.key']]);
  });

  it('is recognised by the key in it, and one that others can read is put right', () => {
    const { steps } = decideKeys(
      facts({ identities: [identity(1)], pending: [pending(7, { smesherId: id(1), mode: 0o644 })] }),
    );
    const to = `${FOLDER}/post-0001.key`;
    expect(steps).toMatchObject([
      { kind: 'move-key', from: `${FOLDER}/post-0007.key.pending`, to },
      { kind: 'install-key', source: to, target: to, mode: 0o600, ...owner },
    ]);
  });

  it('stays where nobody is in the project yet, and is nobody whom the node registers', () => {
    const beingMade = new Set([id(2)]);
    const decided = decideKeys(
      facts({
        identities: [identity(1)],
        installed: [installed('post-0001.key', 1)],
        pending: [pending(2), pending(3)],
        beingMade,
      }),
    );
    expect(decided).toMatchObject({ steps: [], notes: [], installedAfter: [id(1)] });
  });

  it('goes to the retired keys where the node reads the same key already, and says so', () => {
    const { steps, notes } = decideKeys(
      facts({
        identities: [identity(1)],
        installed: [installed('by-hand.key', 1)],
        pending: [pending(1)],
      }),
    );
    expect(steps).toEqual([
      {
        kind: 'move-key',
        from: `${FOLDER}/post-0001.key.pending`,
        to: `${RETIRED}/post-0001-00000000.key`,
        smesherId: id(1),
      },
    ]);
    expect(notes).toEqual([expect.stringContaining('the node reads the same key as by-hand.key')]);
  });

  it('stays beside a copy that was made by hand while its data is being made, and says what is wrong', () => {
    const { steps, notes } = decideKeys(
      facts({
        installed: [installed('by-hand.key', 1)],
        pending: [pending(1)],
        beingMade: new Set([id(1)]),
      }),
    );
    expect(steps).toEqual([]);
    expect(notes.join('\n')).toContain(
      'move the other one out of the folder (keep it!): /node/identities/by-hand.key',
    );
  });

  it('is not taken out of the folder of another node', () => {
    const path = '/other/node-data/identities/post-0001.key.pending';
    const asked = facts({
      identities: [identity(1)],
      sources: [{ path, smesherId: id(1), needsRepair: false, waits: true }],
    });
    expect(() => decideKeys(asked)).toThrow(
      expect.objectContaining({ code: 'key-waits-elsewhere', exitCode: 5 }),
    );
  });

  it('is no key where it cannot be read: the error says which file', () => {
    const { smesherId: _, ...unknown } = pending(1);
    const asked = facts({ identities: [identity(1)], pending: [{ ...unknown, fault: 'it is empty' }] });
    expect(() => decideKeys(asked)).toThrow(
      expect.objectContaining({
        code: 'key-missing',
        details: [expect.stringContaining('post-0001.key.pending cannot be used: it is empty')],
      }),
    );
  });

  it('after any decision: no key is lost or stands twice where the node reads it, and deciding again changes nothing', () => {
    const number = fc.integer({ min: 1, max: 5 });
    const some = fc.uniqueArray(number, { maxLength: 5 });
    fc.assert(
      fc.property(some, some, some, some, (mine, there, waiting, made) => {
        const asked = facts({
          identities: mine.map(identity),
          installed: there.map((n) => installed(`${name((n % 5) + 1)}.key`, n)),
          pending: waiting.map((n) => pending(n)),
          beingMade: new Set(made.filter((n) => !mine.includes(n)).map(id)),
          sources: mine.map(source),
        });
        const { steps, installedAfter } = decideKeys(asked);
        const places = new Map<string, SmesherId>([
          ...asked.installed.map((key) => [`${FOLDER}/${key.file}`, key.smesherId as SmesherId] as const),
          ...(asked.pending ?? []).map(
            (key) => [`${FOLDER}/${key.file}`, key.smesherId as SmesherId] as const,
          ),
        ]);
        const before = new Set(places.values());
        for (const step of steps) {
          if (step.kind === 'install-key' && step.source !== step.target) {
            expect(places.has(step.target)).toBe(false);
            places.set(step.target, step.smesherId);
          }
          if (step.kind !== 'move-key') continue;
          expect(places.get(step.from)).toBe(step.smesherId);
          expect(places.has(step.to)).toBe(false);
          places.delete(step.from);
          places.set(step.to, step.smesherId);
        }
        const after = new Set(places.values());
        for (const key of before) expect(after.has(key)).toBe(true);
        const read = [...places].filter(([path]) => path.startsWith(`${FOLDER}/`) && path.endsWith('.key'));
        expect(read.map(([, key]) => key).sort()).toEqual([...installedAfter]);
        expect(new Set(installedAfter).size).toBe(installedAfter.length);
        for (const n of mine) expect(installedAfter).toContain(id(n));
        const again = decideKeys({
          ...asked,
          installed: read.map(([path, key]) => ({
            ...installed(path.slice(FOLDER.length + 1), 1),
            smesherId: key,
          })),
          pending: [...places].flatMap(([path, key]) => {
            const file = path.slice(FOLDER.length + 1);
            const of = path.startsWith(`${FOLDER}/`) ? pendingName(file) : undefined;
            return of === undefined ? [] : [{ ...pending(1), file, name: of, smesherId: key }];
          }),
        });
        expect(again.steps).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
