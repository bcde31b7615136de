import type { ClientDuplexStream } from '@grpc/grpc-js';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeProof } from '../sim/common/proof.ts';
import {
  type Answer,
  buildImages,
  call,
  clientOf,
  docker,
  type FastNetwork,
  fastNetwork,
  logsOf,
  makeKey,
  nodeImage,
  publishedPort,
  Stage,
  stateOf,
  type TestKey,
  until,
} from './sim-node-support.ts';

type RegisterStream = ClientDuplexStream<object, Record<string, Answer>>;

/** A post-service of our own: proves what it is told to, and holds back what it is told to hold back. */
class Prover {
  readonly challenges: string[] = [];
  readonly failure: Promise<Error>;
  readonly #stream: RegisterStream;
  readonly #close: () => void;

  constructor(address: string, key: TestKey, golden: Buffer, withholds: (challenge: Buffer) => boolean) {
    const client = clientOf('v1.PostService', address) as Answer;
    this.#close = () => client.close();
    this.#stream = client.Register();
    const meta = { nodeId: key.id, commitmentAtxId: golden, nonce: 7, numUnits: 1, labelsPerUnit: 64 };
    this.#stream.on('data', (request: Record<string, Answer>) => {
      if (request['metadata'] !== undefined && request['metadata'] !== null) {
        this.#stream.write({ metadata: { meta } });
        return;
      }
      const challenge = request['genProof'].challenge as Buffer;
      this.challenges.push(challenge.toString('hex'));
      const proof = makeProof(challenge, key.id, 3);
      const done = { proof: { ...proof, pow: String(proof.pow) }, metadata: { challenge, meta } };
      this.#stream.write({
        genProof: { status: 'GEN_PROOF_STATUS_OK', ...(withholds(challenge) ? {} : done) },
      });
    });
    this.failure = new Promise((resolve) => {
      this.#stream.on('error', resolve);
    });
  }

  get latest(): string | undefined {
    return this.challenges.at(-1);
  }

  close(): void {
    this.#stream.cancel();
    this.#close();
  }
}

const zero = '00'.repeat(32);

