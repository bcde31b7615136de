import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import type { DirectoryFacts } from '../../../src/domain/post/facts.ts';
import { judgeDirectories } from '../../../src/domain/post/judge.ts';
import type { FoundKey } from '../../../src/domain/post/types.ts';

const idOf = (seed: number) => Buffer.alloc(32, seed).toString('hex') as SmesherId;

interface Options {
  readonly id?: number;
  readonly files?: readonly number[];
  readonly nonce?: number | null;
  readonly nonceValue?: string;
  readonly lastPosition?: number;
  readonly keys?: readonly FoundKey[];
  readonly unreadable?: readonly string[];
  readonly units?: number;
}

const FILES = 8;

function keyAt(path: string, id: number, changes: Partial<FoundKey> = {}): FoundKey {
  return { path, where: 'beside-data', smesherId: idOf(id), mode: 0o600, ...changes };
}

/** Eight files of one unit each in shape, one label per file. */
function directory(path: string, options: Options = {}): DirectoryFacts {
  const { id = 1, nonce = 5, units = FILES } = options;
  const metadata = {
    NodeId: Buffer.alloc(32, id).toString('base64'),
    CommitmentAtxId: Buffer.alloc(32, 9).toString('base64'),
    LabelsPerUnit: 1,
    NumUnits: units,
    MaxFileSize: 16,
    ...(nonce === null ? {} : { Nonce: nonce, NonceValue: options.nonceValue ?? '00'.repeat(16) }),
    ...(options.lastPosition === undefined ? {} : { LastPosition: options.lastPosition }),
  };
  const indices = options.files ?? Array.from({ length: units }, (_, index) => index);
  return {
    path,
    realPath: path,
    owner: { uid: 1000, gid: 1000 },
    mode: 0o700,
    disk: 'sda',
    metadata: { kind: 'present', text: JSON.stringify(metadata) },
    files: indices.map((index) => ({ index, size: 16 })),
    keys: options.keys ?? [keyAt(`${path}/identity.key`, id)],
    unreadable: options.unreadable ?? [],
    notes: [],
  };
}

function judge(directories: readonly DirectoryFacts[], keys: readonly FoundKey[] = []) {
  return judgeDirectories({ directories, keys });
}
const verdicts = (...directories: DirectoryFacts[]) =>
  judge(directories).directories.map(({ verdict }) => verdict);

