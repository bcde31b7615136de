import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { PublishedAtx } from '../../domain/node/answers.ts';
import type { NodeEvent } from '../../domain/node/events.ts';
import { type EpochClock, epochTimeline } from '../../domain/poet/epochs.ts';
import { type NodeApiPort, type NodeEndpoint, NodeFaultError } from '../../ports/node-api.ts';
import type { LiveArea } from '../../ports/output.ts';
import { formatDuration } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { momentsBetween, Narrator } from './narrator.ts';

const TICK_MS = 500;
const ASK_EVERY_MS = 2000;
const ASK_TIMEOUT_MS = 5000;
const LOOK_EVERY_MS = 5000;
const RECONNECT_MS = 1000;

export interface FollowerRequest {
  readonly project: string;
  readonly endpoint: NodeEndpoint;
  readonly clock: EpochClock;
  /** Milliseconds since 1970: when the rehearsal began. */
  readonly began: number;
  /** When it gives up. */
  readonly deadline: number;
}

/** How far an identity has come, milliseconds since 1970. */
export interface IdentityMilestones {
  readonly initialProof?: number;
  readonly registered?: number;
  readonly publishedAt?: number;
}

/**
 * Follows the node's events and says what happens against the epoch's moments, until what is waited for is there. That an
 * ATX is out is believed only when the node's activation service lists it.
 */
export class Follower {
  readonly #context: Context;
  readonly #request: FollowerRequest;
  readonly #names = new Map<SmesherId, string>();
  readonly #milestones = new Map<SmesherId, { -readonly [Key in keyof IdentityMilestones]: number }>();
  readonly #seen = new Set<string>();
  readonly #end = new AbortController();
  readonly #narrator: Narrator;
  #atxs: readonly PublishedAtx[] = [];
  #stream: Promise<void> | undefined;
  #told: number;
  #askAt = 0;
  #lookAt = 0;
  #malfeasance: string | undefined;

  constructor(context: Context, request: FollowerRequest) {
    this.#context = context;
    this.#request = request;
    this.#told = context.clock.now();
    this.#narrator = new Narrator(this.#names);
  }

  /** From now on these are followed, too. */
  add(identities: readonly { readonly id: SmesherId; readonly name: string }[]): void {
    for (const { id, name } of identities) this.#names.set(id, name);
    this.#stream ??= this.#follow();
  }

  /** All ATXs that the node lists. */
  get atxs(): readonly PublishedAtx[] {
    return this.#atxs;
  }

  milestonesOf(id: SmesherId): IdentityMilestones {
    return this.#milestones.get(id) ?? {};
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#stream;
  }

