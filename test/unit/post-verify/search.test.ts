import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LABEL } from '../../../src/domain/compose/labels.ts';
import { ExitCode, SmeshError } from '../../../src/domain/errors.ts';
import { searchForNonces } from '../../../src/usecases/post-verify/search-nonce.ts';
import { container, dataWorld, ended, METADATA } from './support/data-world.ts';

function world(...args: Parameters<typeof dataWorld>) {
  const made = dataWorld(...args);
  const options = { dryRun: false, again: true, scryptN: 16, image: 'postcli:x' };
  return { ...made, search: () => searchForNonces(made.context, { ...options, words: [made.data] }) };
}

describe('a search for the nonce that does not come to its end', () => {
  it('whose program fails leaves the metadata as they were', async () => {
    const { metadata, data, search, fake } = world(async () => ended(2, 'panic: disk on fire'));
    expect(await search()).toBe(ExitCode.unhealthy);
    expect(JSON.parse(readFileSync(metadata, 'utf8'))).toEqual(METADATA);
    expect(readdirSync(data).filter((name) => name.includes('before-nonce'))).toEqual([]);
    expect(fake.said.results.join('\n')).toContain('The metadata are as they were');
  });

  it('which Ctrl-C ends leaves no nonce of half the data', async () => {
    const { metadata, search, fake, documents } = world(
      (helper, path) => {
        const half = {
          ...JSON.parse(readFileSync(path, 'utf8')),
          Nonce: 9,
          NonceValue: `11${'00'.repeat(15)}`,
        };
        writeFileSync(path, JSON.stringify(half));
        return new Promise((_, reject) => {
          helper.signal?.addEventListener('abort', () => reject(helper.signal?.reason), { once: true });
          fake.ended.abort(new SmeshError('cancelled', ExitCode.cancelled, 'Cancelled.'));
        });
      },
      { json: true },
    );
    // One document on stdout, with the exit code that is given.
    expect(await search()).toBe(ExitCode.cancelled);
    expect(documents).toMatchObject([{ exitCode: ExitCode.cancelled, places: [{ outcome: 'stopped' }] }]);
    expect(JSON.parse(readFileSync(metadata, 'utf8'))).toEqual(METADATA);
  });

  it('because the engine went away says so, and leaves the metadata as they were', async () => {
    const { metadata, search, fake } = world(async () => {
      throw new SmeshError('engine-away', ExitCode.environment, 'The Docker engine does not answer');
    });
    expect(await search()).toBe(ExitCode.unhealthy);
    expect(JSON.parse(readFileSync(metadata, 'utf8'))).toEqual(METADATA);
    expect(fake.said.results.join('\n')).toContain('The Docker engine does not answer');
  });

  it('for its disk is gone waits for nobody, and says what is to be put back', async () => {
    const { data, disk, metadata, search, fake } = world(async () => {
      disk.answers = false;
      return ended(1, 'read /post/postdata_0.bin: input/output error');
    });
    expect(await search()).toBe(ExitCode.unhealthy);
    const copy = join(data, 'postdata_metadata.json.before-nonce');
    expect(JSON.parse(readFileSync(copy, 'utf8'))).toEqual(METADATA);
    expect(fake.said.results.join('\n')).toContain(`mv ${copy} ${metadata}`);
  });

  it('but what is of other data by now is left alone, and the copy is named', async () => {
    const { metadata, data, search, fake } = world(async (_, path) => {
      writeFileSync(path, JSON.stringify({ ...METADATA, NumUnits: 2 }));
      return ended(1, 'panic: interrupted');
    });
    expect(await search()).toBe(ExitCode.invalid);
    expect(JSON.parse(readFileSync(metadata, 'utf8'))).toMatchObject({ NumUnits: 2 });
    const copy = join(data, 'postdata_metadata.json.before-nonce');
    expect(JSON.parse(readFileSync(copy, 'utf8'))).toEqual(METADATA);
    expect(fake.said.results.join('\n')).toContain(`cp ${copy}`);
  });
});

describe('a program that is not postcli', () => {
  it('ends with 0 and finds nothing: that is no answer', async () => {
    const { metadata, search, fake } = world(async () => ended(0));
    expect(await search()).toBe(ExitCode.unhealthy);
    expect(JSON.parse(readFileSync(metadata, 'utf8'))).toEqual(METADATA);
    expect(fake.said.results.join('\n')).toContain('is the image of postcli?');
  });
});

describe('data that somebody uses', () => {
  it('by way of a link are not searched while they are served', async () => {
    const { data, top, containers, search, metadata } = world(async () => ended(0));
    const link = join(top, 'link');
    symlinkSync(data, link);
    containers.push(container(link, { labels: { [LABEL.role]: 'prover' } }));
    await expect(search()).rejects.toMatchObject({
      ...{ code: 'data-served', exitCode: ExitCode.refused },
      hint: expect.stringContaining('docker stop c'),
    });
    expect(JSON.parse(readFileSync(metadata, 'utf8'))).toEqual(METADATA);
  });

  it('by way of a link are not searched while a job writes to them', async () => {
    const { data, top, containers, search } = world(async () => ended(0));
    const link = join(top, 'link');
    symlinkSync(data, link);
    containers.push(container(link, { labels: { [LABEL.role]: 'initialisation' } }));
    await expect(search()).rejects.toMatchObject({ code: 'disk-busy', exitCode: ExitCode.refused });
  });
});
