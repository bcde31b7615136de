import { Server, ServerCredentials } from '@grpc/grpc-js';
import { expect, it, onTestFinished } from 'vitest';
import { createNodeApi } from '../../../src/adapters/node-api/index.ts';
import { serviceDefinition } from '../../../src/adapters/node-api/services.ts';
import { genesisId, goldenAtx, MAINNET, TESTNET } from '../../../src/domain/node/networks.ts';
import type { Project } from '../../../src/domain/project/types.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { chooseCommitment } from '../../../src/usecases/post-init/commitment.ts';

const ATX = '5a'.repeat(32);

/** A node's answers over real gRPC. */
async function node(answers: {
  genesis: string;
  synced: boolean;
  highest: string | undefined;
}): Promise<number> {
  const server = new Server();
  type Reply = (error: unknown, answer?: unknown) => void;
  const says = (answer: unknown) => (_: unknown, reply: Reply) =>
    answer === undefined ? reply({ code: 13, details: 'database is locked' }) : reply(null, answer);
  server.addService(serviceDefinition('spacemesh.v1.NodeService'), {
    Status: says({
      status: {
        connectedPeers: 3,
        isSynced: answers.synced,
        syncedLayer: { number: 7 },
        topLayer: { number: 7 },
      },
    }),
  } as never);
  server.addService(serviceDefinition('spacemesh.v2alpha1.NetworkService'), {
    Info: says({
      ...{ genesisTime: { seconds: 1_689_321_600 }, layerDuration: { seconds: 300 }, layersPerEpoch: 4032 },
      ...{ hrp: 'sm', labelsPerUnit: 4_294_967_296, effectiveGenesisLayer: 8063 },
      genesisId: Buffer.from(answers.genesis, 'hex'),
    }),
  } as never);
  server.addService(serviceDefinition('spacemesh.v1.ActivationService'), {
    Highest: says(
      answers.highest === undefined
        ? undefined
        : { atx: { id: { id: Buffer.from(answers.highest, 'hex') } } },
    ),
  } as never);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  onTestFinished(() => server.forceShutdown());
  return port;
}

async function choose(port: number, wanted?: string) {
  const context = { ports: { nodeApi: async () => createNodeApi() } } as unknown as Context;
  const project = {
    network: MAINNET,
    node: { ports: { publicApi: port, privateApi: port } },
  } as unknown as Project;
  return chooseCommitment(context, project, wanted).catch((error: unknown) => error);
}

const ours = { genesis: genesisId(MAINNET), synced: true, highest: ATX };

it("is the highest ATX of a synced node of this network, and says that it is the node's", async () => {
  expect(await choose(await node(ours))).toEqual({
    atx: ATX,
    source: 'latest',
    words: "the node's highest ATX",
  });
});

it('is the golden ATX, which needs no node, where none can be asked, and says why', async () => {
  const golden = goldenAtx(MAINNET);
  const words = async (port: number) =>
    (await choose(port)) as { atx: string; source: string; words: string };
  for (const [port, why] of [
    [1, 'no node answers'],
    [await node({ ...ours, synced: false }), 'not synced'],
    [await node({ ...ours, genesis: genesisId(TESTNET) }), 'of another network'],
    [await node({ ...ours, highest: undefined }), 'database is locked'],
    [await node({ ...ours, highest: golden }), 'knows no other yet'],
  ] as const) {
    const found = await words(port);
    expect(found).toMatchObject({ atx: golden, source: 'golden' });
    expect(found.words).toContain(why);
  }
});

it('is as told; the latest has to be there then', async () => {
  const port = await node(ours);
  expect(await choose(port, 'golden')).toMatchObject({ atx: goldenAtx(MAINNET), source: 'golden' });
  expect(await choose(port, 'AB'.repeat(32))).toMatchObject({ atx: 'ab'.repeat(32), source: 'given' });
  expect(await choose(port, 'ab')).toMatchObject({ code: 'bad-option', exitCode: 2 });
  expect(await choose(1, 'latest')).toMatchObject({ code: 'no-latest-atx', exitCode: 4 });
});
