import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, describe, expect, it } from 'vitest';
import { nodeCrypto } from '../../../src/adapters/crypto/index.ts';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import type { FilesPort } from '../../../src/ports/files.ts';
import { createBackup } from '../../../src/usecases/backup/create.ts';
import { chooseKey } from '../../../src/usecases/backup/locks.ts';
import { restoreBackup } from '../../../src/usecases/backup/restore/restore.ts';
import { verifyBackup } from '../../../src/usecases/backup/verify.ts';
import { finishInterrupted } from '../../../src/usecases/journal.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { contextFor, makeFarm, projectIn } from './support/farm.ts';
import { dyingFiles, filesWithKeys, treeOf, watchedFiles } from './support/watch.ts';

const { TMPDIR } = process.env;
afterEach(() => {
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
});

/** A farm whose every temporary file, of whichever library, lies where the test looks. */
function scene() {
  const root = tempFolder('scan');
  process.env.TMPDIR = root;
  const farm = makeFarm(root, { retired: true, rows: 20 });
  const retired = readFileSync(join(farm.directory, '.smesh/retired/post-0009.key'), 'utf8');
  const keys = [...farm.identities.map(({ keyFile }) => keyFile), retired];
  writeFileSync(join(root, 'passphrase'), 'correct horse battery staple\n', { mode: 0o600 });
  const create = async (files: FilesPort) => {
    const { context } = contextFor(farm.directory, { files });
    await createBackup(context, await projectIn(context), {
      recipients: [],
      passphraseFile: join(root, 'passphrase'),
      withoutKeys: false,
      withState: false,
      to: join(root, 'backups'),
      dryRun: false,
    });
    farm.database.close();
    return join(root, 'backups', readdirSync(join(root, 'backups'))[0] ?? '');
  };
  const request = (file: string) => ({
    file,
    passphraseFile: join(root, 'passphrase'),
    withOldLocalSql: false,
    dryRun: false,
  });
  return { root, farm, keys, create, request };
}

/** Where keys are installed, and a file that is being written there under a name that the node does not read. */
const inIdentities = (path: string) =>
  /\/node-data\/identities\/(post-\d+\.key|\.smesh-post-\d+\.key\.[0-9a-f]+\.tmp)$/.test(path);

describe('no private key lies anywhere but where it lay before, and in identities/', () => {
  it('while a backup is made, opened and restored', async () => {
    const { root, farm, keys, create, request } = scene();
    const before = new Set(filesWithKeys(root, keys, () => false));
    expect(before.size).toBe(5);
    const seen: string[] = [];
    let looks = 0;
    const files = watchedFiles((what) => {
      looks += 1;
      const found = filesWithKeys(root, keys, (path) => before.has(path) || inIdentities(path));
      if (found.length > 0) seen.push(`${what}: ${found.join(', ')}`);
    });
    const file = await create(files);
    const { context } = contextFor(farm.directory, { files });
    const { passphraseFile } = request(file);
    const opened = await verifyBackup(context, file, await chooseKey(context, file, { passphraseFile }));
    expect(opened.faults).toEqual([]);
    rmSync(farm.directory, { recursive: true });
    expect(await restoreBackup(context, request(file))).toBe(0);
    expect(looks).toBeGreaterThan(20);
    expect(seen).toEqual([]);
    // The scan finds what it looks for.
    expect(filesWithKeys(root, keys, () => false)).toHaveLength(4);
  });

  it('after a restore that was killed at any moment, and the next one ends it', async () => {
    const { root, farm, keys, create, request } = scene();
    const file = await create(nodeFiles);
    const whole = treeOf(farm.directory);
    const wanted = (tree: Map<string, string>) =>
      [...tree].filter(([path]) => !/\.smesh(\/(backups|journal|retired).*)?$|local\.sql-/.test(path));
    rmSync(farm.directory, { recursive: true });
    const counting = dyingFiles(Number.POSITIVE_INFINITY);
    const first = contextFor(farm.directory, { files: counting.files });
    expect(await restoreBackup(first.context, request(file))).toBe(0);
    const result = wanted(treeOf(farm.directory));
    // The database apart, which was settled on the way.
    const but = (list: [string, string][]) => list.filter(([path]) => !path.endsWith('local.sql'));
    expect(but(result)).toEqual(but(wanted(whole)));
    const before = new Set(filesWithKeys(root, keys, (path) => path.startsWith(farm.directory)));
    expect(counting.changes()).toBeGreaterThan(25);
    for (let at = 1; at <= counting.changes(); at += 1) {
      rmSync(farm.directory, { recursive: true, force: true });
      const dying = dyingFiles(at);
      const killed = contextFor(farm.directory, { files: dying.files });
      await expect(restoreBackup(killed.context, request(file)), `at ${at}`).rejects.toThrow('killed');
      const where = `killed after ${dying.last()}`;
      expect(
        filesWithKeys(root, keys, (path) => before.has(path) || inIdentities(path)),
        where,
      ).toEqual([]);
      expectNoHalfStart(farm.directory, where);
      // Some other command comes first, half of the times.
      if (at % 2 === 0) {
        await finishInterrupted({ files: nodeFiles, crypto: nodeCrypto }, farm.directory);
        expectNoHalfStart(farm.directory, where);
      }
      const { context } = contextFor(farm.directory);
      expect(await restoreBackup(context, request(file)), where).toBe(0);
      expect(wanted(treeOf(farm.directory)), where).toEqual(result);
      const left = readdirSync(farm.directory, { recursive: true, encoding: 'utf8' });
      expect(
        left.filter((path) => /\.tmp$|smesh-restored|current\.json/.test(path)),
        where,
      ).toEqual([]);
    }
  }, 60_000);
});

/** Plain Compose starts a node as soon as there is a compose.yaml. */
function expectNoHalfStart(directory: string, where: string): void {
  if (!existsSync(join(directory, 'compose.yaml'))) return;
  for (const path of ['local.sql', 'identities/post-0001.key', 'identities/post-0002.key'])
    expect(existsSync(join(directory, 'node-data', path)), `${path}, ${where}`).toBe(true);
}
