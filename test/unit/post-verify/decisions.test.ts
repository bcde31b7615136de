import { describe, expect, it } from 'vitest';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { defaultPoet, MAINNET } from '../../../src/domain/node/networks.ts';
import { restartMargin } from '../../../src/domain/plan/node-change.ts';
import { currentOrNextGap, epochClock } from '../../../src/domain/poet/epochs.ts';
import { inspectData } from '../../../src/domain/post/completeness.ts';
import type { PostMetadata, ScannedDirectory, Verdict } from '../../../src/domain/post/types.ts';
import { filesToCheck, within } from '../../../src/domain/post-verify/files-to-check.ts';
import { verifyMoment } from '../../../src/domain/post-verify/moment.ts';
import { judgeSearch, nonceNeed, searchFlags } from '../../../src/domain/post-verify/nonce-search.ts';
import { fileBegun, lastWords, readVerifyEnd } from '../../../src/domain/post-verify/postcli-said.ts';
import {
  readRecords,
  type VerifiedRecord,
  withRecord,
  writeRecords,
} from '../../../src/domain/post-verify/record.ts';
import { redoCommands } from '../../../src/domain/post-verify/redo.ts';

const ID = parseSmesherId('62'.repeat(32)) as SmesherId;
const METADATA: PostMetadata = {
  smesherId: ID,
  commitmentAtx: 'c0'.repeat(32),
  labelsPerUnit: 256,
  units: 2,
  maxFileSize: 2048,
  nonce: 3n,
  nonceValue: '00'.repeat(16),
};

/** A directory of four files of 2048 bytes, with the sizes that are given by index. */
function directory(
  sizes: Readonly<Record<number, number>>,
  verdict: Verdict = 'ready',
  metadata: PostMetadata = METADATA,
): ScannedDirectory {
  const found = Object.entries(sizes).map(([index, size]) => ({ index: Number(index), size }));
  return {
    ...{ path: '/d', realPath: '/d', verdict, reasons: ['because'], next: 'do that', notes: [] },
    ...{ metadata, files: inspectData(metadata, found).files, hasNonce: metadata.nonce !== undefined },
    ...{ owner: { uid: 1, gid: 1 }, mode: 0o700, readable: true, disk: 'sda' },
  };
}

const FULL = { 0: 2048, 1: 2048, 2: 2048, 3: 2048 };

describe('files whose labels can be checked', () => {
  it.each([
    ['a whole set', directory(FULL), { from: 0, to: 3 }],
    ['one that has not ended', directory({ 0: 2048, 1: 2048 }, 'incomplete'), { from: 0, to: 1 }],
    [
      'a short last one is left out',
      directory({ 0: 2048, 1: 2048, 2: 1024 }, 'incomplete'),
      { from: 0, to: 1 },
    ],
    ['a part from the middle on', directory({ 2: 2048, 3: 2048 }, 'split-part'), { from: 2, to: 3 }],
    ['no nonce is no fault of the labels', directory(FULL, 'damaged', withoutNonce()), { from: 0, to: 3 }],
    ['a gap in the middle', directory({ 0: 2048, 2: 2048, 3: 2048 }, 'damaged'), undefined],
    [
      'a gap in the middle of data without nonce',
      directory({ 0: 2048, 2: 2048 }, 'damaged', withoutNonce()),
      undefined,
    ],
    ['a surplus file', directory({ ...FULL, 9: 2048 }, 'damaged'), undefined],
    ['a long last file', directory({ ...FULL, 3: 2056 }, 'damaged', withoutNonce()), undefined],
    ['only a short file', directory({ 0: 16 }, 'incomplete'), undefined],
    ['nothing yet', directory({}, 'incomplete'), undefined],
  ])('%s', (_, seen, range) => {
    expect(filesToCheck(seen)).toEqual(range);
  });

  it('are narrowed down to what was asked for', () => {
    expect(within({ from: 2, to: 9 }, {})).toEqual({ from: 2, to: 9 });
    expect(within({ from: 2, to: 9 }, { from: 4, to: 20 })).toEqual({ from: 4, to: 9 });
    expect(within({ from: 2, to: 9 }, { to: 1 })).toBe(undefined);
  });
});

function withoutNonce(more: Partial<PostMetadata> = {}): PostMetadata {
  const { nonce: _nonce, nonceValue: _value, ...rest } = METADATA;
  return { ...rest, ...more };
}

