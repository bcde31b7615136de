import { describe, expect, it } from 'vitest';
import { makePostDirectory } from '../../helpers/post-data.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { dockerRunFarm, mainnetConfig, modelOf, NODE, PROVER } from './support/farms.ts';
import { Host } from './support/run-adopt.ts';

describe('what cannot be adopted', () => {
  async function fault(config: object, changes: { keyName?: string; env?: Record<string, string> } = {}) {
    const host = new Host(tempFolder('adopt'));
    host.write('c.json', config);
    host.identity('d1', 'data', changes.keyName);
    host.container('n', {
      image: NODE,
      command: ['go-spacemesh', '-c', '/c.json', '-d', '/data'],
      mounts: [host.bind('c.json', '/c.json'), host.bind('data', '/data')],
    });
    host.container('p', {
      image: PROVER,
      command: ['post-service', '--dir', '/p', '--address', 'http://n:9094'],
      mounts: [host.bind('d1', '/p')],
    });
    return host.adopt('own').then(
      () => 'adopted',
      (error) => `${error.exitCode} ${error.message} ${error.details.join(' ')}`,
    );
  }
  const smeshing = mainnetConfig.smeshing;

  it.each([
    [
      'a node that smeshes by itself',
      { ...mainnetConfig, smeshing: { ...smeshing, 'smeshing-start': true } },
      /^3 .*smeshing-start/,
    ],
    ['no coinbase', { ...mainnetConfig, smeshing: {} }, /^3 .*--coinbase/],
    ['another network', { ...mainnetConfig, preset: 'fastnet' }, /^3 .*preset fastnet/],
    [
      'a network of its own',
      { ...mainnetConfig, Genesis: { 'Genesis-Time': '2024-01-01T00:00:00Z' } },
      /^3 .*genesis-time/,
    ],
    ['other parameters of proofs', { ...mainnetConfig, post: { 'post-k1': 12 } }, /^3 .*post-k1 12/],
    [
      'a PoET without a key',
      { ...mainnetConfig, main: { 'poet-servers': [{ address: 'https://poet.example' }] } },
      /^3 .*poet.example has no pubkey/,
    ],
    [
      'a coinbase of another network',
      {
        ...mainnetConfig,
        smeshing: { 'smeshing-coinbase': 'stest1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqql50dsa' },
      },
      /^3 .*testnet/,
    ],
    ['no JSON', 'nothing' as unknown as object, /^3 .*no JSON/],
  ])('%s: said, exit 3', async (_, config, message) => {
    expect(await fault(config)).toMatch(message);
  });

  it('a supervised node: its only key is local.key', async () => {
    expect(await fault(mainnetConfig, { keyName: 'local.key' })).toMatch(/^3 .*local\.key/);
    expect(await fault(mainnetConfig)).toBe('adopted');
  });

  it('one identity in two directories: exit 5; a second adoption with another one: exit 5', async () => {
    const host = new Host(tempFolder('adopt'));
    const [first] = dockerRunFarm(host);
    if (first !== undefined) makePostDirectory(host.path('mnt/copy'), { identity: first, key: 'none' });
    const ofFirst = host.containers.find(({ name }) => name === 'smh-post-01');
    host.container('smh-copy', {
      ...ofFirst,
      id: 'id-copy',
      name: 'smh-copy',
      mounts: [host.bind('mnt/copy', '/root/post')],
    });
    await expect(host.adopt('own')).rejects.toMatchObject({ code: 'identity-twice', exitCode: 5 });
    const without = await host.adopt('own', { sources: ['smh-node-01', 'smh-post-01'] });
    host.write('own/smesh.yaml', without.text);
    const second = await host.adopt('own', { sources: ['smh-node-01', 'smh-post-01', 'smh-post-02'] });
    expect(second.identities.map(({ name }) => name)).toEqual(['smh-post-01', 'smh-post-02']);
    expect(modelOf(host, second, 'own').identities).toHaveLength(2);
    expect(second.text.startsWith(without.text.trimEnd())).toBe(true);
    await expect(host.adopt('own', { sources: ['smh-node-01', 'smh-copy'] })).rejects.toMatchObject({
      code: 'identity-twice',
      exitCode: 5,
    });
    host.write('own/smesh.yaml', without.text.replace(host.path('node-01/data'), host.path('elsewhere')));
    await expect(host.adopt('own')).rejects.toMatchObject({ code: 'identity-twice' });
    await expect(host.adopt('own', { sources: ['smh-node-01', 'smh-post-01'] })).rejects.toMatchObject({
      code: 'another-node',
      exitCode: 5,
    });
  });

  it('post-services for the node of a project that is there already are added to it', async () => {
    const host = new Host(tempFolder('adopt'));
    const [, second] = dockerRunFarm(host);
    const first = await host.adopt('own', { sources: ['smh-node-01', 'smh-post-01'] });
    host.write('own/smesh.yaml', first.text);
    const added = await host.adopt('own', { sources: ['smh-post-02'] });
    expect(modelOf(host, added, 'own').identities).toMatchObject([
      { name: 'smh-post-01' },
      { id: second?.smesherId, name: 'smh-post-02', nonces: 288 },
    ]);
    expect(added.next.first).toEqual(['smh-post-02']);
    host.containers.length = 0;
    await expect(host.adopt('own')).rejects.toMatchObject({ code: 'nothing-to-adopt', exitCode: 3 });
  });

  it('data that may not be read: said, with sudo', async () => {
    const host = new Host(tempFolder('adopt'));
    dockerRunFarm(host);
    host.closed = 'mnt/post-01';
    const report = await host.adopt('own');
    expect(report.notTaken).toMatchObject([{ service: 'smh-post-01', why: expect.stringContaining('sudo') }]);
    expect(report.identities).toHaveLength(1);
  });

  it('a key that the node does not have is warned of', async () => {
    const host = new Host(tempFolder('adopt'));
    dockerRunFarm(host);
    host.identity('mnt/post-03', undefined);
    const ofFirst = host.containers.find(({ name }) => name === 'smh-post-01');
    host.container('smh-post-03', {
      ...ofFirst,
      id: 'id-3',
      name: 'smh-post-03',
      mounts: [host.bind('mnt/post-03', '/root/post')],
    });
    const report = await host.adopt('own');
    expect(report.warnings).toEqual([expect.stringMatching(/smh-post-03 .*has no key for it/)]);
  });
});
