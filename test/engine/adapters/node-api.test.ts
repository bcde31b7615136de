import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNodeApi } from '../../../src/adapters/node-api/index.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import type { NodeEndpoint } from '../../../src/ports/node-api.ts';
import { makeIdentity } from '../../helpers/keys.ts';
import { suiteTempFolder } from '../../helpers/temp.ts';

const IMAGE = process.env.SMESH_NODE_IMAGE ?? 'smesh-sim/go-spacemesh:v1.7.6';
const NAME = `smt-nodeapi-${process.pid}`;
const COINBASE = 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg';

const folder = suiteTempFolder('node-api');
const identities = [makeIdentity(), makeIdentity()];
const genesis = Math.floor(Date.now() / 1000) + 4;
const api = createNodeApi();
let endpoint: NodeEndpoint;

function writeProject(): string {
  const poet = makeIdentity();
  const config = {
    preset: 'standalone',
    genesis: { 'genesis-time': new Date(genesis * 1000).toISOString().replace('.000', '') },
    main: {
      'data-folder': '/data',
      filelock: '/data/LOCK',
      'layer-duration': '1s',
      'layers-per-epoch': 20,
      'poet-servers': [
        { address: 'http://127.0.0.1:10010', pubkey: Buffer.from(poet.smesherId, 'hex').toString('base64') },
      ],
    },
    poet: {
      'phase-shift': '10s',
      'cycle-gap': '10s',
      'grace-period': '2s',
      'positioning-atx-selection-timeout': '1s',
    },
    api: {
      'grpc-public-listener': '0.0.0.0:9092',
      'grpc-private-listener': '0.0.0.0:9093',
      'grpc-post-listener': '0.0.0.0:9094',
      privateservices: ['admin', 'smesher', 'debug', 'postInfo'],
    },
    smeshing: { 'smeshing-start': false, 'smeshing-coinbase': COINBASE },
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const keys = join(folder, 'data/identities');
  mkdirSync(keys, { recursive: true });
  for (const [index, identity] of identities.entries()) {
    writeFileSync(join(keys, `post-000${index + 1}.key`), identity.keyFile, { mode: 0o600 });
  }
  return Buffer.from(poet.keyFile, 'hex').toString('base64');
}

function portOf(port: number): string {
  const text = execFileSync('docker', ['port', NAME, `${port}/tcp`], { encoding: 'utf8' });
  return `127.0.0.1:${text.split('\n')[0]?.split(':').at(-1)}`;
}

beforeAll(async () => {
  const poetKey = writeProject();
  const mounts = ['-v', `${folder}/data:/data`, '-v', `${folder}/config.json:/config.json:ro`];
  const ports = ['-p', '127.0.0.1::9092', '-p', '127.0.0.1::9093'];
  // By environment and not by argument: no key in any command line.
  const env = { ...process.env, POET_PRIVATE_KEY: poetKey };
  const args = ['run', '-d', '--init', '--name', NAME, '-e', 'POET_PRIVATE_KEY', ...mounts, ...ports];
  execFileSync('docker', [...args, IMAGE, '-c', '/config.json'], { env, stdio: 'pipe' });
  endpoint = { publicApi: portOf(9092), privateApi: portOf(9093) };
});

afterAll(() => {
  execFileSync('docker', ['rm', '-f', NAME], { stdio: 'pipe' });
});

const smeshers = identities
  .map((identity) => parseSmesherId(identity.smesherId))
  .filter((id): id is SmesherId => id !== undefined);

describe('a node', () => {
  it('answers every part of a snapshot', async () => {
    await expect
      .poll(async () => (await api.snapshot(endpoint, { timeoutMs: 1000 })).smesherIds, { timeout: 60_000 })
      .toMatchObject({ ok: true, value: [expect.anything(), expect.anything()] });
    await expect
      .poll(async () => (await api.snapshot(endpoint, { timeoutMs: 1000 })).currentLayer, { timeout: 30_000 })
      .toMatchObject({ ok: true, value: expect.any(Number) });
    const snapshot = await api.snapshot(endpoint, { timeoutMs: 3000, activationsOf: smeshers });
    for (const [part, answer] of Object.entries(snapshot)) expect([part, answer.ok]).toEqual([part, true]);
    expect(snapshot.version).toMatchObject({ value: expect.stringMatching(/^v1\.7\./) });
    expect(snapshot.network).toMatchObject({
      value: { genesisTime: genesis * 1000, layerSeconds: 1, layersPerEpoch: 20, hrp: 'standalone' },
    });
    expect(snapshot.coinbase).toEqual({ ok: true, value: COINBASE });
    const { smesherIds, postStates } = snapshot;
    if (!smesherIds.ok || !postStates.ok) throw new Error('checked above');
    expect([...smesherIds.value].sort()).toEqual([...smeshers].sort());
    expect(postStates.value.map((state) => state.smesher).sort()).toEqual([...smeshers].sort());
    expect(postStates.value.map((state) => state.keyFile).sort()).toEqual(['post-0001.key', 'post-0002.key']);
  });

  it('wants the initial proofs, though no post-service is there', async () => {
    const states = async () => (await api.snapshot(endpoint, { timeoutMs: 1000 })).postStates;
    await expect
      .poll(states, { timeout: 60_000 })
      .toMatchObject({ ok: true, value: [{ state: 'proving' }, { state: 'proving' }] });
  });

  it('that goes away ends its events with a fault and leaves the rest unreachable', async () => {
    const reading = (async () => {
      for await (const _ of api.events(endpoint, new AbortController().signal));
    })().catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 500));
    execFileSync('docker', ['kill', NAME], { stdio: 'pipe' });
    expect(await reading).toMatchObject({ name: 'NodeFaultError', fault: { kind: 'unreachable' } });
    const snapshot = await api.snapshot(endpoint, { timeoutMs: 1000 });
    expect(snapshot.status).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
  });
});
