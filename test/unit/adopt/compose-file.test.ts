import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { tempFolder } from '../../helpers/temp.ts';
import { mainnetConfig, modelOf, NODE, PROVER } from './support/farms.ts';
import { COINBASE, Host, leftOf } from './support/run-adopt.ts';

/** Node and provers in one Compose file of the usual kind: short forms, anchors, variables, one directory per disk. */
function composeFarm(host: Host): void {
  host.write('farm/.env', `NONCES=288\nDISKS=${host.path('mnt')}\n`);
  host.write('farm/node/config.json', mainnetConfig);
  host.write(
    'farm/docker-compose.yml',
    `
x-prover: &prover
  image: ${PROVER}
  restart: unless-stopped
  networks: {spacenet: {ipv4_address: 172.18.0.10}}
services:
  smh-node:
    image: ${NODE}
    command: -c /cfg/config.json --data-folder=/data --listen /ip4/0.0.0.0/tcp/7600 --smeshing-start=false
    volumes: [./node:/cfg:ro, ./data:/data, certs:/certs]
    ports: ["7600:7600", "9092:9092", "127.0.0.1:9193:9093", "9094:9094"]
    environment: [TZ=UTC]
  post-a:
    <<: *prover
    command: --dir /post --address http://smh-node:9094 --threads 2 --nonces \${NONCES} --operator-address 0.0.0.0:50051
    volumes: ["\${DISKS}/d1:/post"]
    mem_limit: 4g
  post-b:
    <<: *prover
    command: ["--dir", "/disk/post", "--address=http://smh-node:9094", "--threads=2", "--nonces", "288", "--max-retries", "9"]
    volumes: ["\${DISKS:-/none}/d2:/disk:ro"]
    environment: {RUST_LOG: warn, SECRET_TOKEN: abc}
  post-c:
    <<: *prover
    entrypoint: ["sh", "-c", "exec post-service --dir /post --address http://smh-node:9094 --pinned-cores 0,1 --remote-k2pow http://pow:3000 --remote-k2pow-parallelism 8"]
    volumes: ["\${DISKS}/d3:/post"]
    privileged: true
`,
  );
}

