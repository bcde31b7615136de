/** A private network as processes on this machine: node, post-services and PoETs of the stand-ins, on a fast clock. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { blake3 } from '@noble/hashes/blake3.js';
import Database from 'libsql';
import { lastingPort, Poet } from './poet-process.ts';
import { bundleStandIn, type Running, scratch, start, until } from './run-stand-in.ts';
import { makeKey, type TestKey } from './sim-node-support.ts';

/** Seconds, all of them whole. */
export interface Clock {
  readonly epoch: number;
  readonly phaseShift: number;
  readonly cycleGap: number;
  readonly grace: number;
}

export interface PoetEntry {
  readonly address: string;
  readonly pubkey?: string;
}

export interface Programs {
  readonly node: string;
  readonly prover: string;
  readonly poet: string;
}

export async function bundlePrograms(): Promise<Programs> {
  const [node, prover, poet] = await Promise.all(['node', 'post-service', 'poet'].map(bundleStandIn));
  return { node: node ?? '', prover: prover ?? '', poet: poet ?? '' };
}

/** Rows of local.sql as phase-switch.json has them: the first three bytes of an identity, publish epoch; address, round. */
export interface Rows {
  readonly challenge: readonly (readonly [string, number])[];
  readonly poet_registration: readonly (readonly [string, string, string])[];
  readonly nipost: number;
  readonly post: number;
}

export class Network {
  readonly folder = scratch();
  readonly genesis: number;
  readonly clock: Clock;
  readonly keys: readonly TestKey[];
  readonly programs: Programs;
  readonly #ports: readonly number[];
  node: Running | undefined;

  private constructor(
    programs: Programs,
    clock: Clock,
    identities: number,
    ports: readonly number[],
    lead: number,
  ) {
    this.programs = programs;
    this.clock = clock;
    this.keys = Array.from({ length: identities }, makeKey);
    this.#ports = ports;
    this.genesis = (Math.floor(Date.now() / 1000) + lead) * 1000;
    mkdirSync(join(this.data, 'identities'), { recursive: true, mode: 0o700 });
    for (const [index, key] of this.keys.entries()) {
      writeFileSync(join(this.data, 'identities', `post-${index}.key`), key.text, { mode: 0o600 });
    }
  }

  /** @param lead seconds to genesis: what several networks that start at once on a busy machine may take */
  static async make(programs: Programs, clock: Clock, identities: number, lead = 5): Promise<Network> {
    const ports = await Promise.all(Array.from({ length: identities + 3 }, lastingPort));
    return new Network(programs, clock, identities, ports, lead);
  }

  get data(): string {
    return join(this.folder, 'data');
  }

  /** Of `seconds` after the start of that round, milliseconds since 1970. */
  round(round: number, seconds = 0): number {
    return this.genesis + (this.clock.phaseShift + round * this.clock.epoch + seconds) * 1000;
  }

  /** Sleeps until then; a machine that is too slow for the clock makes the test fail here, and not in a riddle. */
  async at(time: number, slack = 2500): Promise<void> {
    const late = Date.now() - time;
    if (late > slack) throw new Error(`this machine is too slow for the clock: ${late} ms late`);
    await sleep(Math.max(0, -late));
  }

  async makePoet(changes: readonly string[] = []): Promise<Poet> {
    const [rest, ...grpc] = await Promise.all([lastingPort(), lastingPort(), lastingPort()]);
    const key = makeKey();
    const { epoch, phaseShift, cycleGap } = this.clock;
    const folder = join(this.folder, `poet-${rest}`);
    const flags = [
      ...['--genesis-time', new Date(this.genesis).toISOString(), '--epoch-duration', `${epoch}s`],
      ...['--phase-shift', `${phaseShift}s`, '--cycle-gap', `${cycleGap}s`],
      ...['--restlisten', `127.0.0.1:${rest}`, '--rpclisten', `127.0.0.1:${grpc[0]}`],
      ...['--config-rpclisten', `127.0.0.1:${grpc[1]}`, '--poetdir', folder],
      ...changes,
    ];
    const env = { POET_PRIVATE_KEY: key.seedAndId.toString('base64') };
    return new Poet(rest ?? 0, key, folder, (knobs) =>
      start(this.programs.poet, flags, { ...env, ...knobs }),
    );
  }

  /** Provers of all identities. Only when the node is up: who finds no node looks again after five seconds. */
  async startProvers(): Promise<void> {
    await this.up();
    const golden = blake3(Buffer.from(`${this.genesis / 1000}standalone`));
    for (const [index, key] of this.keys.entries()) {
      const folder = join(this.folder, `post-${index}`);
      mkdirSync(folder);
      writeFileSync(join(folder, 'postdata_0.bin'), Buffer.alloc(1024));
      const metadata = {
        NodeId: key.id.toString('base64'),
        CommitmentAtxId: Buffer.from(golden).toString('base64'),
        ...{ LabelsPerUnit: 64, NumUnits: 1, MaxFileSize: 1024, Nonce: 7, NonceValue: '00'.repeat(16) },
      };
      writeFileSync(join(folder, 'postdata_metadata.json'), JSON.stringify(metadata));
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
      const places = ['--dir', folder, '--address', `http://127.0.0.1:${this.#ports[2]}`];
      const operator = ['--operator-address', `127.0.0.1:${this.#ports[3 + index]}`];
      start(this.programs.prover, [...places, ...operator, ...flags, ...network], {
        ...{ SIM_K2POW_MS_PER_UNIT_GROUP: '20', SIM_READ_MS: '50', SIM_CACHE_MS: '1', SIM_VERIFY_MS: '20' },
        RUST_LOG: 'info',
      });
    }
  }

