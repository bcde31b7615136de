import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClientReadableStream } from '@grpc/grpc-js';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answer,
  buildImages,
  call,
  clientOf,
  fastNetwork,
  makeKey,
  nodeImage,
  publishedPort,
  Stage,
  until,
} from './sim-node-support.ts';

const recordings = process.env['SMESH_RECORDINGS'];
const postImage = process.env['SMESH_POST_IMAGE'] ?? 'smesh-sim/post-service:v0.8.5';
const layersPerEpoch = 20;
const secondsToGenesis = 16;

interface SeenEvent {
  readonly help: string;
  readonly kind: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

const envelope = ['timestamp', 'failure', 'help', 'details'];

function toSeen(event: Record<string, unknown>): SeenEvent {
  const kind = Object.keys(event).find((key) => !envelope.includes(key)) ?? '';
  return { help: String(event['help']), kind, detail: event[kind] as Record<string, unknown> };
}

function recordedEvents(): readonly SeenEvent[] {
  const text = readFileSync(join(recordings ?? '', 'events-two-epochs.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => toSeen(JSON.parse(line)));
}

/** The steps of one identity, in order; what the layers bring in between is left out. */
function stepsOf(events: readonly SeenEvent[], smesher: unknown): string[] {
  const ofLayers = ['proposal', 'eligibilities', 'beacon'];
  return events
    .filter((event) => !ofLayers.includes(event.kind) && idOf(event) === String(smesher))
    .map((event) => event.kind);
}

function idOf(event: SeenEvent): string {
  const { smesher } = event.detail;
  return Buffer.isBuffer(smesher) ? smesher.toString('base64') : String(smesher);
}

/** Which fields each kind of event has ever had, unset ones left out. */
function fieldsByKind(events: readonly SeenEvent[]): Map<string, { help: string; fields: Set<string> }> {
  const byKind = new Map<string, { help: string; fields: Set<string> }>();
  for (const { kind, help, detail } of events) {
    const entry = byKind.get(kind) ?? { help, fields: new Set<string>() };
    for (const field of Object.keys(detail)) entry.fields.add(field);
    byKind.set(kind, entry);
  }
  return byKind;
}

/** Which columns of the identity's rows are set, table by table. */
function rowsOf(database: InstanceType<typeof Database>, id: Buffer): string {
  const shape = (table: string) =>
    (database.prepare(`SELECT * FROM ${table} WHERE id = ?`).all([id]) as Record<string, unknown>[])
      .map((row) => Object.keys(row).filter((column) => row[column] !== null))
      .map((columns) => `${table}(${columns.join(' ')})`);
  return ['post', 'challenge', 'poet_registration'].flatMap(shape).join(' ');
}

function withoutRepeats(items: readonly string[]): string[] {
  return items.filter((item, index) => item !== items[index - 1]);
}

/** Rows of one identity over the eight recorded moments. */
function recordedRows(): string[] {
  const id = Buffer.from('62834bf0416acba2db340c38f81e04595228266a014bcfb06cd6ffea70a8f031', 'hex');
  const moments = [1, 2, 3, 4, 5, 6, 7, 8].map((stage) => {
    const database = new Database(join(recordings ?? '', `local-sql/stage${stage}.sql`), { readonly: true });
    const rows = rowsOf(database, id);
    database.close();
    return rows;
  });
  return withoutRepeats(moments);
}

describe.skipIf(recordings === undefined || !existsSync(recordings))(
  'node stand-in: two identities to their rewards, as recorded (needs SMESH_RECORDINGS)',
  () => {
    const stage = new Stage('smeshing');
    const keys = [makeKey(), makeKey()];
    const events: SeenEvent[] = [];
    const rows = new Map<string, string[]>(keys.map(({ id }) => [id.toString('hex'), []]));
    const states = new Map<string, string[]>(keys.map(({ id }) => [id.toString('hex'), []]));
    let address = { public: '', private: '', json: '' };
    let stream: ClientReadableStream<Record<string, unknown>>;

    beforeAll(async () => {
      buildImages();
      const network = fastNetwork(layersPerEpoch, secondsToGenesis);
      stage.writeConfig(network.config);
      for (const [index, key] of keys.entries()) stage.writeKey(`post-${index}.key`, key.text);
      const net = await stage.network();
      const node = await stage.start(
        'node',
        ...['--network', net, '--network-alias', 'node'],
        ...['-p', '127.0.0.1::9092', '-p', '127.0.0.1::9093', '-p', '127.0.0.1::9095'],
        ...['-e', `POET_PRIVATE_KEY=${network.poetKey.seedAndId.toString('base64')}`],
        ...['-e', 'SIM_START_DELAY_MS=500'],
        ...stage.nodeMounts(),
        ...[nodeImage, '-c', '/config.json'],
      );
      for (const [index, key] of keys.entries()) await startPostService(index, key.id, network.golden, net);
      address = {
        public: await publishedPort(node, 9092),
        private: await publishedPort(node, 9093),
        json: await publishedPort(node, 9095),
      };
      await until('the ports', 20, () =>
        call('v1.SmesherService', address.private, 'SmesherIDs').then(
          () => true as const,
          () => undefined,
        ),
      );
      const admin = clientOf('v1.AdminService', address.private) as Answer;
      stream = admin.EventsStream({});
      stream.on('data', (event: Record<string, unknown>) => events.push(toSeen(event)));
      stream.on('error', () => undefined);
      await watch();
    }, 180_000);

    afterAll(async () => {
      stream?.cancel();
      await stage.clear();
    }, 60_000);

    async function startPostService(index: number, id: Buffer, golden: Buffer, net: string): Promise<void> {
      const folder = join(stage.folder, `post-${index}`);
      mkdirSync(folder);
      writeFileSync(join(folder, 'postdata_0.bin'), Buffer.alloc(1024));
      const metadata = {
        NodeId: id.toString('base64'),
        CommitmentAtxId: golden.toString('base64'),
        LabelsPerUnit: 64,
        NumUnits: 1,
        MaxFileSize: 1024,
        Nonce: 7,
        NonceValue: '00'.repeat(16),
      };
      writeFileSync(join(folder, 'postdata_metadata.json'), JSON.stringify(metadata, undefined, '\t'));
      const flags = ['--threads', '1', '--nonces', '16', '--randomx-mode', 'light', '--min-num-units', '1'];
      const network = [
        '--max-num-units',
        '2',
        '--k1',
        '12',
        '--k2',
        '4',
        '--pow-difficulty',
        'ff'.repeat(32),
      ];
      await stage.start(
        `post-${index}`,
        ...['--network', net, '-v', `${folder}:/post:ro`, postImage, '--dir', '/post'],
        ...['--address', 'http://node:9094', '--operator-address', '0.0.0.0:50051', ...flags, ...network],
      );
    }

    /** Looks at rows and states a few times a second until the first rewards are there. */
    async function watch(): Promise<void> {
      const local = new Database(join(stage.data, 'local.sql'), { readonly: true });
      try {
        await until('rewards', secondsToGenesis + 3.5 * layersPerEpoch, async () => {
          for (const { id } of keys) rows.get(id.toString('hex'))?.push(rowsOf(local, id));
          const answer = await call('v1.PostInfoService', address.private, 'PostStates');
          for (const state of answer.states) states.get(state.id.toString('hex'))?.push(state.state);
          const { rewards } = await call('v2alpha1.RewardService', address.public, 'List', { limit: 1 });
          return rewards?.length > 0 ? true : undefined;
        });
      } finally {
        local.close();
      }
    }

    it('takes every identity through the recorded steps', () => {
      const recorded = recordedEvents();
      const first = recorded.find((event) => event.kind === 'postComplete');
      expect(first).toBeDefined();
      // The recorded identity that finished second proved into its window later on: no waiting event there.
      const punctual = recorded.filter((event) => event.kind === 'postComplete').map(idOf)[1];
      const expected = stepsOf(recorded, punctual);
      for (const { id } of keys) {
        const seen = stepsOf(events, id.toString('base64'));
        const length = Math.min(seen.length, expected.length);
        expect(length).toBeGreaterThanOrEqual(15);
        expect(seen.slice(0, length)).toEqual(expected.slice(0, length));
      }
    });

    it('sends every recorded kind of event with its text and fields', () => {
      const expected = fieldsByKind(recordedEvents());
      const seen = fieldsByKind(events);
      for (const [kind, { help, fields }] of expected) {
        expect(seen.get(kind)?.help, kind).toBe(help);
        expect([...(seen.get(kind)?.fields ?? [])].sort(), kind).toEqual([...fields].sort());
      }
      expect([...seen.keys()].sort()).toEqual([...expected.keys()].sort());
    });

    it('downloads a PoET proof once for all identities, before any of them proves with it', () => {
      const kinds = events.map((event) => event.kind);
      const downloads = events.filter((event) => event.kind === 'proofDownloadedFromPoet');
      expect(new Set(downloads.map((event) => event.detail['roundId'])).size).toBe(downloads.length);
      expect(kinds.indexOf('proofDownloadedFromPoet')).toBeLessThan(kinds.indexOf('bestProofSelected'));
      const challenges = events
        .filter((event) => event.kind === 'postStart')
        .map(({ detail }) => detail['challenge']);
      expect((challenges[0] as Buffer).equals(Buffer.alloc(32))).toBe(true);
      expect((challenges[2] as Buffer).equals(Buffer.alloc(32))).toBe(false);
      expect(challenges[3]).toEqual(challenges[2]);
    });

    it('keeps the recorded rows in local.sql, column by column, in WAL mode', () => {
      expect(readFileSync(join(stage.data, 'local.sql')).subarray(18, 20)).toEqual(Buffer.from([2, 2]));
      const expected = recordedRows();
      for (const { id } of keys) {
        const seen = withoutRepeats(rows.get(id.toString('hex')) ?? []);
        expect(seen.slice(0, expected.length)).toEqual(expected);
      }
    });

    it('wants a proof when it is due, and no longer when it has it', () => {
      for (const { id } of keys) {
        const seen = withoutRepeats(states.get(id.toString('hex')) ?? []);
        expect(seen.slice(0, 4)).toEqual(['PROVING', 'IDLE', 'PROVING', 'IDLE']);
      }
    });

    it('answers on the JSON gateway for public services only', async () => {
      const post = (path: string) => fetch(`http://${address.json}${path}`, { method: 'POST', body: '{}' });
      const status = await (await post('/v1/node/status')).json();
      expect(status).toEqual({
        status: {
          connectedPeers: '0',
          isSynced: true,
          syncedLayer: { number: expect.any(Number) },
          topLayer: { number: expect.any(Number) },
          verifiedLayer: { number: expect.any(Number) },
        },
      });
      const info = await (await post('/spacemesh.v2alpha1.NetworkService/Info')).json();
      expect(info).toMatchObject({
        hrp: 'standalone',
        layersPerEpoch,
        labelsPerUnit: '64',
        layerDuration: '1s',
      });
      const refused = await post('/spacemesh.v1.PostInfoService/PostStates');
      expect(refused.status).toBe(404);
      expect(await refused.json()).toEqual({ code: 5, message: 'Not Found', details: [] });
    });

    it('refuses what belongs to supervised smeshing, and tells the rest', async () => {
      await expect(call('v1.SmesherService', address.private, 'IsSmeshing')).rejects.toMatchObject({
        code: 9,
        details: 'node is not configured for supervised smeshing',
      });
      const { publicKeys } = await call('v1.SmesherService', address.private, 'SmesherIDs');
      const hex = (ids: readonly Buffer[]) => ids.map((id) => id.toString('hex')).sort();
      expect(hex(publicKeys)).toEqual(hex(keys.map(({ id }) => id)));
      const config = await call('v1.SmesherService', address.private, 'PostConfig');
      expect(config).toMatchObject({ labelsPerUnit: '64', minNumUnits: 1, maxNumUnits: 2, k1: 12, k2: 4 });
      const { activations } = await call('v2alpha1.ActivationService', address.public, 'List', {
        limit: 100,
      });
      expect(hex(activations.slice(0, 2).map((atx: Answer) => atx.smesherId))).toEqual(hex(publicKeys));
    });

    it('lists rewards by layer and identity, at most 100 at a time', async () => {
      const [first = Buffer.alloc(0)] = keys.map(({ id }) => id);
      const list = (request: object) => call('v2alpha1.RewardService', address.public, 'List', request);
      const { rewards } = await list({ smesher: first, limit: 100 });
      for (const reward of rewards as readonly Answer[]) {
        expect(reward.smesher).toEqual(first);
        expect(Number(reward.total)).toBeGreaterThan(0);
        // Nobody has an ATX that aims at an epoch before the third.
        expect(reward.layer).toBeGreaterThanOrEqual(2 * layersPerEpoch);
      }
      const { layer } = rewards[0];
      expect((await list({ smesher: first, startLayer: layer, endLayer: layer, limit: 9 })).rewards).toEqual([
        rewards[0],
      ]);
      const { status } = await call('v1.NodeService', address.public, 'Status', {});
      const last = rewards.at(-1).layer;
      expect(last).toBeLessThanOrEqual(status.verifiedLayer.number + 1);
      const refused = { code: 3, details: 'limit must be set to <= 100' };
      await expect(list({})).rejects.toMatchObject(refused);
      await expect(list({ limit: 101 })).rejects.toMatchObject({
        code: 3,
        details: 'limit is capped at 100',
      });
      await expect(list({ coinbase: 'sm1x', limit: 1 })).rejects.toMatchObject({ code: 3 });
    });

    it.skipIf(process.env['SMESH_NODE_IMAGE'] !== undefined)(
      'tells once that an identity is cancelled, lists it, and pays it nothing more (stand-in only)',
      async () => {
        const [first, second] = keys.map(({ id }) => id.toString('hex'));
        const list = (request: object) =>
          call('v2alpha1.MalfeasanceService', address.public, 'List', request);
        const lacking = { code: 3, details: 'limit must be set to <= 100' };
        await expect(list({})).rejects.toMatchObject(lacking);
        expect((await list({ limit: 9 })).proofs ?? []).toEqual([]);
        writeFileSync(join(stage.data, 'misfortunes.json'), JSON.stringify({ cancelled: [first] }));
        const told = () => events.filter(({ kind }) => kind === 'malfeasance');
        await until('the event', 10, async () => told()[0]);
        const { proofs } = await list({ smesherId: keys.map(({ id }) => id), limit: 9 });
        expect(proofs.map((proof: Answer) => [proof.smesher.toString('hex'), proof.type])).toEqual([
          [first, 1],
        ]);
        const { status } = await call('v1.NodeService', address.public, 'Status', {});
        const from = status.topLayer.number + 1;
        const { rewards } = await until('a reward of the other', 15, async () => {
          const answer = await call('v2alpha1.RewardService', address.public, 'List', {
            startLayer: from,
            limit: 100,
          });
          return answer.rewards?.length > 1 ? answer : undefined;
        });
        expect(rewards.map((reward: Answer) => reward.smesher.toString('hex'))).not.toContain(first);
        expect(rewards[0].smesher.toString('hex')).toBe(second);
        expect(told()).toHaveLength(1);
      },
    );
  },
);
