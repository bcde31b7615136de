import { isUp } from '../../domain/compose/container-role.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { cardOf } from '../../domain/post-init/card.ts';
import type { JobEnd } from '../../domain/post-init/explain-end.ts';
import type { GapHold } from '../../domain/post-init/gap-hold.ts';
import { paceOf, withSample } from '../../domain/post-init/growth.ts';
import { growthFromLog } from '../../domain/post-init/job-log.ts';
import { diskOf, type JobReport } from '../../domain/post-init/job-report.ts';
import type { JobLook } from '../../domain/post-init/job-state.ts';
import { decideQueue, isRunnable, missingBytes, type Place } from '../../domain/post-init/queue.ts';
import type { InitialisationSettings, Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { gapHolds } from './gap-holds.ts';
import { queueJob, silent } from './gather-reports.ts';
import { jobContainers, jobFilter, lifeOf, readLogOf } from './job-containers.ts';
import type { JobEvents } from './job-events.ts';
import { judgeEnd, notStarted } from './judge-end.ts';
import { lookAtJobs } from './look-at-jobs.ts';
import { noteBytes } from './note-bytes.ts';
import type { RunnerMemory } from './runner-memory.ts';
import { SizeReader } from './size-reader.ts';
import { startJobs } from './start-jobs.ts';

/** Whether somebody proves changes slowly, and asking costs a question to each prover. */
const GAP_EVERY_MS = 60_000;

/** A disk that is mounted again, room that was made, and how much room is left beside those who write. */
const FILES_EVERY_MS = 30_000;

export interface RunnerOptions {
  /** Jobs that may be started; others only count where they are in the way. */
  readonly chosen: ReadonlySet<string>;
  readonly duringGap: boolean;
  readonly memory: RunnerMemory;
}

/**
 * Jobs of one project over time: who runs, who ended and why, who is next. `turn` looks, judges those that have ended by
 * their files, and starts whose turn it is; nothing in here waits or draws.
 */
export class JobRunner {
  readonly #context: Context;
  readonly #project: Project;
  readonly #settings: InitialisationSettings;
  readonly #events: JobEvents;
  readonly #options: RunnerOptions;
  readonly #sizes: SizeReader;
  #looks: readonly JobLook[] = [];
  #lookedAt = Number.NEGATIVE_INFINITY;
  #containers: ReadonlyMap<string, ObservedContainer> = new Map();
  readonly #lives: RunnerMemory['lives'];
  readonly #growth: RunnerMemory['growth'];
  readonly #searches = new Set<string>();
  readonly #ends: RunnerMemory['ends'];
  readonly #retried: RunnerMemory['retried'];
  readonly #givenUp: RunnerMemory['givenUp'];
  /** Those whose first bytes are on record. */
  readonly #noted = new Set<string>();
  #holds: { readonly at: number; readonly disks: ReadonlyMap<string, GapHold> } | undefined;

  constructor(
    context: Context,
    project: Project,
    settings: InitialisationSettings,
    events: JobEvents,
    options: RunnerOptions,
  ) {
    this.#context = context;
    this.#project = project;
    this.#settings = settings;
    this.#events = events;
    this.#options = options;
    this.#sizes = new SizeReader(context, project.network);
    this.#lives = options.memory.lives;
    this.#growth = options.memory.growth;
    this.#ends = options.memory.ends;
    this.#retried = options.memory.retried;
    this.#givenUp = options.memory.givenUp;
  }

  /**
   * One turn. Answers what is worth a line: who has begun, ended, or could not be started. Rejects with the engine's or
   * Compose's error (SmeshError) when nothing could be seen or nothing at all could be started.
   */
  async turn(): Promise<readonly string[]> {
    const told: string[] = [];
    if (this.#clock() - this.#lookedAt >= FILES_EVERY_MS) await this.#lookAtFiles();
    await this.#lookAtContainers(told);
    const places = await this.#places();
    const next = [...places].flatMap(([name, { kind }]) =>
      kind === 'starts' && this.#options.chosen.has(name) ? [name] : [],
    );
    if (next.length > 0) await this.#start(next, told);
    await this.#measure();
    return told;
  }

  /** What is known now. */
  async reports(): Promise<readonly JobReport[]> {
    const places = await this.#places();
    const now = this.#context.clock.now();
    return this.#looks.map((look): JobReport => {
      const { name } = look.job;
      const container = this.#containers.get(name);
      const place = places.get(name) ?? notChosen(look);
      const pace =
        place.kind === 'runs'
          ? paceOf(this.#growth.get(name) ?? [], missingBytes(look.state), now)
          : undefined;
      const end = this.#ends.get(name);
      return {
        ...look,
        card: this.#cardOf(look),
        place,
        ...(container === undefined ? {} : { container: container.state }),
        ...(pace === undefined ? {} : { pace }),
        ...(this.#searches.has(name) ? { searches: true } : {}),
        ...(place.kind === 'runs' && container !== undefined
          ? silent(this.#context, { ...look, card: this.#cardOf(look) }, container, this.#searches.has(name))
          : {}),
        ...(end === undefined || place.kind === 'runs' ? {} : { end }),
      };
    });
  }

  /** Whether anything goes on by itself, or will. */
  async isBusy(): Promise<boolean> {
    return this.#has(['runs', 'waits', 'starts']);
  }

  /** Whether somebody's turn has come, as after another could not be started. */
  async hasNext(): Promise<boolean> {
    return this.#has(['starts']);
  }

  async #has(kinds: readonly Place['kind'][]): Promise<boolean> {
    return [...(await this.#places())].some(
      ([name, { kind }]) => kinds.includes(kind) && (kind === 'runs' || this.#options.chosen.has(name)),
    );
  }

  #cardOf({ job }: JobLook): string {
    return cardOf(job, this.#settings, this.#settings.jobs.indexOf(job));
  }

  #isRunning(name: string): boolean {
    const container = this.#containers.get(name);
    return container !== undefined && isUp(container);
  }

  #clock(): number {
    return this.#context.clock.now();
  }

  async #lookAtFiles(): Promise<void> {
    this.#lookedAt = this.#clock();
    this.#looks = await lookAtJobs(this.#context, this.#project);
    await noteBytes(this.#context, this.#looks);
  }

  async #lookAtContainers(told: string[]): Promise<void> {
    const docker = await this.#context.ports.docker();
    const listed = await docker.containers(jobFilter(this.#project));
    this.#containers = jobContainers(this.#project, listed);
    const ended = [...this.#lives.keys()].filter((name) => !this.#isRunning(name));
    for (const { job } of this.#looks) {
      const container = this.#containers.get(job.name);
      if (container === undefined || !isUp(container)) continue;
      if (this.#lives.get(job.name) !== lifeOf(container)) await this.#adopt(job.name, container);
    }
    if (ended.length === 0) return;
    await this.#lookAtFiles();
    for (const name of ended) told.push(...(await this.#settle(name)));
  }

  /** A life that is new to us: its speed so far is in its log. */
  async #adopt(name: string, container: ObservedContainer): Promise<void> {
    this.#lives.set(name, lifeOf(container));
    this.#growth.delete(name);
    const look = this.#looks.find(({ job }) => job.name === name);
    if (look === undefined || !('progress' in look.state)) return;
    const log = await readLogOf(this.#context, await this.#context.ports.docker(), container);
    if (log.searches) this.#searches.add(name);
    const sample = { at: this.#context.clock.now(), bytes: look.state.progress?.bytes ?? 0 };
    this.#growth.set(name, growthFromLog(log, sample, look.sizes?.get(log.file?.index ?? -1)));
  }

  /** One that does not run any more: its files tell what became of it. */
  async #settle(name: string): Promise<readonly string[]> {
    const look = this.#looks.find(({ job }) => job.name === name);
    const end =
      look === undefined || look.state.kind === 'complete' ? undefined : await this.#explain(name, look);
    this.#lives.delete(name);
    this.#growth.delete(name);
    this.#searches.delete(name);
    if (look === undefined) return [];
    if (end === undefined) {
      this.#ends.delete(name);
      return [`${name}: all labels are there.`];
    }
    this.#ends.set(name, end);
    if (end.retry === 'again') return [`${name}: ${end.why}; it is started again.`];
    if (end.retry === 'once' && !this.#retried.has(name) && isRunnable(look.state)) {
      this.#retried.add(name);
      return [`${name}: ${end.why}; tried once more.`];
    }
    // A disk can be mounted again while others run.
    if (end.code !== 'away') this.#givenUp.add(name);
    return [`! ${name}: ${end.why}`];
  }

  #explain(name: string, look: JobLook): Promise<JobEnd> {
    const place = { gpu: this.#settings.gpu, card: this.#cardOf(look) };
    return judgeEnd(this.#context, this.#events, look, place, this.#containers.get(name));
  }

  async #places(): Promise<ReadonlyMap<string, Place>> {
    const takesPart = ({ job }: JobLook) => this.#options.chosen.has(job.name) || this.#isRunning(job.name);
    const ask = (holds: ReadonlyMap<string, GapHold>) =>
      decideQueue(
        this.#looks.filter(takesPart).map((look) => {
          const { name } = look.job;
          const held = holds.get(diskOf(look))?.why;
          const end = this.#ends.get(name);
          return queueJob(this.#settings, look, this.#isRunning(name), {
            ...(held === undefined ? {} : { held }),
            ...(end === undefined || !this.#givenUp.has(name) ? {} : { givenUp: end.why }),
          });
        }),
      );
    const free = ask(new Map());
    // Provers are asked only where it makes a difference.
    if (this.#options.duringGap || ![...free.values()].some(({ kind }) => kind === 'starts')) return free;
    return ask(await this.#gapHolds());
  }

  async #gapHolds(): Promise<ReadonlyMap<string, GapHold>> {
    const now = this.#context.clock.now();
    if (this.#holds === undefined || now - this.#holds.at >= GAP_EVERY_MS) {
      this.#holds = { at: now, disks: await gapHolds(this.#context, this.#project) };
    }
    return this.#holds.disks;
  }

  async #start(names: readonly string[], told: string[]): Promise<void> {
    const started = await startJobs(this.#context, this.#project, names);
    const docker = await this.#context.ports.docker();
    this.#containers = jobContainers(this.#project, await docker.containers(jobFilter(this.#project)));
    for (const { name, containerId, error } of started) {
      const look = this.#looks.find(({ job }) => job.name === name);
      if (look === undefined) continue;
      if (error === undefined) {
        const container = this.#containers.get(name);
        this.#lives.set(name, container === undefined ? containerId : lifeOf(container));
        this.#ends.delete(name);
        const bytes = 'progress' in look.state ? (look.state.progress?.bytes ?? 0) : 0;
        this.#growth.set(name, [{ at: this.#context.clock.now(), bytes }]);
        told.push(`${name}: ${bytes > 0 ? 'resumes' : 'begins'} on ${this.#cardOf(look)}, ${look.job.data}`);
        continue;
      }
      const end = notStarted(look, { gpu: this.#settings.gpu, card: this.#cardOf(look) }, error);
      this.#ends.set(name, end);
      this.#givenUp.add(name);
      told.push(`! ${name}: ${end.why}`);
    }
    const begun = started.flatMap(({ name, error }) => (error === undefined ? [name] : []));
    await noteBytes(this.#context, this.#looks, new Set(begun));
  }

  /** Sizes of those that run, for speed and percent. */
  async #measure(): Promise<void> {
    const { clock } = this.#context;
    const grown: string[] = [];
    this.#looks = await Promise.all(
      this.#looks.map(async (look) => {
        const { job, state } = look;
        if (!this.#isRunning(job.name) || !('progress' in state) || state.progress === undefined) return look;
        const bytes = await this.#sizes.bytes(job);
        if (bytes === undefined) return look;
        const growth = withSample(this.#growth.get(job.name) ?? [], { at: clock.now(), bytes });
        this.#growth.set(job.name, growth);
        if (bytes > 0) grown.push(job.name);
        return { ...look, state: { ...state, progress: { ...state.progress, bytes } } };
      }),
    );
    if (grown.every((name) => this.#noted.has(name))) return;
    for (const name of grown) this.#noted.add(name);
    await noteBytes(this.#context, this.#looks);
  }
}

/** One that was not named is in nobody's way as long as it does not run. */
function notChosen({ state }: JobLook): Place {
  return state.kind === 'complete' ? { kind: 'complete' } : { kind: 'waits', why: 'was not asked for' };
}
