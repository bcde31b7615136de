import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { State } from './acts.ts';
import type { ChaosEngine } from './engine.ts';
import type { ChaosImages } from './images.ts';
import { type LedgerEntry, LedgerReader } from './ledger.ts';
import { FRESH_MS, NetworkTimes } from './network.ts';
import type { ChaosProject } from './project.ts';
import { activityAt, lifeAt, livesOf, nodeLivesOf, wantedSince } from './truth.ts';

/** What is true at this moment: from the ledgers and the engine's own events, never from the tool. */
export class World {
  readonly project: ChaosProject;
  readonly engine: ChaosEngine;
  readonly images: ChaosImages;
  readonly times: NetworkTimes;
  readonly paused = new Set<string>();
  readonly held = new Set<string>();
  readonly halfOpen = new Set<string>();
  readonly deaths = new Map<string, number[]>();
  readonly #readers: ReadonlyMap<string, LedgerReader>;
  #events: ChildProcess | undefined;
  #frozenAt = 0;

  constructor(engine: ChaosEngine, images: ChaosImages, project: ChaosProject) {
    this.engine = engine;
    this.images = images;
    this.project = project;
    this.times = new NetworkTimes(project.genesis);
    this.#readers = new Map(
      ['node', ...project.services].map((service) => [service, new LedgerReader(project.ledgerOf(service))]),
    );
  }

  ledgers(): ReadonlyMap<string, readonly LedgerEntry[]> {
    return new Map([...this.#readers].map(([service, reader]) => [service, reader.read()]));
  }

  ledger(service: string): readonly LedgerEntry[] {
    return this.#readers.get(service)?.read() ?? [];
  }

  /** All that is true of one prover now; `idle` only where nothing else is. */
  statesOf(service: string, at = Date.now()): readonly State[] {
    const states: State[] = [];
    const activity = activityAt(livesOf(this.ledger(service), this.deaths.get(service) ?? []), at);
    if (activity === 'down') return ['down'];
    if (activity !== 'idle') states.push(activity === 'done' ? 'done-proving' : activity);
    if (this.paused.has(service)) states.push('paused');
    if (this.held.has(service)) states.push('held');
    const nodeAge = this.nodeAge(at);
    if (nodeAge === undefined) states.push('node-down');
    else if (nodeAge < FRESH_MS) states.push('fresh-node');
    if (activity === 'idle' && this.wantedFor(service, at) !== undefined) states.push('wanted');
    return states.length === 0 ? ['idle'] : states;
  }

  freeze(how: 'paused' | 'held', service: string): void {
    this[how].add(service);
    this.#frozenAt = Date.now();
  }

  /** Somebody was paused or held within the last milliseconds. */
  wasFrozen(withinMs: number): boolean {
    return Date.now() - this.#frozenAt < withinMs;
  }

  /** For how long the node has wanted its proof, milliseconds. */
  wantedFor(service: string, at = Date.now()): number | undefined {
    const id = this.project.identities.find(({ name }) => name === service)?.smesherId ?? '';
    const since = wantedSince(this.ledger('node'), id, at);
    return since === undefined ? undefined : at - since;
  }

  /** How long the node has been up, milliseconds; undefined: it is not. */
  nodeAge(at = Date.now()): number | undefined {
    const node = lifeAt(nodeLivesOf(this.ledger('node'), this.deaths.get('node') ?? []), at);
    return node === undefined ? undefined : at - node.from;
  }

  inState(state: State): readonly string[] {
    return this.project.services.filter((service) => this.statesOf(service).includes(state));
  }

  lives(service: string): number {
    return new Set(this.ledger(service).map(({ boot }) => boot)).size;
  }

  /** `5 idle, 3 k2pow, 4 reading` */
  summary(): string {
    const counts = new Map<string, number>();
    for (const service of this.project.services) {
      const key = this.statesOf(service).join('+');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
  }

  /** Takes note of deaths from now on, until the engine goes. */
  follow(): void {
    const filters = ['--filter', 'type=container', '--filter', 'event=die'];
    const args = ['events', ...filters, '--format', '{{json .}}'];
    const child = spawn('docker', args, { env: this.engine.env, stdio: ['ignore', 'pipe', 'ignore'] });
    this.#events = child;
    let rest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#noteDeath(line);
    });
  }

  unfollow(): void {
    this.#events?.kill();
  }

  #noteDeath(line: string): void {
    const { timeNano, Actor } = JSON.parse(line) as {
      timeNano: number;
      Actor: { Attributes: Record<string, string> };
    };
    if (Actor.Attributes['com.docker.compose.project'] !== this.project.name) return;
    const service = Actor.Attributes['com.docker.compose.service'] ?? '';
    const own = this.deaths.get(service) ?? [];
    own.push(timeNano / 1e6);
    this.deaths.set(service, own);
  }

  async containerOf(service: string): Promise<string> {
    const own = `label=com.docker.compose.project=${this.project.name}`;
    const list = await this.engine.docker(
      ...['ps', '-aq', '--no-trunc', '--filter', own],
      ...['--filter', `label=com.docker.compose.service=${service}`],
    );
    return list.split('\n')[0] ?? '';
  }

  /** States of the containers as the engine has them, by service. */
  async containers(): Promise<ReadonlyMap<string, string>> {
    const list = await this.engine.docker(
      ...['ps', '-a', '--filter', `label=com.docker.compose.project=${this.project.name}`],
      ...['--format', '{{.Label "com.docker.compose.service"}} {{.State}}'],
    );
    return new Map(
      list
        .split('\n')
        .filter((line) => line !== '')
        .map((line): [string, string] => [line.split(' ')[0] ?? '', line.split(' ')[1] ?? '']),
    );
  }

  /** Waits for a moment of the truth; false: it did not come in time. */
  async until(holds: () => boolean, withinMs: number): Promise<boolean> {
    const end = Date.now() + withinMs;
    while (!holds()) {
      if (Date.now() > end) return false;
      await sleep(50);
    }
    return true;
  }
}
