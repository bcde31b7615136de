import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { createNodeApi } from '../../src/adapters/node-api/index.ts';
import { parseSmesherId } from '../../src/domain/identity/smesher-id.ts';
import { keyFilesIn, makeIdentity, recordKeyFiles } from '../helpers/keys.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import {
  docker,
  NODE_IMAGE,
  OWNER,
  type ProjectIdentity,
  TestProject,
  writePostData,
} from './support/project.ts';

const folder = suiteTempFolder('merge');
const flat = (text: string) => text.replace(/\s+/g, ' ');

/** A node that somebody ran by hand, with the network of the project. */
interface HandMade {
  readonly name: string;
  readonly data: string;
  readonly posts: string;
}

let project: TestProject;
let nodes: { readonly many: HandMade; readonly first: HandMade; readonly second: HandMade };
let ids: string[] = [];

function prepare(
  name: string,
  keys: readonly { readonly file: string; readonly content: string }[],
): HandMade {
  const place = join(folder, name);
  const data = join(place, 'data');
  mkdirSync(join(data, 'identities'), { recursive: true });
  for (const { file, content } of keys)
    writeFileSync(join(data, 'identities', file), content, { mode: 0o600 });
  execFileSync('chown', ['-R', `${OWNER.uid}:${OWNER.gid}`, place]);
  return { name: `${project.name}-${name}`, data, posts: join(place, 'posts') };
}

async function run({ name, data }: HandMade): Promise<void> {
  const compose = parse(readFileSync(join(project.folder, 'compose.yaml'), 'utf8'), {
    maxAliasCount: -1,
  }) as {
    services: { node: { environment: { POET_PRIVATE_KEY: string } } };
  };
  const key = compose.services.node.environment.POET_PRIVATE_KEY;
  const mounts = ['-v', `${data}:/data`, '-v', `${join(project.folder, 'node/config.json')}:/config.json:ro`];
  const settings = [
    '--user',
    `${OWNER.uid}:${OWNER.gid}`,
    '--tmpfs',
    '/tmp',
    '-e',
    `POET_PRIVATE_KEY=${key}`,
  ];
  await docker(
    'run',
    '-d',
    '--init',
    '--name',
    name,
    ...settings,
    ...mounts,
    NODE_IMAGE,
    '-c',
    '/config.json',
  );
}

async function waitFor(what: string, look: () => boolean | Promise<boolean>, ms = 30_000): Promise<void> {
  const until = Date.now() + ms;
  while (!(await look())) {
    if (Date.now() > until) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(250);
  }
}

/** PoST data for every key of a node. */
function makeData({ data, posts }: HandMade): string[] {
  recordKeyFiles(join(data, 'identities'));
  return keyFilesIn(join(data, 'identities')).map((file) => {
    const keyFile = readFileSync(join(data, 'identities', file), 'utf8');
    const smesherId = keyFile.slice(64);
    const place = join(posts, file);
    const identity = {
      keyFile,
      smesherId,
      name: file,
      disk: place,
      data: join(place, 'post'),
    } as ProjectIdentity;
    const own = project.identities[0];
    const metadata = JSON.parse(readFileSync(join(own?.data ?? '', 'postdata_metadata.json'), 'utf8')) as {
      CommitmentAtxId: string;
    };
    writePostData(identity, Buffer.from(metadata.CommitmentAtxId, 'base64').toString('hex'));
    return smesherId;
  });
}

beforeAll(async () => {
  const place = join(folder, 'project');
  mkdirSync(place);
  project = await TestProject.make(place, 1, 1);
  project.hurry();
  expect(await project.smesh(['generate'])).toMatchObject({ code: 0 });
  const [a, b] = [makeIdentity(), makeIdentity()];
  nodes = {
    // A file name that the project has as well.
    many: prepare('many', [
      { file: 'post-0001.key', content: a.keyFile },
      { file: 'z.key', content: b.keyFile },
    ]),
    // Without keys a node makes local.key.
    first: prepare('first', []),
    second: prepare('second', []),
  };
  const up = project.smesh(['up', '--force']);
  await Promise.all(Object.values(nodes).map(run));
  for (const { data } of [nodes.first, nodes.second])
    await waitFor('local.key', () => existsSync(join(data, 'identities/local.key')));
  for (const { data } of Object.values(nodes))
    await waitFor('local.sql', () => existsSync(join(data, 'local.sql')));
  expect((await up).code).toBe(0);
  ids = [...project.identities.map(({ smesherId }) => smesherId), ...Object.values(nodes).flatMap(makeData)];
});

afterAll(async () => {
  await docker('rm', '-f', ...Object.values(nodes).map(({ name }) => name));
  await project.cleanUp();
});

const merge = (...args: string[]) =>
  project.smesh(['merge', ...Object.values(nodes).map(({ data }) => data), '--data', folder, ...args]);

async function published(): Promise<readonly string[]> {
  const { publicApi, privateApi } = project.ports;
  const endpoint = { publicApi: `127.0.0.1:${publicApi}`, privateApi: `127.0.0.1:${privateApi}` };
  const smeshers = ids.flatMap((id) => parseSmesherId(id) ?? []);
  const query = { smeshers, fromEpoch: 0, toEpoch: 1000, timeoutMs: 3000 };
  const answer = await createNodeApi().activations(endpoint, query);
  return answer.ok ? answer.value.map(({ smesher }) => smesher) : [];
}

