import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/clock/index.ts';
import { nodeCrypto } from '../../../src/adapters/crypto/index.ts';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { createScanner } from '../../../src/adapters/scanner/index.ts';
import { LABEL } from '../../../src/domain/compose/labels.ts';
import { ExitCode, SmeshError } from '../../../src/domain/errors.ts';
import type { HelperContainer, HelperResult } from '../../../src/ports/docker.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { searchForNonces } from '../../../src/usecases/post-verify/search-nonce.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { FakeProject } from '../schedule/support/fake-context.ts';

const base64 = (byte: number) => Buffer.alloc(32, byte).toString('base64');
const METADATA = {
  ...{ NodeId: base64(0x62), CommitmentAtxId: base64(0xc0), LabelsPerUnit: 64, NumUnits: 1 },
  ...{ MaxFileSize: 1024, Nonce: 5, NonceValue: '00'.repeat(16) },
};

/** Real data in a real folder, and an engine whose postcli is a function. */
function world(postcli: (helper: HelperContainer, metadata: string) => Promise<HelperResult>, json = false) {
  const top = tempFolder('search');
  const data = join(top, 'data');
  mkdirSync(data);
  const metadata = join(data, 'postdata_metadata.json');
  writeFileSync(metadata, JSON.stringify(METADATA));
  writeFileSync(join(data, 'postdata_0.bin'), Buffer.alloc(1024, 7));
  const fake = new FakeProject();
  fake.containers.clear();
  const base = fake.context();
  const containers: unknown[] = [];
  const disk = { answers: true };
  const documents: unknown[] = [];
  const ports = {
    ...base.ports,
    files: nodeFiles,
    scanner: async () => createScanner({ crypto: nodeCrypto }),
    host: async () => ({ answers: async () => disk.answers }),
    docker: async () => ({
      ...(await base.ports.docker()),
      containers: async () => containers,
      image: async () => ({ id: 'x' }),
      runHelper: (helper: HelperContainer) => postcli(helper, metadata),
    }),
  };
  const out = { ...base.out, json: (document: unknown) => documents.push(document) };
  const context = { ...base, directory: top, clock: systemClock, ports, out, json } as unknown as Context;
  const search = (place = data) =>
    searchForNonces(context, { words: [place], dryRun: false, again: true, scryptN: 16, image: 'postcli:x' });
  return { fake, data, disk, metadata, top, containers, documents, search };
}

const ended = (exitCode: number, stderr = ''): HelperResult => ({
  ...{ kind: 'ended' as const, exitCode, stdout: '', stderr, truncated: false },
});

describe('a search for the nonce that does not come to its end', () => {
  it('whose program fails leaves the metadata as they were', async () => {
    const { metadata, data, search, fake } = world(async () => ended(2, 'panic: disk on fire'));
    expect(await search()).toBe(ExitCode.unhealthy);
    expect(JSON.parse(readFileSync(metadata, 'utf8'))).toEqual(METADATA);
    expect(readdirSync(data).sort()).toEqual(['postdata_0.bin', 'postdata_metadata.json']);
    expect(fake.said.results.join('\n')).toContain('The metadata are as they were');
  });

  it('which Ctrl-C ends leaves no nonce of half the data', async () => {
    const { metadata, search, fake, documents } = world((helper, path) => {
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
    }, true);
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
  const container = (more: object) => ({
    ...{ id: 'c', name: 'c', service: 'post-0001', oneOff: false, state: 'running', image: 'x', command: [] },
    ...{ ports: [], addresses: [], oomKilled: false, project: 'other', labels: {} },
    ...more,
  });
  const mount = (source: string) => ({ kind: 'bind', source, target: '/post', writable: true });

  it('by way of a link are not searched while they are served', async () => {
    const { data, top, containers, search, metadata } = world(async () => ended(0));
    const link = join(top, 'link');
    symlinkSync(data, link);
    containers.push(container({ labels: { [LABEL.role]: 'prover' }, mounts: [mount(link)] }));
    await expect(search()).rejects.toMatchObject({ code: 'data-served', exitCode: ExitCode.refused });
    expect(JSON.parse(readFileSync(metadata, 'utf8'))).toEqual(METADATA);
  });

  it('by way of a link are not searched while a job writes to them', async () => {
    const { data, top, containers, search } = world(async () => ended(0));
    const link = join(top, 'link');
    symlinkSync(data, link);
    containers.push(container({ labels: { [LABEL.role]: 'initialisation' }, mounts: [mount(link)] }));
    await expect(search()).rejects.toMatchObject({ code: 'disk-busy', exitCode: ExitCode.refused });
  });
});