  /** Starts the node on that list; one of its own with `inside`, the 64 bytes of whose key are given. */
  startNode(
    poets: readonly PoetEntry[],
    {
      inside,
      poet = {},
      knobs = {},
    }: {
      readonly inside?: TestKey;
      readonly poet?: Readonly<Record<string, unknown>>;
      readonly knobs?: NodeJS.ProcessEnv;
    } = {},
  ): Running {
    const [publicApi, privateApi, post] = this.#ports;
    const { epoch, phaseShift, cycleGap, grace } = this.clock;
    const config = {
      preset: 'standalone',
      genesis: { 'genesis-time': new Date(this.genesis).toISOString() },
      main: {
        'data-folder': this.data,
        filelock: join(this.data, 'LOCK'),
        'layer-duration': '1s',
        'layers-per-epoch': epoch,
        'poet-servers': poets.map(({ address, pubkey }) => ({ address, ...(pubkey && { pubkey }) })),
        ...(inside === undefined ? { standalone: false } : {}),
      },
      poet: {
        'phase-shift': `${phaseShift}s`,
        'cycle-gap': `${cycleGap}s`,
        'grace-period': `${grace}s`,
        'positioning-atx-selection-timeout': '1s',
        ...{ 'retry-delay': '100ms', 'retry-max': 3 },
        ...poet,
      },
      api: {
        'grpc-public-listener': `127.0.0.1:${publicApi}`,
        'grpc-private-listener': `127.0.0.1:${privateApi}`,
        'grpc-post-listener': `127.0.0.1:${post}`,
      },
      smeshing: { 'smeshing-start': false },
    };
    const path = join(this.folder, 'config.json');
    writeFileSync(path, JSON.stringify(config));
    this.node = start(this.programs.node, ['-c', path], {
      ...{ SIM_START_DELAY_MS: '50', SIM_SYNC_DELAY_MS: '50', SIM_LINGER_MS: '100' },
      ...(inside === undefined
        ? { SIM_POETS: 'external' }
        : { POET_PRIVATE_KEY: inside.seedAndId.toString('base64') }),
      ...knobs,
    });
    return this.node;
  }

  /** Resolves when the node is up; rejects at once when it has ended, with its words. */
  async up(): Promise<void> {
    const { node } = this;
    await until('the node', () => {
      if (node?.child.exitCode != null)
        throw new Error(`the node has ended: ${node.stdout()}${node.stderr()}`);
      return node?.stdout().includes('app started') === true;
    });
  }

  /** As `docker stop` does it. */
  async stopNode(): Promise<void> {
    this.node?.child.kill('SIGTERM');
    await this.node?.ended;
  }

  /** Milliseconds are too short for a half-written row: the node's own transactions are whole. */
  rows(): Rows {
    const path = join(this.data, 'local.sql');
    if (!existsSync(path)) return { challenge: [], poet_registration: [], nipost: 0, post: 0 };
    const database = new Database(path, { readonly: true });
    try {
      const all = (query: string) => database.prepare(query).raw().all() as unknown[][];
      const count = (table: string) => Number(all(`SELECT count(*) FROM ${table}`)[0]?.[0]);
      const id = (value: unknown) =>
        Buffer.from(value as Uint8Array)
          .toString('hex')
          .slice(0, 6)
          .toUpperCase();
      return {
        challenge: all('SELECT id, epoch FROM challenge ORDER BY id').map(([one, epoch]) => [
          id(one),
          Number(epoch),
        ]),
        poet_registration: all(
          'SELECT id, address, round_id FROM poet_registration ORDER BY id, address',
        ).map(([one, address, round]) => [id(one), String(address), String(round)]),
        nipost: count('nipost'),
        post: count('post'),
      };
    } finally {
      database.close();
    }
  }

  /** The cure by hand: nothing but the registrations goes. The node must be down. */
  deleteRegistrations(): void {
    const database = new Database(join(this.data, 'local.sql'));
    database.exec('DELETE FROM poet_registration');
    database.close();
  }

  /** Ticks of the newest ATX of each identity, and its publish epoch. */
  atxs(): readonly { readonly epoch: number; readonly ticks: number }[] {
    const database = new Database(join(this.data, 'state.sql'), { readonly: true });
    try {
      return database.prepare('SELECT epoch, tick_count AS ticks FROM atxs ORDER BY epoch, pubkey').all() as {
        epoch: number;
        ticks: number;
      }[];
    } finally {
      database.close();
    }
  }
}