describe('one directory', () => {
  it('S1: a whole set with its key is ready', () => {
    const [only] = judge([directory('/d')]).directories;
    expect(only).toMatchObject({ verdict: 'ready', reasons: [], hasNonce: true, readable: true });
    expect(only?.next).toContain('smesh-compose init --data /d');
  });

  it('S3: while the nonce is searched for beyond the data, the set is incomplete', () => {
    expect(verdicts(directory('/d', { nonce: null, lastPosition: 900 }))).toEqual(['incomplete']);
  });

  it('S5: without VRF nonce it is blocked, and the lowest NonceValue is explained', () => {
    const [only] = judge([directory('/d', { nonce: null })]).directories;
    expect(only?.verdict).toBe('damaged');
    expect(only?.next).toContain('lowest NonceValue');
    expect(only?.next).toContain('smesh-compose post verify --search-nonce ');
  });

  it('S3: the command that resumes takes no units from anybody: fewer would delete data', () => {
    const [only] = judge([directory("/my data's", { files: [0, 1, 2] })]).directories;
    expect(only?.verdict).toBe('incomplete');
    expect(only?.next).toMatch(/\nsmesh-compose post init --resume '\/my data'\\''s'$/);
    expect(only?.next).not.toMatch(/units|-id/i);
  });

  it('S10: more than 64 units is a note and no fault', () => {
    const [only] = judge([directory('/d', { units: 65 })]).directories;
    expect(only?.verdict).toBe('ready');
    expect(only?.notes.join()).toContain('65 units');
  });

  it('S13: unreadable wins over everything, and names the owner', () => {
    const [only] = judge([
      directory('/d', { files: [0, 5], unreadable: ['its data files (uid 0, mode 0600)'] }),
    ]).directories;
    expect(only).toMatchObject({ verdict: 'unreadable', readable: false });
    expect(only?.next).toContain('uid 1000, gid 1000');
  });

  it('data files without metadata are damaged', () => {
    const facts: DirectoryFacts = { ...directory('/d'), metadata: { kind: 'absent' } };
    expect(judge([facts]).directories[0]?.reasons.join()).toContain('no postdata_metadata.json');
  });

  it('says a fault of the key even where the data has one', () => {
    const [only] = judge([directory('/d', { files: [0], keys: [] })]).directories;
    expect(only?.verdict).toBe('incomplete');
    expect(only?.reasons).toContain('no key beside the data');
  });
});

describe('keys', () => {
  it('S7: a key is found by its public half wherever it is', () => {
    const { directories, looseKeys } = judge(
      [directory('/d', { keys: [] })],
      [
        keyAt('/node/identities/a.key', 1, { where: 'node-identities' }),
        keyAt('/x.key', 7, { where: 'elsewhere' }),
      ],
    );
    expect(directories[0]).toMatchObject({ verdict: 'ready', key: { path: '/node/identities/a.key' } });
    expect(directories[0]?.notes.join()).toContain('/node/identities/a.key');
    expect(looseKeys.map(({ path }) => path)).toEqual(['/x.key']);
  });

  it('S7: with no key anywhere the data cannot be used', () => {
    const { directories } = judge(
      [directory('/d', { keys: [] })],
      [keyAt('/x.key', 7, { where: 'elsewhere' })],
    );
    expect(directories[0]?.verdict).toBe('key-missing');
    expect(directories[0]?.next).toMatch(/\nsmesh-compose scan \S+ --keys DIR$/);
  });

  it('S6: key of another identity is blocked, both are named and the right one is searched for', () => {
    const alone = judge([directory('/d', { keys: [keyAt('/d/identity.key', 7)] })]).directories[0];
    expect(alone?.verdict).toBe('key-mismatch');
    expect(alone?.reasons.join()).toMatch(/07070707.*01010101/);
    const { directories } = judge([
      directory('/d', { keys: [keyAt('/d/identity.key', 2)] }),
      directory('/e', { id: 2, keys: [keyAt('/e/identity.key', 1)] }),
    ]);
    expect(directories.map(({ verdict }) => verdict)).toEqual(['key-mismatch', 'key-mismatch']);
    expect(directories[0]?.next).toContain('/e/identity.key');
  });

  it('S8: a malformed key blocks unless a whole one is elsewhere', () => {
    const broken: FoundKey = {
      path: '/d/identity.key',
      where: 'beside-data',
      fault: 'invalid key size 45/64',
      mode: 0o600,
    };
    expect(verdicts(directory('/d', { keys: [broken] }))).toEqual(['key-malformed']);
    const { directories } = judge(
      [directory('/d', { keys: [broken] })],
      [keyAt('/x.key', 1, { where: 'elsewhere' })],
    );
    expect(directories[0]).toMatchObject({ verdict: 'ready', key: { path: '/x.key' } });
    expect(directories[0]?.notes.join()).toContain('45/64');
  });

  it('S8: a line break can be left out, a loose mode is noted', () => {
    const newline = keyAt('/d/identity.key', 1, { fault: 'a line break', repairable: true });
    const [only] = judge([directory('/d', { keys: [newline] })]).directories;
    expect(only?.verdict).toBe('key-malformed');
    expect(only?.next).toContain('--repair-keys');
    const [open] = judge([
      directory('/d', { keys: [keyAt('/d/identity.key', 1, { mode: 0o644 })] }),
    ]).directories;
    expect(open?.notes.join()).toContain('mode 0644');
  });

  it('an old key.bin beside a foreign identity.key is the right one', () => {
    const keys = [keyAt('/d/identity.key', 7), keyAt('/d/key.bin', 1, { where: 'beside-data-old-name' })];
    expect(judge([directory('/d', { keys })]).directories[0]).toMatchObject({
      verdict: 'ready',
      key: { path: '/d/key.bin' },
    });
  });
});

describe('directories together', () => {
  it('S2: the same identity in two directories blocks both, each naming the other', () => {
    const { directories } = judge([
      directory('/a'),
      directory('/b', { keys: [] }),
      directory('/c', { id: 2 }),
    ]);
    expect(directories.map(({ verdict }) => verdict)).toEqual(['duplicate', 'duplicate', 'ready']);
    expect(directories[0]?.reasons.join()).toContain('/b');
    expect(directories[1]?.reasons.join()).toContain('/a');
  });

  it('S2: a copy that cannot be read is a copy all the same', () => {
    expect(verdicts(directory('/a'), directory('/b', { unreadable: ['the files'] }))).toEqual([
      'duplicate',
      'unreadable',
    ]);
  });

  it('a whole set beside its parts is no duplicate; a part alone is incomplete', () => {
    const a = directory('/a', { files: [0, 1, 2, 3] });
    const b = directory('/b', { files: [4, 5, 6, 7] });
    expect(verdicts(a, b, directory('/whole'))).toEqual(['split-part', 'split-part', 'ready']);
    expect(verdicts(a)).toEqual(['incomplete']);
    expect(verdicts(b)).toEqual(['incomplete']);
    expect(verdicts(a, directory('/whole'))).toEqual(['incomplete', 'ready']);
  });

  it('S5: parts are joined with the lowest NonceValue', () => {
    const { directories } = judge([
      directory('/a', { files: [0, 1, 2, 3], nonceValue: `0b${'00'.repeat(15)}` }),
      directory('/b', { files: [4, 5, 6, 7], nonceValue: `02${'ff'.repeat(15)}` }),
    ]);
    expect(directories[0]?.next).toContain('/b, whose NonceValue is the lowest');
  });

  it('parts that lack something say what', () => {
    const { directories } = judge([directory('/a', { files: [0, 1] }), directory('/b', { files: [4, 5] })]);
    expect(directories[0]?.verdict).toBe('split-part');
    expect(directories[0]?.next).toContain('files 2–3, 6–7');
  });

  it('any split into ranges is a split, in any order', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: FILES - 1 }), { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        (cuts, reversed) => {
          const ends = [...cuts.toSorted((x, y) => x - y), FILES];
          const parts = ends.map((end, place) => {
            const from = ends[place - 1] ?? 0;
            const files = Array.from({ length: end - from }, (_, index) => from + index);
            return directory(`/part${place}`, { files });
          });
          const ordered = reversed ? parts.toReversed() : parts;
          expect(new Set(verdicts(...ordered))).toEqual(new Set(['split-part']));
        },
      ),
    );
  });

  it('at most one directory of an identity is ever ready, whatever lies about', () => {
    const anyDirectory = fc.record({
      id: fc.integer({ min: 1, max: 3 }),
      files: fc.option(fc.subarray([0, 1, 2, 3, 4, 5, 6, 7, 8]), { nil: undefined }),
      nonce: fc.constantFrom(null, 3),
      hasKey: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(anyDirectory, { maxLength: 6 }), (specs) => {
        const directories = specs.map(({ hasKey, files, ...rest }, index) =>
          directory(`/d${index}`, {
            ...rest,
            ...(files === undefined ? {} : { files }),
            ...(hasKey ? {} : { keys: [] }),
          }),
        );
        const judged = judge(directories).directories;
        const ready = judged
          .filter(({ verdict }) => verdict === 'ready')
          .map(({ metadata }) => metadata?.smesherId);
        expect(new Set(ready).size).toBe(ready.length);
        for (const { verdict, reasons, next } of judged) {
          expect(next).not.toBe('');
          expect(reasons.length > 0).toBe(verdict !== 'ready');
        }
      }),
    );
  });
});