describe('when disks may be read', () => {
  const clock = epochClock(MAINNET, defaultPoet(MAINNET));
  const gap = currentOrNextGap(clock, Date.parse('2026-11-27T00:00:00Z'));
  const opens = gap.opens - restartMargin(clock);

  it.each([
    ['long before the gap', opens - 3_600_000, { kind: 'free', until: opens }],
    ['a moment before it is too late', opens - 1, { kind: 'free', until: opens }],
    [
      'half an hour before the gap',
      opens,
      { kind: 'gap', open: false, opens: gap.opens, closes: gap.closes },
    ],
    ['in the gap', gap.opens, { kind: 'gap', open: true, opens: gap.opens, closes: gap.closes }],
    ['at its last moment', gap.closes - 1, { kind: 'gap', open: true, opens: gap.opens, closes: gap.closes }],
  ])('%s', (_, now, moment) => {
    expect(verifyMoment(clock, now)).toEqual(moment);
  });

  it('again when the gap has closed, until the next one', () => {
    expect(verifyMoment(clock, gap.closes)).toEqual({ kind: 'free', until: opens + clock.epoch });
  });
});

describe('what postcli says', () => {
  it('a sudden end is no right label', () => {
    for (const exitCode of [0, 1, 2, 137]) {
      expect(readVerifyEnd({ exitCode, stdout: '', stderr: '' })).toMatchObject({ kind: 'failed' });
    }
    expect(lastWords({ exitCode: 137, stdout: '', stderr: '' })).toContain('137');
  });

  it('says what ended it, without the time and the stack', () => {
    const panic =
      '2026/11/20 12:38:14 cli: verifying\npanic: open /post/postdata_0.bin: permission denied\n\ngoroutine 1 [running]:\nmain.main()\n';
    expect(lastWords({ exitCode: 2, stdout: '', stderr: panic })).toBe(
      'open /post/postdata_0.bin: permission denied',
    );
    const fatal = '2026/11/20 12:38:14 cli: failed (open /post/postdata_1.bin: no such file or directory)\n';
    expect(lastWords({ exitCode: 1, stdout: '', stderr: fatal })).toBe(
      'failed (open /post/postdata_1.bin: no such file or directory)',
    );
  });

  it('tells files by the lines of both programs', () => {
    expect(
      fileBegun('2026-11-20T12:38:14Z\tINFO\tverifying file /post/postdata_12.bin\t{"module": "x"}'),
    ).toBe(12);
    expect(fileBegun('…\tINFO\tlooking for VRF nonce in file\t{"file": "postdata_7.bin"}')).toBe(7);
    expect(fileBegun('verifying POS files 0 -> 3')).toBe(undefined);
  });
});

describe('what is remembered', () => {
  const record = (more: Partial<VerifiedRecord> = {}): VerifiedRecord => ({
    ...{ path: '/d', smesherId: ID, at: 1000, fraction: 0.2, from: 0, to: 9, files: 10, wrong: [] },
    ...more,
  });
  const bad = record({ wrong: [{ file: 4, offset: 32 }] });

  it('survives the file, and a broken file is no record', () => {
    expect(readRecords(writeRecords([bad]))).toEqual([bad]);
    expect(readRecords(undefined)).toEqual([]);
    for (const text of ['', '{', '[]', '{"version":2,"checked":[]}', writeRecords([bad]).replace(ID, 'zz')]) {
      expect(readRecords(text)).toEqual([]);
    }
  });

  it('a sample that misses a wrong label does not make it right', () => {
    expect(withRecord([bad], record({ at: 2000 }))).toEqual([record({ at: 2000, wrong: bad.wrong })]);
  });

  it('a file that was checked in full is right again, alone or with all', () => {
    const whole = record({ at: 2000, fraction: 100, from: 4, to: 4 });
    expect(withRecord([bad], whole)).toEqual([record()]);
    expect(withRecord([bad], record({ at: 2000, fraction: 100 }))).toEqual([
      record({ at: 2000, fraction: 100 }),
    ]);
  });

  it('a check that was stopped, and what went on behind it, are one', () => {
    const before = record({ to: 3, wrong: [{ file: 2, offset: 0 }] });
    expect(withRecord([before], record({ at: 2000, from: 4 }))).toEqual([record({ wrong: before.wrong })]);
    // With a file between them, or with another fraction, they are not.
    for (const other of [record({ at: 2000, from: 5 }), record({ at: 2000, from: 4, fraction: 1 })]) {
      expect(withRecord([before], other)).toEqual([{ ...other, wrong: before.wrong }]);
    }
  });

  it('other data in the same place have a record of their own', () => {
    const other = record({ smesherId: parseSmesherId('77'.repeat(32)) as SmesherId });
    expect(withRecord([bad], other)).toEqual([other]);
  });
});

