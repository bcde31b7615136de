import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { goldenAtx, standaloneNetwork } from '../../../src/domain/node/networks.ts';
import { freePorts, OWNER, type ProjectIdentity, writePostData } from '../../engine/support/project.ts';
import { makeIdentity, makePoetKey } from '../../helpers/keys.ts';
import { NETWORK_SETTINGS, POET_SETTINGS, workOf } from './network.ts';

const COINBASE = 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg';

export interface ProverChoice {
  nonces: number;
  image: string;
}

/** What smesh.yaml says and the chaos changes. */
export interface Choices {
  nodeImage: string;
  /** By service. */
  readonly provers: Map<string, ProverChoice>;
}

/** A standalone project of some identities, on the fast network, whose programs keep a ledger. */
export class ChaosProject {
  readonly folder: string;
  readonly name: string;
  readonly identities: readonly ProjectIdentity[];
  readonly choices: Choices;
  /** Milliseconds since 1970. */
  readonly genesis: number;
  readonly #ports: readonly number[];
  readonly #poetKey: string;

  private constructor(folder: string, name: string, identities: number, genesis: number, ports: number[]) {
    this.folder = folder;
    this.name = name;
    this.genesis = genesis;
    this.#ports = ports;
    this.#poetKey = makePoetKey();
    this.identities = Array.from({ length: identities }, (_, index) => this.#makeIdentity(index));
    this.choices = { nodeImage: '', provers: new Map() };
  }

  /** @param startWithinMs genesis lies so far ahead: what a first start takes */
  static async make(
    folder: string,
    name: string,
    settings: {
      identities: number;
      nodeImage: string;
      proverImage: string;
      startWithinMs: number;
      pace: number;
    },
  ): Promise<ChaosProject> {
    mkdirSync(folder, { recursive: true });
    const genesis = Math.ceil((Date.now() + settings.startWithinMs) / 1000) * 1000;
    const project = new ChaosProject(folder, name, settings.identities, genesis, await freePorts(3));
    project.choices.nodeImage = settings.nodeImage;
    for (const identity of project.identities) {
      project.choices.provers.set(identity.name, { nonces: 16, image: settings.proverImage });
    }
    for (const part of ['node-data', 'ledger']) {
      mkdirSync(join(folder, part));
      chownSync(join(folder, part), OWNER.uid, OWNER.gid);
    }
    project.#writeOverride(settings.pace);
    project.write();
    return project;
  }

  get services(): readonly string[] {
    return this.identities.map(({ name }) => name);
  }

  ledgerOf(service: string): string {
    return join(this.folder, 'ledger', `${service}.jsonl`);
  }

  serviceOf(smesherId: string): string | undefined {
    return this.identities.find((identity) => identity.smesherId === smesherId)?.name;
  }

  /** Whose connection the node has lost without knowing it. */
  setHalfOpen(services: readonly string[]): void {
    const halfOpen = this.identities.flatMap(({ name, smesherId }) =>
      services.includes(name) ? [smesherId] : [],
    );
    writeFileSync(join(this.folder, 'node-data/misfortunes.json'), JSON.stringify({ halfOpen }));
  }

  /** The choices as smesh.yaml has them, after somebody else wrote it. */
  readImages(): void {
    const { node, identities } = parse(readFileSync(join(this.folder, 'smesh.yaml'), 'utf8')) as {
      node: { image: string };
      identities: { name: string; image: string }[];
    };
    this.choices.nodeImage = node.image;
    for (const { name, image } of identities) {
      const choice = this.choices.provers.get(name);
      if (choice !== undefined) choice.image = image;
    }
  }

  /** smesh.yaml from the choices of this moment. */
  write(): void {
    const [p2p = 0, publicApi = 0, privateApi = 0] = this.#ports;
    const document = {
      version: 1,
      name: this.name,
      network: {
        standalone: { genesisTime: this.#genesisText(), poetPrivateKey: this.#poetKey, ...NETWORK_SETTINGS },
      },
      poet: POET_SETTINGS,
      coinbase: COINBASE,
      node: { image: this.choices.nodeImage, ports: { p2p, publicApi, privateApi } },
      defaults: { threads: 1, randomx: 'light' },
      identities: this.identities.map(({ smesherId, name, data }) => ({
        id: smesherId,
        name,
        data,
        ...this.choices.provers.get(name),
      })),
    };
    writeFileSync(join(this.folder, 'smesh.yaml'), stringify(document));
  }

  /** The user's own file: the emitted ones stay as they are. */
  #writeOverride(pace: number): void {
    const service = (name: string, environment: Readonly<Record<string, string>>) => ({
      environment: { SIM_LEDGER: `/ledger/${name}.jsonl`, ...environment },
      volumes: [{ type: 'bind', source: join(this.folder, 'ledger'), target: '/ledger' }],
    });
    const services = {
      node: service('node', { SIM_START_DELAY_MS: '1200', SIM_SYNC_DELAY_MS: '800' }),
      ...Object.fromEntries(this.services.map((name, index) => [name, service(name, workOf(index, pace))])),
    };
    writeFileSync(join(this.folder, 'compose.override.yaml'), stringify({ services }));
  }

  #genesisText(): string {
    return new Date(this.genesis).toISOString().replace('.000', '');
  }

  #makeIdentity(index: number): ProjectIdentity {
    const name = `post-${String(index + 1).padStart(4, '0')}`;
    const disk = join(this.folder, `disk-${name}`);
    const identity = { ...makeIdentity(), name, disk, data: join(disk, 'post') };
    const network = standaloneNetwork({ genesisTime: this.#genesisText(), poetPrivateKey: this.#poetKey });
    writePostData(identity, goldenAtx(network));
    return identity;
  }
}
