import { chownSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { proverNetworkFlags } from '../../src/domain/node/config.ts';
import { goldenAtx, poetPublicKey, standaloneNetwork } from '../../src/domain/node/networks.ts';
import { requireProject } from '../../src/domain/project/parse.ts';
import { keyFilesIn, makeIdentity, makePoetKey } from '../helpers/keys.ts';
import { runCli } from '../helpers/run-cli.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { docker, freePorts, NODE_IMAGE, OWNER, PROVER_IMAGE, writePostData } from './support/project.ts';

const folder = suiteTempFolder('adopt');
const name = `smt-adopt-${process.pid}`;
const flat = (text: string) => text.replace(/\s+/g, ' ');

/** A farm as people write them: other names, other mounts, other ports, and things beside. */
class HandMadeFarm {
  readonly place = join(folder, 'farm');
  readonly poetKey = makePoetKey();
  readonly genesis = new Date(Math.ceil(Date.now() / 1000 + 5) * 1000).toISOString().replace('.000', '');
  readonly identities = ['post-a', 'Post_B'].map((service) => {
    const disk = join(folder, `disk-${service}`);
    return {
      ...makeIdentity(),
      name: service,
      disk,
      data: join(disk, 'post'),
      keyName: `${service}-mine.key`,
    };
  });
  ports: readonly number[] = [];

  get network() {
    return standaloneNetwork({
      genesisTime: this.genesis,
      poetPrivateKey: this.poetKey,
      layerSeconds: 60,
      layersPerEpoch: 20,
    });
  }

  async write(): Promise<void> {
    this.ports = await freePorts(3);
    const [p2p, publicApi, privateApi] = this.ports;
    const keys = join(this.place, 'spacemesh/identities');
    mkdirSync(keys, { recursive: true, mode: 0o700 });
    for (const identity of this.identities) {
      writePostData(identity, goldenAtx(this.network));
      writeFileSync(join(keys, identity.keyName), identity.keyFile, { mode: 0o600 });
      chownSync(join(keys, identity.keyName), OWNER.uid, OWNER.gid);
    }
    for (const path of [keys, join(this.place, 'spacemesh')]) chownSync(path, OWNER.uid, OWNER.gid);
    writeFileSync(join(this.place, 'config.json'), JSON.stringify(this.#config(p2p ?? 0)));
    const flags = proverNetworkFlags(this.network);
    const prover = (service: string, port: number) => ({
      image: PROVER_IMAGE,
      user: '1000:1000',
      init: true,
      restart: 'always',
      depends_on: ['node'],
      volumes: [`../disk-${service}:/data:ro`],
      command: [
        ...['--dir', '/data/post', '--address', 'http://node:9094', `--operator-address=0.0.0.0:${port}`],
        ...[
          '--threads',
          '1',
          '--nonces',
          service === 'post-a' ? '16' : '32',
          '--randomx-mode',
          'light',
          ...flags,
        ],
      ],
    });
    const services = {
      node: {
        image: NODE_IMAGE,
        user: '1000:1000',
        command: '--config /etc/spacemesh/config.json --data-folder /var/spacemesh',
        environment: { POET_PRIVATE_KEY: this.poetKey, TZ: 'Europe/Berlin' },
        restart: 'always',
        ports: [`${p2p}:${p2p}`, `127.0.0.1:${publicApi}:9092`, `127.0.0.1:${privateApi}:9093`],
        volumes: ['./config.json:/etc/spacemesh/config.json:ro', './spacemesh:/var/spacemesh'],
      },
      'post-a': prover('post-a', 50060),
      Post_B: prover('Post_B', 50061),
      board: { image: NODE_IMAGE, entrypoint: ['sleep', '600'], init: true },
    };
    writeFileSync(join(this.place, 'compose.yaml'), stringify({ name, services }));
  }

  #config(p2p: number) {
    return {
      preset: 'standalone',
      genesis: { 'genesis-time': this.genesis },
      Main: {
        'layer-duration': '60s',
        'layers-per-epoch': 20,
        'poet-servers': [{ address: 'http://127.0.0.1:10010', pubkey: poetPublicKey(this.poetKey) }],
      },
      poet: { 'phase-shift': '10m', 'cycle-gap': '1m' },
      smeshing: {
        'smeshing-start': false,
        'smeshing-coinbase': 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg',
      },
      api: {
        'grpc-public-listener': '0.0.0.0:9092',
        'grpc-private-listener': '0.0.0.0:9093',
        'grpc-post-listener': '0.0.0.0:9094',
      },
      p2p: { listen: `/ip4/0.0.0.0/tcp/${p2p}`, 'min-peers': 0 },
      logging: { grpc: 'WARN' },
    };
  }

  compose(...args: string[]): Promise<string> {
    return docker('compose', '-f', join(this.place, 'compose.yaml'), ...args);
  }

  /** What must not change while nothing is to be touched. */
  async lives(): Promise<string> {
    const ids = await docker(
      'ps',
      '-aq',
      '--no-trunc',
      '--filter',
      `label=com.docker.compose.project=${name}`,
    );
    return docker(
      'inspect',
      '--format',
      '{{.Name}} {{.Id}} {{.State.StartedAt}} {{.RestartCount}}',
      ...ids.split('\n'),
    );
  }
}

describe('adopt: a hand-written Compose project that runs', () => {
  const farm = new HandMadeFarm();
  const own = join(folder, 'own');
  let before = '';

  beforeAll(async () => {
    await farm.write();
    await farm.compose('up', '-d');
    before = await farm.lives();
  });

  afterAll(async () => {
    const ids = await docker('ps', '-aq', '--filter', `label=com.docker.compose.project=${name}`);
    if (ids !== '') await docker('rm', '-f', ...ids.split('\n'));
    await docker('network', 'rm', `${name}_default`).catch(() => '');
  });

  it('says in smesh.yaml what runs, lists the rest, and touches nothing', async () => {
    const compose = readFileSync(join(farm.place, 'compose.yaml'), 'utf8');
    const dry = await runCli(['adopt', '--dry-run'], { cwd: farm.place });
    expect(dry, dry.stderr).toMatchObject({ code: 0 });
    expect(readdirSync(farm.place).sort()).toEqual(['compose.yaml', 'config.json', 'spacemesh']);
    const run = await runCli(['adopt', '--json'], { cwd: farm.place });
    expect(run, run.stderr).toMatchObject({ code: 0 });
    const report = JSON.parse(run.stdout);
    const text = readFileSync(join(farm.place, 'smesh.yaml'), 'utf8');
    const { project } = requireProject(text, { directory: farm.place });
    const [p2p, publicApi, privateApi] = farm.ports;
    expect(project).toMatchObject({
      name,
      network: { name: 'standalone', genesisTime: farm.genesis, layerSeconds: 60, layersPerEpoch: 20 },
      node: {
        image: NODE_IMAGE,
        data: join(farm.place, 'spacemesh'),
        user: '1000:1000',
        ports: { p2p, publicApi, privateApi },
        config: { p2p: { 'min-peers': 0 }, logging: { grpc: 'WARN' } },
      },
      poet: { phaseShift: 600, cycleGap: 60 },
      defaults: { image: PROVER_IMAGE, randomx: 'light', threads: 1 },
    });
    const [first, second] = farm.identities;
    expect(project.identities).toMatchObject([
      { id: first?.smesherId, name: 'post-a', data: first?.data, nonces: 16, threads: 1 },
      { id: second?.smesherId, name: 'post-0001', data: second?.data, nonces: 32, threads: 1 },
    ]);
    expect(report.notExpressible).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ service: 'node', key: 'environment TZ', value: 'Europe/Berlin' }),
        expect.objectContaining({ service: 'node', key: 'restart', value: 'always' }),
        expect.objectContaining({ service: 'post-a', key: 'depends_on' }),
        expect.objectContaining({ service: 'post-a', key: '--operator-address', value: '0.0.0.0:50060' }),
        expect.objectContaining({ service: 'Post_B', key: 'name' }),
      ]),
    );
    expect(report.notTaken).toEqual([expect.objectContaining({ service: 'board' })]);
    expect(report.warnings).toEqual([]);
    expect(report.next).toMatchObject({ recreated: ['node', 'post-a'], first: ['Post_B'] });
    expect(run.stdout).not.toContain(farm.poetKey);
    expect(readFileSync(join(farm.place, 'compose.yaml'), 'utf8')).toBe(compose);
    expect(await farm.lives()).toBe(before);
  });

  it('again changes nothing, and generate does not overwrite what is hand-written', async () => {
    const again = await runCli(['adopt', '--json'], { cwd: farm.place });
    expect(JSON.parse(again.stdout)).toMatchObject({ written: false, changed: false });
    const refused = await runCli(['generate'], { cwd: farm.place });
    expect(refused.code, refused.stderr).toBe(5);
    expect(flat(refused.stderr)).toContain("compose.yaml is not of smesh-compose's making");
  });

  it('goes on in a folder of its own; up refuses while somebody has an identity under another name', async () => {
    mkdirSync(own);
    renameSync(join(farm.place, 'smesh.yaml'), join(own, 'smesh.yaml'));
    expect(await runCli(['generate'], { cwd: own })).toMatchObject({ code: 0 });
    expect((await runCli(['generate', '--check'], { cwd: own })).code).toBe(0);
    expect(keyFilesIn(join(farm.place, 'spacemesh/identities'))).toEqual(
      farm.identities.map(({ keyName }) => keyName).sort(),
    );
    const plan = await runCli(['plan'], { cwd: own });
    expect(plan.code, plan.stdout).toBe(5);
    expect(flat(plan.stdout)).toMatch(/node .*post-a/);
    expect(flat(plan.stderr)).toContain(`docker stop ${name}-Post_B-1 && docker rm ${name}-Post_B-1`);
    expect((await runCli(['up', '--force'], { cwd: own })).code).toBe(5);
    const keys = await runCli(['keys', '--json'], { cwd: own });
    expect(JSON.parse(keys.stdout).identities, keys.stdout).toMatchObject([
      { name: 'post-a', verdict: 'clean' },
      { name: 'post-0001', verdict: 'twice' },
    ]);
    expect(await farm.lives()).toBe(before);
  });

  it('moves over once that one is gone: the same node data, each identity served once', async () => {
    await docker('rm', '-f', `${name}-Post_B-1`);
    const up = await runCli(['up', '--force'], { cwd: own, timeout: 120_000 });
    expect(up.code, up.stderr + up.stdout).toBe(0);
    const services = await docker(
      ...['ps', '--filter', `label=com.docker.compose.project=${name}`],
      ...['--format', '{{.Label "com.docker.compose.service"}}'],
    );
    expect(services.split('\n').sort()).toEqual(['board', 'node', 'post-0001', 'post-a']);
    expect(parse(readFileSync(join(own, 'compose.yaml'), 'utf8')).name).toBe(name);
  });
});
