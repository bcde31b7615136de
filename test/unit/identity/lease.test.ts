import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideLeases,
  type FoundLease,
  heldLease,
  type LeaseFacts,
  renewLeases,
} from '../../../src/domain/identity/decide-leases.ts';
import {
  type FormerPlace,
  judgeLease,
  type Lease,
  type LeaseHere,
  leaseFileOf,
  readLease,
  writeLease,
} from '../../../src/domain/identity/lease.ts';
import { leaseFindings } from '../../../src/domain/identity/lease-findings.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { findingsError } from '../../../src/domain/plan/findings.ts';

const id = parseSmesherId('ab'.repeat(32)) as SmesherId;
const NOW = '2026-11-21T08:00:00.000Z';
const here: LeaseHere = {
  host: { id: 'host-a', name: 'atlas', cards: ['c1', 'c2'] },
  project: { name: 'smesh', directory: '/srv/smesh' },
  nodeData: '/srv/smesh/node-data',
  folder: { device: 1, inode: 10 },
};
const STILL: FormerPlace = { nodeData: 'same', project: 'same' };
const GONE: FormerPlace = { nodeData: 'gone', project: 'gone' };
const facts: LeaseFacts = {
  here,
  standing: [],
  leaving: [],
  owner: { uid: 1000, gid: 1000 },
  now: NOW,
  version: '1',
};
const held = (changes: Partial<Lease> = {}): Lease => ({
  ...heldLease(facts, id),
  folder: { device: 1, inode: 10 },
  ...changes,
});
const judge = (lease: Lease, former: FormerPlace = STILL, place = here) =>
  judgeLease({ kind: 'read', lease }, place, former);
const elsewhere = { directory: '/srv/old', name: 'smesh' };

