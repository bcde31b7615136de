import { readFileSync } from 'node:fs';
import process from 'node:process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildCompose, previousUsers } from '../../../src/domain/compose/build.ts';
import { emitCompose } from '../../../src/domain/compose/emit.ts';
import { identitySetDigest, readLabels, writeLabels } from '../../../src/domain/compose/labels.ts';
import { fileState, isCurrent, readFileDigests } from '../../../src/domain/compose/ownership.ts';
import type { ComposeDocument } from '../../../src/domain/compose/types.ts';
import { servedFolders } from '../../../src/domain/compose/who-serves.ts';
import { digestOf } from '../../../src/domain/digest.ts';
import { SmeshError } from '../../../src/domain/errors.ts';
import { buildNodeConfig, mergeConfig } from '../../../src/domain/node/config.ts';
import {
  EXAMPLE_PROJECTS,
  exampleId,
  exampleProject,
  generateExample,
} from '../../fixtures/example-projects.ts';

const example = (name: string) => EXAMPLE_PROJECTS[name] ?? '';
const content = async (name: string, path: string, version?: string) =>
  (await generateExample(example(name), version)).find((file) => file.path === path)?.content ?? '';

const UNIT = 'systemd/smesh-compose-smesh.service';

describe('generated files', () => {
  it.each([
    ['mainnet', ['node/config.json', 'RUNBOOK.md', UNIT, 'compose.yaml']],
    ['orchestrator', ['node/config.json', 'RUNBOOK.md', UNIT, 'orchestrator/Dockerfile', 'compose.yaml']],
    ['init-nvidia', ['node/config.json', 'RUNBOOK.md', UNIT, 'init/nvidia.icd', 'compose.yaml']],
    ['init-amd', ['node/config.json', 'RUNBOOK.md', UNIT, 'init/Dockerfile', 'compose.yaml']],
    ['init-cpu', ['node/config.json', 'RUNBOOK.md', UNIT, 'compose.yaml']],
  ])('of %s, compose.yaml last', async (name, paths) => {
    expect((await generateExample(example(name))).map(({ path }) => path)).toEqual(paths);
  });

  it('S44: are the same every time', async () => {
    for (const text of Object.values(EXAMPLE_PROJECTS)) {
      expect(await generateExample(text)).toEqual(await generateExample(text));
    }
  });

  it('hold the line of the OpenCL loader and nothing else', async () => {
    expect(await content('init-nvidia', 'init/nvidia.icd')).toBe('libnvidia-opencl.so.1\n');
  });

  it("build AMD's image on postcli's", async () => {
    const text = await content('init-amd', 'init/Dockerfile');
    expect(text).toContain('\nFROM spacemeshos/postcli:v0.12.9\n');
    // Only BuildKit knows it, and not every Docker has that.
    expect(text).not.toContain('--chmod');
  });

  it('run the schedule under systemd, as whom the folder belongs to', async () => {
    const unit = await content('mainnet', UNIT);
    expect(unit).toContain(
      '\nUser=1000\nWorkingDirectory=/srv/smesh\nExecStart=/usr/bin/env smesh-compose run\n',
    );
    expect(unit).toContain('sudo systemctl enable --now /srv/smesh/systemd/smesh-compose-smesh.service\n');
    expect(fileState(UNIT, unit, {})).toBe('untouched');
  });

  it('have an orchestrator only where one is wanted, with the very release, and change nothing else by it', async () => {
    expect(await content('orchestrator', 'orchestrator/Dockerfile', '1.2.3')).toMatch(
      /\nFROM node:20-slim\nRUN npm install .* smesh-compose@1\.2\.3 /,
    );
    const without = EXAMPLE_PROJECTS['orchestrator']?.replace('schedule: {orchestrator: true}\n', '') ?? '';
    const [one, other] = await Promise.all(
      [example('orchestrator'), without].map(async (text) => {
        const files = await generateExample(text);
        return parse(files.find(({ path }) => path === 'compose.yaml')?.content ?? '', { merge: true })
          .services;
      }),
    );
    const { orchestrator, ...rest } = one;
    expect(rest).toEqual(other);
    expect(orchestrator.ports).toBeUndefined();
    expect(orchestrator).toMatchObject({ network_mode: 'host', read_only: true, group_add: ['998'] });
    expect(orchestrator.volumes.map(({ source }: { source: string }) => source)).toEqual([
      '/var/run/docker.sock',
      '/srv/smesh',
      '/mnt',
    ]);
    // Else the guard against identities in two places would take it for a second node.
    const seen = {
      ...orchestrator,
      command: ['smesh-compose', 'run'],
      labels: {},
      mounts: [{ kind: 'bind', source: '/srv/smesh', target: '/srv/smesh', writable: true }],
    };
    expect(servedFolders(seen)).toEqual({ post: [], node: [] });
  });

  it('say in the runbook where the jobs are, when there are any', async () => {
    expect(await content('init-cpu', 'RUNBOOK.md')).toContain('--profile init up init-0002');
    expect(await content('mainnet', 'RUNBOOK.md')).not.toContain('--profile init');
  });
});

