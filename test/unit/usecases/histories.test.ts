import { mkdirSync, writeFileSync } from 'node:fs';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/clock/index.ts';
import { nodeCrypto } from '../../../src/adapters/crypto/index.ts';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { createLocalDatabase } from '../../../src/adapters/sqlite/index.ts';
import type { ContainerState } from '../../../src/domain/compose/observed.ts';
import { ExitCode } from '../../../src/domain/errors.ts';
import { type Lease, writeLease } from '../../../src/domain/identity/lease.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { findingsError } from '../../../src/domain/plan/findings.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { checkDuplicates } from '../../../src/usecases/up/check-duplicates.ts';
import { checkHistories } from '../../../src/usecases/up/check-histories.ts';
import type { EngineObservation } from '../../../src/usecases/up/observe-engine.ts';
import { makeIdentity } from '../../helpers/keys.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { desired, observed } from '../plan/observed.ts';

const context = {
  ports: { files: nodeFiles, localDatabase: async () => createLocalDatabase() },
} as unknown as Context;
const id = parseSmesherId('ab'.repeat(32)) as SmesherId;

/** A node's data folder; with a database in which the identities have made their initial proofs. */
function nodeData(name: string, smeshed?: readonly SmesherId[]): string {
  const folder = `${tempFolder('history')}/${name}`;
  mkdirSync(folder);
  if (smeshed === undefined) return folder;
  const database = new Database(`${folder}/local.sql`);
  database.exec(`
    PRAGMA user_version = 9;
    CREATE TABLE post (id CHAR(32) PRIMARY KEY);
    CREATE TABLE challenge (id CHAR(32) PRIMARY KEY, epoch INT, poet_proof_ref CHAR(32));
    CREATE TABLE poet_registration (id CHAR(32), address VARCHAR, round_id VARCHAR, round_end INT);
    CREATE TABLE nipost (id CHAR(32) PRIMARY KEY);`);
  for (const one of smeshed) database.exec(`INSERT INTO post VALUES (x'${one}')`);
  database.close();
  return folder;
}

/** Another project's node, down. */
function observation(folder: string): EngineObservation {
  const node = observed('node', {
    state: 'exited',
    labels: { 'io.smesh-compose.role': 'node' },
    mounts: [{ kind: 'bind', source: folder, target: '/data', writable: true }],
  });
  return { engineIsHere: true, own: [], foreign: [node] } as unknown as EngineObservation;
}

const names = new Map([[id, 'post-0001']]);
const held: Lease = {
  smesherId: id,
  state: 'held',
  host: { id: 'h', name: 'h', cards: [] },
  project: { name: 'p', directory: '/p' },
  nodeData: '/p/node-data',
  createdAt: '2026-11-21T08:00:00.000Z',
  renewedAt: '2026-11-21T08:00:00.000Z',
  tool: '1',
};

describe('S23: a history that lies with another node of the engine', () => {
  it('is not left behind, though that node is down', async () => {
    const theirs = nodeData('theirs', [id]);
    const findings = await checkHistories(context, observation(theirs), names, nodeData('ours'));
    expect(findings).toMatchObject([{ code: 'smeshed-elsewhere', severity: 'error', kind: 'refused' }]);
    expect(findings[0]?.evidence).toContain(theirs);
  });

  it('was merged where this node has it too', async () => {
    const theirs = observation(nodeData('theirs', [id]));
    expect(await checkHistories(context, theirs, names, nodeData('ours', [id]))).toEqual([]);
  });

  it('is of no concern when it is that of others, or the folder is our own', async () => {
    const other = parseSmesherId('cd'.repeat(32)) as SmesherId;
    const theirs = observation(nodeData('theirs', [other]));
    expect(await checkHistories(context, theirs, names, nodeData('ours'))).toEqual([]);
    const ours = nodeData('ours', [id]);
    expect(await checkHistories(context, observation(ours), names, ours)).toEqual([]);
  });

  it('is not left behind by a changed node.data either', async () => {
    const { foreign } = observation(nodeData('before', [id]));
    const own = { engineIsHere: true, own: foreign, foreign: [] } as unknown as EngineObservation;
    const findings = await checkHistories(context, own, names, nodeData('after'));
    expect(findings).toMatchObject([{ code: 'smeshed-elsewhere', severity: 'error' }]);
  });

  it('S40: may stay with a node that was seen without the identity, as long as its key has not come back', async () => {
    const theirs = nodeData('theirs', [id]);
    const ours = nodeData('ours');
    mkdirSync(`${theirs}/identities`);
    const write = (state: 'held' | 'leaving' | 'released') =>
      writeFileSync(`${theirs}/identities/post-0001.lease`, writeLease({ ...held, state }));
    const codes = async () =>
      (await checkHistories(context, observation(theirs), names, ours)).map(({ code }) => code);
    for (const state of ['held', 'leaving'] as const) {
      write(state);
      expect(await codes()).toEqual(['smeshed-elsewhere']);
    }
    write('released');
    expect(await codes()).toEqual([]);
    writeFileSync(`${theirs}/identities/post-0001.key`, 'whatever');
    expect(await codes()).toEqual(['smeshed-elsewhere']);
  });
});