describe('judgeLease', () => {
  it('lets pass what was installed for this host, project and folder', () => {
    expect(judge(held())).toEqual({ kind: 'ours' });
    expect(judgeLease(undefined, here, STILL)).toEqual({ kind: 'absent' });
  });

  it('S23: refuses a key of another host, whatever the paths are', () => {
    const verdict = judge(held({ host: { id: 'host-b', name: 'borg', cards: ['c1'] } }));
    expect(verdict).toMatchObject({ kind: 'theirs', why: 'other-host' });
  });

  it('S23: tells a clone by its network cards, where there are any to be told by', () => {
    const withCards = (cards: readonly string[]) => judge(held({ host: { ...here.host, cards } }));
    expect(withCards(['x', 'y'])).toMatchObject({ kind: 'theirs', why: 'clone' });
    expect(withCards(['x', 'c2'])).toEqual({ kind: 'ours' });
    expect(withCards([])).toEqual({ kind: 'ours' });
  });

  it('S23: refuses a copy of the project on the same host, whether the original is still there or not', () => {
    const original = held({
      project: elsewhere,
      nodeData: '/srv/old/node-data',
      folder: { device: 1, inode: 7 },
    });
    expect(judge(original, { nodeData: 'other', project: 'present' })).toMatchObject({ why: 'copy' });
    // Its disk may be away for a moment only.
    expect(judge(original, GONE)).toMatchObject({ why: 'copy' });
    expect(judge(original, { nodeData: 'unknown', project: 'unknown' })).toMatchObject({ why: 'copy' });
  });

  it('follows a folder that was renamed: it is the same one, and nothing is left at the old place', () => {
    const before = held({ project: elsewhere, nodeData: '/srv/old/node-data' });
    expect(judge(before, GONE)).toEqual({ kind: 'ours-again', why: 'moved' });
    expect(judge({ ...before, folder: { device: 2, inode: 10 } }, GONE)).toMatchObject({ why: 'copy' });
  });

  it('refuses two projects on one data folder', () => {
    const theirs = held({ project: elsewhere });
    expect(judge(theirs, { nodeData: 'same', project: 'present' })).toMatchObject({ why: 'copy' });
    expect(judge(theirs, { nodeData: 'same', project: 'gone' })).toMatchObject({ kind: 'ours-again' });
  });

  it('S40: takes what was released, and not what its former node has not been seen without', () => {
    const other = { host: { id: 'host-b', name: 'borg', cards: [] } };
    expect(judge(held({ ...other, state: 'released' }))).toEqual({ kind: 'ours-again', why: 'released' });
    expect(judge(held({ ...other, state: 'leaving' }))).toMatchObject({ kind: 'theirs', why: 'other-host' });
    const neighbour = held({ project: elsewhere, nodeData: '/srv/old/node-data', state: 'leaving' });
    expect(judge(neighbour, { nodeData: 'other', project: 'present' })).toMatchObject({ why: 'leaving' });
    expect(judge(held({ state: 'leaving' }))).toEqual({ kind: 'ours-again', why: 'returned' });
  });

  it('S40: what was released here is free to all but the place that released it, also under another path', () => {
    const mine = held({ state: 'released' });
    expect(judge(mine)).toMatchObject({ kind: 'theirs', why: 'given-up' });
    const before = { ...mine, project: elsewhere, nodeData: '/srv/old/node-data' };
    expect(judge(before, GONE)).toMatchObject({ kind: 'theirs', why: 'given-up' });
    expect(judge(before, { nodeData: 'other', project: 'present' })).toMatchObject({ why: 'released' });
    const verdict = judge(mine);
    const [finding] = leaseFindings([{ smesherId: id, name: 'a', path: '/x/a.lease', verdict }]);
    expect(finding).toMatchObject({ code: 'lease-given-up', severity: 'error', kind: 'refused' });
    expect(finding?.message).toContain('was given up here (released 2026-11-21 08:00 UTC)');
  });

  it('S23: no cards where there were some say nothing, unless the machine has another name as well', () => {
    const bare = (name: string) => ({ ...here, host: { ...here.host, name, cards: [] } });
    expect(judge(held(), STILL, bare('atlas'))).toEqual({ kind: 'ours' });
    expect(judge(held(), STILL, bare('atlas-2'))).toMatchObject({ kind: 'unknown' });
    const renamed = held({ host: { ...here.host, name: 'old', cards: [] } });
    expect(judge(renamed)).toMatchObject({ kind: 'ours' });
    expect(judge(renamed, STILL, bare('atlas'))).toMatchObject({ kind: 'ours' });
  });

  it('never lets a lease of another machine pass that is not released', () => {
    const place = fc.constantFrom<FormerPlace['nodeData']>('gone', 'same', 'other', 'unknown');
    const project = fc.constantFrom<FormerPlace['project']>('gone', 'same', 'present', 'unknown');
    const paths = fc.constantFrom('/srv/smesh', '/srv/old');
    fc.assert(
      fc.property(
        place,
        project,
        paths,
        paths,
        fc.constantFrom('host-a', 'host-b'),
        fc.constantFrom<Lease['state']>('held', 'leaving'),
        fc.integer({ min: 9, max: 11 }),
        (nodeData, formerProject, directory, data, host, state, inode) => {
          const lease = held({
            host: { ...here.host, id: host },
            project: { name: 'smesh', directory },
            nodeData: `${data}/node-data`,
            folder: { device: 1, inode },
            state,
          });
          const verdict = judge(lease, { nodeData, project: formerProject });
          if (host !== here.host.id) expect(verdict.kind).toBe('theirs');
          // Something else stands at the other place: it may be started.
          if (data !== '/srv/smesh' && (nodeData === 'other' || nodeData === 'unknown'))
            expect(verdict.kind).toBe('theirs');
          if (directory !== '/srv/smesh' && formerProject === 'present') expect(verdict.kind).toBe('theirs');
        },
      ),
    );
  });
});

