import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { type JobReport, needsSomebody } from '../../domain/post-init/job-report.ts';
import type { Project } from '../../domain/project/types.ts';
import { adviceLines, jobToJson, jobWords, plainJobLine, renderJobWatch } from '../../ui/post-jobs.ts';
import type { Context } from '../context.ts';
import { loadProject } from '../load-project.ts';
import { withProjectLock } from '../project-lock.ts';
import { type FinishedIdentity, joinComplete } from './finish-jobs.ts';
import { withWhole } from './finish-post.ts';
import { chooseJobs, jobFilter } from './job-containers.ts';
import { JobEvents } from './job-events.ts';
import { JobRunner } from './job-runner.ts';
import { lookAtJobs } from './look-at-jobs.ts';
import { removeFormerJobs } from './remove-former-jobs.ts';
import { repairOdd } from './repair-odd.ts';
import { freshMemory } from './runner-memory.ts';
import { isBusyElsewhere, isRefusedStart } from './start-jobs.ts';
import { styleOf } from './status.ts';

export interface RunJobsRequest {
  /** Names of jobs; empty: all that are not complete. */
  readonly names: readonly string[];
  /** Start what can start and end, without staying to watch. */
  readonly detach: boolean;
  /** Consent to cut files whose size is no multiple of 16 (`--repair`); else it is asked for in a terminal. */
  readonly repair?: boolean;
  /** Start jobs beside provers that have yet to prove in the gap, too (`--during-gap`). */
  readonly duringGap?: boolean;
}

export interface JobsRun {
  /** 0 all complete (or, detached, started), 6 one failed or waits for somebody, 130 Ctrl-C. */
  readonly exitCode: number;
  /** Identities whose data is whole now, nonce included. */
  readonly finished: readonly FinishedIdentity[];
  readonly reports: readonly JobReport[];
}

/** On a terminal; events wake it before. */
const LOOK_MS = 1000;
/** Where nothing can be redrawn nobody looks so often. */
const PLAIN_LOOK_MS = 5000;
const PLAIN_LINE_MS = 60_000;

/**
 * Creates, starts and watches initialisation jobs, one writer per disk and one job per card, until all are complete or
 * nothing can go on; joins parts whose range is complete. smesh.yaml and the generated files are up to date before it is
 * called. The caller does NOT hold the project's lock: watching takes days, so it is taken here for each act alone. Jobs
 * that run already are adopted. Ctrl-C ends the watching alone. Prints what happens, and at the end what needs somebody;
 * with `--json` nothing: the caller prints `jobsToJson`. Rejects with the error of engine or Compose where nothing could be
 * started, 75 while another command holds the project.
 */
export async function runJobs(context: Context, project: Project, request: RunJobsRequest): Promise<JobsRun> {
  const watch = new JobsWatch(context, project, request);
  const run = await watch.run();
  if (!context.json) sayEnd(context, run, request);
  return run;
}

/** The run as data, for `--json`. */
export function jobsToJson({ exitCode, finished, reports }: JobsRun): Readonly<Record<string, unknown>> {
  return { exitCode, finished, jobs: reports.map(jobToJson) };
}

class JobsWatch {
  readonly #context: Context;
  readonly #request: RunJobsRequest;
  readonly #chosen: ReadonlySet<string>;
  /** Identities of those: a join puts one job for the whole in the place of the parts. */
  readonly #ids: ReadonlySet<string>;
  /** Names before any join. */
  readonly #former: ReadonlySet<string>;
  #project: Project;
  readonly #memory = freshMemory();
  #finished: readonly FinishedIdentity[] = [];
  #shownAt = Number.NEGATIVE_INFINITY;
  #trouble: string | undefined;
  /** Why complete parts cannot be joined: told at the end, when nothing is to be watched any more. */
  #joinError: SmeshError | undefined;
  /** By identity: why its parts cannot be joined as they are. Others are joined all the same. */
  readonly #unfit = new Map<string, SmeshError>();
  /** Another command holds the project, and parts are to be joined. */
  #waitsForProject = false;

