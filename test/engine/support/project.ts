import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { goldenAtx, standaloneNetwork } from '../../../src/domain/node/networks.ts';
import { makeIdentity, makePoetKey, type TestIdentity } from '../../helpers/keys.ts';
import { type CliOptions, type CliRun, runCli } from '../../helpers/run-cli.ts';

const run = promisify(execFile);

export const NODE_IMAGE = process.env['SMESH_NODE_IMAGE'] ?? 'smesh-sim/go-spacemesh:v1.7.6';
export const POSTCLI_IMAGE = process.env['SMESH_POSTCLI_IMAGE'] ?? 'smesh-sim/postcli:v0.12.9';
export const PROVER_IMAGE = process.env['SMESH_POST_IMAGE'] ?? 'smesh-sim/post-service:v0.8.5';

const COINBASE = 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg';

/** Whom data and node belong to in these tests: somebody who is not root. */
export const OWNER = { uid: 1000, gid: 1000 } as const;

const UNITS = 2;
const LABELS_PER_UNIT = 64;

export interface ProjectIdentity extends TestIdentity {
  readonly name: string;
  /** Folder that stands for a disk; the data lie in `post` below it. */
  readonly disk: string;
  readonly data: string;
  /** Added to its entry in smesh.yaml. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** What a test wants otherwise in smesh.yaml. */
export interface ProjectChanges {
  readonly layersPerEpoch?: number;
  readonly poet?: Readonly<Record<string, unknown>>;
  /** PoETs of their own (`poet.servers`) instead of the one in the node. */
  readonly externalPoets?: true;
  readonly defaults?: Readonly<Record<string, unknown>>;
  readonly schedule?: Readonly<Record<string, unknown>>;
}

/** `docker …`; rejects with its stderr. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await run('docker', args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

/** A standalone project as `generate` would find it after `init`, made by hand. */
export class TestProject {
  readonly folder: string;
  readonly name: string;
  readonly identities: ProjectIdentity[] = [];
  readonly #poetKey: string;
  readonly #ports: { p2p: number; publicApi: number; privateApi: number };
  readonly #genesis: string;
  readonly #layerSeconds: number;
  #poet: Readonly<Record<string, string>>;
  #changes: ProjectChanges = {};
  #settings: { nodeImage: string; proverImage: string; nodeConfig: Record<string, unknown> } = {
    nodeImage: NODE_IMAGE,
    proverImage: PROVER_IMAGE,
    nodeConfig: {},
  };

  private constructor(
    folder: string,
    name: string,
    ports: { p2p: number; publicApi: number; privateApi: number },
    layerSeconds: number,
    genesisInSeconds: number,
  ) {
    this.#poet = { phaseShift: `${layerSeconds * 10}s`, cycleGap: `${layerSeconds}s` };
    this.folder = folder;
    this.name = name;
    this.#ports = ports;
    this.#layerSeconds = layerSeconds;
    this.#poetKey = makePoetKey();
    this.#genesis = new Date(Math.ceil(Date.now() / 1000 + genesisInSeconds) * 1000)
      .toISOString()
      .replace('.000', '');
  }

  /** With the long default layer nothing is due while the test runs, once the initial proofs are made. */
  static async make(
    folder: string,
    identities: number,
    layerSeconds = 60,
    genesisInSeconds = 5,
  ): Promise<TestProject> {
    const name = `smt-up-${process.pid}-${randomBytes(3).toString('hex')}`;
    const [p2p = 0, publicApi = 0, privateApi = 0] = await freePorts(3);
    const project = new TestProject(
      folder,
      name,
      { p2p, publicApi, privateApi },
      layerSeconds,
      genesisInSeconds,
    );
    for (let index = 0; index < identities; index += 1) project.addIdentity();
    project.write();
    return project;
  }