describe('node stand-in: faults and restarts', () => {
  const stages: Stage[] = [];
  const provers: Prover[] = [];
  beforeAll(buildImages, 120_000);
  afterEach(async () => {
    for (const prover of provers.splice(0)) prover.close();
    await Promise.all(stages.splice(0).map((stage) => stage.clear()));
  }, 60_000);

  async function startNode(
    change: (network: FastNetwork) => void = () => undefined,
    ...environment: string[]
  ): Promise<{ stage: Stage; node: string; key: TestKey; network: FastNetwork }> {
    const stage = new Stage('fault');
    stages.push(stage);
    const key = makeKey();
    const network = fastNetwork(12, 8);
    change(network);
    stage.writeConfig(network.config);
    stage.writeKey('one.key', key.text);
    const node = await stage.start(
      'node',
      ...['-p', '127.0.0.1::9092', '-p', '127.0.0.1::9093', '-p', '127.0.0.1::9094'],
      ...['-e', 'SIM_START_DELAY_MS=300', ...environment.flatMap((setting) => ['-e', setting])],
      ...[...stage.nodeMounts(), nodeImage, '-c', '/config.json'],
    );
    return { stage, node, key, network };
  }

  async function statesOf(node: string): Promise<readonly string[] | undefined> {
    const address = await publishedPort(node, 9093);
    return call('v1.PostInfoService', address, 'PostStates').then(
      (answer) => answer.states.map((state: Answer) => state.state) as string[],
      () => undefined,
    );
  }

  async function connect(node: string, key: TestKey, golden: Buffer, withholds: (c: Buffer) => boolean) {
    await until('the ports', 20, () => statesOf(node));
    const prover = new Prover(await publishedPort(node, 9094), key, golden, withholds);
    provers.push(prover);
    return prover;
  }

  it('asks for the same proof after a restart, and says IDLE for a moment first', async () => {
    const { node, key, network } = await startNode();
    const holds = (challenge: Buffer) => challenge.toString('hex') !== zero;
    const before = await connect(node, key, network.golden, holds);
    await until('the round to end', 40, async () => (before.latest ?? zero) !== zero || undefined);
    const wanted = before.latest;
    expect(await statesOf(node)).toEqual(['PROVING']);
    before.close();
    await docker('restart', node);
    expect(await until('the ports again', 20, () => statesOf(node))).toEqual(['IDLE']);
    const after = await connect(node, key, network.golden, () => false);
    await until('the proof to be asked for again', 15, async () => after.latest !== undefined || undefined);
    expect(after.challenges[0]).toBe(wanted);
    await until('the ATX', 10, async () => (await logsOf(node)).includes('atx published') || undefined);
  }, 90_000);

  it('keeps out a second service of the same identity, and the first goes on', async () => {
    const { node, key, network } = await startNode();
    const first = await connect(node, key, network.golden, () => true);
    await until('the first to be asked', 10, async () => first.latest);
    const second = await connect(node, key, network.golden, () => true);
    expect((await second.failure).message).toContain('post service already registered');
    const asked = first.challenges.length;
    await until('the first to be asked again', 10, async () => first.challenges.length > asked || undefined);
  }, 60_000);

  it('refuses every service while it has no coinbase', async () => {
    const { node, key, network } = await startNode(({ config }) => {
      config['smeshing'] = { 'smeshing-start': false, 'smeshing-coinbase': '' };
    });
    const prover = await connect(node, key, network.golden, () => true);
    expect(await prover.failure).toMatchObject({
      code: 9,
      details: 'connection not allowed: node has no coinbase set in config',
    });
  }, 60_000);

  it('does not accept the initial proof of data that was made for another network', async () => {
    const { node, key } = await startNode();
    const foreign = await connect(node, key, Buffer.alloc(32, 9), () => false);
    await until('a proof to be asked for', 10, async () => foreign.latest);
    await until('the complaint', 10, async () =>
      (await logsOf(node)).includes('initial POST is invalid') ? true : undefined,
    );
    expect(await logsOf(node)).not.toContain('created the initial post');
  }, 60_000);

  it('crashes at the end of the round when its PoET has no public key', async () => {
    const { node, key, network } = await startNode(({ config }) => {
      const main = config['main'] as Record<string, unknown>;
      main['poet-servers'] = [{ address: 'http://127.0.0.1:10010' }];
    });
    await connect(node, key, network.golden, () => false);
    await until('the crash', 45, async () => ((await stateOf(node)).running ? undefined : true));
    expect((await stateOf(node)).exitCode).toBe(2);
    expect(await logsOf(node)).toContain(
      'panic: runtime error: slice bounds out of range [:5] with capacity 0',
    );
  }, 90_000);

  it('lingers after a failed start, then says so and exits 1', async () => {
    const { node } = await startNode(({ config }) => {
      config['smeshing'] = { 'smeshing-start': false, 'smeshing-coinbase': 'sm1xyz' };
    }, 'SIM_LINGER_MS=3000');
    await until(
      'the fault',
      10,
      async () => (await logsOf(node)).includes('failed to start App') || undefined,
    );
    expect((await stateOf(node)).running).toBe(true);
    await until('the end', 10, async () => ((await stateOf(node)).running ? undefined : true));
    expect((await stateOf(node)).exitCode).toBe(1);
    expect(await logsOf(node)).toContain('app failed to clean up in time');
  }, 60_000);

  it('stops at once and cleanly on SIGTERM, with a service connected', async () => {
    const { node, key, network } = await startNode();
    const prover = await connect(node, key, network.golden, () => true);
    await until('a proof to be asked for', 10, async () => prover.latest);
    const start = Date.now();
    await docker('stop', '-t', '20', node);
    expect(Date.now() - start).toBeLessThan(5000);
    expect((await stateOf(node)).exitCode).toBe(0);
  }, 60_000);
});
