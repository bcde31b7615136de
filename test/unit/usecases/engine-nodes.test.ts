import { mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import type { ObservedContainer } from '../../../src/domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../../src/domain/errors.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { findEngineNodes, findNodeFolders } from '../../../src/usecases/engine-nodes.ts';
import { findHistoryOfChosen } from '../../../src/usecases/init/foreign-history.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { observed } from '../plan/observed.ts';

const NOBODY = { nodes: [], closed: [] };

function setScene(
  docker: () => Promise<unknown>,
  sleep: () => Promise<void> = () => new Promise<never>(() => {}),
) {
  const warnings: string[] = [];
  const context = {
    signal: new AbortController().signal,
    clock: { sleep },
    out: { warn: (text: string) => warnings.push(text) },
    ports: { files: nodeFiles, docker },
  } as unknown as Context;
  return { context, warnings };
}

const engine =
  (containers: () => Promise<readonly ObservedContainer[]>, endpoint = 'unix:///x.sock') =>
  async () => ({ endpoint, containers });

const failing = (code: string) =>
  engine(() => Promise.reject(new SmeshError(code, ExitCode.environment, 'no')));

function folderWithDatabase(): string {
  const folder = `${tempFolder('engine-nodes')}/node-data`;
  mkdirSync(folder);
  writeFileSync(`${folder}/local.sql`, '');
  return folder;
}

const mounting = (source: string, changes: Partial<ObservedContainer> = {}) =>
  observed('some', { mounts: [{ kind: 'bind', source, target: '/x', writable: true }], ...changes });

describe('findNodeFolders', () => {
  it('knows a folder by its database, whoever mounts it and whether that runs', async () => {
    const folder = folderWithDatabase();
    const containers = [mounting(folder, { image: 'backup:1', state: 'exited' }), mounting('/tmp')];
    expect(await findNodeFolders(nodeFiles, containers)).toEqual({
      nodes: [{ folder, container: 'test-some-1', runs: false }],
      closed: [],
    });
  });

  it('names the folder of a node that may not be entered, and no other', async () => {
    const denied = Object.assign(new Error('EACCES'), { code: 'EACCES' });
    const containers = [
      mounting('/theirs', { image: 'spacemeshos/go-spacemesh:v1.7.6' }),
      mounting('/database', { image: 'postgres:16' }),
    ];
    const found = await findNodeFolders({ exists: () => Promise.reject(denied) }, containers);
    expect(found).toEqual({ nodes: [], closed: ['/theirs'] });
  });
});

describe('findEngineNodes', () => {
  it('finds them', async () => {
    const folder = folderWithDatabase();
    const { context, warnings } = setScene(engine(async () => [mounting(folder)]));
    expect(await findEngineNodes(context)).toMatchObject({ nodes: [{ folder, runs: true }] });
    expect(warnings).toEqual([]);
  });

  it('says nothing where there is no engine, or one of another machine', async () => {
    const ssh = () => Promise.reject(new SmeshError('engine-ssh', ExitCode.environment, 'no'));
    for (const docker of [
      failing('engine-down'),
      ssh,
      engine(async () => [mounting('/x')], 'tcp://far:2375'),
    ]) {
      const { context, warnings } = setScene(docker);
      expect(await findEngineNodes(context)).toEqual(NOBODY);
      expect(warnings).toEqual([]);
    }
  });

  it('warns of an engine that it may not ask, and does not wait for one that hangs', async () => {
    const closed = setScene(failing('engine-permission'));
    expect(await findEngineNodes(closed.context)).toEqual(NOBODY);
    expect(closed.warnings).toEqual([expect.stringContaining('you may not use its socket')]);
    const hangs = setScene(
      engine(() => new Promise(() => {})),
      () => Promise.resolve(),
    );
    expect(await findEngineNodes(hangs.context)).toEqual(NOBODY);
    expect(hangs.warnings).toEqual([expect.stringContaining('no answer within 5 s')]);
  });

  it('lets faults of our own through', async () => {
    const { context } = setScene(engine(() => Promise.reject(new TypeError('bug'))));
    await expect(findEngineNodes(context)).rejects.toThrow(TypeError);
  });

  it('is not asked when nothing was chosen', async () => {
    const { context } = setScene(() => Promise.reject(new Error('loaded')));
    expect(await findHistoryOfChosen(context, [], { nodeFolders: [] }, '/node')).toEqual([]);
  });
});