  /** Milliseconds since 1970. */
  get genesis(): number {
    return Date.parse(this.#genesis);
  }

  get ports(): { readonly p2p: number; readonly publicApi: number; readonly privateApi: number } {
    return this.#ports;
  }

  /** PoST data of a fresh identity, 0600 and of OWNER, on a disk of its own. */
  addIdentity(settings: ProjectIdentity['settings'] = {}): ProjectIdentity {
    const number = String(this.identities.length + 1).padStart(4, '0');
    const disk = join(this.folder, `disk-${number}`);
    const data = join(disk, 'post');
    const identity = { ...makeIdentity(), name: `post-${number}`, disk, data, settings };
    const network = standaloneNetwork({ genesisTime: this.#genesis, poetPrivateKey: this.#poetKey });
    writePostData(identity, goldenAtx(network));
    this.identities.push(identity);
    return identity;
  }

  set(
    settings: Partial<{ nodeImage: string; proverImage: string; nodeConfig: Record<string, unknown> }>,
  ): void {
    this.#settings = { ...this.#settings, ...settings };
    this.write();
  }

  /** A cycle gap that is open from genesis to shortly before the first epoch's end. */
  openGap(): void {
    const gap = `${this.#layerSeconds * 19}s`;
    this.#poet = { phaseShift: gap, cycleGap: gap };
    this.write();
  }

  /** An epoch of 20 s in which everything of an epoch happens; for a project made with layers of a second. */
  hurry(): void {
    this.#poet = { phaseShift: '10s', cycleGap: '10s', gracePeriod: '2s', positioningAtxTimeout: '1s' };
    this.write();
  }

  change(changes: ProjectChanges): void {
    this.#changes = changes;
    this.write();
  }

  /** smesh.yaml from what the project has now. */
  write(): void {
    const { nodeImage, proverImage, nodeConfig } = this.#settings;
    const document = {
      version: 1,
      name: this.name,
      network: {
        standalone: {
          genesisTime: this.#genesis,
          poetPrivateKey: this.#poetKey,
          layer: `${this.#layerSeconds}s`,
          layersPerEpoch: this.#changes.layersPerEpoch ?? 20,
          ...(this.#changes.externalPoets === true ? { externalPoets: true } : {}),
        },
      },
      // The first cycle gap opens long after the test: in it the node would rightly be left alone.
      poet: this.#changes.poet ?? this.#poet,
      coinbase: COINBASE,
      node: { image: nodeImage, ports: this.#ports, config: nodeConfig },
      defaults: { image: proverImage, threads: 1, nonces: 16, randomx: 'light', ...this.#changes.defaults },
      ...(this.#changes.schedule === undefined ? {} : { schedule: this.#changes.schedule }),
      identities: this.identities.map(({ smesherId, name, data, settings }) => ({
        id: smesherId,
        name,
        data,
        ...settings,
      })),
    };
    writeFileSync(join(this.folder, 'smesh.yaml'), stringify(document));
    const nodeData = join(this.folder, 'node-data');
    mkdirSync(nodeData, { recursive: true });
    chownSync(nodeData, OWNER.uid, OWNER.gid);
  }

  smesh(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
    return runCli(args, { cwd: this.folder, timeout: 120_000, ...options });
  }

  /** Plain `docker compose` in the project's folder. */
  async compose(...args: string[]): Promise<string> {
    const { stdout } = await run('docker', ['compose', ...args], { cwd: this.folder });
    return stdout.trim();
  }

  /** Container ID and start time of each service: what must not change when nothing was to be touched. */
  async lives(): Promise<Record<string, string>> {
    const ids = await this.containerIds();
    if (ids.length === 0) return {};
    const format =
      '{{index .Config.Labels "com.docker.compose.service"}} {{.Id}} {{.State.StartedAt}} {{.State.Status}}';
    const lines = (await docker('inspect', '--format', format, ...ids)).split('\n');
    return Object.fromEntries(
      lines.map((line) => {
        const [service = '', ...life] = line.split(' ');
        return [service, life.join(' ')];
      }),
    );
  }

  async containerIds(): Promise<string[]> {
    const label = `label=com.docker.compose.project=${this.name}`;
    const list = await docker('ps', '-aq', '--no-trunc', '--filter', label);
    return list === '' ? [] : list.split('\n');
  }

  async containerOf(service: string): Promise<string> {
    return docker(
      'ps',
      '-aq',
      '--filter',
      `label=com.docker.compose.project=${this.name}`,
      '--filter',
      `label=com.docker.compose.service=${service}`,
    );
  }

  async cleanUp(): Promise<void> {
    const ids = await this.containerIds();
    if (ids.length > 0) await docker('rm', '-f', ...ids);
    const label = `label=com.docker.compose.project=${this.name}`;
    const networks = await docker('network', 'ls', '-q', '--filter', label);
    if (networks !== '') await docker('network', 'rm', ...networks.split('\n'));
  }
}

/** What postcli leaves behind: metadata, one file of labels, the key. */
export function writePostData(identity: ProjectIdentity, commitmentAtx: string): void {
  mkdirSync(identity.data, { recursive: true });
  const metadata = {
    NodeId: Buffer.from(identity.smesherId, 'hex').toString('base64'),
    CommitmentAtxId: Buffer.from(commitmentAtx, 'hex').toString('base64'),
    LabelsPerUnit: LABELS_PER_UNIT,
    NumUnits: UNITS,
    MaxFileSize: UNITS * LABELS_PER_UNIT * 16,
    Nonce: 12,
    NonceValue: '00'.repeat(16),
    Scrypt: { N: 8192, R: 1, P: 1 },
  };
  writeFileSync(join(identity.data, 'postdata_metadata.json'), JSON.stringify(metadata));
  writeFileSync(join(identity.data, 'postdata_0.bin'), randomBytes(UNITS * LABELS_PER_UNIT * 16));
  writeFileSync(join(identity.data, 'identity.key'), identity.keyFile);
  for (const name of readdirSync(identity.data)) {
    execFileSync('chmod', ['600', join(identity.data, name)]);
    chownSync(join(identity.data, name), OWNER.uid, OWNER.gid);
  }
  chownSync(identity.data, OWNER.uid, OWNER.gid);
}

export function removePostData(identity: ProjectIdentity): void {
  rmSync(identity.data, { recursive: true });
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen(0, '0.0.0.0', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
