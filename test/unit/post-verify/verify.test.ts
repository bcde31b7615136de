import { chmodSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LABEL } from '../../../src/domain/compose/labels.ts';
import { ExitCode, SmeshError } from '../../../src/domain/errors.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { loadRecords, RecordKeeper } from '../../../src/usecases/post-verify/records.ts';
import { runVerify, type VerifyOptions } from '../../../src/usecases/post-verify/verify.ts';
import { container, dataWorld, ended } from './support/data-world.ts';

const VALID = 'cli: POS data is valid\n';

function world(...args: Parameters<typeof dataWorld>) {
  const made = dataWorld(...args);
  const options = { words: [], fraction: 1, files: {}, structureOnly: false, last: false, dryRun: false };
  const verify = (more: Partial<VerifyOptions> = {}) =>
    runVerify(made.context, { ...options, scryptN: 16, image: 'postcli:x', ...more });
  return { ...made, verify, shown: () => made.fake.said.results.join('\n') };
}

describe('what a check found', () => {
  it('is shown where it cannot be remembered', async () => {
    const { verify, shown, top, fake } = world(async () => ended(0, VALID), { identity: 'name: post-0001' });
    writeFileSync(join(top, '.smesh'), 'in the way');
    await verify();
    expect(shown()).toContain('right (1 % of files 0–1)');
    expect(shown()).not.toContain('Remembered');
    expect(fake.said.warnings.join('\n')).toMatch(/cannot be remembered: .*\.smesh/);
  });

  it('until the engine went away is shown and remembered', async () => {
    const ends = [ended(1, 'cli: file 0 contains invalid label at offset 32\n')];
    const { verify, shown, context } = world(
      async () => {
        const next = ends.shift();
        if (next === undefined)
          throw new SmeshError('engine-away', ExitCode.environment, 'no answer of Docker');
        return next;
      },
      { identity: 'name: post-0001' },
    );
    expect(await verify()).toBe(ExitCode.invalid);
    expect(shown()).toContain('at offset 32');
    expect(shown()).toContain('no answer of Docker');
    expect(await loadRecords(context)).toMatchObject([{ wrong: [{ file: 0, offset: 32 }] }]);
  });

  it('is one JSON document also when Ctrl-C ends it, with the exit code that is given', async () => {
    const { verify, documents, fake } = world(
      (helper) =>
        new Promise((_, reject) => {
          helper.signal?.addEventListener('abort', () => reject(helper.signal?.reason), { once: true });
          fake.ended.abort(new SmeshError('cancelled', ExitCode.cancelled, 'Cancelled.'));
        }),
      { identity: 'name: post-0001', json: true },
    );
    expect(await verify()).toBe(ExitCode.cancelled);
    expect(documents).toMatchObject([{ exitCode: ExitCode.cancelled }]);
  });

  it('until it was stopped is gone on with as it was asked for', async () => {
    const { verify, shown, fake } = world(
      (helper) =>
        new Promise((_, reject) => {
          helper.signal?.addEventListener('abort', () => reject(helper.signal?.reason), { once: true });
          helper.onOutput?.('INFO\tverifying file /post/postdata_1.bin\t{}\n', 'stdout');
          fake.ended.abort(new SmeshError('cancelled', ExitCode.cancelled, 'Cancelled.'));
        }),
      { identity: 'name: post-0001' },
    );
    await expect(verify({ fraction: 5, files: { to: 1 } })).rejects.toMatchObject({ code: 'cancelled' });
    expect(shown()).toContain('post verify post-0001 --from-file 1 --to-file 1 --fraction 5');
  });

  it('by two commands at once is all remembered', async () => {
    const { context, top } = world(async () => ended(0), { identity: 'name: post-0001' });
    const record = (index: number) => ({
      ...{ path: `/d${index}`, smesherId: parseSmesherId('62'.repeat(32)) as SmesherId, at: 1, fraction: 1 },
      ...{ from: 0, to: 1, files: 2, wrong: [] },
    });
    const indices = [0, 1, 2, 3, 4, 5];
    await Promise.all(indices.map((index) => new RecordKeeper(context).keep(record(index))));
    expect((await loadRecords(context)).map(({ path }) => path)).toEqual(
      indices.map((index) => `/d${index}`),
    );
    expect(readFileSync(join(top, '.smesh/post-verified.json'), 'utf8')).toContain('/d5');
  });
});

