import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/clock/index.ts';
import { nodeCrypto } from '../../../src/adapters/crypto/index.ts';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import type { ObservedContainer } from '../../../src/domain/compose/observed.ts';
import { type Lease, writeLease } from '../../../src/domain/identity/lease.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import type { ClockPort } from '../../../src/ports/clock.ts';
import type { FilesPort } from '../../../src/ports/files.ts';
import { indexHost } from '../../../src/usecases/identity-index/host-index.ts';
import { nodeDataFolder, readDataFolder } from '../../../src/usecases/identity-index/node-data-folder.ts';
import { makeIdentity } from '../../helpers/keys.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { observed } from '../plan/observed.ts';

/** Containers only: other suites have processes on this machine. */
const files: FilesPort = {
  ...nodeFiles,
  list: (path) => (path === '/proc' ? Promise.resolve([]) : nodeFiles.list(path)),
};

const clock: ClockPort = systemClock;

const index = (containers: readonly ObservedContainer[], port: FilesPort = files, own: string[] = []) =>
  indexHost({
    ports: { files: port, crypto: nodeCrypto },
    clock,
    containers,
    known: containers.map(({ id }) => id),
    own: new Set(own),
    engineIsHere: true,
  });

const mounting = (source: string, changes: Partial<ObservedContainer> = {}) =>
  observed('node', {
    labels: { 'io.smesh-compose.role': 'node' },
    mounts: [{ kind: 'bind', source, target: '/data', writable: true }],
    ...changes,
  });

function nodeWithKey(): { folder: string; id: SmesherId } {
  const folder = tempFolder('identity-index');
  const identity = makeIdentity();
  mkdirSync(join(folder, 'identities'));
  writeFileSync(join(folder, 'identities/a.key'), identity.keyFile);
  return { folder, id: identity.smesherId as SmesherId };
}

const LEFT = '2026-11-21T08:00:00.000Z';

function nodeThatLost(): { folder: string; id: SmesherId } {
  const folder = tempFolder('identity-index');
  const id = parseSmesherId('ab'.repeat(32)) as SmesherId;
  mkdirSync(join(folder, 'identities'));
  const lease: Lease = {
    smesherId: id,
    state: 'leaving',
    host: { id: 'h', name: 'h', cards: [] },
    project: { name: 'p', directory: '/p' },
    nodeData: folder,
    createdAt: LEFT,
    renewedAt: LEFT,
    leftAt: LEFT,
    tool: '1',
  };
  const file = join(folder, 'identities/a.lease');
  writeFileSync(file, writeLease(lease));
  utimesSync(file, new Date(LEFT), new Date(LEFT));
  return { folder, id };
}

