import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodeCrypto } from '../../../src/adapters/crypto/index.ts';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { createScanner } from '../../../src/adapters/scanner/index.ts';
import type { Context } from '../../../src/commands/command.ts';
import { scanCommand } from '../../../src/commands/scan.ts';
import { SmeshError } from '../../../src/domain/errors.ts';
import { makePostDirectory } from '../../helpers/post-data.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { keepTranscript } from '../../helpers/transcripts.ts';

async function run(roots: readonly string[], options: Record<string, unknown> = {}, json = false) {
  const printed: string[] = [];
  let document: unknown;
  const context = {
    directory: tempFolder('scan-project'),
    json,
    out: {
      columns: 100,
      color: false,
      result: (text: string) => printed.push(text),
      json: (value: unknown) => {
        document = JSON.parse(JSON.stringify(value));
      },
    },
    ports: { files: nodeFiles, scanner: async () => createScanner({ crypto: nodeCrypto }) },
  } as unknown as Context;
  const exitCode = await scanCommand.run({ arguments: roots, options }, context);
  keepTranscript('scan', printed.join('\n') + JSON.stringify(document));
  return { exitCode, text: printed.join('\n'), document: document as Record<string, unknown> };
}

async function faultOf(promise: Promise<unknown>): Promise<SmeshError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof SmeshError) return error;
  throw new Error(`no SmeshError but ${String(error)}`);
}

describe('scan', () => {
  it('prints a table and answers 0 even with blocked directories', async () => {
    const folder = tempFolder('scan');
    makePostDirectory(`${folder}/good`);
    makePostDirectory(`${folder}/bad`, { nonce: false });
    const { exitCode, text } = await run([folder]);
    expect(exitCode).toBe(0);
    expect(text).toContain('2 PoST directories on 1 disk: 1 ready, 1 blocked');
  });

  it('--json: a version, text for what JSON numbers cannot hold, no private half', async () => {
    const folder = tempFolder('scan');
    const { keyFile, smesherId } = makePostDirectory(`${folder}/good`);
    const { document } = await run([folder], {}, true);
    expect(document).toMatchObject({
      schemaVersion: 1,
      roots: [folder],
      directories: [
        { verdict: 'ready', metadata: { smesherId, nonce: '112', units: 4 }, key: { smesherId } },
      ],
    });
    const text = JSON.stringify(document);
    for (let at = 0; at + 16 <= 64; at += 8) expect(text).not.toContain(keyFile.slice(at, at + 16));
  });

  it('a root that is not there, a file, missing keys and a bad depth are usage errors', async () => {
    const folder = tempFolder('scan');
    writeFileSync(`${folder}/file`, '');
    expect(await faultOf(run([`${folder}/nope`]))).toMatchObject({ code: 'no-such-root', exitCode: 2 });
    expect(await faultOf(run([`${folder}/file`]))).toMatchObject({ code: 'no-directory', exitCode: 2 });
    expect(await faultOf(run([folder], { keys: [`${folder}/nope`] }))).toMatchObject({
      code: 'no-such-keys',
      exitCode: 2,
    });
    expect(await faultOf(run([folder], { depth: '-1' }))).toMatchObject({ exitCode: 2 });
  });

  it('nothing found is an answer, not a fault', async () => {
    const { exitCode, text } = await run([tempFolder('scan')]);
    expect(exitCode).toBe(0);
    expect(text).toContain('No PoST directory found');
  });

  it('--keys, --ignore and --depth reach the scanner', async () => {
    const folder = tempFolder('scan');
    const keys = tempFolder('scan-keys');
    const { keyFile } = makePostDirectory(`${folder}/a/b`, { key: 'none' });
    makePostDirectory(`${folder}/ignored`);
    mkdirSync(`${keys}/identities`);
    writeFileSync(`${keys}/identities/x.key`, keyFile);
    const options = { keys: [`${keys}/identities`], ignore: [`${folder}/ignored`] };
    const found = (await run([folder], options, true)).document;
    expect(found).toMatchObject({ directories: [{ verdict: 'ready', key: { where: 'node-identities' } }] });
    expect((await run([folder], { ...options, depth: '1' }, true)).document).toMatchObject({
      directories: [],
    });
  });
});
