import { join } from 'node:path';
import { bundleStandIn, freePort, type Running, start, until } from '../../contract/run-stand-in.ts';
import { makeKey } from '../../contract/sim-node-support.ts';
import { docker, type TestProject } from './project.ts';

/** Seconds. */
export interface Rhythm {
  readonly phaseShift: number;
  readonly cycleGap: number;
}

export interface ExternalPoet extends Rhythm {
  readonly address: string;
  readonly pubkey: string;
  stop(): Promise<void>;
}

/** PoET stand-ins as processes of this host, at an address that containers reach, too. */
export class ExternalPoets {
  readonly #bundle: string;
  readonly #host: string;
  readonly #running: Running[] = [];

  private constructor(bundle: string, host: string) {
    this.#bundle = bundle;
    this.#host = host;
  }

  static async prepare(): Promise<ExternalPoets> {
    const [bundle, host] = await Promise.all([
      bundleStandIn('poet'),
      docker('network', 'inspect', 'bridge', '-f', '{{(index .IPAM.Config 0).Gateway}}'),
    ]);
    return new ExternalPoets(bundle, host);
  }

  /** One of a project's network. @param epochSeconds of that network */
  async start(project: TestProject, epochSeconds: number, rhythm: Rhythm): Promise<ExternalPoet> {
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    const key = makeKey();
    const running = start(
      this.#bundle,
      [
        ...[
          '--genesis-time',
          new Date(project.genesis).toISOString(),
          '--epoch-duration',
          `${epochSeconds}s`,
        ],
        ...['--phase-shift', `${rhythm.phaseShift}s`, '--cycle-gap', `${rhythm.cycleGap}s`],
        ...['--restlisten', `${this.#host}:${ports[0]}`, '--rpclisten', `127.0.0.1:${ports[1]}`],
        ...[
          '--config-rpclisten',
          `127.0.0.1:${ports[2]}`,
          '--poetdir',
          join(project.folder, `poet-${ports[0]}`),
        ],
      ],
      { POET_PRIVATE_KEY: key.seedAndId.toString('base64') },
    );
    this.#running.push(running);
    await until('the PoET listens', () => running.stdout().includes('REST proxy starts listening'));
    return {
      ...rhythm,
      address: `http://${this.#host}:${ports[0]}`,
      pubkey: key.id.toString('base64'),
      stop: async () => void (await running.stop()),
    };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map((one) => one.stop()));
  }
}