describe('indexHost', () => {
  it('S23: finds the key of a node by its mounts; a node of a Compose project counts while it is down', async () => {
    const { folder, id } = nodeWithKey();
    const [running] = (await index([mounting(folder)])).places;
    expect(running).toMatchObject({ smesherId: id, by: 'key', runs: true, live: true, own: false });
    const down = await index([mounting(folder, { state: 'exited' })]);
    expect(down.places).toMatchObject([{ runs: false, live: true }]);
    const { project: _, service: __, ...alone } = mounting(folder, { state: 'exited' });
    expect((await index([alone])).places).toMatchObject([{ runs: false, live: false }]);
  });

  it('S23: knows whose places are the project’s own', async () => {
    const { folder } = nodeWithKey();
    const node = mounting(folder);
    expect((await index([node], files, [node.id])).places).toMatchObject([{ own: true, holder: 'own' }]);
  });

  it('S40: a node that runs since before its key was taken away still has it', async () => {
    const { folder, id } = nodeThatLost();
    const at = Date.parse(LEFT);
    const since = (startedAt: number, changes: Partial<ObservedContainer> = {}) =>
      index([mounting(folder, { startedAt, ...changes })]);
    expect((await since(at - 1000)).places).toMatchObject([{ smesherId: id, by: 'key', live: true }]);
    expect((await since(at + 1000)).places).toEqual([]);
    expect((await since(at - 1000, { state: 'exited' })).places).toEqual([]);
    // Killed in between and finished an hour later: what counts is when the key was really gone.
    const late = new Date(at + 3_600_000);
    utimesSync(join(folder, 'identities/a.lease'), late, late);
    expect((await since(at + 1000)).places).toMatchObject([{ smesherId: id }]);
  });

  it('S23: a node with nothing mounted whose inside may not be seen is unknown; one that has ended is nobody', async () => {
    const bare = observed('node', { command: ['/bin/go-spacemesh'], mounts: [], pid: 4_000_000 });
    expect(await index([bare])).toMatchObject({ places: [], closed: [] });
    const denied = Object.assign(new Error('EACCES'), { code: 'EACCES' });
    const closedFiles: FilesPort = { ...files, facts: () => Promise.reject(denied) };
    expect((await index([bare], closedFiles)).closed).toMatchObject([{ live: true }]);
    // With a folder on the host it has its keys there.
    const { folder } = nodeWithKey();
    const mounted = mounting(folder, { command: ['/bin/go-spacemesh'], pid: 4_000_000 });
    const onlyInside: FilesPort = {
      ...files,
      facts: (path, follow) =>
        path.startsWith('/proc/') ? Promise.reject(denied) : nodeFiles.facts(path, follow),
    };
    expect(await index([mounted], onlyInside)).toMatchObject({ closed: [], places: [{ live: true }] });
  });
});

describe('a folder of which nobody can say what is in it', () => {
  it('counts as closed when its disk fails, and as empty when it is not there', async () => {
    const failing = (code: string): FilesPort => ({
      ...files,
      facts: () => Promise.reject(Object.assign(new Error(code), { code })),
    });
    expect((await index([mounting('/x')], failing('EIO'))).closed).toHaveLength(1);
    expect((await index([mounting('/x')], failing('ESRCH'))).closed).toEqual([]);
  });

  it('keeps nobody waiting when it never answers, and nobody is clean by it', async () => {
    const dead: FilesPort = { ...files, facts: () => new Promise(() => {}) };
    const impatient: ClockPort = { ...systemClock, sleep: async () => {} };
    const found = await indexHost({
      ports: { files: dead, crypto: nodeCrypto },
      clock: impatient,
      containers: [mounting('/dead/share')],
      known: [],
      own: new Set(),
      engineIsHere: true,
    });
    expect(found.closed).toMatchObject([{ path: '/dead/share', live: true }]);
  });
});

describe('nodeDataFolder', () => {
  const at = (words: readonly string[], texts: Record<string, string> = {}) =>
    nodeDataFolder(
      {
        ...nodeFiles,
        readText: async (path: string) => texts[path] ?? Promise.reject(new Error('ENOENT')),
      },
      ['go-spacemesh', ...words],
      { root: '/r', home: '/home/smesher', cwd: '/cwd' },
    );
  const config = JSON.stringify({ MAIN: { 'Data-Folder': '/srv/node' } });

  it('is that of the flag, else of the config file, else the usual one', async () => {
    expect(await at(['-d', '/flag', '-c', '/c.json'], { '/r/c.json': config })).toBe('/flag');
    expect(await at(['--config=/c.json'], { '/r/c.json': config })).toBe('/srv/node');
    expect(await at(['-c', 'c.json'], { '/cwd/c.json': config })).toBe('/srv/node');
    expect(await at(['-c', '/gone.json'])).toBe('/home/smesher/spacemesh');
    expect(await at([])).toBe('/home/smesher/spacemesh');
  });

  it('takes nothing from a file that says nothing of it', () => {
    for (const text of ['', '[]', 'null', '{"main":7}', '{"main":{"data-folder":""}}', '{"main":{}}'])
      expect(readDataFolder(text)).toBeUndefined();
  });
});
