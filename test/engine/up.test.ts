import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNodeApi } from '../../src/adapters/node-api/index.ts';
import { keyFilesIn } from '../helpers/keys.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { docker, NODE_IMAGE, OWNER, TestProject } from './support/project.ts';

const folder = suiteTempFolder('up');
const otherNodeImage = `smt-up-node-${process.pid}:v1.7.6`;
let project: TestProject;

beforeAll(async () => {
  project = await TestProject.make(folder, 3);
});

afterAll(async () => {
  await project.cleanUp();
  await docker('rmi', otherNodeImage).catch(() => {});
});

/** IDs that the node smeshes with: what it has read at its start. */
async function smesherIds(): Promise<readonly string[]> {
  const { publicApi, privateApi } = project.ports;
  const endpoint = { publicApi: `127.0.0.1:${publicApi}`, privateApi: `127.0.0.1:${privateApi}` };
  const { smesherIds } = await createNodeApi().snapshot(endpoint, { timeoutMs: 5000, withoutEvents: true });
  return smesherIds.ok ? smesherIds.value : [];
}

/** Only the node has another life than before, and the services named are new. */
function expectOnlyNodeChanged(
  before: Record<string, string>,
  after: Record<string, string>,
  added: readonly string[] = [],
): void {
  for (const [service, life] of Object.entries(before)) {
    if (service === 'node') expect(after[service], service).not.toBe(life);
    else expect(after[service], service).toBe(life);
  }
  expect(Object.keys(after).sort()).toEqual([...Object.keys(before), ...added].sort());
}

async function waitHealthy(service: string): Promise<void> {
  for (let tries = 0; tries < 120; tries += 1) {
    const id = await project.containerOf(service);
    const health = id === '' ? '' : await docker('inspect', '--format', '{{.State.Health.Status}}', id);
    if (health === 'healthy') return;
    await sleep(250);
  }
  throw new Error(`${service} did not become healthy`);
}