describe('ownership', () => {
  it.each(['compose.yaml', 'RUNBOOK.md', 'init/Dockerfile', 'node/config.json'])('of %s', async (path) => {
    const digests = readFileDigests(await content('init-amd', 'compose.yaml'));
    const text = await content('init-amd', path);
    expect(fileState(path, text, digests)).toBe('untouched');
    expect(fileState(path, text.replace(/\n$/, ' \n'), digests)).toBe('edited');
    expect(fileState(path, text.replaceAll('\n', '\r\n'), digests)).not.toBe('untouched');
    expect(fileState(path, '{}\n', path.endsWith('.json') ? {} : digests)).toBe('foreign');
  });

  it('outlives a new release of the tool, which alone makes nothing out of date', async () => {
    for (const path of ['compose.yaml', 'RUNBOOK.md', 'node/config.json']) {
      const [old, now] = [
        await content('mainnet', path, '0.1.0'),
        await content('mainnet', path, '9.9.9-rc.1'),
      ];
      expect(fileState(path, old, readFileDigests(await content('mainnet', 'compose.yaml')))).toBe(
        'untouched',
      );
      expect(isCurrent(path, old, now)).toBe(true);
    }
    const [mainnet, testnet] = [
      await content('mainnet', 'compose.yaml'),
      await content('testnet', 'compose.yaml'),
    ];
    expect(isCurrent('compose.yaml', mainnet, testnet)).toBe(false);
    expect(isCurrent('compose.yaml', mainnet.replace('3g', '4g'), mainnet)).toBe(false);
  });

  it('keeps the digests of JSON files in compose.yaml', async () => {
    const digests = readFileDigests(await content('mainnet', 'compose.yaml'));
    expect(digests).toEqual({ 'node/config.json': digestOf(await content('mainnet', 'node/config.json')) });
    expect(readFileDigests(undefined)).toEqual({});
    expect(readFileDigests('services: {}\n')).toEqual({});
  });
});

describe('whose user a service runs as', () => {
  const project = exampleProject(example('pinned-cores'));
  const base = { toolVersion: '0.0.0', directory: '/srv/smesh', postOwners: new Map() };

  it('S21: is what it was when the disk is away, and otherwise a question', () => {
    expect(() => buildCompose(project, '{}', base)).toThrow(SmeshError);
    const users = previousUsers(
      readFileSync(new URL('../../../compose/examples/pinned-cores.yaml', import.meta.url), 'utf8'),
    );
    expect([...users]).toEqual([
      ['node', '990:990'],
      ['post-0001', '1000:1000'],
      ['post-0002', '1001:100'],
      ['post-0003', '1000:1000'],
    ]);
    const { services } = buildCompose(project, '{}', { ...base, previousUsers: users });
    expect(Object.values(services).map(({ user }) => user)).toEqual([
      '990:990',
      '1000:1000',
      '1001:100',
      '1000:1000',
    ]);
  });

  it('is root where root owns the files: without capabilities it can read its own', () => {
    const owners = new Map(project.identities.map(({ id }) => [id, { uid: 0, gid: 0 }]));
    const text = emitCompose(buildCompose(project, '{}', { ...base, postOwners: owners }));
    expect(parse(text).services['post-0001'].user).toBe('0:0');
    expect(previousUsers(text).get('post-0001')).toBe('0:0');
  });
});

