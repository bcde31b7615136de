import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeCrypto } from '../../../src/adapters/crypto/index.ts';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import type { ScanReport } from '../../../src/domain/post/types.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { servedDirectories, servedUnderOtherNames } from '../../../src/usecases/init/session.ts';
import { readInstalledKeys } from '../../../src/usecases/node-keys.ts';
import { tempFolder } from '../../helpers/temp.ts';

const context = { ports: { files: nodeFiles, crypto: nodeCrypto } } as unknown as Context;
const id = parseSmesherId('ab'.repeat(32)) as SmesherId;

function makeData(path: string): string {
  mkdirSync(path);
  writeFileSync(`${path}/postdata_metadata.json`, '{}');
  return path;
}

function canMount(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function report(path: string): ScanReport {
  return { directories: [{ path, realPath: path, metadata: { smesherId: id } }] } as unknown as ScanReport;
}

describe('a PoST directory under two names', () => {
  it('S2: a copy is not taken for the served directory', async () => {
    const folder = tempFolder('names');
    const data = makeData(`${folder}/data`);
    const copy = makeData(`${folder}/copy`);
    const served = await servedDirectories(context, [{ id, data }]);
    expect(await servedUnderOtherNames(context, report(copy), served)).toEqual(new Set());
  });

  it.skipIf(!canMount())('S2: a bind mount of the served directory is the served directory', async () => {
    const folder = tempFolder('names');
    const data = makeData(`${folder}/data`);
    const bound = `${folder}/bound`;
    mkdirSync(bound);
    execFileSync('mount', ['--bind', data, bound]);
    onTestFinished(() => void execFileSync('umount', [bound]));
    const served = await servedDirectories(context, [{ id, data }]);
    expect(await servedUnderOtherNames(context, report(bound), served)).toEqual(new Set([bound]));
  });
});

describe("the node's identities", () => {
  it('are refused as a symbolic link, which the node does not follow', async () => {
    const folder = tempFolder('names');
    mkdirSync(`${folder}/elsewhere`);
    symlinkSync(`${folder}/elsewhere`, `${folder}/identities`);
    await expect(readInstalledKeys(context, `${folder}/identities`)).rejects.toMatchObject({
      code: 'identities-link',
    });
    expect(await readInstalledKeys(context, `${folder}/elsewhere`)).toEqual([]);
  });
});
