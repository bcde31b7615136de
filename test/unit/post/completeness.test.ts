import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { dataFileIndex, expectedFiles, inspectData } from '../../../src/domain/post/completeness.ts';
import type { PostMetadata } from '../../../src/domain/post/types.ts';

const GIB = 2 ** 30;

function metadataOf(units: number, labelsPerUnit: number, maxFileSize: number): PostMetadata {
  return {
    smesherId: 'ab'.repeat(32) as SmesherId,
    commitmentAtx: '01'.repeat(32),
    units,
    labelsPerUnit,
    maxFileSize,
  };
}

function wholeSet(metadata: PostMetadata) {
  const expected = expectedFiles(metadata);
  return Array.from({ length: expected.count }, (_, index) => ({ index, size: expected.sizeOf(index) }));
}

const shapes = fc
  .record({
    units: fc.integer({ min: 1, max: 40 }),
    labelsPerUnit: fc.integer({ min: 1, max: 300 }),
    labelsPerFile: fc.integer({ min: 1, max: 400 }),
  })
  .map((shape) => metadataOf(shape.units, shape.labelsPerUnit, shape.labelsPerFile * 16));

describe('dataFileIndex', () => {
  it('knows data files and nothing else', () => {
    expect(dataFileIndex('postdata_0.bin')).toBe(0);
    expect(dataFileIndex('postdata_1151.bin')).toBe(1151);
    for (const name of [
      'postdata_.bin',
      'postdata_1.bin.tmp',
      'xpostdata_1.bin',
      'postdata_-1.bin',
      'postdata_metadata.json',
    ]) {
      expect(dataFileIndex(name)).toBeUndefined();
    }
  });
});

describe('expectedFiles', () => {
  it.each([
    [4, 2, 128],
    [36, 2, 1152],
    [36, 4, 576],
    [100, 4, 1600],
    [64, 32, 128],
    [192, 64, 192],
  ])('S10: %d units in files of %d GiB are %d files', (units, gib, count) => {
    const metadata = metadataOf(units, 2 ** 32, gib * GIB);
    expect(expectedFiles(metadata)).toMatchObject({ count, bytes: units * 64 * GIB });
  });

  it('adds up to all bytes', () => {
    fc.assert(
      fc.property(shapes, (metadata) => {
        const expected = expectedFiles(metadata);
        const sum = wholeSet(metadata).reduce((bytes, file) => bytes + file.size, 0);
        expect(sum).toBe(metadata.units * metadata.labelsPerUnit * 16);
        expect(expected.sizeOf(expected.count - 1)).toBeGreaterThan(0);
      }),
    );
  });
});

describe('inspectData', () => {
  const metadata = metadataOf(36, 2 ** 32, 2 * GIB);

  it('S3: a set with 1100 of 1152 files can be resumed', () => {
    const { state, files } = inspectData(metadata, wholeSet(metadata).slice(0, 1100));
    expect(state).toEqual({ kind: 'unfinished', range: [0, 1099] });
    expect(files.missing).toEqual([[1100, 1151]]);
  });

  it('S3: a short last file is no damage', () => {
    const found = wholeSet(metadata).slice(0, 481);
    const { state } = inspectData(metadata, [...found.slice(0, 480), { index: 480, size: 1600 }]);
    expect(state).toMatchObject({
      kind: 'unfinished',
      range: [0, 480],
      shortLast: { index: 480, size: 1600 },
    });
  });

  it('S4: a gap in the middle is damage', () => {
    const { state, files } = inspectData(
      metadata,
      wholeSet(metadata).filter(({ index }) => index !== 17),
    );
    expect(state).toEqual({ kind: 'damaged', faults: ['file 17 of 1152 is missing in the middle'] });
    expect(files.missing).toEqual([[17, 17]]);
  });

  it('tells too long, short in the middle, surplus and twice', () => {
    const set = wholeSet(metadataOf(1, 64, 256));
    const judge = (found: typeof set) => {
      const { state } = inspectData(metadataOf(1, 64, 256), found);
      return state.kind === 'damaged' ? state.faults.join('; ') : state.kind;
    };
    expect(judge(set.map((file) => ({ ...file, size: file.index === 3 ? 257 : file.size })))).toContain(
      '257 bytes instead of 256',
    );
    expect(judge(set.map((file) => ({ ...file, size: file.index === 1 ? 16 : file.size })))).toContain(
      'file 1 has 16 bytes',
    );
    expect(judge([...set, { index: 4, size: 256 }])).toContain('file 4 beyond the 4 expected');
    expect(judge([...set, { index: 2, size: 256 }])).toContain('index 2 is there twice');
    expect(judge([])).toBe('unfinished');
  });

  it('says at once what astronomic metadata wants', () => {
    const { files } = inspectData(metadataOf(1000, 2 ** 39, 16), [{ index: 7, size: 16 }]);
    expect(files.missing).toHaveLength(2);
  });

  it('is whole exactly when every file is there at its size', () => {
    fc.assert(
      fc.property(shapes, fc.infiniteStream(fc.nat()), (shape, numbers) => {
        const set = wholeSet(shape);
        expect(inspectData(shape, set).state.kind).toBe('whole');
        const place = (numbers.next().value as number) % set.length;
        const without = set.filter((_, index) => index !== place);
        expect(inspectData(shape, without).state.kind).not.toBe('whole');
        const shorter = set.map((file, index) => (index === place ? { ...file, size: file.size - 1 } : file));
        const kind = inspectData(shape, shorter).state.kind;
        expect(kind).toBe(place === set.length - 1 ? 'unfinished' : 'damaged');
      }),
    );
  });

  it('accounts for every expected file: present or missing, never both', () => {
    fc.assert(
      fc.property(shapes, fc.array(fc.boolean(), { minLength: 1 }), (shape, picks) => {
        const set = wholeSet(shape).filter(({ index }) => picks[index % picks.length]);
        const { files } = inspectData(shape, set);
        const missing = files.missing.reduce((sum, [from, to]) => sum + to - from + 1, 0);
        expect(files.present + missing).toBe(files.expected);
      }),
    );
  });
});