describe('emitted YAML', () => {
  const emitted = (value: unknown) => {
    const text = emitCompose({ name: 'x', services: { a: { image: 'i', value } } } as ComposeDocument);
    return {
      text,
      value: parse(text, { version: '1.1' }).services.a.value,
      modern: parse(text).services.a.value,
    };
  };

  it.each([
    '22:22',
    'yes',
    'off',
    '0755',
    '1e3',
    '1_000',
    '~',
    'null',
    '',
    ' x',
    'x ',
    '#',
    'a: b',
    '- a',
    '<<',
    '=',
    '2001-12-14',
    'ü',
    '\u0085',
    '"',
    "'",
    '\\',
    '%',
    '@',
    '`',
    '{',
    '[a',
    '*a',
    '&a',
    '!a',
  ])('%j is the same to readers of YAML 1.1 and 1.2', (text) => {
    for (const wanted of [text, [text, 'plain']]) {
      expect(emitted(wanted).value).toEqual(wanted);
      expect(emitted(wanted).modern).toEqual(wanted);
    }
  });

  it('doubles dollars everywhere', () => {
    expect(emitted({ a: ['$x', { b: '$$' }], n: 1, t: true }).modern).toEqual({
      a: ['$$x', { b: '$$$$' }],
      n: 1,
      t: true,
    });
  });

  it('keeps a space that is none to YAML', () => {
    expect(emitted([{ '\u00a0k': '\u00a0v' }]).modern).toEqual([{ '\u00a0k': '\u00a0v' }]);
  });

  it('does not take a list for the text that looks like it', () => {
    expect(emitted({ a: ['x'], b: '["x"]' }).modern).toEqual({ a: ['x'], b: '["x"]' });
  });

  it('is what was meant, whatever is put in', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 12 }).map((value) => value.replaceAll('$', ''));
    const leaf = fc.oneof(text, fc.integer(), fc.boolean());
    const list = fc.array(fc.oneof(leaf, fc.dictionary(text, leaf, { minKeys: 1, noNullPrototype: true })));
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(leaf, list), { noNullPrototype: true }), (value) => {
        expect(emitted(value).modern).toEqual(value);
        expect(emitted(value).value).toEqual(value);
      }),
      { numRuns: 120 },
    );
  });
});

describe('labels', () => {
  it('come back as they were written', () => {
    const prover = { role: 'prover', smesherId: exampleId(1) } as const;
    expect(readLabels(writeLabels(prover))).toEqual(prover);
    const node = { role: 'node', identities: 'a', config: 'b' } as const;
    expect(readLabels(writeLabels(node))).toEqual(node);
    expect(readLabels({ 'com.docker.compose.project': 'x' })).toBeUndefined();
  });

  it('know a set of identities in any order', () => {
    const [a, b, c] = [exampleId(1), exampleId(2), exampleId(3)];
    expect(identitySetDigest([a, b])).toBe(identitySetDigest([b, a]));
    expect(identitySetDigest([a, b])).not.toBe(identitySetDigest([a, c]));
  });
});

