import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JOB_RECORD, writeJobRecord } from '../../../src/domain/post-init/job-record.ts';
import type { JobLook } from '../../../src/domain/post-init/job-state.ts';
import { judgeJob } from '../../../src/domain/post-init/judge-job.ts';
import type { InitialisationJob } from '../../../src/domain/project/types.ts';
import { lookAtJobs } from '../../../src/usecases/post-init/look-at-jobs.ts';
import { exampleId } from '../../fixtures/example-projects.ts';
import { tempFolder } from '../../helpers/temp.ts';
import {
  lookingContext,
  makeJob,
  NONCE,
  projectWith,
  UNIT,
  writeFiles,
  writeMetadata,
} from './support/jobs.ts';

async function look(folder: string, job: InitialisationJob): Promise<JobLook> {
  const [first] = await lookAtJobs(lookingContext(folder), projectWith(folder, [job]));
  if (first === undefined) throw new Error('no look');
  return first;
}

async function refusal(folder: string, job: InitialisationJob) {
  const { state } = await look(folder, job);
  if (state.kind !== 'refused') throw new Error(`is ${state.kind}`);
  expect(state.hint).not.toBe('');
  return state;
}

const FULL = { 0: UNIT, 1: UNIT, 2: UNIT, 3: UNIT };

describe('a whole set', () => {
  it('is away without its directory, and never begun on the disk below', async () => {
    const folder = tempFolder();
    const { state } = await look(folder, makeJob(folder));
    expect(state).toMatchObject({ kind: 'away' });
    if (state.kind === 'away') expect(state.why).toContain('is its disk mounted?');
  });

  it('is not begun with an empty directory, nor with the metadata alone', async () => {
    const folder = tempFolder();
    const job = makeJob(folder);
    mkdirSync(job.data);
    const first = await look(folder, job);
    expect(first.state).toEqual({ kind: 'not-begun', progress: { bytes: 0, expectedBytes: 4 * UNIT } });
    expect(first.freeBytes).toBeGreaterThan(0);
    expect(first.fileSystem).toBeDefined();
    writeMetadata(job);
    writeFiles(job.data, { 0: 0 });
    expect((await look(folder, job)).state.kind).toBe('not-begun');
    // No label is lost when postcli writes other units over it.
    expect((await look(folder, { ...job, units: 2 })).state.kind).toBe('not-begun');
  });

  it('is away, not begun anew, where there was data before and is none now: an unplugged disk', async () => {
    const folder = tempFolder();
    const job = makeJob(folder);
    mkdirSync(job.data);
    mkdirSync(join(folder, '.smesh'));
    writeFileSync(join(folder, JOB_RECORD), writeJobRecord([{ ...job, bytes: 2048 }]));
    expect((await look(folder, job)).state).toMatchObject({
      kind: 'away',
      why: expect.stringContaining('had 2048 bytes'),
    });
    // Another directory is another story.
    const other = { ...job, data: join(folder, 'other') };
    mkdirSync(other.data);
    expect((await look(folder, other)).state.kind).toBe('not-begun');
  });

  it('S3: is unfinished with files missing at the end or a short last one', async () => {
    const folder = tempFolder();
    const job = makeJob(folder);
    writeMetadata(job, NONCE);
    writeFiles(job.data, { 0: UNIT, 1: UNIT, 2: 160 });
    expect((await look(folder, job)).state).toEqual({
      kind: 'unfinished',
      progress: { bytes: 2 * UNIT + 160, expectedBytes: 4 * UNIT },
    });
  });

  it('S4: is unfinished with a file missing in the middle, which postcli writes again', async () => {
    const folder = tempFolder();
    const job = makeJob(folder);
    writeMetadata(job, NONCE);
    writeFiles(job.data, { 0: UNIT, 2: UNIT, 3: UNIT });
    expect((await look(folder, job)).state.kind).toBe('unfinished');
  });

  it('S5: needs a nonce when all files are there, and is complete with one', async () => {
    const folder = tempFolder();
    const job = makeJob(folder);
    writeMetadata(job);
    writeFiles(job.data, FULL);
    expect((await look(folder, job)).state).toMatchObject({ kind: 'needs-nonce', searching: false });
    writeMetadata(job, { LastPosition: 256 });
    expect((await look(folder, job)).state).toMatchObject({ kind: 'needs-nonce', searching: true });
    // The value is left out for a nonce beyond the data.
    writeMetadata(job, { Nonce: 300, LastPosition: 256 });
    expect((await look(folder, job)).state.kind).toBe('complete');
  });

  it('is of an odd size with a file that ends in the middle of a label', async () => {
    const folder = tempFolder();
    const job = makeJob(folder);
    writeMetadata(job);
    writeFiles(job.data, { 0: UNIT, 1: 1000 });
    expect((await look(folder, job)).state).toMatchObject({
      kind: 'odd-size',
      files: [{ path: join(job.data, 'postdata_1.bin'), size: 1000, cutTo: 992 }],
    });
    writeFiles(job.data, { 1: 7 });
    expect((await look(folder, job)).state).toMatchObject({ kind: 'odd-size', files: [{ cutTo: 0 }] });
  });
});

