/** The life of the node: its steps from the config to the open ports, in the real order (spacemesh.md §14.2). */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import type { Server as HttpServer } from 'node:http';
import { join } from 'node:path';
import { blake3 } from '@noble/hashes/blake3.js';
import { parseAddress } from './address.ts';
import { AtxStore } from './atx-store.ts';
import type { NodeConfig } from './config.ts';
import { checkGenesis, lockDataFolder } from './data-folder.ts';
import { type Databases, openDatabases } from './database.ts';
import { EventLog } from './events.ts';
import { ExternalPoets } from './external-poets.ts';
import { splitHostPort } from './go-text.ts';
import type { GrpcListener } from './grpc-server.ts';
import { type Identity, isRemote, loadIdentities } from './identities.ts';
import type { Knobs } from './knobs.ts';
import { log } from './logger.ts';
import { readMisfortunes } from './misfortunes.ts';
import { NetworkClock, sleep } from './network-clock.ts';
import { poetPublicKey, startPoet } from './poet.ts';
import { InProcessPoet, type Poets } from './poets.ts';
import { PostConnections } from './post-connections.ts';
import { PostStates } from './post-states.ts';
import { propose } from './proposals.ts';
import type { Service } from './service-types.ts';
import { Smesher } from './smesher.ts';

/** A start that has failed: the message for the last line, and whether the process lingers before it ends. */
export class StartFailure extends Error {
  readonly lingers: boolean;

  constructor(message: string, lingers: boolean) {
    super(message);
    this.lingers = lingers;
  }
}

/** The real node exits at once, 1 after a FATAL line and 2 after a panic. */
function die(code: number): never {
  process.exit(code);
}

export class App {
  readonly #config: NodeConfig;
  readonly #knobs: Knobs;
  readonly #stopping = new AbortController();
  readonly #listeners: GrpcListener[] = [];
  readonly #httpServers: HttpServer[] = [];
  #databases: Databases | undefined;
  #builders = new AbortController();

  constructor(config: NodeConfig, knobs: Knobs) {
    this.#config = config;
    this.#knobs = knobs;
  }

