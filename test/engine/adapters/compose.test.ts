import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCompose } from '../../../src/adapters/compose-cli/index.ts';
import { resolveEndpoint } from '../../../src/adapters/docker/endpoint.ts';
import { createDocker } from '../../../src/adapters/docker/index.ts';
import type { ComposePort, ComposeProgress, ComposeProject } from '../../../src/ports/compose.ts';
import type { DockerPort } from '../../../src/ports/docker.ts';
import { suiteTempFolder } from '../../helpers/temp.ts';

const folder = suiteTempFolder('compose');
const directory = join(folder, "it's $HOME: a #folder");
const name = `smt-compose-${process.pid}`;
const project: ComposeProject = { name, directory };

let docker: DockerPort;
let compose: ComposePort;

function write(change: { readonly label?: string } = {}): void {
  const service = (label: string) => ({
    image: 'smesh-sim/base:latest',
    entrypoint: ['bash', '-c', 'sleep 600'],
    init: true,
    stop_grace_period: '1s',
    labels: { 'io.smesh-compose.test': label },
  });
  const services = {
    node: service(change.label ?? 'a'),
    'post-0001': service('a'),
    'post-0002': service('a'),
  };
  // JSON is YAML.
  writeFileSync(join(directory, 'compose.yaml'), JSON.stringify({ name: 'another-name', services }));
}

const containers = async () =>
  new Map((await docker.containers({ project: name })).map((found) => [found.service ?? '', found]));

beforeAll(async () => {
  mkdirSync(directory);
  write();
  // All of this would lead Compose elsewhere.
  const misleading = {
    COMPOSE_FILE: '/not/there.yaml',
    COMPOSE_PROJECT_NAME: 'other',
    COMPOSE_PROFILES: 'init',
    DOCKER_CONTEXT: 'not-there',
  };
  const endpoint = await resolveEndpoint(process.env);
  docker = await createDocker(endpoint);
  compose = createCompose(endpoint, { ...process.env, ...misleading });
});

afterAll(async () => {
  await compose.down(project);
});

describe('docker compose', () => {
  it('is recent enough and talks to the same engine', async () => {
    const version = await compose.version();
    const text = execFileSync('docker', ['compose', 'version', '--short'], { encoding: 'utf8' }).trim();
    expect(version.text).toBe(text.replace(/^v/, ''));
    expect(await compose.engineId()).toBe((await docker.engine()).id);
  });

  it('S20: whose engine is down is a clear error', async () => {
    const host = 'unix:///nowhere/docker.sock';
    const lost = createCompose({ host, cliEnvironment: { DOCKER_HOST: host } }, process.env);
    await expect(lost.engineId()).rejects.toMatchObject({ code: 'engine-down', exitCode: 4 });
  });

  it('reads the project with the override that the user wrote', async () => {
    const override = join(directory, 'compose.override.yaml');
    writeFileSync(override, 'services: {node: {mem_limit: 64m}}\n');
    const config = await compose.config(project);
    expect(config.name).toBe(name);
    expect(Object.keys(config.services).sort()).toEqual(['node', 'post-0001', 'post-0002']);
    expect(config.services['node']).toMatchObject({ image: 'smesh-sim/base:latest', mem_limit: '67108864' });
    writeFileSync(override, '');
  });

  it('creates what it is asked for, starts nothing, and tells how far it is', async () => {
    const progress: ComposeProgress[] = [];
    await compose.create(project, {
      services: ['node', 'post-0001'],
      onProgress: (step) => progress.push(step),
    });
    const made = await containers();
    expect([...made.keys()].sort()).toEqual(['node', 'post-0001']);
    for (const container of made.values()) expect(container.state).toBe('created');
    expect(progress).toContainEqual({ kind: 'container', name: `${name}-node-1`, status: 'Created' });
    expect(progress.filter((step) => step.kind === 'network')).not.toHaveLength(0);
  });

  it('names the hash that it put on each container', async () => {
    const hashes = await compose.hashes(project);
    expect([...hashes.keys()].sort()).toEqual(['node', 'post-0001', 'post-0002']);
    for (const [service, container] of await containers())
      expect(container.configHash).toBe(hashes.get(service));
  });

  it('recreates what has changed, and only that', async () => {
    const before = await containers();
    for (const container of before.values()) await docker.start(container.id);
    const started = await containers();
    write({ label: 'b' });
    await compose.create(project, { services: [] });
    const after = await containers();
    expect(after.get('node')?.id).not.toBe(before.get('node')?.id);
    expect(after.get('node')?.state).toBe('created');
    expect(after.get('post-0001')).toEqual(started.get('post-0001'));
    expect(after.get('post-0002')?.state).toBe('created');
  });

  it('keeps what has changed when told so, and recreates all when told so', async () => {
    const before = await containers();
    write({ label: 'c' });
    await compose.create(project, { services: ['node'], recreate: 'never' });
    expect((await containers()).get('node')?.id).toBe(before.get('node')?.id);
    await compose.create(project, { services: ['post-0002'], recreate: 'always' });
    const after = await containers();
    expect(after.get('post-0002')?.id).not.toBe(before.get('post-0002')?.id);
    expect(after.get('post-0001')?.id).toBe(before.get('post-0001')?.id);
  });

  it('says what is wrong in its own words', async () => {
    const broken = { ...project, files: [join(directory, 'broken.yaml')] };
    writeFileSync(broken.files[0] ?? '', 'services: {node: {imagee: x}}\n');
    await expect(compose.config(broken)).rejects.toMatchObject({
      code: 'compose-failed',
      exitCode: 4,
      message: expect.stringContaining('imagee'),
    });
    await expect(compose.create(project, { services: ['post-9999'] })).rejects.toThrow(
      /no such service: post-9999/,
    );
  });

  it('ends when the user cancels', async () => {
    const create = compose.create(project, { services: [], signal: AbortSignal.abort() });
    await expect(create).rejects.toMatchObject({ code: 'cancelled', exitCode: 130 });
  });

  it('removes services one by one and the project as a whole', async () => {
    await compose.remove(project, []);
    expect((await containers()).size).toBe(3);
    await compose.remove(project, ['post-0001', 'post-0002']);
    expect([...(await containers()).keys()]).toEqual(['node']);
    await compose.down(project);
    expect((await containers()).size).toBe(0);
    const networks = execFileSync('docker', ['network', 'ls', '-q', '--filter', `name=${name}`], {
      encoding: 'utf8',
    });
    expect(networks).toBe('');
  });
});