describe('readLease', () => {
  it('reads what was written', () => {
    const lease = held({ state: 'leaving', leftAt: NOW });
    expect(readLease(writeLease(lease))).toEqual({ kind: 'read', lease });
    expect(leaseFileOf('/x/identities/post.key.key')).toBe('/x/identities/post.key.lease');
  });

  it.each([
    ['', 'it is empty'],
    [writeLease(held()).slice(0, 80), 'it is damaged'],
    ['{"schemaVersion":7}', 'a newer smesh-compose wrote it (version 7)'],
    ['null', 'it is no lease that this version can read'],
    ['{}', 'it is no lease that this version can read'],
  ])('says of %j that nobody can say', (text, reason) => {
    expect(readLease(text)).toEqual({ kind: 'unknown', reason });
  });

  it('never throws, and never takes a damaged one for a lease', () => {
    const isUnknown = (text: string) => readLease(text).kind === 'unknown';
    fc.assert(fc.property(fc.string(), isUnknown));
    fc.assert(fc.property(fc.json(), isUnknown));
    const whole = writeLease(held());
    fc.assert(fc.property(fc.nat(whole.length - 3), (length) => isUnknown(whole.slice(0, length))));
  });
});

const found = (
  lease: Lease,
  former = STILL,
  path = '/srv/smesh/node-data/identities/post-0001.lease',
): FoundLease => ({
  path,
  reading: { kind: 'read', lease },
  former,
});
const standing = (changes: Partial<LeaseFacts['standing'][number]> = {}) => ({
  smesherId: id,
  path: '/srv/smesh/node-data/identities/post-0001.key',
  isNew: false,
  ...changes,
});
const contentOf = (steps: readonly unknown[]) =>
  steps.map((step) => JSON.parse((step as { content: string }).content));

describe('decideLeases', () => {
  it('writes one beside each new key, 0600 and of the same owner, without a word', () => {
    const { steps, notes } = decideLeases({ ...facts, standing: [standing({ isNew: true })] });
    expect(steps).toMatchObject([
      {
        kind: 'write-lease',
        path: '/srv/smesh/node-data/identities/post-0001.lease',
        mode: 0o600,
        uid: 1000,
        mark: true,
      },
    ]);
    expect(contentOf(steps)).toMatchObject([
      { state: 'held', smesherId: id, nodeData: '/srv/smesh/node-data' },
    ]);
    expect(notes).toEqual([]);
  });

  it('writes one beside a key that was there before, and says so', () => {
    const { steps, notes } = decideLeases({ ...facts, standing: [standing()] });
    expect(steps).toHaveLength(1);
    expect(notes).toEqual([expect.stringContaining('abababab: no lease stood beside this installed key')]);
  });

  it('changes nothing where it is ours, and takes nothing from anybody', () => {
    const foreign = found(held({ host: { id: 'host-b', name: 'borg', cards: [] } }));
    const damaged: FoundLease = { ...foreign, reading: { kind: 'unknown', reason: 'it is damaged' } };
    for (const lease of [found(held()), foreign, damaged])
      expect(decideLeases({ ...facts, standing: [standing({ lease })] })).toEqual({
        steps: [],
        notes:
          lease.reading === damaged.reading || lease === foreign
            ? [expect.stringMatching(/plain docker compose/)]
            : [],
        carried: [],
      });
  });

  it('S40: carries the lease of another place with a key that is copied from there', () => {
    const theirs = held({
      project: elsewhere,
      nodeData: '/srv/old/node-data',
      folder: { device: 1, inode: 7 },
    });
    const sourceLease = found(theirs, { nodeData: 'other', project: 'present' }, '/srv/old/x.lease');
    const { steps, carried } = decideLeases({ ...facts, standing: [standing({ isNew: true, sourceLease })] });
    // With our folder's mark in it, it would count as moved once theirs is gone.
    expect(steps).toMatchObject([{ mark: false }]);
    expect(contentOf(steps)).toMatchObject([{ project: elsewhere, folder: { inode: 7 } }]);
    expect(carried).toMatchObject([{ verdict: { why: 'copy' } }]);
    const damaged = { ...sourceLease, reading: { kind: 'unknown', reason: 'x' } } as const;
    const carriedOn = decideLeases({ ...facts, standing: [standing({ isNew: true, sourceLease: damaged })] });
    expect(readLease((carriedOn.steps[0] as { content: string }).content).kind).toBe('unknown');
  });

  it('S40: says that a released key was taken, and takes none back that was released here', () => {
    const released = held({ host: { id: 'host-b', name: 'borg', cards: [] }, state: 'released' });
    const sourceLease = found(released, STILL, '/from/x.lease');
    const taken = decideLeases({ ...facts, standing: [standing({ isNew: true, sourceLease })] });
    expect(contentOf(taken.steps)).toMatchObject([{ state: 'held', host: { id: 'host-a' } }]);
    expect(taken.notes).toEqual([expect.stringContaining('abababab: released by who had it before')]);
    const own = found(held({ state: 'released' }), STILL, '/srv/smesh/.smesh/retired/x.lease');
    const back = decideLeases({ ...facts, standing: [standing({ isNew: true, sourceLease: own })] });
    expect(contentOf(back.steps)).toMatchObject([{ state: 'released' }]);
    expect(back.carried).toMatchObject([{ verdict: { why: 'given-up' } }]);
    const beside = decideLeases({ ...facts, standing: [standing({ isNew: true, lease: own })] });
    expect(beside.steps).toEqual([]);
  });

  it('S40: notes in both places that a key was taken away', () => {
    const leaving = {
      smesherId: id,
      from: '/srv/smesh/node-data/identities/post-0001.key',
      to: '/srv/smesh/.smesh/retired/post-0001-abababab.key',
      lease: found(held({ createdAt: '2026-01-01T00:00:00.000Z' })),
    };
    const { steps } = decideLeases({ ...facts, leaving: [leaving] });
    expect(steps.map((step) => (step as { path: string }).path)).toEqual([
      '/srv/smesh/node-data/identities/post-0001.lease',
      '/srv/smesh/.smesh/retired/post-0001-abababab.lease',
    ]);
    const expected = { state: 'leaving', leftAt: NOW, createdAt: '2026-01-01T00:00:00.000Z' };
    expect(contentOf(steps)).toMatchObject([expected, expected]);
    // Whose it is not, cannot give it away.
    const foreign = found(held({ host: { id: 'host-b', name: 'borg', cards: [] } }));
    expect(decideLeases({ ...facts, leaving: [{ ...leaving, lease: foreign }] }).steps).toEqual([]);
  });

  it('renews only what is held here, and keeps since when', () => {
    const before = held({ createdAt: '2026-01-01T00:00:00.000Z', renewedAt: '2026-01-02T00:00:00.000Z' });
    const foreign = held({ host: { id: 'host-b', name: 'borg', cards: [] } });
    const steps = renewLeases({
      ...facts,
      standing: [standing({ lease: found(before) }), standing({ lease: found(foreign) }), standing()],
    });
    expect(contentOf(steps)).toMatchObject([{ createdAt: before.createdAt, renewedAt: NOW }]);
  });
});

