import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { nodeCrypto } from '../../../src/adapters/crypto/index.ts';
import { ownPoetKeyFile } from '../../../src/domain/poet/own-poet.ts';
import { writeRegistrations } from '../../helpers/local-database.ts';
import { type PoetOptions, startPoet } from '../../helpers/poet-server.ts';
import { makePostDirectory } from '../../helpers/post-data.ts';
import { clockAt, type MainRun, runMain } from '../../helpers/run-main.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { describeTree } from '../../helpers/tree.ts';

const COINBASE = 'stest1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqql50dsa';

/** In round 101 of testnet: it began on 24 December 2023 at 6:00 and ends on the 25th at 4:00. */
export const NOW = Date.parse('2023-12-24T12:00:00Z');

export async function poet(options: PoetOptions = {}) {
  const server = await startPoet(options);
  onTestFinished(() => server.close());
  return server;
}

/** An address at which nobody listens any more. */
export async function deadPoet() {
  const server = await startPoet();
  await server.close();
  return server;
}

/** A key file of a PoET service, of a key that nobody has. */
export function keyFile() {
  const seed = nodeCrypto.randomBytes(32);
  const key = nodeCrypto.publicKeyOfSeed(seed);
  return { publicKey: Buffer.from(key).toString('base64'), content: ownPoetKeyFile(seed, key) };
}

export type Poet = Awaited<ReturnType<typeof poet>>;

export interface Scene {
  readonly folder: string;
  readonly ids: readonly string[];
  run(...args: string[]): Promise<MainRun>;
  yaml(): string;
  database(...rows: readonly (readonly [number, string])[]): void;
}

/** A project on testnet with two identities and these servers, everything generated. */
export async function scene(servers: readonly Poet[]): Promise<Scene> {
  const base = tempFolder('poet');
  const folder = join(base, 'project');
  mkdirSync(folder);
  const directories = ['a', 'b'].map((name) => makePostDirectory(join(base, name), { network: 'testnet' }));
  const identities = directories.map(
    ({ smesherId, path }, index) => `  - {id: '${smesherId}', name: post-000${index + 1}, data: ${path}}\n`,
  );
  const list = servers.map(
    ({ address, pubkey }) => `    - address: ${address} # known\n      pubkey: ${pubkey}\n`,
  );
  const text = `# mine\nversion: 1\nname: p\nnetwork: testnet\ncoinbase: ${COINBASE}\npoet:\n  servers:\n${list.join('')}identities:\n${identities.join('')}`;
  writeFileSync(join(folder, 'smesh.yaml'), text);
  const run = (...args: string[]) => runMain(['-C', folder, ...args], clockAt(NOW));
  const generated = await run('generate');
  expect(generated.code, generated.stderr).toBe(0);
  const ids = directories.map(({ smesherId }) => smesherId);
  return {
    folder,
    ids,
    run,
    yaml: () => readFileSync(join(folder, 'smesh.yaml'), 'utf8'),
    database: (...rows) =>
      writeRegistrations(
        join(folder, 'node-data/local.sql'),
        rows.map(([index, address]) => ({ smesherId: ids[index] ?? '', address, round: 101 })),
      ),
  };
}

/** Must fail, in words and as data, and change nothing. */
export async function refused(at: Scene, args: string[], code: number, says: RegExp): Promise<MainRun> {
  const before = describeTree(at.folder);
  const plain = await at.run(...args);
  expect(plain).toMatchObject({ code, stdout: '' });
  expect(plain.stderr).toMatch(says);
  expect(plain.stderr).toMatch(/Nothing was changed/);
  const json = await at.run(...args, '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ error: { exitCode: code } });
  expect(describeTree(at.folder)).toEqual(before);
  return plain;
}

export const configOf = ({ folder }: Scene) =>
  JSON.parse(readFileSync(join(folder, 'node/config.json'), 'utf8')) as {
    main: { 'poet-servers': { address: string; pubkey: string }[] };
  };
