import { readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isProofValid } from '../sim/common/proof.ts';
import { FakeNode, type Registration } from './fake-node.ts';
import {
  makeData,
  NODE_ID,
  phases,
  pollUntilProof,
  positionIn,
  shape,
  statusOf,
  watch,
} from './proving-observations.ts';
import {
  bundleStandIn,
  freePort,
  type Running,
  recordings,
  removeScratch,
  start,
  until,
  withoutRecordings,
} from './run-stand-in.ts';

const CHALLENGE = Buffer.alloc(32, 1);
const OTHER = Buffer.alloc(32, 2);
const NETWORK = ['--min-num-units', '1', '--k1', '12', '--k2', '4', '--threads', '1', '--nonces', '16'];

let bundle = '';
let node: FakeNode | undefined;
const services: Running[] = [];

beforeAll(async () => {
  bundle = await bundleStandIn('post-service');
});
afterEach(async () => {
  node?.kill();
  node = undefined;
  await Promise.all(services.splice(0).map((service) => service.stop()));
});
afterAll(removeScratch);

describe('post-service stand-in, proving', () => {
  it('registers with what its metadata says, a nonce of 0 as such', async () => {
    const { registration } = await launch({ nonce: 0 });
    expect(registration.meta).toMatchObject({ nonce: '0', numUnits: 2, labelsPerUnit: '64' });
    expect(registration.meta.nodeId).toEqual(NODE_ID);
    expect(registration.meta.commitmentAtxId).toEqual(Buffer.alloc(32, 9));
  });

  it('proves in the recorded phases in measurable time, and forgets the proof once it is handed out', async () => {
    const { registration, operator, service } = await launch({ env: {} });
    const seen: string[] = [];
    const watching = watch(operator, seen);
    await until('the first status is seen', () => seen.length > 0);
    const began = performance.now();
    const proof = await pollUntilProof(registration, CHALLENGE);
    const took = performance.now() - began;
    // Idle before the response was sent.
    expect(await statusOf(operator)).toBe('Idle');
    await until('the last status is seen', () => seen.at(-1) === 'Idle');
    watching.abort();
    expect(took).toBeGreaterThan(1500);
    expect(took).toBeLessThan(6000);
    const { nonce, indices, pow } = proof.proof ?? { nonce: -1, indices: Buffer.alloc(0), pow: '0' };
    expect(isProofValid(CHALLENGE, NODE_ID, { nonce, indices, pow: BigInt(pow) })).toBe(true);
    expect(proof.metadata?.challenge).toEqual(CHALLENGE);
    const order = ['Idle', '0..0@0', '0..16@0', 'DoneProving'];
    expect(seen.filter((status) => order.includes(status))).toEqual([...order, 'Idle']);
    const positions = seen.flatMap((status) => /^0\.\.16@(\d+)$/.exec(status)?.[1] ?? []).map(Number);
    expect(positions.length).toBeGreaterThan(3);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(phases(service.stderr())).toEqual([
      'starting proof generation',
      'calculating proof of work for nonces 0..16',
      'finished k2pow',
      'started reading POST data',
      'Reading file: postdata_0.bin',
      'Reading file: postdata_1.bin',
      'finished reading POST data',
      'found proof',
      'proof generation is finished',
      'verifying proof',
      'proof is valid',
    ]);
  });

  it('needs more passes when told so, each with the next nonces', async () => {
    const { registration, service } = await launch({ env: { ...FAST, SIM_PASSES: '3' } });
    const proof = await pollUntilProof(registration, CHALLENGE);
    expect(Math.floor((proof.proof?.nonce ?? 0) / 16)).toBe(2);
    expect(proof.proof?.pow).toBe('2');
    expect(phases(service.stderr()).filter((line) => line.startsWith('calculating'))).toEqual([
      'calculating proof of work for nonces 0..16',
      'calculating proof of work for nonces 16..32',
      'calculating proof of work for nonces 32..48',
    ]);
  });

  it('shows each nonce group at debug level, and little else', async () => {
    const env = { ...FAST, RUST_LOG: 'info,post::prove=debug' };
    const { registration, service } = await launch({ env, args: ['--nonces', '64'] });
    await pollUntilProof(registration, CHALLENGE);
    const debug = service.stderr().match(/DEBUG post::prove\] proof of work for nonce group \d/g);
    expect(debug).toHaveLength(4);
    expect(service.stderr().match(/DEBUG/g)).toHaveLength(8);
  });

  it('refuses another challenge while it works, and goes on', async () => {
    const { registration } = await launch({ env: { ...FAST, SIM_READ_MS: '1000' } });
    expect(await registration.poll(CHALLENGE)).toMatchObject({ status: 'GEN_PROOF_STATUS_OK', proof: null });
    expect(await registration.poll(OTHER)).toMatchObject({ status: 'GEN_PROOF_STATUS_ERROR' });
    expect((await pollUntilProof(registration, CHALLENGE)).proof).not.toBeNull();
  });

  it('keeps its work over a restart of the node', async () => {
    const { registration, service, operator } = await launch({ env: { ...FAST, SIM_READ_MS: '3000' } });
    await registration.poll(CHALLENGE);
    await until('it reads', async () => positionIn(await statusOf(operator)) > 0);
    const port = node?.port ?? 0;
    node?.kill();
    await until('the loss is seen', () => service.stderr().includes('disconnected'));
    const before = positionIn(await statusOf(operator));
    node = await FakeNode.listen(port);
    await until('it is back', () => node?.registrations[0] !== undefined);
    expect(positionIn(await statusOf(operator))).toBeGreaterThanOrEqual(before);
    await pollUntilProof(node.registrations[0] as Registration, CHALLENGE);
    expect(service.stderr().match(/starting proof generation/g)).toHaveLength(1);
  });

  it('loses everything when it is restarted', async () => {
    const { registration, service, dir, operator } = await launch({ env: { ...FAST, SIM_READ_MS: '3000' } });
    await registration.poll(CHALLENGE);
    await until('it reads', async () => positionIn(await statusOf(operator)) > 0);
    await service.stop();
    const again = await launch({ dir, env: FAST });
    expect(await statusOf(again.operator)).toBe('Idle');
    await pollUntilProof(again.registration, CHALLENGE);
    expect(phases(again.service.stderr())[1]).toBe('calculating proof of work for nonces 0..16');
  });

  it('keeps its work while frozen, and does none meanwhile', async () => {
    const env = { ...FAST, SIM_K2POW_MS_PER_UNIT_GROUP: '1000' };
    const { registration, service } = await launch({ env });
    await registration.poll(CHALLENGE);
    service.child.kill('SIGSTOP');
    await sleep(3000);
    service.child.kill('SIGCONT');
    await sleep(500);
    expect(service.stderr()).not.toContain('finished k2pow');
    await until('k2pow is done', () => service.stderr().includes('finished k2pow'));
    expect(service.stderr().match(/starting proof generation/g)).toHaveLength(1);
  });

  it('accepts connections to the operator port but does not answer while the dataset is built', async () => {
    const env = { ...FAST, SIM_DATASET_MS: '1500' };
    const { registration, operator, service } = await launch({ env, args: ['--randomx-mode', 'fast'] });
    await registration.poll(CHALLENGE);
    await until('it builds the dataset', () => service.stderr().includes('generating proof'));
    await expect(statusOf(operator, 500)).rejects.toThrow(/timeout|aborted/i);
    expect(await statusOf(operator, 5000)).not.toBe('Idle');
  });

  it('stays failed until a restart when its data cannot be read at the start of a proof', async () => {
    const { registration, dir, operator } = await launch({ env: FAST });
    renameSync(join(dir, 'postdata_metadata.json'), join(dir, 'away'));
    await registration.poll(CHALLENGE);
    await until('it has failed', async () => (await statusOf(operator)) === 'DoneProving');
    for (let at = 0; at < 2; at += 1) {
      expect((await registration.poll(CHALLENGE)).status).toBe('GEN_PROOF_STATUS_ERROR');
    }
    renameSync(join(dir, 'away'), join(dir, 'postdata_metadata.json'));
    expect((await registration.poll(CHALLENGE)).status).toBe('GEN_PROOF_STATUS_ERROR');
    expect(await statusOf(operator)).toBe('DoneProving');
  });

  it('makes an invalid proof of data with a hole, and begins again', async () => {
    const { registration, dir, operator } = await launch({ env: FAST });
    rmSync(join(dir, 'postdata_0.bin'));
    await registration.poll(CHALLENGE);
    await until('it is done', async () => (await statusOf(operator)) === 'DoneProving');
    expect((await registration.poll(CHALLENGE)).status).toBe('GEN_PROOF_STATUS_ERROR');
    expect(await statusOf(operator)).toBe('Idle');
  });

  it('hands out no proof of an old challenge', async () => {
    const { registration, operator } = await launch({ env: FAST });
    await registration.poll(CHALLENGE);
    await until('it is done', async () => (await statusOf(operator)) === 'DoneProving');
    expect((await registration.poll(OTHER)).status).toBe('GEN_PROOF_STATUS_ERROR');
    expect((await pollUntilProof(registration, OTHER)).metadata?.challenge).toEqual(OTHER);
  });

  it('tries again for ever when its identity is registered already, without harm to the first', async () => {
    const { registration, dir } = await launch({ env: FAST });
    const second = run(dir, node?.port ?? 0, await freePort(), FAST, []);
    await until('it was refused twice', () => (node?.refused ?? 0) >= 2);
    expect(second.stderr()).toContain('post service already registered');
    expect((await pollUntilProof(registration, CHALLENGE)).proof).not.toBeNull();
  });

  it('asks a remote k2pow service until it has each proof of work, and panics on its fault', async () => {
    const asked: string[] = [];
    const answers = [201, 429, 200, 200, 500];
    const remote = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(answers[asked.length - 1] ?? 500).end('7');
    });
    const port = await freePort();
    await new Promise<void>((resolve) => remote.listen(port, '127.0.0.1', resolve));
    try {
      const flags = ['--remote-k2pow', `http://127.0.0.1:${port}`, '--remote-k2pow-backoff', '0'];
      const args = ['--nonces', '32', '--remote-k2pow-parallelism', '1', ...flags];
      const { registration, service } = await launch({ env: FAST, args });
      await pollUntilProof(registration, CHALLENGE);
      const job = (group: number) => `/job/${NODE_ID.toString('hex')}/${group}/0101010101010101/`;
      expect(asked.map((url) => url.slice(0, -64))).toEqual([job(0), job(0), job(0), job(1)]);
      await registration.poll(OTHER);
      expect((await service.ended).exit).toBe(101);
    } finally {
      remote.close();
    }
  });

  it('answers nothing but GET /status, and runs on without a port', async () => {
    const { operator, dir } = await launch({ env: FAST });
    const url = `http://127.0.0.1:${operator}`;
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/status`, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${url}/status`)).headers.get('content-type')).toBe('application/json');
    const portless = run(dir, node?.port ?? 0, operator, FAST, []);
    await until('the second runs', () => portless.stderr().includes('obtained metadata'));
    expect(portless.child.exitCode).toBeNull();
  });
});

