import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { readMetadata } from '../../../src/domain/post/metadata.ts';
import { metadataText } from '../../../src/domain/post/metadata-text.ts';
import type { PostMetadata } from '../../../src/domain/post/types.ts';
import { decideJoin, type JoinFacts, type JoinPart } from '../../../src/domain/post-init/join.ts';
import { recordings, withoutRecordings } from '../../contract/run-stand-in.ts';

const smesherId = parseSmesherId('ab'.repeat(32));
if (smesherId === undefined) throw new Error('no ID');

/** 2 units of 64 labels: 2048 bytes in 8 files. */
const SHAPE: PostMetadata = {
  smesherId,
  commitmentAtx: 'cd'.repeat(32),
  labelsPerUnit: 64,
  units: 2,
  maxFileSize: 256,
};
const owned = { mode: 0o700, uid: 1000, gid: 1000, device: 7 };

function part(from: number, to: number, more: Partial<PostMetadata> = {}): JoinPart {
  return {
    path: `/mnt/d5/post.part-${from}`,
    files: Array.from({ length: to - from + 1 }, (_, index) => ({
      index: from + index,
      size: 256,
    })).reverse(),
    metadata: { ...SHAPE, ...more },
    metadataFile: { ...owned, mode: 0o600, size: 200 + from },
    folder: owned,
  };
}

function facts(parts: readonly JoinPart[], more: Partial<JoinFacts['into']> = {}): JoinFacts {
  return { name: 'post-0011', parts, into: { path: '/mnt/d5/post', device: 7, present: [], ...more } };
}

const HIGH = { nonce: 300n, nonceValue: '00ff00000000000000000000000000ff' };
const LOW = { nonce: 9_007_199_254_740_995n, nonceValue: '000f00000000000000000000000000ff' };

describe('joining the parts of one identity', () => {
  it('moves every file by name, writes the metadata of the whole, and lays that of the parts aside', () => {
    const decided = decideJoin(facts([part(4, 7, LOW), part(0, 3, HIGH)]));
    if (decided.kind !== 'join') throw new Error(decided.message);
    const { steps } = decided;
    expect(steps.slice(0, 8)).toEqual(
      Array.from({ length: 8 }, (_, index) => ({
        kind: 'move-data-file',
        from: `/mnt/d5/post.part-${index < 4 ? 0 : 4}/postdata_${index}.bin`,
        to: `/mnt/d5/post/postdata_${index}.bin`,
        size: 256,
        ...(index === 0 ? { folder: { mode: 0o700, uid: 1000, gid: 1000 } } : {}),
        what: `files ${index < 4 ? '0–3' : '4–7'} of post-0011`,
      })),
    );
    expect(steps[8]).toMatchObject({
      kind: 'write-file',
      path: '/mnt/d5/post/postdata_metadata.json',
      content: metadataText({ ...SHAPE, ...LOW }),
      replaces: null,
      mode: 0o600,
    });
    expect(steps.slice(9)).toMatchObject([
      {
        kind: 'move-data-file',
        from: '/mnt/d5/post.part-0/postdata_metadata.json',
        to: '/mnt/d5/post.part-0/postdata_metadata.json.joined',
        size: 200,
      },
      { from: '/mnt/d5/post.part-4/postdata_metadata.json', size: 204 },
    ]);
  });

  it('takes the nonce with the smallest value, its number in all digits; parts without one are usual', () => {
    const decided = decideJoin(facts([part(0, 2, HIGH), part(3, 4), part(5, 7, LOW)]));
    expect(decided).toMatchObject({ kind: 'join', metadata: LOW });
    expect(metadataText({ ...SHAPE, ...LOW })).toContain('"Nonce": 9007199254740995,');
  });

  it('joins without a nonce where no part has found one, and leaves out where a search has come to', () => {
    const decided = decideJoin(facts([part(0, 3, { lastPosition: 128n }), part(4, 7)]));
    expect(decided).toMatchObject({ kind: 'join', metadata: SHAPE });
    expect(JSON.stringify(decided)).not.toMatch(/Nonce\\"|LastPosition/);
  });

  it.each([
    [
      'another commitment',
      'parts-differ',
      facts([part(0, 3), part(4, 7, { commitmentAtx: 'ee'.repeat(32) })]),
    ],
    ['another number of units', 'parts-differ', facts([part(0, 3), part(4, 7, { units: 3 })])],
    ['a file in two parts', 'parts-overlap', facts([part(0, 4), part(4, 7)])],
    ['a file that is missing', 'parts-incomplete', facts([part(0, 3), part(5, 7)])],
    ['a file beyond the set', 'parts-incomplete', facts([part(0, 3), part(4, 8)])],
    [
      'a short file',
      'parts-incomplete',
      facts([part(0, 3), { ...part(4, 7), files: [...part(4, 6).files, { index: 7, size: 240 }] }]),
    ],
    [
      'another file system',
      'other-file-system',
      facts([part(0, 3), { ...part(4, 7), folder: { ...owned, device: 8 } }]),
    ],
    ['another owner', 'parts-owners', facts([part(0, 3), { ...part(4, 7), folder: { ...owned, uid: 0 } }])],
    [
      'something in the place of the whole',
      'into-not-empty',
      facts([part(0, 3), part(4, 7)], { present: ['postdata_0.bin'] }),
    ],
  ])('refuses %s, and says what to do', (_, code, asked) => {
    const decided = decideJoin(asked);
    expect(decided).toMatchObject({ kind: 'refused', code });
    if (decided.kind === 'refused') expect(decided.hint).toMatch(/^Nothing was moved\. .*smesh-compose/);
  });
});

describe('metadata', () => {
  it('is read back as it was written', () => {
    for (const metadata of [SHAPE, { ...SHAPE, ...LOW }, { ...SHAPE, lastPosition: 17n }])
      expect(readMetadata(metadataText(metadata))).toEqual({ kind: 'read', metadata });
  });

  it.skipIf(recordings === undefined)(`has the size of postcli's own (${withoutRecordings})`, () => {
    const { cases } = JSON.parse(readFileSync(join(recordings ?? '', 'postcli.json'), 'utf8')) as {
      cases: { files_after: Record<string, number>; metadata_after: Record<string, unknown> | null }[];
    };
    const recorded = cases.filter(({ metadata_after: after }) => after !== null);
    expect(recorded.length).toBeGreaterThan(10);
    for (const { files_after: files, metadata_after: after } of recorded) {
      const reading = readMetadata(JSON.stringify(after));
      if (reading.kind !== 'read') throw new Error(reading.reasons.join());
      const text = metadataText(reading.metadata);
      expect(JSON.parse(text)).toEqual(after);
      expect(Object.keys(JSON.parse(text) as object)).toEqual(Object.keys(after ?? {}));
      expect(text.length).toBe(files['postdata_metadata.json']);
    }
  });
});
