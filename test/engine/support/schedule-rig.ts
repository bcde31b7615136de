import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { OPERATOR_PORT } from '../../../src/domain/compose/hardening.ts';
import { type LedgerEntry, LedgerReader } from '../../chaos/support/ledger.ts';
import { keepContainerLogs } from '../../helpers/transcripts.ts';
import type { Misfortunes } from '../../sim/post-service/misfortunes.ts';
import { docker, OWNER, type ProjectChanges, TestProject } from './project.ts';
import { type ProofHistory, proofsOf } from './schedule-judge.ts';
import type { PositionSample } from './schedule-positions.ts';

/** How long the work of every identity takes here. */
export interface RigTimes {
  readonly groups: number;
  readonly groupMs: number;
  /** All data, once, alone on the disk. */
  readonly readMs: number;
  readonly prepareMs: number;
}

export interface RigChoice extends ProjectChanges {
  readonly folder: string;
  readonly disks: readonly string[];
  readonly perDisk: number;
  readonly times: RigTimes;
  readonly layerSeconds: number;
  readonly genesisInSeconds: number;
}

/** Bytes of an identity's data in these tests. */
const DATA_BYTES = 2 * 64 * 16;
const UNITS = 2;

/**
 * Some identities on some disks, whose programs keep a ledger.
 *
 * What a disk is here: `blkio_config` does throttle reads of a loop device on engines of cgroup v1, but by container,
 * each with the full rate, so that two readers would not hinder each other; and the data of a standalone network is one
 * page. So the stand-ins share the disk among themselves (`SIM_DISK`): two readers get less than one, as heads do.
 */
export class ScheduleRig {
  readonly project: TestProject;
  readonly disks: ReadonlyMap<string, string>;
  readonly samples: PositionSample[] = [];
  readonly deaths = new Map<string, number[]>();
  /** What the engine told: when, whose, what. */
  readonly engine: { readonly at: number; readonly service: string; readonly action: string }[] = [];
  readonly #readers: ReadonlyMap<string, LedgerReader>;
  readonly #choice: RigChoice;
  /** Of those that run; the engine gives an address to another one as soon as it is free. */
  readonly #addresses = new Map<string, string>();
  #events: ChildProcess | undefined;
  #polls = false;
  #polling: readonly Promise<void>[] = [];