describe('refused is what postcli would do to the data without asking', () => {
  it.each([
    ['other-identity', {}, { id: exampleId(8) }],
    ['other-commitment', {}, { commitmentAtx: 'ab'.repeat(32) }],
    ['other-labels-per-unit', { LabelsPerUnit: 128 }, {}],
    ['other-file-size', {}, { maxFileSize: 2 * UNIT }],
    ['fewer-units', {}, { units: 3 }],
    ['more-units', {}, { units: 5 }],
    ['surplus-files', {}, {}, { 4: 16 }],
    ['file-too-long', {}, {}, { 1: UNIT + 8 }],
    ['file-twice', {}, {}, { '01': UNIT }],
  ] as const)('%s', async (code, metadata, changes, files?: Readonly<Record<string, number>>) => {
    const folder = tempFolder();
    const job = makeJob(folder);
    writeMetadata(job, metadata);
    writeFiles(job.data, { 0: UNIT, 1: UNIT, ...files });
    expect((await refusal(folder, { ...job, ...changes })).code).toBe(code);
  });

  it('says which units belong into smesh.yaml', async () => {
    const folder = tempFolder();
    const job = makeJob(folder);
    writeMetadata(job);
    writeFiles(job.data, FULL);
    const { message, hint } = await refusal(folder, { ...job, units: 2 });
    expect(message).toContain('would delete the labels');
    expect(hint).toContain('units: 4');
  });

  it('metadata that is missing or no metadata', async () => {
    const folder = tempFolder();
    const job = makeJob(folder);
    writeFiles(job.data, { 0: UNIT });
    expect((await refusal(folder, job)).code).toBe('metadata-missing');
    writeFileSync(join(job.data, 'postdata_metadata.json'), '{');
    expect((await refusal(folder, job)).code).toBe('metadata-malformed');
  });

  it('S12: a read-only mount, but not for what is complete', () => {
    const job = makeJob('/srv');
    const { network } = projectWith('/srv', [job]);
    const folder = (files: number) =>
      ({
        kind: 'seen',
        files: Array.from({ length: files }, (_, index) => ({ index, size: UNIT })),
        metadata: { kind: 'present', text: metadataText(job) },
      }) as const;
    expect(judgeJob(job, network, { data: folder(2), readOnly: true })).toMatchObject({ code: 'read-only' });
    expect(judgeJob(job, network, { data: folder(4), readOnly: true }).kind).toBe('complete');
  });
});

function metadataText(job: InitialisationJob): string {
  return JSON.stringify({
    NodeId: Buffer.from(job.id, 'hex').toString('base64'),
    CommitmentAtxId: Buffer.from(job.commitmentAtx, 'hex').toString('base64'),
    LabelsPerUnit: 64,
    NumUnits: job.units,
    MaxFileSize: job.maxFileSize,
    ...NONCE,
  });
}

