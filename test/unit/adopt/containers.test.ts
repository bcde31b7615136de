import { describe, expect, it } from 'vitest';
import { tempFolder } from '../../helpers/temp.ts';
import { dockerRunFarm, mainnetConfig, modelOf, NODE, PROVER } from './support/farms.ts';
import { Host, leftOf } from './support/run-adopt.ts';

const psm = (services: readonly { name: string; id: string }[]) => ({
  network: { main: { origin_time: 1689321600, layer_duration: '5m', layers_per_epoch: 4032 } },
  node: {
    name: 'smh-node-01',
    endpoint: { ip_address: 'smh-node-01', node_listener_port: '9092', post_listener_port: '9094' },
    poet: { name: 'team24 late phase', phase_shift: '288h', cycle_gap: '24h', grace_period: '2h' },
    post: { service_parallel: 1 },
  },
  services: services.map(({ name, id }) => ({
    name,
    endpoint: { ip_address: name, metrics: `http://${name}:9100/status` },
    post: { id: Buffer.from(id, 'hex').toString('base64'), numunits: 4 },
  })),
});

describe('containers made by docker run', () => {
  it('of a Compose project are recreated under its name only: under another one they go first', async () => {
    const host = new Host(tempFolder('adopt'));
    dockerRunFarm(host);
    host.containers.splice(
      0,
      host.containers.length,
      ...host.containers.map((container) => ({
        ...container,
        project: 'farm',
        service: container.name === 'smh-node-01' ? 'node' : container.name,
      })),
    );
    const same = await host.adopt('own');
    expect(same.next).toMatchObject({ recreated: ['node', 'smh-post-01', 'smh-post-02'], first: [] });
    const other = await host.adopt('own', { name: 'other' });
    expect(other.next).toMatchObject({ recreated: [], first: ['node', 'smh-post-01', 'smh-post-02'] });
    expect(other.next.steps.join('\n')).toContain('docker rm smh-post-01 smh-post-02 smh-node-01');
  });

  it('are found on the engine, and their image is named by the digest that runs', async () => {
    const host = new Host(tempFolder('adopt'));
    const digest = `spacemeshos/post-service@sha256:${'ab'.repeat(32)}`;
    host.digests.set('sha256:prover', digest);
    const [first, second] = dockerRunFarm(host);
    host.container('portainer', {
      image: 'portainer:2',
      mounts: [host.bind('run/docker.sock', '/var/run/docker.sock')],
    });
    const report = await host.adopt('own');
    const project = modelOf(host, report, 'own');
    expect(project).toMatchObject({ name: 'own', defaults: { image: digest, nonces: 288, threads: 0 } });
    expect(project.identities).toMatchObject([
      { id: first?.smesherId, name: 'smh-post-01' },
      { id: second?.smesherId, name: 'smh-post-02' },
    ]);
    expect(leftOf(report)).toContain('smh-post-01 image: spacemeshos/post-service:latest');
    // Both address families are one port.
    expect(leftOf(report).filter((line) => line.includes('port: '))).toEqual([]);
    expect(report.next.first).toEqual(['smh-node-01', 'smh-post-01', 'smh-post-02']);
    const steps = report.next.steps.join('\n');
    expect(steps).toContain(
      'for a in 172.20.0.11:9100 172.20.0.12:9100; do curl -s http://$a/status; echo; done',
    );
    expect(steps).toContain('docker rm smh-post-01 smh-post-02 smh-node-01');
  });

  it('are found by the config of a scheduler that lists them; it has to be turned off', async () => {
    const host = new Host(tempFolder('adopt'));
    const [first, second] = dockerRunFarm(host);
    const listed = psm([
      { name: 'smh-post-01', id: first?.smesherId ?? '' },
      { name: 'smh-post-02', id: first?.smesherId ?? '' },
      { name: 'smh-post-03', id: second?.smesherId ?? '' },
    ]);
    const file = host.write('psm/config.json', listed);
    const report = await host.adopt('own', { sources: [file] });
    expect(report.identities).toMatchObject([{ id: first?.smesherId, name: 'smh-post-01' }]);
    expect(report.notTaken).toMatchObject([
      { service: 'smh-post-03', why: expect.stringContaining('no container of that name') },
      { service: 'smh-post-02', why: expect.stringContaining('the scheduler says') },
    ]);
    expect(report.text).toContain('schedule:\n  k2pow: 1\n');
    expect(modelOf(host, report, 'own').schedule.k2powSlots).toBe(1);
    expect(report.warnings).toEqual([expect.stringContaining('without a post-service among what was found')]);
    expect(report.next.steps.join('\n')).toContain(`Turn off ${file} for good`);
  });

  it('are read from the lines that start them, where none runs', async () => {
    const host = new Host(tempFolder('adopt'));
    host.write('s/config.json', mainnetConfig);
    const one = host.identity('mnt/p1', 's/node');
    const file = host.write(
      's/start.sh',
      `#!/bin/sh
docker network create spacemesh || true
docker run -d --name smh-node --net=spacemesh -v ${host.path('s')}:/cfg -v ./node:/data -p 7700:7700 \\
  ${NODE} -c /cfg/config.json -d /data
docker run -d --name=smh-post-1 --net spacemesh -v "${host.path('mnt/p1')}/:/root/post" --gpus all ${PROVER} \\
  --dir /root/post --address http://smh-node:9094 --threads 4
`,
    );
    const report = await host.adopt('own', { sources: [file] });
    expect(report.project).toMatchObject({ node: { data: host.path('s/node') } });
    expect(report.identities).toMatchObject([{ id: one.smesherId, name: 'smh-post-1' }]);
    expect(leftOf(report)).toContain('smh-post-1 gpus: all');
    expect(report.next.steps.join('\n')).toContain('No container was seen of smh-node, smh-post-1');
  });
});