describe('wrong labels in data that another project serves', () => {
  it('are written again while its container is stopped, and by no job', async () => {
    const { verify, data, shown, containers } = world(async () =>
      ended(1, 'cli: file 1 contains invalid label at offset 16\n'),
    );
    containers.push(container(data, { labels: { [LABEL.role]: 'prover' } }));
    expect(await verify({ words: [data] })).toBe(ExitCode.invalid);
    const typed = shown()
      .split('\n')
      .map((line) => line.trim());
    expect(typed.indexOf('docker stop c')).toBeGreaterThan(0);
    expect(typed.indexOf('docker stop c')).toBeLessThan(typed.findIndex((line) => line.startsWith('mv -n')));
    expect(typed).toContain('docker start c');
    expect(shown()).not.toContain('post init');
  });
});

describe('data that smesh.yaml names by a link', () => {
  it('are those of its identity also by their real path, and remembered as its', async () => {
    const { verify, top, data, shown, context } = world(
      async () => ended(1, 'cli: file 1 contains invalid label at offset 16\n'),
      { identity: 'name: post-0001' },
    );
    const real = join(top, 'real');
    renameSync(data, real);
    symlinkSync(real, data);
    expect(await verify({ words: [real] })).toBe(ExitCode.invalid);
    // Served data are written again by postcli, never by a job.
    expect(shown()).toContain('smesh-compose stop post-0001');
    expect(await loadRecords(context)).toMatchObject([{ path: data }]);
  });
});

describe('before a label is read', () => {
  it('an N that is not the one of the network is refused: all labels would look wrong, and be remembered so', async () => {
    const { verify, metadata, data } = world(async () => ended(0, VALID));
    const mainnet = JSON.parse(readFileSync(metadata, 'utf8'));
    writeFileSync(metadata, JSON.stringify({ ...mainnet, LabelsPerUnit: 4_294_967_296, NumUnits: 4 }));
    await expect(verify({ words: [data] })).rejects.toMatchObject({
      exitCode: ExitCode.usage,
      message: expect.stringContaining('8192'),
    });
  });

  it('a disk that smesh.yaml gives a name is still known as the one on which somebody else may prove', async () => {
    const { verify, data, top, containers, fake } = world(async () => ended(0, VALID), {
      identity: 'name: post-0001, disk: shelf',
    });
    const other = join(top, 'other');
    mkdirSync(other);
    fake.status.set('c', { kind: 'proving', nonces: { start: 0, end: 128 }, position: 0 });
    containers.push(container(other, { labels: { [LABEL.role]: 'prover' } }));
    await expect(verify()).rejects.toMatchObject({ code: 'disk-busy', exitCode: ExitCode.refused });
    await expect(verify({ words: [data] })).rejects.toMatchObject({
      hint: expect.stringContaining('smesh-compose post verify --structure post-0001'),
    });
  });

  it('data beside those of an identity whose disk has a name are read after them, not at the same time', async () => {
    let [now, most] = [0, 0];
    const { verify, data, top, metadata } = world(
      async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 50));
        now -= 1;
        return ended(0, VALID);
      },
      { identity: 'name: post-0001, disk: shelf' },
    );
    const beside = join(top, 'beside');
    mkdirSync(beside);
    const other = {
      ...JSON.parse(readFileSync(metadata, 'utf8')),
      NodeId: Buffer.alloc(32, 9).toString('base64'),
    };
    writeFileSync(join(beside, 'postdata_metadata.json'), JSON.stringify(other));
    for (const file of [0, 1]) writeFileSync(join(beside, `postdata_${file}.bin`), Buffer.alloc(512, 7));
    chmodSync(beside, 0o700);
    await verify({ words: [data, beside] });
    expect(most).toBe(1);
  });
});