  constructor(context: Context, project: Project, request: RunJobsRequest) {
    this.#context = context;
    this.#project = project;
    this.#request = request;
    const chosen = chooseJobs(project, request.names);
    this.#chosen = new Set(chosen.map(({ name }) => name));
    this.#ids = new Set(chosen.map(({ id }) => id));
    this.#former = new Set((project.initialisation?.jobs ?? []).map(({ name }) => name));
  }

  async run(): Promise<JobsRun> {
    const { ports, signal } = this.#context;
    await (await ports.docker()).engine();
    await this.#repair();
    const events = new JobEvents(this.#context);
    const listening = events.listen(this.#project.name);
    listening.catch(() => undefined);
    try {
      let runner = this.#runner(events);
      let live = this.#context.out.live();
      const say = (lines: readonly string[]) => {
        if (lines.length === 0) return;
        live.done();
        for (const line of lines) this.#context.out.note(line);
        live = this.#context.out.live();
      };
      let isFirst = true;
      for (;;) {
        const lines = await this.#turn(runner, isFirst);
        say(lines);
        if (signal.aborted) return await this.#ended(runner, ExitCode.cancelled);
        const reports = await runner.reports();
        this.#draw(live, reports);
        if (this.#isToJoin(reports)) live.done();
        if (await this.#join(reports)) {
          runner = this.#runner(events);
          continue;
        }
        const waits = this.#trouble !== undefined || this.#waitsForProject;
        const goesOn = this.#request.detach ? runner.hasNext() : runner.isBusy();
        if (!waits && !(await goesOn)) {
          live.done();
          return await this.#ended(runner, undefined);
        }
        isFirst = false;
        await events.wait(this.#context.out.interactive ? LOOK_MS : PLAIN_LOOK_MS);
        if (signal.aborted) {
          live.done();
          return await this.#ended(runner, ExitCode.cancelled);
        }
      }
    } finally {
      events.end();
      await listening.catch(() => undefined);
    }
  }

  #runner(events: JobEvents): JobRunner {
    const settings = this.#project.initialisation ?? { image: '', gpu: 'cpu', devices: [], jobs: [] };
    const chosen = settings.jobs.filter(
      ({ name, id }) => this.#chosen.has(name) || (!this.#former.has(name) && this.#ids.has(id)),
    );
    return new JobRunner(this.#context, this.#project, settings, events, {
      chosen: new Set(chosen.map(({ name }) => name)),
      duringGap: this.#request.duringGap === true,
      memory: this.#memory,
    });
  }

  /** What happened. An engine that is away for a while, or another command at work, is waited for once jobs run. */
  async #turn(runner: JobRunner, isFirst: boolean): Promise<readonly string[]> {
    try {
      const told = await runner.turn();
      const back = this.#trouble === undefined ? [] : ['It goes on.'];
      this.#trouble = undefined;
      return [...back, ...told];
    } catch (error) {
      if (this.#context.signal.aborted) return [];
      // What was changed in the files does not change back by itself.
      if (!(error instanceof SmeshError) || isFirst || isRefusedStart(error)) throw error;
      const known = this.#trouble === error.message;
      this.#trouble = error.message;
      const waits = isBusyElsewhere(error)
        ? 'waits until that has ended'
        : 'jobs are looked at again when it answers';
      return known ? [] : [`! ${error.message} (${waits})`];
    }
  }

  async #repair(): Promise<void> {
    const looks = (await lookAtJobs(this.#context, this.#project)).filter(({ job }) =>
      this.#chosen.has(job.name),
    );
    const docker = await this.#context.ports.docker();
    const containers = await docker.containers(jobFilter(this.#project));
    const running = new Set(
      containers.flatMap(({ service, state }) =>
        service !== undefined && (state === 'running' || state === 'paused') ? [service] : [],
      ),
    );
    const still = looks.filter(({ job }) => !running.has(job.name));
    await repairOdd(this.#context, still, this.#request.repair === true);
  }

  /** Joins what is complete; answers whether smesh.yaml has other jobs now. */
  async #join(reports: readonly JobReport[]): Promise<boolean> {
    this.#waitsForProject = false;
    if (!this.#isToJoin(reports)) return false;
    try {
      return await this.#joinNow();
    } catch (error) {
      if (!(error instanceof SmeshError) || this.#context.signal.aborted) throw error;
      // Others go on; whoever holds the project has it back at the next turn.
      this.#waitsForProject = isBusyElsewhere(error);
      if (!this.#waitsForProject) this.#joinError ??= error;
      return false;
    }
  }

  /** An identity is complete that is not known to be whole, and not to be unfit to be joined. */
  #isToJoin(reports: readonly JobReport[]): boolean {
    if (this.#joinError !== undefined) return false;
    const known = new Set<string>([...this.#finished.map(({ id }) => id), ...this.#unfit.keys()]);
    const open = new Set<string>(
      reports.flatMap(({ job, place }) => (place.kind === 'complete' ? [] : [job.id])),
    );
    return reports.some(({ job }) => !open.has(job.id) && !known.has(job.id));
  }

  async #joinNow(): Promise<boolean> {
    const { jobs = [] } = this.#project.initialisation ?? {};
    const finished = await withProjectLock(
      this.#context,
      'post init',
      async () => {
        const joined = await joinComplete(this.#context, this.#project, (id, error) =>
          this.#unfit.set(id, error),
        );
        await removeFormerJobs(this.#context);
        return joined;
      },
      { startPending: false },
    );
    this.#finished = finished;
    const { project } = await loadProject(this.#context);
    this.#project = project;
    const now = (project.initialisation?.jobs ?? []).map(({ name }) => name);
    return now.join() !== jobs.map(({ name }) => name).join();
  }

  #draw(live: ReturnType<Context['out']['live']>, reports: readonly JobReport[]): void {
    const { out, clock } = this.#context;
    const now = clock.now();
    if (out.interactive) {
      live.update(renderJobWatch(reports, out.columns - 1, styleOf(this.#context)));
      return;
    }
    if (now - this.#shownAt < PLAIN_LINE_MS) return;
    this.#shownAt = now;
    for (const report of reports) if (report.place.kind === 'runs') out.note(plainJobLine(report, now));
  }

  async #ended(runner: JobRunner, code: number | undefined): Promise<JobsRun> {
    const reports = await runner.reports();
    const [error = this.#joinError] = this.#unfit.values();
    if (error !== undefined && code === undefined) throw withWhole(error, this.#finished);
    const failed = reports.some(needsSomebody) || reports.some(({ end }) => end?.code === 'stopped');
    return {
      exitCode: code ?? (failed ? ExitCode.unhealthy : ExitCode.ok),
      finished: this.#finished,
      reports,
    };
  }
}

function sayEnd(
  { out }: Context,
  { exitCode, reports, finished }: JobsRun,
  { detach }: RunJobsRequest,
): void {
  const running = reports.filter(({ place }) => place.kind === 'runs').map(({ job }) => job.name);
  const waiting = reports.filter(({ place }) => place.kind === 'waits');
  if (exitCode === ExitCode.cancelled || (detach && running.length + waiting.length > 0)) {
    out.result([...goesOn(running), ...turnLines(waiting), ...LATER].join('\n'));
  }
  for (const line of adviceLines(reports)) out.warn(line);
  // Otherwise the caller says it, with what comes next.
  if (finished.length > 0 && exitCode === ExitCode.unhealthy)
    out.result(finished.map(({ name, data }) => `${name}: the data in ${data} is whole.`).join('\n'));
}

const LATER = [
  '  how far they are:   smesh-compose post status',
  '  watch again:        smesh-compose post init --resume   (after a reboot, too)',
  '  end them:           smesh-compose post stop',
];

function goesOn(running: readonly string[]): readonly string[] {
  if (running.length === 0) return ['Nothing runs now.'];
  return [`${running.join(', ')} ${running.length === 1 ? 'goes' : 'go'} on without this terminal.`];
}

/** Nobody starts them but who watches; with those that the gap holds there is a way past it. */
function turnLines(waiting: readonly JobReport[]): readonly string[] {
  if (waiting.length === 0) return [];
  const isHeld = waiting.some(({ place }) => place.kind === 'waits' && place.held === true);
  return [
    ...waiting.map((report) => `${report.job.name}  ${jobWords(report)}`),
    `${waiting.length === 1 ? 'Its turn comes' : 'Their turn comes'} while somebody watches.${isHeld ? ' At once, and slower for both: --during-gap' : ''}`,
  ];
}
