import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { publicKeyOfFile } from '../../../src/domain/poet/own-poet.ts';
import { makePostDirectory } from '../../helpers/post-data.ts';
import { clockAt, runMain } from '../../helpers/run-main.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { describeTree } from '../../helpers/tree.ts';
import { configOf, keyFile, NOW, poet, refused, scene } from './scene.ts';

describe('poet serve', () => {
  it('adds section, service, folder and key, touches no other service, and does nothing twice', async () => {
    const at = await scene([await poet()]);
    const before = at.yaml();
    const services = (text: string) =>
      text.slice(text.indexOf('services:'), text.indexOf('\nx-smesh-compose'));
    const compose = () => readFileSync(join(at.folder, 'compose.yaml'), 'utf8');
    const others = services(compose());
    const dry = await at.run('poet', 'serve', '--port', '18080', '--dry-run');
    expect(dry.code).toBe(0);
    expect(existsSync(join(at.folder, 'poet'))).toBe(false);
    expect(at.yaml()).toBe(before);
    const run = await at.run('poet', 'serve', '--port', '18080');
    expect(run.code).toBe(0);
    expect(run.stderr).toContain('docker compose --profile poet up -d poet');
    expect(at.yaml()).toBe(before.replace('identities:', '  serve:\n    port: 18080\nidentities:'));
    expect(services(compose()).startsWith(others.trimEnd())).toBe(true);
    const file = join(at.folder, 'poet/poet.env');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(at.folder, 'poet')).sort()).toEqual(['data', 'db', 'logs', 'poet.env']);
    const key = readFileSync(file, 'utf8');
    const secret = key.trim().slice('POET_PRIVATE_KEY='.length);
    expect(run.stdout).toContain(publicKeyOfFile(key));
    for (const text of [run.stdout, run.stderr, compose(), at.yaml()]) expect(text).not.toContain(secret);
    for (const name of readdirSync(join(at.folder, '.smesh'), { recursive: true, encoding: 'utf8' })) {
      const path = join(at.folder, '.smesh', name);
      if (statSync(path).isFile()) expect(readFileSync(path, 'utf8'), name).not.toContain(secret);
    }
    const tree = describeTree(at.folder);
    const again = await at.run('poet', 'serve', '--port', '18080');
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('Nothing was changed');
    expect(describeTree(at.folder)).toEqual(tree);
    await refused(at, ['poet', 'serve', '--port', '18081'], 2, /smesh\.yaml says 18080/);
  });

  it('is used by the node when it is asked for, and asked on this host', async () => {
    const own = await poet();
    const at = await scene([await poet()]);
    const port = new URL(own.address).port;
    await refused(at, ['poet', 'serve', '--port', port], 4, /Port \d+ on 127\.0\.0\.1 is taken by/);
    // As a run leaves it that was killed behind the key: the next one takes that key.
    mkdirSync(join(at.folder, 'poet'));
    const { publicKey, content } = keyFile();
    writeFileSync(join(at.folder, 'poet/poet.env'), content);
    expect(await at.run('poet', 'serve', '--use', '--port', '18080')).toMatchObject({ code: 0 });
    expect(readFileSync(join(at.folder, 'poet/poet.env'), 'utf8')).toBe(content);
    expect(at.yaml()).toContain(`address: http://poet:8080\n      pubkey: ${publicKey}\n`);
    writeFileSync(join(at.folder, 'smesh.yaml'), at.yaml().replace('port: 18080', `port: ${port}`));
    expect(configOf(at).main['poet-servers'][1]).toEqual({ address: 'http://poet:8080', pubkey: publicKey });
    // Asked at the published port, where another server answers in this test: its key is not the one of the file.
    const check = await at.run('poet', 'check', '--json');
    const codes = JSON.parse(check.stdout).findings.map(({ code }: { code: string }) => code);
    expect(codes).toContain('poet-key');
    expect(codes).not.toContain('poet-unreachable');
  });

  it('leaves a key file alone that it cannot read', async () => {
    const at = await scene([await poet()]);
    mkdirSync(join(at.folder, 'poet'));
    writeFileSync(join(at.folder, 'poet/poet.env'), 'POET_PRIVATE_KEY=short\n');
    await refused(at, ['poet', 'serve'], 3, /not what the PoET service reads/);
  });

  it('makes no new key, and takes no other one, for a server that the list has', async () => {
    const at = await scene([await poet()]);
    expect(await at.run('poet', 'serve', '--use', '--port', '18080')).toMatchObject({ code: 0 });
    const file = join(at.folder, 'poet/poet.env');
    const own = readFileSync(file, 'utf8');
    const again = await at.run('poet', 'serve');
    expect(again.stderr).toContain('It stands in poet.servers');
    expect(again.stderr).not.toContain('does not use it yet');
    rmSync(file);
    await refused(at, ['poet', 'serve'], 5, /poet\.env is not there: with another key it is another server/);
    await refused(at, ['poet', 'serve', '--use'], 5, /Put its file back from your copy/);
    writeFileSync(file, keyFile().content);
    await refused(at, ['poet', 'serve'], 5, /poet\.env has the public key/);
    writeFileSync(file, own);
    expect(await at.run('poet', 'serve')).toMatchObject({ code: 0 });
    // What the refusal says to type where the file is lost.
    rmSync(file);
    expect(await at.run('poet', 'remove', 'http://poet:8080')).toMatchObject({ code: 0 });
    expect(await at.run('poet', 'serve')).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).not.toBe(own);
  });

  it('refuses what the section may not say, each at its line', async () => {
    const at = await scene([await poet()]);
    const file = join(at.folder, 'smesh.yaml');
    const before = at.yaml();
    const section = (text: string) =>
      writeFileSync(file, before.replace('identities:', `  serve: {${text}}\nidentities:`));
    for (const [text, says] of [
      ['port: 9092', /smesh\.yaml:10:\d+ .*9092 is taken by node\.ports\.publicApi already/],
      ['flags: [--genesis-time=x]', /smesh\.yaml:10:\d+ .*--genesis-time follows from the project/],
      ['flags: [pow]', /not of the form --name/],
      ['image: spacemeshos/poet:latest', /moves with every release/],
      ['publish: everywhere', /no IPv4 address/],
      ['data: node-data', /holds something else already/],
    ] as const) {
      section(text);
      await refused(at, ['poet', 'list'], 3, says);
    }
  });
});

describe('a private network', () => {
  it('has its PoET in the node: nothing can be added, removed or served beside it', async () => {
    const folder = tempFolder('poet');
    const { smesherId, path } = makePostDirectory(join(folder, 'a'), { network: 'standalone' });
    const key = Buffer.from(Array.from({ length: 64 }, (_, index) => index)).toString('base64');
    writeFileSync(
      join(folder, 'smesh.yaml'),
      `version: 1\nnetwork: {standalone: {genesisTime: '2023-12-24T00:00:00Z', poetPrivateKey: ${key}}}\ncoinbase: standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg\nidentities: [{id: '${smesherId}', name: post-0001, data: ${path}}]\n`,
    );
    const run = (...args: string[]) => runMain(['-C', folder, 'poet', ...args], clockAt(NOW));
    for (const args of [['add', 'http://x.example'], ['remove', 'http://x.example'], ['serve']]) {
      const refusal = await run(...args);
      expect(refusal).toMatchObject({ code: 5, stdout: '' });
      expect(refusal.stderr).toMatch(/PoET in its own process and takes exactly that one/);
    }
    expect(await run('check')).toMatchObject({ code: 0 });
    expect((await run('list')).stderr).toContain('inside the node');
  });
});