describe.skipIf(recordings === undefined)(
  `log of a proof against the recordings (${withoutRecordings})`,
  () => {
    it('has the phases of the recorded three passes, in their order', async () => {
      const text = readFileSync(join(recordings ?? '', 'post-service-proof.log'), 'utf8');
      const { registration, service } = await launch({
        env: { ...FAST, SIM_PASSES: '3', SIM_READ_FRACTION: '1' },
        files: 8,
      });
      await pollUntilProof(registration, CHALLENGE);
      expect(phases(service.stderr())).toEqual(phases(text));
      expect(shape(service.stderr())).toEqual(shape(text));
    });
  },
);

/** Everything short, for tests that are not about time. */
const FAST = {
  SIM_K2POW_MS_PER_UNIT_GROUP: '50',
  SIM_READ_MS: '100',
  SIM_DATASET_MS: '10',
  SIM_CACHE_MS: '10',
  SIM_VERIFY_MS: '10',
};

interface Setting {
  readonly dir?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly args?: readonly string[];
  readonly nonce?: number;
  readonly files?: number;
}

async function launch(setting: Setting) {
  const dir = setting.dir ?? makeData(setting.nonce ?? 110, setting.files ?? 2);
  node ??= await FakeNode.listen(await freePort());
  const known = node.registrations.length;
  const operator = await freePort();
  const service = run(dir, node.port, operator, setting.env ?? FAST, setting.args ?? []);
  await until('it is registered', () => (node?.registrations.length ?? 0) > known);
  return { dir, operator, service, registration: node.registrations.at(-1) as Registration };
}

function run(
  dir: string,
  port: number,
  operator: number,
  env: NodeJS.ProcessEnv,
  args: readonly string[],
): Running {
  const network = NETWORK.filter((_, at) => !(args.includes('--nonces') && at >= NETWORK.length - 2));
  const mode = args.includes('--randomx-mode') ? [] : ['--randomx-mode', 'light'];
  const where = ['--dir', dir, '--address', `http://127.0.0.1:${port}`, '--reconnect-interval-s', '1'];
  const all = [...where, '--operator-address', `127.0.0.1:${operator}`, ...network, ...mode, ...args];
  const service = start(bundle, all, env);
  services.push(service);
  return service;
}
