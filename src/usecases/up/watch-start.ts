import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { lastWords, readStartSign } from '../../domain/node/start-log.ts';
import type { ServiceRole } from '../../domain/plan/decide-up.ts';
import type { DockerPort } from '../../ports/docker.ts';
import { renderStart } from '../../ui/start-progress.ts';
import type { Context } from '../context.ts';

/** How one service stands after it was started. */
export interface ServiceStart {
  readonly service: string;
  readonly role: ServiceRole;
  readonly containerId: string;
  state: 'starting' | 'healthy' | 'failed';
  /** A post-service has reached its node since the start. */
  connected: boolean;
  /** Why it failed, or what holds it up. */
  reason?: string;
  /** Deaths of its process seen so far. */
  deaths: number;
}

export interface WatchRequest {
  readonly project: string;
  readonly services: readonly {
    readonly service: string;
    readonly role: ServiceRole;
    readonly containerId: string;
  }[];
  /** When the first of them was started: what logs say before that is of an earlier life. */
  readonly since: number;
  readonly timeoutMs: number;
}

export interface WatchResult {
  readonly services: readonly ServiceStart[];
  readonly timedOut: boolean;
}

/** A post-service tries its node every 5 s (spacemesh.md §3.1). */
const CONNECT_GRACE_MS = 6000;

/** Where nothing can be redrawn every change would be a line of its own. */
const PLAIN_EVERY_MS = 30_000;

/** Once can be a race for memory or a port; a second death of a prover will be followed by a third. */
const PROVER_DEATHS = 2;

/**
 * Waits until every service is healthy or has failed, told by the engine's events and the services' logs rather than by
 * asking again and again. A node that has failed but lingers is recognised by its log; one that migrates its database
 * may take hours and is waited for.
 */
export async function watchStart(context: Context, request: WatchRequest): Promise<WatchResult> {
  const docker = await context.ports.docker();
  const watch = new StartWatch(context, docker, request);
  return watch.run();
}

class StartWatch {
  readonly #context: Context;
  readonly #docker: DockerPort;
  readonly #request: WatchRequest;
  readonly #services: ReadonlyMap<string, ServiceStart>;
  readonly #end = new AbortController();
  readonly #lastLines = new Map<string, string>();
  #wake: () => void = () => {};