describe('leaseFindings', () => {
  it('is one refusal for all that one place holds, with what to type', () => {
    const verdict = judge(held({ host: { id: 'host-b', name: 'borg', cards: [] } }));
    const key = (name: string) => ({ smesherId: id, name, path: `/x/${name}.lease`, verdict });
    const findings = leaseFindings(['a', 'b', 'c', 'd', 'e'].map(key));
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ code: 'lease-of-other-host', kind: 'refused', severity: 'error' });
    expect(findings[0]?.message).toMatch(/c \(abababab\) and 2 more is held by another host, borg/);
    expect(findings[0]?.next).toContain('smesh-compose keys adopt --all');
    expect(findingsError(findings)?.exitCode).toBe(5);
    expect(leaseFindings([key('it')])[0]?.next).toMatch(/keys adopt it$/);
  });

  it('refuses what cannot be told', () => {
    const verdict = { kind: 'unknown', reason: 'it is damaged' } as const;
    const [finding] = leaseFindings([{ smesherId: id, name: 'a', path: '/x/a.lease', verdict }]);
    expect(finding).toMatchObject({ code: 'lease-unknown', severity: 'error', evidence: '/x/a.lease' });
    for (const kind of ['ours', 'absent'] as const)
      expect(leaseFindings([{ smesherId: id, name: 'a', path: '', verdict: { kind } }])).toEqual([]);
  });
});