describe('a hand-written Compose file, without Docker', () => {
  it('becomes the same model, and the rest is listed', async () => {
    const host = new Host(tempFolder('adopt'));
    host.hasEngine = false;
    composeFarm(host);
    const ids = ['d1', 'd2/post', 'd3'].map((data) => host.identity(`mnt/${data}`, 'farm/data').smesherId);
    const report = await host.adopt('farm');
    const project = modelOf(host, report, 'farm');
    expect(project).toMatchObject({
      name: 'farm',
      network: { name: 'mainnet' },
      coinbase: COINBASE,
      node: {
        image: NODE,
        data: host.path('farm/data'),
        ports: { p2p: 7600, publicApi: 9092, privateApi: 9193 },
        config: { main: { metrics: true } },
      },
      poet: {
        servers: [
          {
            address: 'https://mainnet-poet-0.spacemesh.network',
            pubkey: 'cFnqCS5oER7GOX576oPtahlxB/1y95aDibdK7RHQFVg=',
          },
        ],
        phaseShift: 288 * 3600,
        cycleGap: 24 * 3600,
        gracePeriod: 2 * 3600,
      },
    });
    expect(project.identities).toMatchObject([
      { id: ids[0], name: 'post-a', data: host.path('mnt/d1'), nonces: 288, threads: 2, memory: '4g' },
      { id: ids[1], name: 'post-b', data: host.path('mnt/d2/post'), nonces: 288, threads: 2 },
      {
        ...{ id: ids[2], name: 'post-c', data: host.path('mnt/d3'), nonces: 128, pinnedCores: [0, 1] },
        remoteK2pow: { url: 'http://pow:3000', parallelism: 8 },
      },
    ]);
    expect(leftOf(report)).toEqual([
      'post-a networks: {"spacenet":{"ipv4_address":"172.18.0.10"}}',
      'post-b --max-retries: 9',
      'post-b environment RUST_LOG: warn',
      'post-b environment SECRET_TOKEN: (not shown)',
      'post-b networks: {"spacenet":{"ipv4_address":"172.18.0.10"}}',
      'post-c networks: {"spacenet":{"ipv4_address":"172.18.0.10"}}',
      'post-c privileged: true',
      'smh-node environment TZ: UTC',
      'smh-node port: 0.0.0.0:9092:9092',
      'smh-node port: 9094:9094',
      'smh-node smeshing.smeshing-opts: {"smeshing-opts-numunits":4}',
      'smh-node volume: certs:/certs',
    ]);
    expect(report.warnings).toEqual([]);
    expect(report.next).toMatchObject({ recreated: [], first: ['smh-node', 'post-a', 'post-b', 'post-c'] });
    expect(report.next.steps.join('\n')).toContain('docker-compose.yml, node/config.json are yours');
    expect(report.notes.join(' ')).toContain('Compose is not here');
  });

  it('takes only who connects to the named node, where there are two', async () => {
    const host = new Host(tempFolder('adopt'));
    host.hasEngine = false;
    const node = (data: string) => ({
      image: NODE,
      command: ['-c', '/c.json', '-d', '/data'],
      volumes: ['./c.json:/c.json', `./${data}:/data`],
    });
    const prover = (disk: string, to: string) => ({
      image: PROVER,
      command: `--dir /post --threads 1 --address http://${to}:9094`,
      volumes: [`./${disk}:/post`],
    });
    host.write('farm/c.json', mainnetConfig);
    host.write('farm/compose.yml', {
      services: {
        early: node('e'),
        late: node('l'),
        'post-1': prover('d1', 'early'),
        'post-2': prover('d2', 'late'),
      },
    });
    host.identity('farm/d1', 'farm/e');
    const second = host.identity('farm/d2', 'farm/l');
    await expect(host.adopt('farm')).rejects.toMatchObject({ code: 'several-nodes', exitCode: 2 });
    const report = await host.adopt('farm', { node: 'late', name: 'late-farm' });
    expect(report.identities).toMatchObject([{ id: second.smesherId, name: 'post-2' }]);
    expect(report.project).toMatchObject({ name: 'late-farm', node: { data: host.path('farm/l') } });
    expect(report.notTaken.map(({ service }) => service)).toEqual(['post-1', 'early']);
  });

  it('keeps the name that Compose gives the project, in another folder, too', async () => {
    const host = new Host(tempFolder('adopt'));
    host.hasEngine = false;
    composeFarm(host);
    host.identity('mnt/d1', 'farm/data');
    const options = { sources: [host.path('farm')] };
    expect((await host.adopt('elsewhere', options)).project).toMatchObject({ name: 'farm' });
    host.write('farm/.env', `COMPOSE_PROJECT_NAME=mine\nNONCES=288\nDISKS=${host.path('mnt')}\n`);
    const report = await host.adopt('elsewhere', options);
    expect(report.project).toMatchObject({ name: 'mine' });
    expect(report.notes.join(' ')).toContain('Docker could not be asked what of');
    expect(report.next.steps.at(-1)).toBe(
      `     mv ${host.path('farm/docker-compose.yml')} ${host.path('farm/docker-compose.yml')}.before-smesh`,
    );
  });

  it('is not what this tool made itself', async () => {
    const host = new Host(tempFolder('adopt'));
    const own = host.write(
      'own/compose.yaml',
      '# Generated by smesh-compose 0.1.0\nservices: {node: {image: a}}\n',
    );
    await expect(host.adopt('own', { sources: [own] })).rejects.toMatchObject({ code: 'nothing-to-adopt' });
  });

  it('names the fault of a file that is none', async () => {
    const host = new Host(tempFolder('adopt'));
    host.write('farm/compose.yaml', 'services: [');
    await expect(host.adopt('farm')).rejects.toMatchObject({ exitCode: 3, code: 'bad-compose-file' });
    await expect(host.adopt('farm', { sources: [host.write('notes.txt', 'hello\n')] })).rejects.toMatchObject(
      {
        exitCode: 3,
        code: 'nothing-to-adopt',
      },
    );
    // Named by itself a broken one is no wrong file, but one with a fault at a line.
    const broken = host.write('prod.yaml', 'services:\n  node: {image: a\n');
    await expect(host.adopt('farm', { sources: [broken] })).rejects.toMatchObject({
      exitCode: 3,
      code: 'bad-compose-file',
      message: expect.stringMatching(/prod\.yaml: .* line \d/),
    });
    // It would be read for ever.
    execFileSync('mkfifo', [host.path('pipe')]);
    await expect(host.adopt('farm', { sources: [host.path('pipe')] })).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining('neither a file nor a folder'),
    });
    await expect(host.adopt('farm', { sources: ['nobody'] })).rejects.toMatchObject({ exitCode: 3 });
  });
});

describe('programs in images of somebody else', () => {
  it('are run by the official ones, and said', async () => {
    const host = new Host(tempFolder('adopt'));
    host.hasEngine = false;
    host.write('farm/config.json', mainnetConfig);
    const service = (extra: object) => ({ volumes: ['./d1:/app/post_data'], privileged: true, ...extra });
    host.write('farm/compose.yaml', {
      services: {
        'go-spacemesh': {
          build: './node',
          command: ['go-spacemesh', '-c', '/c.json', '-d', '/data'],
          volumes: ['./config.json:/c.json', './data:/data'],
        },
        'post-1': service({
          image: 'lushdog/spacemesh-service:v1.2',
          environment: { THREADS: 8, NONCES: 288 },
          command: [
            'sh',
            '-c',
            './service --dir=/app/post_data --address=http://go-spacemesh:9094 --threads=$$THREADS --nonces=$$NONCES',
          ],
        }),
        'post-2': service({
          image: PROVER,
          command: '--dir ./post-data --address http://go-spacemesh:9094 --threads 1',
        }),
      },
    });
    const one = host.identity('farm/d1', 'farm/data');
    const report = await host.adopt('farm');
    expect(modelOf(host, report, 'farm')).toMatchObject({
      node: { image: NODE },
      identities: [{ id: one.smesherId, name: 'post-1', image: PROVER, nonces: 288, threads: 8 }],
    });
    expect(leftOf(report)).toEqual(
      expect.arrayContaining([
        'go-spacemesh build: ./node',
        'go-spacemesh image: go-spacemesh (built here)',
        'post-1 image: lushdog/spacemesh-service:v1.2',
        'post-1 privileged: true',
      ]),
    );
    expect(report.notTaken).toMatchObject([
      { service: 'post-2', why: expect.stringContaining('./post-data is no folder of the host') },
    ]);
  });
});