describe('node configuration', () => {
  it('of mainnet names no preset and repeats nothing', () => {
    const config = buildNodeConfig(exampleProject(example('mainnet')));
    expect(Object.keys(config).sort()).toEqual(['api', 'main', 'smeshing']);
    expect(config).toMatchObject({
      main: { 'data-folder': '/data', filelock: '/data/LOCK' },
      smeshing: { 'smeshing-start': false },
      api: { 'grpc-post-listener': '0.0.0.0:9094' },
    });
    const { main } = config as { main: { 'poet-servers': { pubkey: string }[] } };
    expect(main['poet-servers'].every(({ pubkey }) => pubkey.length === 44)).toBe(true);
  });

  it('serves PostStates beside all that is private by default', () => {
    const { api } = buildNodeConfig(exampleProject(example('mainnet'))) as {
      api: { privateservices: string[] };
    };
    expect(api.privateservices).toEqual(expect.arrayContaining(['postInfo', 'admin', 'smesher', 'debug']));
    expect(api.privateservices).not.toContain('post');
    expect(api.privateservices).toHaveLength(9);
  });

  it('of a private network says what differs from the preset', () => {
    const config = buildNodeConfig(exampleProject(example('standalone')));
    expect(config).toMatchObject({
      preset: 'standalone',
      genesis: { 'genesis-time': '2030-01-01T00:00:00Z' },
      main: { 'layer-duration': '6s', 'layers-per-epoch': 30 },
      poet: {
        'phase-shift': '1m30s',
        'cycle-gap': '1m30s',
        'grace-period': '30s',
        'positioning-atx-selection-timeout': '18s',
      },
      p2p: { listen: '/ip4/0.0.0.0/tcp/7513' },
    });
    expect(config).not.toHaveProperty('post');
  });

  it('is merged last with overrides, lists whole, keys without regard to case', () => {
    expect(
      mergeConfig({ P2P: { a: 1, list: [1, 2] }, x: 1 }, { p2p: { LIST: [3], b: 2 }, x: { y: 1 } }),
    ).toEqual({
      P2P: { a: 1, list: [3], b: 2 },
      x: { y: 1 },
    });
    const project = exampleProject(
      `${example('mainnet')}node: {config: {API: {grpc-json-listener: '0.0.0.0:9095'}}}\n`,
    );
    expect(buildNodeConfig(project)).toMatchObject({
      api: { 'grpc-json-listener': '0.0.0.0:9095', 'grpc-public-listener': '0.0.0.0:9092' },
    });
    expect(buildNodeConfig(project)).not.toHaveProperty('API');
  });

  const recordings = process.env['SMESH_RECORDINGS'];
  it.skipIf(recordings === undefined)(
    'has every setting that ran with the real node (SMESH_RECORDINGS)',
    () => {
      const verified = JSON.parse(readFileSync(`${recordings}/node-config-verified.json`, 'utf8'));
      const { main, poet, api, smeshing } = buildNodeConfig(exampleProject(example('standalone'))) as Record<
        string,
        object
      >;
      const keys = (value: object | undefined) => Object.keys(value ?? {});
      expect(keys(main)).toEqual(expect.arrayContaining(keys(verified.main)));
      expect(poet).toEqual({ ...verified.poet, 'phase-shift': '1m30s', 'cycle-gap': '1m30s' });
      expect(smeshing).toEqual(verified.smeshing);
      const { 'grpc-json-listener': _notServed, ...listeners } = verified.api;
      expect(api).toMatchObject(listeners);
    },
  );

  it.skipIf(recordings === undefined)(
    'hardens as much as what ran with the real programs (SMESH_RECORDINGS)',
    () => {
      const verified = parse(readFileSync(`${recordings}/compose-verified.yaml`, 'utf8')).services;
      const made = parse(
        readFileSync(new URL('../../../compose/examples/standalone.yaml', import.meta.url), 'utf8'),
        { merge: true },
      ).services;
      for (const [ours, theirs] of [
        [made.node, verified.node],
        [made['post-0001'], verified.post01],
      ] as const) {
        for (const key of [
          'read_only',
          'init',
          'cap_drop',
          'security_opt',
          'user',
          'restart',
          'logging',
          'tmpfs',
          'oom_score_adj',
        ]) {
          expect(ours[key], key).toEqual(theirs[key]);
        }
        expect(ours.healthcheck.test).toEqual(theirs.healthcheck.test);
        expect(Object.keys(theirs).filter((key) => !(key in ours) && key !== 'networks')).toEqual([]);
      }
      // The same flags, each of them known to the real program.
      const flags = (command: string[]) => command.filter((word) => /^--?[a-z]/.test(word));
      expect(flags(made['post-0001'].command)).toEqual(flags(verified.post01.command));
    },
  );
});