describe('S23: a node whose folder may not be read', () => {
  const denied = Object.assign(new Error('EACCES'), { code: 'EACCES' });
  const files = { ...nodeFiles, facts: () => Promise.reject(denied), list: async () => [] };
  const closed = { clock: systemClock, ports: { files, crypto: nodeCrypto } } as unknown as Context;
  const world = (...states: ContainerState[]) => {
    const [node] = observation('/theirs').foreign;
    const foreign = states.map((state, index) => ({ ...node, name: `theirs-${index}`, state }));
    return { engineIsHere: true, own: [], foreign } as unknown as EngineObservation;
  };

  it('keeps everything down while it runs: not known is not clean', async () => {
    const findings = await checkDuplicates(closed, world('running'), names);
    expect(findings).toMatchObject([
      { code: 'identities-unknown', severity: 'error', kind: 'refused', evidence: '/theirs' },
    ]);
    expect(findings[0]?.next).toMatch(/sudo smesh-compose up.*docker stop theirs-0/);
    expect(findingsError(findings)?.exitCode).toBe(ExitCode.refused);
  });

  it('is warned of when it is down, and no more', async () => {
    const findings = await checkDuplicates(closed, world('exited'), names);
    expect(findings).toMatchObject([
      { code: 'identities-unknown', severity: 'warning', evidence: '/theirs' },
    ]);
    expect(findingsError(findings)).toBeUndefined();
    // It still counts as no history; the finding is what speaks.
    const unseen = {
      ports: { ...context.ports, files: { ...nodeFiles, exists: () => Promise.reject(denied) } },
    };
    const ours = nodeData('ours');
    expect(await checkHistories(unseen as unknown as Context, world('exited'), names, ours)).toEqual([]);
  });

  it('is told of once, by the container that runs, when a stopped one has the folder, too', async () => {
    for (const states of [['exited', 'running'] as const, ['running', 'exited'] as const]) {
      const findings = await checkDuplicates(closed, world(...states), names);
      expect(findings).toHaveLength(1);
      expect(findings[0]).toMatchObject({ severity: 'error' });
      expect(findings[0]?.next).toContain(`docker stop theirs-${states.indexOf('running')}`);
    }
  });
});

describe('containers of the own name that a hand-written project left', () => {
  function beside(service: string, labels: Record<string, string> = {}): EngineObservation {
    const folder = nodeData('adopted');
    mkdirSync(`${folder}/identities`);
    const { smesherId, keyFile } = makeIdentity();
    writeFileSync(`${folder}/identities/a.key`, keyFile, { mode: 0o600 });
    identity = parseSmesherId(smesherId) as SmesherId;
    const own = observed(service, {
      image: 'spacemeshos/go-spacemesh:v1.7.6',
      labels,
      mounts: [{ kind: 'bind', source: folder, target: '/data', writable: true }],
    });
    return {
      engineIsHere: true,
      own: [own],
      desired: [desired('node')],
      foreign: [],
    } as unknown as EngineObservation;
  }
  let identity = id;
  const found = (observation: EngineObservation) =>
    checkDuplicates(
      { ports: { files: nodeFiles, crypto: nodeCrypto }, clock: systemClock } as unknown as Context,
      observation,
      new Map([[identity, 'post-0001']]),
    );

  it('are refused where Compose would leave them beside the new node, and only they are to be removed', async () => {
    const observation = beside('go-spacemesh');
    const [finding] = (await found(observation)).filter(({ severity }) => severity === 'error');
    expect(finding).toMatchObject({ code: 'identity-twice', kind: 'refused' });
    expect(finding?.next).toBe('docker stop test-go-spacemesh-1 && docker rm test-go-spacemesh-1');
  });

  it('are nobody else where Compose puts the new one in their place, or where this tool made them', async () => {
    expect(await found(beside('node'))).toEqual([]);
    expect(await found(beside('old', { 'io.smesh-compose.role': 'node' }))).toEqual([]);
  });
});