describe('processes that a workflow or a script starts', () => {
  const dag = `
steps:
  - name: run post service diskE_post1
    command: bash
    script: |
      ../scripts/run_service.sh diskE_post1 --address=http://localhost:9094 --operator-address=127.0.0.1:10051 --dir ../post/diskE_post1 --threads 1 --nonces 16
  - name: run post service diskD_post1
    script: |
      ../scripts/run_service.sh diskD_post --address=http://localhost:9094 --operator-address=127.0.0.1:10052 --dir ../post/disk-d --threads 1 --nonces 16
    depends:
      - run post service diskE_post1
  - name: stop post service diskE_post1
    script: ../scripts/stop_service.sh diskE_post1
`;

  it('are adopted with the node that is named beside them', async () => {
    const host = new Host(tempFolder('adopt'));
    const one = host.identity('demo/post/diskE_post1', 'demo/node');
    const two = host.identity('demo/post/disk-d', 'demo/node');
    const file = host.write('demo/dagu/dags/proving.yaml', dag);
    const nodeConfig = host.write('demo/go-spacemesh/config.json', mainnetConfig);
    await expect(host.adopt('own', { sources: [file] })).rejects.toMatchObject({
      code: 'no-node',
      exitCode: 3,
    });
    const report = await host.adopt('own', { sources: [file], nodeConfig, nodeData: host.path('demo/node') });
    expect(report.identities).toMatchObject([
      { id: one.smesherId, name: 'post-0001', data: host.path('demo/post/diskE_post1') },
      { id: two.smesherId, name: 'disk-d', data: host.path('demo/post/disk-d') },
    ]);
    expect(modelOf(host, report, 'own').defaults).toMatchObject({ nonces: 16, threads: 1, image: PROVER });
    expect(leftOf(report)).toContain(`${file} depends: ["run post service diskE_post1"]`);
    expect(report.next.steps.join('\n')).toContain('end these processes');
  });
});