  constructor(context: Context, docker: DockerPort, request: WatchRequest) {
    this.#context = context;
    this.#docker = docker;
    this.#request = request;
    this.#services = new Map(
      request.services.map((service) => [
        service.containerId,
        { ...service, state: 'starting', connected: false, deaths: 0 },
      ]),
    );
  }

  async run(): Promise<WatchResult> {
    const { clock, signal, out } = this.#context;
    const started = clock.now();
    const live = out.live();
    let shownAt = 0;
    const background = [this.#followEvents(), ...this.#all().map((service) => this.#followLog(service))];
    const broken = Promise.race([
      new Promise<never>((_, reject) => {
        for (const work of background) work.catch(reject);
      }),
    ]);
    // Told apart below; it must not end the process when nobody waits for it any more.
    broken.catch(() => {});
    try {
      for (;;) {
        const elapsed = clock.now() - started;
        const settled = this.#settled(elapsed);
        if (out.interactive || settled || elapsed >= shownAt + PLAIN_EVERY_MS) {
          live.update(renderStart(this.#all(), elapsed, this.#nodeLine()));
          shownAt = elapsed;
        }
        if (settled) return { services: this.#all(), timedOut: false };
        if (elapsed >= this.#request.timeoutMs) return { services: this.#all(), timedOut: true };
        const woken = new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        const nap = new AbortController();
        const tick = clock.sleep(1000, AbortSignal.any([signal, nap.signal]));
        tick.catch(() => {});
        await Promise.race([woken, broken, tick]);
        nap.abort();
      }
    } catch (error) {
      if (signal.aborted) throw interruptedWait();
      throw error;
    } finally {
      this.#end.abort();
      live.done();
      await Promise.allSettled(background);
    }
  }

  #all(): ServiceStart[] {
    return [...this.#services.values()];
  }

  #nodeLine(): string | undefined {
    const node = this.#all().find(({ role }) => role === 'node');
    return node === undefined ? undefined : this.#lastLines.get(node.containerId);
  }

  #settledAt: number | undefined;

  #settled(elapsed: number): boolean {
    const all = this.#all();
    if (all.some(({ state }) => state === 'starting')) return false;
    this.#settledAt ??= elapsed;
    const node = all.find(({ role }) => role === 'node');
    const unconnected = all.some(
      ({ role, state, connected }) => role === 'prover' && state === 'healthy' && !connected,
    );
    return !unconnected || node?.state === 'failed' || elapsed - this.#settledAt >= CONNECT_GRACE_MS;
  }

  async #followEvents(): Promise<void> {
    const events = this.#docker.events({ project: this.#request.project }, this.#end.signal);
    for await (const event of events) {
      if (event.kind === 'connected') {
        await this.#lookAnew();
      } else if (event.kind === 'container') {
        const service = this.#services.get(event.containerId);
        if (service === undefined) continue;
        if (event.action === 'health_status') this.#onHealth(service, event.health);
        if (event.action === 'die') await this.#onDeath(service, service.deaths + 1, event.exitCode);
      }
      this.#wake();
    }
  }

  /** After the subscription and after each break of it: something may have happened that no event told. */
  async #lookAnew(): Promise<void> {
    const containers = await this.#docker.containers({ project: this.#request.project });
    for (const container of containers) {
      const service = this.#services.get(container.id);
      if (service !== undefined) await this.#onLook(service, container);
    }
  }

  async #onLook(service: ServiceStart, container: ObservedContainer): Promise<void> {
    // Without a healthcheck (a service of the user's own) running is all that can be told.
    if (container.health === 'none' && container.state === 'running') service.state = 'healthy';
    if (container.health !== 'none') this.#onHealth(service, container.health);
    const deaths = container.restartCount + (container.state === 'exited' ? 1 : 0);
    if (deaths > service.deaths) await this.#onDeath(service, deaths, container.exitCode);
  }

  #onHealth(service: ServiceStart, health: string | undefined): void {
    if (health === 'healthy') {
      service.state = 'healthy';
      delete service.reason;
    } else if (health === 'unhealthy') {
      service.state = 'failed';
      service.reason ??= 'it runs, but does not listen where it should';
    }
  }

  async #onDeath(service: ServiceStart, deaths: number, exitCode: number | undefined): Promise<void> {
    service.deaths = deaths;
    service.connected = false;
    const limit = service.role === 'prover' ? PROVER_DEATHS : 1;
    service.state = deaths >= limit ? 'failed' : 'starting';
    const words = await this.#lastWords(service.containerId);
    const code = exitCode === undefined ? 'it ended' : `it ended with exit code ${exitCode}`;
    service.reason = words === undefined ? code : `${code}: ${words}`;
  }

  async #lastWords(containerId: string): Promise<string | undefined> {
    const lines: string[] = [];
    try {
      for await (const line of this.#docker.logs(containerId, { tail: 30 })) lines.push(line.text);
    } catch {
      // Gone meanwhile; its death is told without its words.
    }
    return lastWords(lines);
  }

  async #followLog(service: ServiceStart): Promise<void> {
    if (service.role === 'other') return;
    let { since } = this.#request;
    const ours = new AbortController();
    const signal = AbortSignal.any([ours.signal, this.#end.signal]);
    // A process that ends takes its stream with it; its restart has a new one.
    while (!signal.aborted) {
      try {
        const lines = this.#docker.logs(service.containerId, { follow: true, since, signal });
        for await (const { text, at } of lines) {
          since = Math.max(since, at + 1);
          this.#onLine(service, text);
          if (service.role === 'prover' && service.connected) ours.abort();
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof SmeshError && error.code === 'container-gone') return;
        throw error;
      }
      if (!signal.aborted) await this.#context.clock.sleep(500, signal).catch(() => {});
    }
  }

  #onLine(service: ServiceStart, text: string): void {
    this.#lastLines.set(service.containerId, text);
    const sign = readStartSign(text);
    if (sign === undefined) return;
    if (sign.kind === 'connected') {
      service.connected = true;
      if (service.state !== 'failed') delete service.reason;
    } else if (sign.kind === 'trouble') {
      service.reason = sign.reason;
    } else if (service.role === 'node' && service.state !== 'healthy') {
      service.state = 'failed';
      service.reason = sign.reason;
    }
    this.#wake();
  }
}

function interruptedWait(): SmeshError {
  return new SmeshError(
    'cancelled',
    ExitCode.cancelled,
    'Stopped waiting. What was started goes on by itself.',
    { hint: 'See how it does: smesh-compose status' },
  );
}