  private constructor(choice: RigChoice, project: TestProject, disks: ReadonlyMap<string, string>) {
    this.#choice = choice;
    this.project = project;
    this.disks = disks;
    this.#readers = new Map(
      ['node', ...disks.keys()].map((service) => [
        service,
        new LedgerReader(join(choice.folder, 'ledger', `${service}.jsonl`)),
      ]),
    );
  }

  /** In the order of smesh.yaml the disks take turns. */
  static async make(choice: RigChoice): Promise<ScheduleRig> {
    const { folder, disks, perDisk } = choice;
    const project = await TestProject.make(folder, 0, choice.layerSeconds, choice.genesisInSeconds);
    const placed = new Map<string, string>();
    for (let round = 0; round < perDisk; round += 1) {
      for (const disk of disks) placed.set(project.addIdentity({ disk }).name, disk);
    }
    const { layersPerEpoch, poet, defaults, schedule } = choice;
    project.change({
      ...(layersPerEpoch === undefined ? {} : { layersPerEpoch }),
      ...(poet === undefined ? {} : { poet }),
      ...(schedule === undefined ? {} : { schedule }),
      defaults: { nonces: choice.times.groups * 16, ...defaults },
    });
    const rig = new ScheduleRig(choice, project, placed);
    rig.#makeLedger();
    rig.#writeOverride();
    return rig;
  }

  get services(): readonly string[] {
    return [...this.disks.keys()];
  }

  /** Smesher IDs by service. */
  get ids(): ReadonlyMap<string, string> {
    return new Map(this.project.identities.map(({ name, smesherId }) => [name, smesherId]));
  }

  /** Containers of everybody, and only the node runs: as after a reboot of a host where the schedule held all back. */
  async startNode(): Promise<void> {
    const generated = await this.project.smesh(['generate']);
    if (generated.code !== 0) throw new Error(`generate: ${generated.stdout}${generated.stderr}`);
    await this.project.compose('create');
    this.#follow();
    const up = await this.project.smesh(['up', 'node', '--detach']);
    if (up.code !== 0) throw new Error(`up node: ${up.stdout}${up.stderr}`);
  }

  ledger(service: string): readonly LedgerEntry[] {
    return this.#readers.get(service)?.read() ?? [];
  }

  /** All proofs that have begun since then. */
  proofs(since = 0): readonly ProofHistory[] {
    return [...this.disks]
      .flatMap(([service, disk]) =>
        proofsOf({ service, disk }, this.ledger(service), this.deaths.get(service) ?? []),
      )
      .filter(({ whole }) => whole.from >= since);
  }

  /** Names of those whose PROVING or IDLE the node's ledger says last. */
  wanted(): readonly string[] {
    const states = new Map<string, string>();
    for (const { event, id } of this.ledger('node')) {
      if (event === 'started') states.clear();
      if (id !== undefined && (event === 'wants' || event === 'wants-nothing')) states.set(id, event);
    }
    return [...this.ids].flatMap(([service, id]) => (states.get(id) === 'wants' ? [service] : []));
  }

  /** When the engine first started a prover after that time. */
  firstStart(since = 0): number {
    const starts = this.engine.filter(
      ({ at, service, action }) => action === 'start' && this.disks.has(service) && at >= since,
    );
    return Math.min(...starts.map(({ at }) => at));
  }

  misfortune(service: string, what: Partial<Misfortunes>): void {
    this.#write(join('misfortunes', `${service}.json`), JSON.stringify(what));
  }

  /** Takes the data of one identity away, or brings them back, as a disk that is pulled does. */
  moveData(service: string, to: 'away' | 'back'): void {
    const data = this.project.identities.find(({ name }) => name === service)?.data ?? '';
    const [from, where] = to === 'away' ? [data, `${data}.away`] : [`${data}.away`, data];
    renameSync(from, where);
  }

  /** How many times longer reading takes on that disk from now on. */
  slow(disk: string, times: number): void {
    this.#write(join('disks', disk, 'slowness'), String(times));
  }

  /** Rounds whose proof no PoET hands out, until they are taken off again. */
  latePoet(rounds: readonly number[]): void {
    writeFileSync(
      join(this.project.folder, 'node-data/misfortunes.json'),
      JSON.stringify({ lateRounds: rounds }),
    );
  }

  /** Asks everybody's `/status` about every so many milliseconds, one question at a time, until `close`. */
  poll(everyMs = 200): void {
    this.#polls = true;
    this.#polling = this.services.map((service) => this.#pollOne(service, everyMs));
  }

  async close(): Promise<void> {
    this.#polls = false;
    await Promise.all(this.#polling);
    this.#events?.kill();
    await keepContainerLogs(this.project.name);
    await this.project.cleanUp();
  }

  async #pollOne(service: string, everyMs: number): Promise<void> {
    while (this.#polls) {
      await sleep(everyMs);
      try {
        const address =
          this.#addresses.get(service) ?? (await addressOf(await this.project.containerOf(service)));
        if (address === undefined) continue;
        this.#addresses.set(service, address);
        const response = await fetch(`http://${address}:${OPERATOR_PORT}/status`, {
          signal: AbortSignal.timeout(3000),
        });
        const body = (await response.json()) as {
          readonly Proving?: { readonly nonces: { readonly start: number }; readonly position: number };
        };
        // Stopped meanwhile: the address may be another one's by now.
        if (body.Proving === undefined || !this.#addresses.has(service)) continue;
        const { nonces, position } = body.Proving;
        this.samples.push({ at: Date.now(), service, pass: nonces.start, position });
      } catch {
        // Stopped; held ones answer late.
        this.#addresses.delete(service);
        await sleep(everyMs);
      }
    }
  }

  #follow(): void {
    const filters = ['type=container', `label=com.docker.compose.project=${this.project.name}`];
    const args = ['events', ...filters.flatMap((filter) => ['--filter', filter]), '--format', '{{json .}}'];
    this.#events = spawn('docker', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    let rest = '';
    this.#events.stdout?.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#noteEvent(line);
    });
  }

  #noteEvent(line: string): void {
    const { timeNano, Action, Actor } = JSON.parse(line) as {
      readonly timeNano: number;
      readonly Action: string;
      readonly Actor: { readonly Attributes: Readonly<Record<string, string>> };
    };
    const service = Actor.Attributes['com.docker.compose.service'] ?? '';
    const at = timeNano / 1e6;
    if (!Action.startsWith('exec')) this.engine.push({ at, service, action: Action });
    if (Action === 'die' || Action === 'start') this.#addresses.delete(service);
    if (Action === 'die') this.deaths.set(service, [...(this.deaths.get(service) ?? []), at]);
  }

  #makeLedger(): void {
    const { folder, disks } = this.#choice;
    const below = ['.', 'misfortunes', 'disks', ...disks.map((disk) => join('disks', disk))];
    for (const part of below) {
      const path = join(folder, 'ledger', part);
      mkdirSync(path, { recursive: true });
      chownSync(path, OWNER.uid, OWNER.gid);
      chmodSync(path, 0o755);
    }
  }

  #write(path: string, text: string): void {
    writeFileSync(join(this.#choice.folder, 'ledger', path), text);
  }

  /** The user's own file: the emitted ones stay as they are. */
  #writeOverride(): void {
    const { folder, times } = this.#choice;
    const service = (name: string, environment: Readonly<Record<string, string>>) => ({
      environment: { SIM_LEDGER: `/ledger/${name}.jsonl`, ...environment },
      volumes: [{ type: 'bind', source: join(folder, 'ledger'), target: '/ledger' }],
    });
    const work = {
      SIM_K2POW_MS_PER_UNIT_GROUP: String(times.groupMs / UNITS),
      SIM_READ_MS: String(times.readMs),
      SIM_READ_FRACTION: '1',
      SIM_VERIFY_MS: '1500',
      SIM_CACHE_MS: String(times.prepareMs),
      SIM_DATASET_MS: String(times.prepareMs),
    };
    const provers = [...this.disks].map(([name, disk]) => [
      name,
      service(name, {
        ...work,
        SIM_DISK: `/ledger/disks/${disk}`,
        SIM_MISFORTUNES: `/ledger/misfortunes/${name}.json`,
      }),
    ]);
    const node = service('node', { SIM_START_DELAY_MS: '1200', SIM_SYNC_DELAY_MS: '800' });
    const document = { services: { node, ...Object.fromEntries(provers) } };
    writeFileSync(join(folder, 'compose.override.yaml'), stringify(document));
  }

  /** Bytes per millisecond of one reader, and a twentieth of it: below that it crawls. */
  get crawl(): number {
    return DATA_BYTES / this.#choice.times.readMs / 20;
  }
}

async function addressOf(container: string): Promise<string | undefined> {
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}';
  const [address] = (await docker('inspect', '--format', format, container)).split(' ');
  return address === '' ? undefined : address;
}
