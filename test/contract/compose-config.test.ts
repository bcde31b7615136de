import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { composeOf, EXAMPLE_PROJECTS, weirdPaths } from '../fixtures/example-projects.ts';

interface ResolvedService {
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes: readonly {
    source: string;
    target: string;
    read_only?: boolean;
    bind: { create_host_path?: boolean };
  }[];
  readonly healthcheck?: { start_interval: string; interval: string };
  readonly depends_on?: unknown;
  readonly mem_limit?: string;
  readonly init: boolean;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly profiles?: readonly string[];
  readonly oom_score_adj?: number;
}

interface Resolved {
  readonly name: string;
  readonly services: Readonly<Record<string, ResolvedService>>;
}

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smt-model-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** `docker compose config` of a text, no engine asked, nothing of the environment let in but what would be put in. */
async function compose(text: string, ...args: string[]): Promise<string> {
  const file = join(folder, 'compose.yaml');
  await writeFile(file, text);
  const { stdout } = await promisify(execFile)(
    'docker',
    ['compose', '-f', file, '--project-directory', folder, '--profile', '*', 'config', ...args],
    { env: { PATH: process.env['PATH'], HOME: '/nowhere', USER: 'somebody' }, maxBuffer: 64 * 1024 ** 2 },
  );
  return stdout;
}

async function resolve(text: string): Promise<Resolved> {
  return JSON.parse(await compose(text, '--format', 'json')) as Resolved;
}

/** Config hashes by service, as Compose compares them before it recreates a container. */
async function hashes(text: string): Promise<Readonly<Record<string, string>>> {
  const lines = (await compose(text, '--hash', '*')).trim().split('\n');
  return Object.fromEntries(lines.map((line) => line.split(' ') as [string, string]));
}

const example = (name: string) => EXAMPLE_PROJECTS[name] ?? '';
/** Jobs are named after the identity to be, too. */
const provers = (services: Readonly<Record<string, ResolvedService>>) =>
  Object.keys(services).filter((name) => name.startsWith('post-') && services[name]?.profiles === undefined);

describe('docker compose config', () => {
  it.each(Object.keys(EXAMPLE_PROJECTS))('accepts %s, hardened as promised', async (name) => {
    const { services, name: project } = await resolve(await composeOf(example(name)));
    expect(project).toBe('smesh');
    for (const [service, definition] of Object.entries(services)) {
      expect(definition.init, service).toBe(true);
      expect(definition.read_only, service).toBe(true);
      expect(definition.cap_drop, service).toEqual(['ALL']);
      expect(definition.security_opt, service).toEqual(['no-new-privileges:true']);
      // Compose would recreate every prover with the node (spacemesh.md §14.6).
      expect(definition.depends_on, service).toBeUndefined();
      for (const volume of definition.volumes) expect(volume.bind.create_host_path ?? false).toBe(false);
      if (service !== 'node') expect(definition.oom_score_adj).toBeGreaterThan(0);
      else expect(definition.oom_score_adj ?? 0).toBe(0);
    }
    for (const prover of provers(services)) {
      expect(services[prover]?.volumes[0]).toMatchObject({ target: '/post', read_only: true });
      expect(services[prover]?.healthcheck).toMatchObject({ interval: '2m0s', start_interval: '1s' });
    }
  });

  it('mounts exactly the directory meant, whatever its name holds', async () => {
    const { services } = await resolve(await composeOf(example('weird-paths')));
    // `config` prints what a Compose file would have to say, so every `$` comes doubled.
    const sources = provers(services).map((name) => services[name]?.volumes[0]?.source.replaceAll('$$', '$'));
    expect(sources).toEqual(weirdPaths());
    expect(services['node']?.volumes[1]?.source).toBe('/srv/node data');
  });

  it('leaves initialisation jobs out of a plain up', async () => {
    const { services } = await resolve(await composeOf(example('init-nvidia')));
    for (const job of ['init-0002', 'init-0003', 'init-0004'])
      expect(services[job]?.profiles).toEqual(['init']);
  });
});

describe('config hash', () => {
  const two = example('mainnet').replace(/ {2}- id: '[0-9a-f]+3'[\s\S]*$/, '');

  it('S17: one identity more changes the node and no prover', async () => {
    const [before, after] = [
      await hashes(await composeOf(two)),
      await hashes(await composeOf(example('mainnet'))),
    ];
    expect(Object.keys(before)).toHaveLength(3);
    expect(after['post-0003']).toBeDefined();
    expect(after['post-0001']).toBe(before['post-0001']);
    expect(after['post-0002']).toBe(before['post-0002']);
    expect(after['node']).not.toBe(before['node']);
  });

  it.each([
    ['a new node image', 'node: {image: spacemeshos/go-spacemesh:v1.7.7}\n'],
    ['a changed node configuration', 'node: {config: {p2p: {min-peers: 30}}}\n'],
    ['other ports', 'node: {ports: {p2p: 7514}}\n'],
    [
      'another PoET',
      'poet: {servers: [{address: https://p.example.org, pubkey: cFnqCS5oER7GOX576oPtahlxB/1y95aDibdK7RHQFVg=}]}\n',
    ],
    ['initialisation jobs', 'init: {gpu: cpu, jobs: []}\n'],
    ['an orchestrator', 'schedule: {orchestrator: true}\n'],
    ["a PoET service of one's own", 'poet: {serve: {memory: 5g}}\n'],
  ])('%s changes no prover', async (_what, addition) => {
    const [before, after] = [
      await hashes(await composeOf(two)),
      await hashes(await composeOf(two + addition)),
    ];
    expect(after['post-0001']).toBe(before['post-0001']);
    expect(after['post-0002']).toBe(before['post-0002']);
    if (/^(init|schedule|poet: \{serve:)/.test(addition)) expect(after['node']).toBe(before['node']);
    else expect(after['node']).not.toBe(before['node']);
  });

  it('one identity less, or their order, changes no other prover', async () => {
    const entries = [...two.matchAll(/ {2}- id: [\s\S]*?(?= {2}- id: |$)/g)].map(([entry]) => entry);
    const head = two.slice(0, two.indexOf('  - id'));
    const before = await hashes(await composeOf(two));
    const reversed = await hashes(await composeOf(head + [...entries].reverse().join('')));
    const alone = await hashes(await composeOf(head + (entries[1] ?? '')));
    expect(reversed).toEqual(before);
    expect(alone['post-0002']).toBe(before['post-0002']);
  });
});