describe('S38: two supervised nodes and one with two identities', () => {
  it('are refused while they or the project run', async () => {
    const refused = await merge('--yes');
    expect(refused.code, refused.stderr).toBe(5);
    const said = flat(refused.stderr);
    for (const { name } of Object.values(nodes))
      expect(said).toContain(`container ${name} has this folder and runs`);
    expect(said).toContain('smesh-compose stop node');
    await docker('stop', ...Object.values(nodes).map(({ name }) => name));
    const stopped = await project.smesh(['stop', '--force', 'node']);
    expect(stopped.code, stopped.stderr).toBe(0);
  });

  it('are refused with an older schema, with an identity in both, and where the disk is too full', async () => {
    const { data } = nodes.many;
    const local = new Database(join(data, 'local.sql'));
    const version = (number: number) => local.exec(`PRAGMA user_version = ${number}`);
    version(8);
    const older = await merge('--yes');
    expect(older.code, older.stderr).toBe(5);
    expect(flat(older.stderr)).toMatch(/schema version is 8 \(last used by v1\.6\.x\), this project's is 9/);
    version(9);
    local.close();
    const twice = join(data, 'identities/twice.key');
    writeFileSync(twice, project.identities[0]?.keyFile ?? '', { mode: 0o600 });
    const both = await merge('--yes');
    expect(both.code, both.stderr).toBe(5);
    expect(flat(both.stderr)).toMatch(/is an identity of both nodes/);
    rmSync(twice);

    const small = join(folder, 'small');
    mkdirSync(join(small, 'disk'), { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', join(small, 'disk')]);
    try {
      const smeshYaml = parse(readFileSync(join(project.folder, 'smesh.yaml'), 'utf8')) as Record<
        string,
        unknown
      >;
      const node = { ...(smeshYaml['node'] as object), data: join(small, 'disk/node') };
      writeFileSync(
        join(small, 'smesh.yaml'),
        stringify({ ...smeshYaml, name: `${project.name}-small`, node, identities: [] }),
      );
      mkdirSync(join(small, 'disk/node/identities'), { recursive: true });
      chownSync(join(small, 'disk/node'), OWNER.uid, OWNER.gid);
      const full = await project.smesh(['-C', small, 'merge', nodes.first.data, '--data', folder, '--yes']);
      expect(full.code, full.stderr).toBe(5);
      expect(flat(full.stderr)).toMatch(
        /There is no room for copies of the databases: \d+ MiB are needed, 8 MiB are free/,
      );
    } finally {
      execFileSync('umount', [join(small, 'disk')]);
    }
    expect(keyFilesIn(join(project.folder, 'node-data/identities'))).toEqual(['post-0001.key']);
  });

  it('come with keys and rows; the merged node publishes for all, and none of theirs starts again', async () => {
    const config = join(folder, 'supervised.json');
    writeFileSync(
      config,
      JSON.stringify({
        smeshing: {
          'smeshing-proving-opts': {
            'smeshing-opts-proving-nonces': 32,
            'smeshing-opts-proving-randomx-mode': 'Fast',
          },
        },
      }),
    );
    const dry = await merge('--dry-run', '--config', config);
    expect(dry.code, dry.stderr).toBe(0);
    for (const id of ids.slice(1)) expect(dry.stdout).toContain(id.slice(0, 8));
    const unasked = await merge();
    expect(unasked.code, unasked.stderr).toBe(2);
    const done = await merge('--yes', '--json', '--config', config);
    expect(done.code, done.stdout + done.stderr).toBe(0);
    expect((JSON.parse(done.stdout) as { identities: unknown[] }).identities).toHaveLength(4);
    const again = await merge('--yes');
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toMatch(/Nothing to merge/);
    expect(keyFilesIn(join(project.folder, 'node-data/identities'))).toEqual(
      [1, 2, 3, 4, 5].map((number) => `post-000${number}.key`),
    );

    const up = await project.smesh(['up', '--force']);
    expect(up.code, up.stdout + up.stderr).toBe(0);
    // Their nodes: started as people start them, and kept from it by a file whose name says why.
    for (const { name, data } of Object.values(nodes)) {
      const notice = readdirSync(join(data, 'identities')).find((file) => file.endsWith('.key')) ?? '';
      expect(notice).toMatch(/^keys-moved-to-/);
      await docker('start', name);
      expect(await docker('wait', name)).toBe('1');
      const said = execFileSync('sh', ['-c', `docker logs --tail 20 ${name} 2>&1`], { encoding: 'utf8' });
      expect(said).toContain(`failed to construct identity ${notice}`);
    }
    const keys = await project.smesh(['keys']);
    expect(keys.code, keys.stdout + keys.stderr).toBe(0);
    const undo = await project.smesh(['merge', '--undo', '--yes']);
    expect(undo.code, undo.stdout + undo.stderr).toBe(5);
    expect(flat(undo.stderr)).toMatch(/the node was started on/);
    await waitFor(
      'an ATX of each identity',
      async () => {
        const smeshers = await published();
        return ids.every((id) => smeshers.includes(id));
      },
      120_000,
    );
  });
});
