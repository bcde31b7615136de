import { describe, expect, it } from 'vitest';
import { type Growth, growthRate, paceOf, withSample } from '../../../src/domain/post-init/growth.ts';
import { growthFromLog, readJobLog } from '../../../src/domain/post-init/job-log.ts';

const MIB = 1024 ** 2;
const BATCH = 16 * MIB;

function grow(samples: readonly (readonly [seconds: number, batches: number])[]): Growth {
  return samples.reduce<Growth>(
    (growth, [seconds, batches]) => withSample(growth, { at: seconds * 1000, bytes: batches * BATCH }),
    [],
  );
}

describe('speed', () => {
  it('is told from batch to batch, not from look to look', () => {
    // A card that writes 16 MiB every 4 s, looked at each second.
    const looks = Array.from({ length: 41 }, (_, second) => [second, Math.floor(second / 4)] as const);
    expect(growthRate(grow(looks), 41_000)).toBeCloseTo(BATCH / 4);
  });

  it('is told again soon after a clock was set back', () => {
    const back = grow([
      [7200, 1],
      [7204, 2],
      [10, 3],
      [14, 4],
      [18, 5],
    ]);
    expect(growthRate(back, 18_000)).toBeCloseTo(BATCH / 4);
  });

  it('is not known before anything was written', () => {
    expect(growthRate([], 0)).toBeUndefined();
    // Nor from a batch that was nearly done at the first look.
    expect(
      growthRate(
        grow([
          [0, 1],
          [0.05, 2],
        ]),
        100,
      ),
    ).toBeUndefined();
    expect(
      growthRate(
        grow([
          [0, 3],
          [5, 3],
        ]),
        60_000,
      ),
    ).toBeUndefined();
  });

  it('keeps two batches of a processor that are half an hour apart', () => {
    const growth = grow([
      [0, 0],
      [1800, 1],
      [3600, 2],
    ]);
    expect(growthRate(growth, 3_600_000)).toBeCloseTo(BATCH / 1800);
  });

  it('falls when nothing comes any more, and begins anew when files were cut', () => {
    const growth = grow([
      [0, 0],
      [4, 1],
      [8, 2],
    ]);
    expect(growthRate(growth, 10_000)).toBeCloseTo(BATCH / 4);
    expect(growthRate(growth, 80_000)).toBeCloseTo(BATCH / 40);
    expect(
      grow([
        [0, 2],
        [4, 3],
        [8, 1],
      ]),
    ).toHaveLength(1);
  });

  it('forgets what is older than minutes', () => {
    const looks = Array.from(
      { length: 1000 },
      (_, second) => [second, second < 500 ? second : 500 + (second - 500) * 2] as const,
    );
    expect(growthRate(grow(looks), 1_000_000)).toBeCloseTo(2 * BATCH);
  });

  it('tells labels and the end', () => {
    const pace = paceOf(
      grow([
        [0, 0],
        [10, 1],
      ]),
      10 * BATCH,
      10_000,
    );
    expect(pace?.labelsPerSecond).toBeCloseTo(2 ** 20 / 10);
    expect(pace?.doneAt).toBeCloseTo(110_000);
  });
});

const line = (at: number, text: string) => ({ at, text });
const zap = (message: string, fields: string, level = 'INFO') =>
  `2026-11-20T12:38:14.456Z\t${level}\t${message}\t${fields}`;

describe('the log of a job', () => {
  it('tells what was written since its start, on the scale of the files', () => {
    const log = readJobLog([
      line(
        1000,
        zap('initialization: file already initialized', '{"fileIndex": 0, "currentNumLabels": 128}'),
      ),
      line(
        1000,
        zap(
          'initialization: continuing to write file',
          '{"fileIndex": 1, "currentNumLabels": 28, "targetNumLabels": 128, "startPosition": 128}',
        ),
      ),
      line(11_000, zap('initialization: completed', '{"fileIndex": 1, "numLabelsWritten": 128}')),
      line(
        11_000,
        zap(
          'initialization: starting to write file',
          '{"fileIndex": 2, "currentNumLabels": 0, "targetNumLabels": 128, "startPosition": 256}',
        ),
      ),
    ]);
    const now = { at: 16_000, bytes: (128 + 128 + 50) * 16 };
    const growth = growthFromLog(log, now, 50 * 16);
    expect(growthRate(growth, now.at)).toBeCloseTo(160);
    expect(growth[0]).toEqual({ at: 1000, bytes: (128 + 28) * 16 });
  });

  it('says its errors and last words, not what every start says', () => {
    const log = readJobLog([
      line(
        0,
        '2026/11/20 12:38:14 WARNING: numUnits is outside of range valid for mainnet (min: 4 max: 1048576 )',
      ),
      line(
        0,
        "2026/11/20 12:38:14 If you're trying to initialize for mainnet, please remove the -labelsPerUnit flag",
      ),
      line(0, zap('initialization started', '{"datadir": "/post"}')),
      line(1, zap('error creating initializer: OclCoreError(ApiWrapper(X(10)))', '{"line": 160}', 'ERROR')),
      line(
        2,
        '2026/11/20 12:38:14 cli: initialization error failed to compute labels: initializing scrypter: invalid provider ID',
      ),
      line(3, 'panic: runtime error'),
    ]);
    expect(log.said).toEqual([
      'error creating initializer: OclCoreError(ApiWrapper(X(10))) {"line": 160}',
      'cli: initialization error failed to compute labels: initializing scrypter: invalid provider ID',
      'panic: runtime error',
    ]);
    expect(log.interrupted).toBe(false);
    expect(readJobLog([line(0, '2026/11/20 12:38:14 cli: initialization interrupted')]).interrupted).toBe(
      true,
    );
  });

  it('forgets what a life before said that ended a moment ago', () => {
    const log = readJobLog([
      line(
        0,
        '2026/11/20 12:38:14 cli: initialization error failed to compute labels: initialization failed',
      ),
      line(500, zap('initialization started', '{"datadir": "/post"}')),
    ]);
    expect(log.said).toEqual([]);
  });

  it('knows who looks for a nonce beyond the data, and survives lines of any kind', () => {
    const searches = zap('initialization: no nonce found while computing labels, continue initializing', '');
    expect(readJobLog([line(0, searches)]).searches).toBe(true);
    expect(
      readJobLog([line(0, '\tinitialization: completed\t{broken'), line(0, ''), line(0, '\u0000')]).written,
    ).toEqual([]);
  });
});