describe('up', () => {
  it('S44: a dry run shows the plan and makes nothing', async () => {
    const run = await project.smesh(['up', '--dry-run']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toContain('First start of the node and 3 post-services');
    expect(await project.containerIds()).toEqual([]);
    expect(existsSync(join(folder, 'compose.yaml'))).toBe(false);
    expect(existsSync(join(folder, 'node-data/identities'))).toBe(false);
  });

  it('S1, S18: starts node and provers; keys are there before the node, no local.key appears', async () => {
    const run = await project.smesh(['up', '--json']);
    expect(run.code, run.stderr).toBe(0);
    const answer = JSON.parse(run.stdout);
    expect(answer).toMatchObject({ schemaVersion: 1, timedOut: false });
    expect(answer.services).toHaveLength(4);
    for (const service of answer.services) expect(service.state, service.service).toBe('healthy');
    const provers = answer.services.filter((one: { role: string }) => one.role === 'prover');
    expect(provers.every((one: { connected: boolean }) => one.connected)).toBe(true);
    expect(keyFilesIn(join(folder, 'node-data/identities'))).toEqual([
      'post-0001.key',
      'post-0002.key',
      'post-0003.key',
    ]);
    expect((await smesherIds()).length).toBe(3);
  });

  it('S44: a second up changes nothing, and plan --check says so', async () => {
    const before = await project.lives();
    const files = statSync(join(folder, 'compose.yaml')).mtimeMs;
    const run = await project.smesh(['up']);
    expect(run.code, run.stderr).toBe(0);
    expect(await project.lives()).toEqual(before);
    expect(statSync(join(folder, 'compose.yaml')).mtimeMs).toBe(files);
    expect((await project.smesh(['plan', '--check'])).code).toBe(0);
  });

  it('runs without root, without capabilities, read-only, and reads 0600 files', async () => {
    for (const service of ['node', 'post-0001']) {
      const id = await project.containerOf(service);
      const [inspected] = JSON.parse(await docker('inspect', id));
      expect(inspected.Config.User).toBe(`${OWNER.uid}:${OWNER.gid}`);
      expect(inspected.HostConfig).toMatchObject({
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        Privileged: false,
      });
      expect(inspected.HostConfig.SecurityOpt).toContain('no-new-privileges:true');
      const status = await docker('exec', id, 'cat', '/proc/1/status');
      expect(status).toMatch(new RegExp(`^Uid:\\s+${OWNER.uid}\\s+${OWNER.uid}`, 'm'));
      expect(status).toMatch(/^CapEff:\s+0+$/m);
      expect(status).toMatch(/^CapBnd:\s+0+$/m);
      expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
      await expect(docker('exec', id, 'bash', '-c', 'echo x > /etc/x')).rejects.toThrow(/Read-only/);
    }
    const prover = await project.containerOf('post-0001');
    const file = join(project.identities[0]?.data ?? '', 'postdata_0.bin');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await docker(
      'exec',
      prover,
      'bash',
      '-c',
      ': < /post/postdata_0.bin && : < /post/postdata_metadata.json',
    );
    await expect(docker('exec', prover, 'bash', '-c', ': > /post/x')).rejects.toThrow(/Read-only/);
    const bound = await docker('port', await project.containerOf('node'));
    expect(bound).toContain(`9093/tcp -> 127.0.0.1:${project.ports.privateApi}`);
    expect(bound).not.toContain('9094/tcp');
  });

  it('S17: identity N+1 by up: the node and only the node is recreated, and knows the new ID', async () => {
    const before = await project.lives();
    const added = project.addIdentity();
    project.write();
    const plan = await project.smesh(['plan']);
    expect(plan.code, plan.stderr).toBe(0);
    expect(plan.stdout).toMatch(/1 identity added, so:/);
    expect(plan.stdout).toMatch(/~ recreate +node +its set of keys has changed/);
    expect(plan.stdout.replace(/\s+/g, ' ')).toContain('no proof is lost');
    expect(plan.stdout).toMatch(/= keep +3 services/);
    const run = await project.smesh(['up']);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expectOnlyNodeChanged(before, await project.lives(), [added.name]);
    expect(await smesherIds()).toContain(added.smesherId);
  });

  it('S17: identity N+2 by generate and plain docker compose up -d: the same', async () => {
    const before = await project.lives();
    const added = project.addIdentity();
    project.write();
    expect((await project.smesh(['generate'])).code).toBe(0);
    await project.compose('up', '-d');
    expectOnlyNodeChanged(before, await project.lives(), [added.name]);
    await waitHealthy('node');
    expect(await smesherIds()).toContain(added.smesherId);
    await waitHealthy(added.name);
    const after = await project.lives();
    expect((await project.smesh(['up'])).code).toBe(0);
    expect(await project.lives()).toEqual(after);
  });

  it('a changed node configuration and a new node image recreate the node and nothing else', async () => {
    let before = await project.lives();
    project.set({ nodeConfig: { p2p: { 'min-peers': 0 } } });
    expect((await project.smesh(['plan'])).stdout).toContain('node/config.json has changed');
    const changed = await project.smesh(['up']);
    expect(changed.code, changed.stderr).toBe(0);
    expectOnlyNodeChanged(before, await project.lives());

    await docker('tag', NODE_IMAGE, otherNodeImage);
    before = await project.lives();
    project.set({ nodeImage: otherNodeImage });
    expect((await project.smesh(['plan'])).stdout).toContain(`image ${NODE_IMAGE} → ${otherNodeImage}`);
    expect((await project.smesh(['generate'])).code).toBe(0);
    await project.compose('up', '-d');
    expectOnlyNodeChanged(before, await project.lives());
  });

  it('mixes with plain Compose: what that stopped is started, not recreated', async () => {
    await waitHealthy('node');
    await project.compose('stop', 'post-0002');
    const before = await project.lives();
    const run = await project.smesh(['up', 'post-0002']);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    const after = await project.lives();
    expect(after['post-0002']?.split(' ')[0]).toBe(before['post-0002']?.split(' ')[0]);
    expect(after['post-0002']).toContain('running');
    for (const service of ['node', 'post-0001', 'post-0003']) expect(after[service]).toBe(before[service]);
    expect(await project.compose('ps', '--services')).toContain('post-0002');
  });

  it('starts what a killed command had recreated but not started', async () => {
    const id = await project.containerOf('post-0003');
    await project.compose('create', '--force-recreate', 'post-0003');
    expect(await project.containerOf('post-0003')).not.toBe(id);
    expect((await project.lives())['post-0003']).toContain('created');
    const pending = join(folder, '.smesh/pending-starts.json');
    writeFileSync(pending, JSON.stringify({ version: 1, project: project.name, services: ['post-0003'] }));
    const run = await project.smesh(['up']);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect((await project.lives())['post-0003']).toContain('running');
    expect(existsSync(pending)).toBe(false);
  });

  it('a removed identity: its prover goes once that is safe, plain Compose would leave an orphan', async () => {
    const gone = project.identities.pop();
    project.write();
    await docker('stop', await project.containerOf(gone?.name ?? ''));
    const plan = await project.smesh(['plan']);
    expect(plan.stdout).toMatch(new RegExp(`- remove +${gone?.name} +its identity is no longer`));
    const run = await project.smesh(['up']);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(await project.containerOf(gone?.name ?? '')).toBe('');
    expect(existsSync(join(gone?.data ?? '', 'postdata_metadata.json'))).toBe(true);
  });

  describe('S21: unplugged disks', () => {
    it('holds back who is not there, created or not; the others start; later up starts it without recreating', async () => {
      const [first, second] = project.identities;
      if (first === undefined || second === undefined) throw new Error('no identities');
      await project.compose('stop', first.name, second.name, 'post-0003');
      const before = await project.lives();
      // One disk is gone with its mount point, the other leaves an empty one.
      renameSync(first.disk, `${first.disk}-away`);
      renameSync(second.data, `${second.data}-away`);
      execFileSync('mkdir', [second.data]);
      const held = await project.smesh(['up']);
      expect(held.code, held.stdout + held.stderr).toBe(6);
      expect(held.stdout).toMatch(new RegExp(`${first.name} held back: ${first.data} is not there`));
      expect(held.stdout).toMatch(new RegExp(`${second.name} held back: ${second.data} is empty`));
      expect(held.stdout).toContain(`smesh-compose up ${first.name}`);
      const meanwhile = await project.lives();
      expect(meanwhile['post-0003']).toContain('running');
      expect(meanwhile['node']).toBe(before['node']);
      expect(meanwhile[first.name]).toBe(before[first.name]);
      expect(existsSync(first.disk), 'no folder is made in place of the disk').toBe(false);

      renameSync(`${first.disk}-away`, first.disk);
      execFileSync('rmdir', [second.data]);
      renameSync(`${second.data}-away`, second.data);
      const back = await project.smesh(['up']);
      expect(back.code, back.stdout + back.stderr).toBe(0);
      const after = await project.lives();
      for (const { name } of [first, second]) {
        expect(after[name]?.split(' ')[0], name).toBe(before[name]?.split(' ')[0]);
        expect(after[name]).toContain('running');
      }
    });

    it('does not create a prover whose data are away, and creates the others', async () => {
      const added = project.addIdentity();
      project.write();
      renameSync(added.data, `${added.data}-away`);
      // Its owner and key cannot be read now, so it must have been generated before.
      renameSync(`${added.data}-away`, added.data);
      expect((await project.smesh(['generate'])).code).toBe(0);
      renameSync(added.data, `${added.data}-away`);
      const run = await project.smesh(['up']);
      expect(run.code, run.stdout + run.stderr).toBe(6);
      expect(await project.containerOf(added.name)).toBe('');
      renameSync(`${added.data}-away`, added.data);
      const back = await project.smesh(['up', added.name]);
      expect(back.code, back.stdout + back.stderr).toBe(0);
    });
  });

  it('S43: down removes containers and network only, and says what it kept', async () => {
    const dry = await project.smesh(['down', '--dry-run', '--force']);
    expect(dry.code, dry.stderr).toBe(0);
    expect((await project.containerIds()).length).toBeGreaterThan(0);
    const run = await project.smesh(['down', '--force']);
    expect(run.code, run.stderr).toBe(0);
    expect(await project.containerIds()).toEqual([]);
    const label = `label=com.docker.compose.project=${project.name}`;
    expect(await docker('network', 'ls', '-q', '--filter', label)).toBe('');
    for (const { data, name } of project.identities) {
      expect(run.stdout).toContain(data);
      expect(existsSync(join(data, 'postdata_0.bin'))).toBe(true);
      expect(existsSync(join(data, 'identity.key'))).toBe(true);
      expect(existsSync(join(folder, `node-data/identities/${name}.key`))).toBe(true);
    }
    expect((await project.smesh(['down'])).code).toBe(0);
  });
});