  /** Tells what happens until all of these have an ATX with that publish epoch or a later one. Throws (exit 6) in the end. */
  async untilPublished(ids: readonly SmesherId[], promise: string, fromEpoch = 0): Promise<void> {
    const lacking = () =>
      ids.filter(
        (id) => !this.#atxs.some(({ smesher, publishEpoch }) => smesher === id && publishEpoch >= fromEpoch),
      );
    await this.#until(
      () => lacking().length === 0,
      () => `${ids.length - lacking().length} of ${ids.length} published`,
      () => this.#lateError(promise, lacking()),
    );
  }

  /** Tells what happens until that time. */
  async untilTime(at: number, what: string): Promise<void> {
    const { clock } = this.#context;
    await this.#until(
      () => clock.now() >= at,
      () => `${what} in ${formatDuration(Math.max(0, at - clock.now()))}`,
      () => this.#lateError(what, []),
    );
  }

  /** Of the node's last sentence nothing is kept back. */
  flush(): void {
    this.#say(this.#narrator.flush(this.#context.clock.now(), true));
  }

  async #until(done: () => boolean, progress: () => string, late: () => SmeshError): Promise<void> {
    const { clock, out, signal } = this.#context;
    const live = out.interactive ? out.live() : undefined;
    try {
      for (;;) {
        signal.throwIfAborted();
        const now = clock.now();
        this.#tell(now, live);
        if (now >= this.#askAt) {
          await this.#ask();
          this.#askAt = clock.now() + ASK_EVERY_MS;
        }
        if (now >= this.#lookAt) {
          await this.#lookAtContainers();
          this.#lookAt = clock.now() + LOOK_EVERY_MS;
        }
        if (this.#malfeasance !== undefined) throw this.#cancelledError(this.#malfeasance);
        if (done()) {
          live?.update([]);
          this.flush();
          return;
        }
        if (now >= this.#request.deadline) throw late();
        live?.update([this.#statusLine(now, progress())]);
        await clock.sleep(TICK_MS, signal);
      }
    } finally {
      live?.update([]);
      live?.done();
    }
  }

  #tell(now: number, live: LiveArea | undefined): void {
    const moments = momentsBetween(this.#request.clock, this.#told, now);
    this.#told = now;
    const lines = this.#narrator.flush(now);
    if (moments.length + lines.length === 0) return;
    live?.update([]);
    for (const { at, text } of moments) this.#note(at, `── ${text}`);
    this.#say(lines);
  }

  #say(lines: readonly string[]): void {
    for (const line of lines) this.#note(this.#context.clock.now(), line);
  }

  #note(at: number, text: string): void {
    this.#context.out.note(`   ${elapsed(at - this.#request.began)}  ${text}`);
  }

  #statusLine(now: number, progress: string): string {
    const { epoch, phase, gap } = epochTimeline(this.#request.clock, now);
    const until = formatDuration(Math.max(0, phase.until - now));
    const where = {
      'before-genesis': `genesis in ${until}`,
      // Before the first round there is nothing to prove: no gap, whatever the arithmetic says.
      'cycle-gap':
        gap.epoch === 0
          ? `epoch 0, round 0 of the PoET begins in ${until}`
          : `epoch ${epoch}, cycle gap open for ${until} more`,
      late: `epoch ${epoch}, round runs, ${until} left for late ATXs`,
      waiting: `epoch ${epoch}, next cycle gap in ${until}`,
    }[phase.kind];
    return `   ${elapsed(now - this.#request.began)}  … ${where} · ${progress}`;
  }

  async #follow(): Promise<void> {
    const api = await this.#context.ports.nodeApi();
    const { signal } = this.#end;
    while (!signal.aborted) {
      try {
        for await (const event of api.events(this.#request.endpoint, signal)) this.#hear(event);
      } catch (error) {
        // The node restarts in a rehearsal; whoever subscribes again gets its old events once more.
        if (!(error instanceof NodeFaultError)) throw error;
      }
      await this.#context.clock.sleep(RECONNECT_MS, signal).catch(() => {});
    }
  }

  #hear(event: NodeEvent): void {
    const smesher = 'smesher' in event ? event.smesher : undefined;
    const key = `${event.kind} ${event.at} ${smesher ?? ''}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#narrator.hear(event, this.#context.clock.now());
    if (smesher === undefined || !this.#names.has(smesher)) return;
    const milestones = this.#milestones.get(smesher) ?? ({} as Record<keyof IdentityMilestones, number>);
    this.#milestones.set(smesher, milestones);
    if (event.kind === 'post-complete' && !event.failed) milestones.initialProof ??= event.at;
    if (event.kind === 'registered-in-poet') milestones.registered ??= event.at;
    if (event.kind === 'atx-published') milestones.publishedAt ??= event.at;
    if (event.kind === 'malfeasance') this.#malfeasance = this.#names.get(smesher);
  }

  async #ask(): Promise<void> {
    const api: NodeApiPort = await this.#context.ports.nodeApi();
    const { endpoint, clock } = this.#request;
    const epoch = epochTimeline(clock, this.#context.clock.now()).epoch;
    const answer = await api.activations(endpoint, {
      smeshers: [...this.#names.keys()],
      fromEpoch: 0,
      toEpoch: Math.max(0, epoch) + 1,
      timeoutMs: ASK_TIMEOUT_MS,
    });
    // A node that is just being restarted does not answer; the next question is soon.
    if (answer.ok) this.#atxs = answer.value;
  }

  async #lookAtContainers(): Promise<void> {
    const docker = await this.#context.ports.docker();
    const containers = await docker.containers({ project: this.#request.project });
    const down = containers.filter(({ state }) => state !== 'running');
    if (down.length === 0) return;
    throw new SmeshError(
      'rehearsal-failed',
      ExitCode.unhealthy,
      `The rehearsal failed: ${down.map(({ service, name }) => service ?? name).join(', ')} did not stay up`,
      {
        details: down.map(({ service, name, state, exitCode }) => {
          const exit = exitCode === undefined ? '' : `, exit ${exitCode}`;
          return `${service ?? name}: ${state}${exit}`;
        }),
      },
    );
  }

  #lateError(promise: string, lacking: readonly SmesherId[]): SmeshError {
    const took = formatDuration(this.#context.clock.now() - this.#request.began);
    return new SmeshError(
      'rehearsal-timeout',
      ExitCode.unhealthy,
      `The rehearsal failed after ${took}. Not kept: ${promise}`,
      { details: lacking.map((id) => `${this.#names.get(id) ?? id}: ${this.#lastOf(id)}`) },
    );
  }

  #lastOf(id: SmesherId): string {
    const { initialProof, registered } = this.milestonesOf(id);
    if (registered !== undefined) return 'registered with the PoET, but its ATX is not out';
    if (initialProof !== undefined) return 'made its initial proof, but never registered with the PoET';
    return 'made no initial proof';
  }

  #cancelledError(name: string): SmeshError {
    return new SmeshError(
      'rehearsal-failed',
      ExitCode.invalid,
      `The rehearsal failed: ${name} was cancelled by the network (it was active twice)`,
    );
  }
}

/** `0:48`, `3:05`. */
function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