describe('a part', () => {
  const part = (folder: string) =>
    makeJob(folder, {
      name: 'post-0009-init-2',
      data: join(folder, 'post-0009.part-2'),
      into: join(folder, 'post-0009'),
      fromFile: 2,
      toFile: 3,
    });

  it('is complete with its own range, whatever nonce it has', async () => {
    const folder = tempFolder();
    const job = part(folder);
    writeMetadata(job);
    writeFiles(job.data, { 2: UNIT });
    expect((await look(folder, job)).state).toEqual({
      kind: 'unfinished',
      progress: { bytes: UNIT, expectedBytes: 2 * UNIT },
    });
    writeFiles(job.data, { 3: UNIT });
    expect((await look(folder, job)).state.kind).toBe('complete');
  });

  it('is refused with files of another range, which would be there twice', async () => {
    const folder = tempFolder();
    const job = part(folder);
    writeMetadata(job);
    writeFiles(job.data, { 1: UNIT, 2: UNIT });
    expect((await refusal(folder, job)).code).toBe('files-outside-range');
  });

  it('is complete when its files have been joined, also with its own folder gone', async () => {
    const folder = tempFolder();
    const job = part(folder);
    writeMetadata(job);
    writeFiles(join(folder, 'post-0009'), FULL);
    expect((await look(folder, job)).state).toMatchObject({ kind: 'complete', joined: true });
    expect((await look(folder, { ...job, data: join(folder, 'gone') })).state.kind).toBe('complete');
  });

  it('is refused while some of its files are in both places', async () => {
    const folder = tempFolder();
    const job = part(folder);
    writeMetadata(job);
    writeFiles(job.data, { 2: UNIT });
    writeFiles(join(folder, 'post-0009'), { 3: UNIT });
    expect((await refusal(folder, job)).code).toBe('partly-joined');
  });
});

describe('a disk that hangs', () => {
  it('is away, and nothing behind its mount point is touched a second time', async () => {
    const folder = tempFolder();
    const jobs = [1, 2, 3].map((number) =>
      makeJob(folder, { name: `j${number}`, data: `/dead/post${number}` }),
    );
    const fine = makeJob(folder);
    mkdirSync(fine.data);
    const asked: string[] = [];
    const context = lookingContext(folder, {
      answers: async (path) => {
        asked.push(path);
        return !path.startsWith('/dead');
      },
      place: async (path) =>
        path.startsWith('/dead')
          ? { mountPoint: '/dead', fileSystem: 'nfs', source: 's:/e', readOnly: false, disks: [] }
          : { mountPoint: '/', fileSystem: 'ext4', source: 'x', readOnly: false, disks: [] },
    });
    const looks = await lookAtJobs(context, projectWith(folder, [...jobs, fine]));
    expect(looks.map(({ state }) => state.kind)).toEqual(['away', 'away', 'away', 'not-begun']);
    expect(asked).toContain('/dead/post1');
  });
});

describe('whatever lies there', () => {
  it('a job that may go on has nothing that postcli would delete, cut or misalign', () => {
    const job = makeJob('/srv');
    const { network } = projectWith('/srv', [job]);
    const file = fc.record({
      index: fc.integer({ min: 0, max: 6 }),
      size: fc.constantFrom(0, 7, 16, 160, 1000, UNIT, UNIT + 8, UNIT + 16),
    });
    fc.assert(
      fc.property(fc.array(file, { maxLength: 6 }), fc.integer({ min: 2, max: 6 }), (files, units) => {
        const state = judgeJob({ ...job, units }, network, {
          data: { kind: 'seen', files, metadata: { kind: 'present', text: metadataText(job) } },
        });
        if (state.kind === 'refused' || state.kind === 'odd-size') return;
        const labels = files.some(({ size }) => size >= 16);
        expect(!labels || units === job.units).toBe(true);
        expect(files.every(({ index, size }) => index < units && size <= UNIT && size % 16 === 0)).toBe(true);
        expect(new Set(files.map(({ index }) => index)).size).toBe(files.length);
        const bytes = files.reduce((sum, { size }) => sum + size, 0);
        expect(state.kind === 'complete').toBe(bytes === units * UNIT);
      }),
    );
  });
});