describe('how a file is written again', () => {
  const place = { path: '/mnt/my data', disk: 'sda', directory: directory(FULL), scryptN: 16 };

  it('by the job that makes the data, as long as nobody serves them', () => {
    expect(redoCommands(place, [1])).toEqual([
      "mv -n '/mnt/my data/postdata_1.bin' '/mnt/my data/postdata_1.bin.wrong'",
      "smesh-compose post init --resume '/mnt/my data'",
      "smesh-compose post verify '/mnt/my data' --from-file 1 --to-file 1 --fraction 100",
    ]);
  });

  it('and the nonce is searched for anew where it was a label of that file', () => {
    expect(redoCommands(place, [0]).at(-1)).toBe(
      "smesh-compose post verify --search-nonce --again '/mnt/my data'",
    );
  });

  it('by postcli alone where they are served, with all flags of the data and between stop and up', () => {
    const lines = redoCommands({ ...place, name: 'post-0001', served: true }, [1, 3]);
    expect(lines[0]).toBe('smesh-compose stop post-0001');
    expect(lines.at(-1)).toBe('smesh-compose up post-0001');
    expect(lines.filter((line) => line.startsWith('postcli '))).toEqual(
      [1, 3].map(
        (file) =>
          `postcli -provider 0 -datadir '/mnt/my data' -id ${ID} -commitmentAtxId ${'c0'.repeat(32)} -numUnits 2 -maxFileSize 2048 -labelsPerUnit 256 -scryptN 16 -fromFile ${file} -toFile ${file} -yes`,
      ),
    );
  });
});

describe('the nonce that is missing', () => {
  it('is searched for in complete data only', () => {
    expect(nonceNeed(directory(FULL, 'damaged', withoutNonce()))).toMatchObject({ kind: 'search' });
    expect(nonceNeed(directory(FULL))).toEqual({ kind: 'has-one' });
    for (const sizes of [{ 0: 2048 }, { ...FULL, 3: 1024 }, { ...FULL, 9: 2048 }]) {
      expect(nonceNeed(directory(sizes, 'damaged', withoutNonce()))).toMatchObject({ kind: 'not-possible' });
    }
    expect(nonceNeed(directory(FULL, 'unreadable', withoutNonce()))).toMatchObject({ kind: 'not-possible' });
  });

  it('is searched for anew where somebody asks for that', () => {
    expect(nonceNeed(directory(FULL), true)).toMatchObject({ kind: 'search' });
    expect(nonceNeed(directory({ 0: 2048 }), true)).toMatchObject({ kind: 'not-possible' });
  });

  it('is not where postcli has looked already', () => {
    const need = nonceNeed(directory(FULL, 'incomplete', withoutNonce({ lastPosition: 512n })));
    expect(need).toMatchObject({
      kind: 'not-possible',
      next: expect.stringContaining('post init --resume /d'),
    });
  });

  it('is not where postcli would stumble over the key of another first', () => {
    expect(nonceNeed(directory(FULL, 'key-mismatch'), true)).toMatchObject({
      ...{ kind: 'not-possible', why: 'because', next: 'do that' },
    });
  });

  it('is asked for with the flags of the data, and a search only', () => {
    const flags = searchFlags(withoutNonce(), 16);
    expect(flags[0]).toBe('-searchForNonce');
    expect(flags.join(' ')).toContain('-numUnits 2 -maxFileSize 2048 -labelsPerUnit 256 -scryptN 16 -yes');
  });

  it('counts when the metadata have it and are otherwise the same', () => {
    const before = withoutNonce();
    expect(judgeSearch(before, METADATA)).toEqual({ kind: 'found', nonce: 3n, nonceValue: '00'.repeat(16) });
    expect(judgeSearch(before, before)).toEqual({ kind: 'none' });
    expect(judgeSearch(before, { ...METADATA, units: 1 })).toMatchObject({ kind: 'changed' });
    expect(judgeSearch(before, undefined)).toMatchObject({ kind: 'changed' });
  });
});
