/** Starting node stand-ins in containers, and talking to them. */
import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type Client,
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { blake3 } from '@noble/hashes/blake3.js';
import { spacemeshDescriptor } from '../../src/generated/spacemesh.ts';
import { makeKeyPair } from '../sim/common/key-pair.ts';

const run = promisify(execFile);
export const nodeImage = process.env['SMESH_NODE_IMAGE'] ?? 'smesh-sim/go-spacemesh:v1.7.6';

/** Builds what is out of date among the stand-ins' images. */
export function buildImages(): void {
  const script = fileURLToPath(new URL('../../scripts/build-sim-image.mjs', import.meta.url));
  execFileSync(process.execPath, [script, '--quiet'], { stdio: 'inherit' });
}

export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await run('docker', args, { maxBuffer: 1 << 26 });
  return stdout.trim();
}

export interface TestKey {
  /** As in a key file: 128 hex characters. */
  readonly text: string;
  readonly seedAndId: Buffer;
  readonly id: Buffer;
}

export function makeKey(): TestKey {
  const { seed, publicKey: id } = makeKeyPair();
  const seedAndId = Buffer.concat([seed, id]);
  return { text: seedAndId.toString('hex'), seedAndId, id };
}

/** Everything that one test makes on the engine and on disk, so that all of it can be taken away. */
export class Stage {
  readonly name: string;
  readonly folder: string;
  readonly #containers: string[] = [];
  readonly #networks: string[] = [];

  constructor(area: string) {
    this.name = `smt-node-${area}-${randomBytes(3).toString('hex')}`;
    this.folder = mkdtempSync(join(tmpdir(), 'smt-node-'));
    mkdirSync(join(this.folder, 'data/identities'), { recursive: true, mode: 0o700 });
  }

  get data(): string {
    return join(this.folder, 'data');
  }

  writeConfig(config: unknown): void {
    writeFileSync(
      join(this.folder, 'config.json'),
      typeof config === 'string' ? config : JSON.stringify(config),
    );
  }

  writeKey(name: string, text: string): void {
    writeFileSync(join(this.data, 'identities', name), text, { mode: 0o600 });
  }

  /** All that the container must own when it does not run as root. */
  giveTo(uid: number, ...names: string[]): void {
    for (const name of ['', 'identities', ...names]) chownSync(join(this.data, name), uid, uid);
  }

  async network(): Promise<string> {
    if (this.#networks.length === 0) {
      await docker('network', 'create', this.name);
      this.#networks.push(this.name);
    }
    return this.name;
  }

  /** Starts a container; `args` are those of `docker run` up to and with the image and its arguments. */
  async start(role: string, ...args: string[]): Promise<string> {
    const name = `${this.name}-${role}`;
    this.#containers.push(name);
    await docker('run', '-d', '--init', '--name', name, ...args);
    return name;
  }

  /** The usual mounts of a node. */
  nodeMounts(): string[] {
    return ['-v', `${this.data}:/data`, '-v', `${this.folder}/config.json:/config.json:ro`];
  }

  async clear(): Promise<void> {
    if (this.#containers.length > 0) await docker('rm', '-f', ...this.#containers).catch(() => '');
    for (const network of this.#networks) await docker('network', 'rm', network);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Both streams of a container's log. */
export async function logsOf(container: string): Promise<string> {
  const { stdout, stderr } = await run('docker', ['logs', container], { maxBuffer: 1 << 26 });
  return `${stdout}${stderr}`;
}

export interface ContainerState {
  readonly running: boolean;
  readonly exitCode: number;
}

export async function stateOf(container: string): Promise<ContainerState> {
  const text = await docker('inspect', '-f', '{{.State.Running}} {{.State.ExitCode}}', container);
  const [running, exitCode] = text.split(' ');
  return { running: running === 'true', exitCode: Number(exitCode) };
}

/** Asks until the answer is not undefined. @throws Error naming what was waited for */
export async function until<T>(what: string, seconds: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export async function publishedPort(container: string, port: number): Promise<string> {
  const text = await docker('port', container, `${port}/tcp`);
  return `127.0.0.1:${text.split('\n')[0]?.split(':').at(-1)}`;
}

const services = loadPackageDefinition(
  fromJSON(spacemeshDescriptor as Parameters<typeof fromJSON>[0], {
    longs: String,
    enums: String,
    oneofs: true,
  }),
) as unknown as { spacemesh: Record<string, Record<string, ServiceClientConstructor>> };

/** A client of `v1.AdminService` and the like; its methods are called by name. */
export function clientOf(service: string, address: string): Client & Record<string, never> {
  const [version = '', name = ''] = service.split('.');
  const ServiceClient = services.spacemesh[version]?.[name];
  if (ServiceClient === undefined) throw new Error(`no such service: ${service}`);
  return new ServiceClient(address, credentials.createInsecure()) as Client & Record<string, never>;
}

/** One unary call. */
export async function call(
  service: string,
  address: string,
  method: string,
  request: object = {},
): Promise<Answer> {
  const client = clientOf(service, address);
  try {
    return await new Promise<Answer>((resolve, reject) => {
      const unary = (client as unknown as Record<string, UnaryMethod>)[method];
      unary?.call(client, request, { deadline: Date.now() + 5000 }, (error, answer) => {
        if (error === null) resolve(answer);
        else reject(error);
      });
    });
  } finally {
    client.close();
  }
}

// biome-ignore lint/suspicious/noExplicitAny: answers of any service, looked into by the tests
export type Answer = any;
type UnaryMethod = (
  request: object,
  options: object,
  respond: (error: Error | null, answer: Answer) => void,
) => void;

export interface FastNetwork {
  readonly config: Record<string, Record<string, unknown> | string>;
  readonly poetKey: TestKey;
  readonly golden: Buffer;
}

/** A private network whose epoch has `layers` layers of a second, half of it round, half of it gap. */
export function fastNetwork(layers: number, secondsToGenesis: number): FastNetwork {
  const genesis = Math.floor(Date.now() / 1000) + secondsToGenesis;
  const poetKey = makeKey();
  const half = `${layers / 2}s`;
  return {
    poetKey,
    golden: Buffer.from(blake3(Buffer.from(`${genesis}standalone`))),
    config: {
      preset: 'standalone',
      genesis: { 'genesis-time': new Date(genesis * 1000).toISOString() },
      main: {
        'data-folder': '/data',
        filelock: '/data/LOCK',
        'layer-duration': '1s',
        'layers-per-epoch': layers,
        'poet-servers': [{ address: 'http://127.0.0.1:10010', pubkey: poetKey.id.toString('base64') }],
      },
      poet: {
        'phase-shift': half,
        'cycle-gap': half,
        'grace-period': '2s',
        'positioning-atx-selection-timeout': '1s',
      },
      api: {
        'grpc-public-listener': '0.0.0.0:9092',
        'grpc-private-listener': '0.0.0.0:9093',
        'grpc-post-listener': '0.0.0.0:9094',
        'grpc-json-listener': '0.0.0.0:9095',
        privateservices: ['admin', 'smesher', 'debug', 'postInfo'],
      },
      smeshing: {
        'smeshing-start': false,
        'smeshing-coinbase': 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg',
      },
    },
  };
}