  /** Everything up to the keys; faults here end the process at once. @throws Error with the node's last line */
  prepare(): readonly Identity[] {
    mkdirSync(this.#config.dataFolder, { recursive: true, mode: 0o700 });
    lockDataFolder(this.#config.filelock);
    checkGenesis(this.#config);
    return loadIdentities(this.#config.dataFolder);
  }

  /** Up to the open ports. @throws StartFailure */
  async start(identities: readonly Identity[]): Promise<void> {
    const config = this.#config;
    if (config.genesisTime === undefined) {
      throw new StartFailure('cannot create clock: bad configuration: genesis time is zero', false);
    }
    this.#makePeerKey();
    try {
      this.#databases = openDatabases(config.dataFolder, config.allowSchemaDrift, this.#knobs.stateVersion);
    } catch (error) {
      throw new StartFailure((error as Error).message, false);
    }
    try {
      await this.#startServices(identities, new NetworkClock(config, config.genesisTime), this.#databases);
    } catch (error) {
      this.#stopping.signal.throwIfAborted();
      throw new StartFailure((error as Error).message, true);
    }
  }

  async #startServices(
    identities: readonly Identity[],
    clock: NetworkClock,
    databases: Databases,
  ): Promise<void> {
    const config = this.#config;
    const { signal } = this.#stopping;
    const poetKey = poetPublicKey(this.#knobs.poetPrivateKey);
    const golden = goldenAtx(clock.genesis, config.genesisExtraData);
    const poets = this.#poetsOf(clock, poetKey, golden);
    // Before the node looks at anything that follows.
    await poets.greet(signal);
    const coinbase = config.coinbase === '' ? undefined : this.#parseCoinbase();
    const remote = isRemote(identities);
    const store = new AtxStore(databases);
    const states = new PostStates();
    const connections = new PostConnections((id) => readMisfortunes(config.dataFolder).halfOpen.includes(id));
    const events = new EventLog();
    const sync = this.#synchronise();
    if (remote) for (const identity of identities) states.add(identity);
    if (this.#hasNetwork) void propose(clock, store, events, config.dataFolder, signal);
    if (remote && coinbase !== undefined) {
      const builderSignal = AbortSignal.any([signal, this.#builders.signal]);
      const shared = { config, clock, store, events, connections, states, golden, coinbase, poets };
      for (const identity of identities) {
        const context = {
          ...shared,
          signal: builderSignal,
          synced: sync.done,
          die,
        };
        void new Smesher(identity, context).run();
      }
    }
    // Loaded only now: it is most of the program, and the faults above are to show at once.
    const { makeServices } = await import('./services.ts');
    const services = makeServices({
      version: this.#knobs.version,
      ...{ config, clock, store, events, states, connections, golden, remote },
      isSynced: sync.isDone,
      stopSmeshing: (deleteFiles) => {
        this.#builders.abort(new Error('smeshing stopped'));
        if (deleteFiles) for (const { id } of identities) store.resetBuilder(id);
      },
    });
    await this.#openListeners(services, remote);
    await this.#launchStandalone(clock, poetKey);
    sync.begin();
  }

  /** Whether anybody makes blocks with it: itself alone, or the peers that the stand-in imagines. */
  get #hasNetwork(): boolean {
    return this.#config.standalone || this.#knobs.externalPoets;
  }

  #poetsOf(clock: NetworkClock, poetKey: Buffer, golden: Buffer): Poets {
    const { externalPoets, startDelay } = this.#knobs;
    if (!externalPoets || this.#config.standalone) {
      return new InProcessPoet(clock, poetKey, this.#config.dataFolder, this.#knobs);
    }
    return new ExternalPoets(this.#config, startDelay, golden.subarray(0, 20), die);
  }

  async #openListeners(services: ReadonlyMap<string, Service>, remote: boolean): Promise<void> {
    const { api, smeshingStart } = this.#config;
    const { unservedNames } = await import('./services.ts');
    const pick = (names: readonly string[]) =>
      names.flatMap((name) => {
        const service = services.get(name);
        if (service !== undefined) return [service];
        if (unservedNames.includes(name)) return [];
        throw new Error(`unrecognized service: ${name}`);
      });
    const publicServices = pick(api.publicServices);
    if (api.postListener !== '') {
      try {
        splitHostPort(api.postListener);
      } catch (error) {
        throw new Error(`split local listener: ${(error as Error).message}`);
      }
      if (smeshingStart && remote) {
        log('ERROR', 'node', 'supervised smeshing cannot be started in a remote or multi-smeshing setup');
        throw new Error('smeshing enabled in remote setup');
      }
    }
    const { listen } = await import('./grpc-server.ts');
    const open = async (address: string, chosen: readonly Service[], tls?: Parameters<typeof listen>[2]) => {
      if (address !== '') this.#listeners.push(await listen(address, chosen, tls));
    };
    await open(api.publicListener, publicServices);
    await open(api.privateListener, pick(api.privateServices));
    await open(api.postListener, pick(api.postServices));
    await open(api.tlsListener, pick(api.tlsServices), api.tls);
    if (api.jsonListener !== '') {
      const { serveJson } = await import('./json-gateway.ts');
      this.#httpServers.push(await serveJson(api.jsonListener, publicServices));
    }
  }

  async #launchStandalone(clock: NetworkClock, poetKey: Buffer): Promise<void> {
    const { standalone, poetServers } = this.#config;
    if (!standalone) return;
    if (poetServers.length !== 1) {
      const shown = poetServers.map(({ address, pubkey }) => {
        return `{${address} {[${[...Buffer.from(pubkey, 'base64')].join(' ')}]}}`;
      });
      const single = 'to launch in a standalone mode provide single local address for poet';
      throw new Error(`${single}: [${shown.join(' ')}]`);
    }
    this.#httpServers.push(await startPoet(this.#config, clock, poetKey));
  }

  #parseCoinbase(): Buffer {
    const { coinbase, hrp } = this.#config;
    try {
      return parseAddress(coinbase, hrp);
    } catch (error) {
      const parsing = `parse CoinbaseAccount address on start \`${coinbase}\``;
      throw new Error(`start services: ${parsing}: ${(error as Error).message}`);
    }
  }

  /** A private network is in sync with itself a moment after the ports are open; the others have no peers here. */
  #synchronise(): {
    readonly done: Promise<void>;
    readonly isDone: () => boolean;
    readonly begin: () => void;
  } {
    let known = false;
    let announce: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      announce = resolve;
    });
    const begin = () => {
      if (!this.#hasNetwork) return;
      sleep(this.#knobs.syncDelay, this.#stopping.signal).then(
        () => {
          known = true;
          log('INFO', 'node.sync', 'reached ATX synced state');
          announce();
        },
        () => undefined,
      );
    };
    return { done, isDone: () => known, begin };
  }

  #makePeerKey(): void {
    const folder = join(this.#config.dataFolder, 'p2p');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, 'p2p.key');
    if (existsSync(path)) return;
    const key = { Key: randomBytes(68).toString('base64'), ID: `12D3KooW${randomBytes(22).toString('hex')}` };
    writeFileSync(path, JSON.stringify(key), { mode: 0o600 });
  }

  /** Closes the ports, then the databases. */
  async stop(): Promise<void> {
    await this.abandon();
    this.#databases?.close();
    this.#databases = undefined;
  }

  /** Closes the ports only: a start that has failed leaves its databases as they are, -wal and -shm included. */
  async abandon(): Promise<void> {
    this.#stopping.abort(new Error('context canceled'));
    for (const server of this.#httpServers) {
      server.close();
      server.closeAllConnections();
    }
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }
}

/** The golden ATX of a network (spacemesh.md §2.2). */
export function goldenAtx(genesis: number, extraData: string): Buffer {
  return Buffer.from(blake3(Buffer.from(`${Math.floor(genesis / 1000)}${extraData}`)));
}
