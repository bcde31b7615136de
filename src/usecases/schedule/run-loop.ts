import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { requireProject } from '../../domain/project/parse.ts';
import type { Project } from '../../domain/project/types.ts';
import { decide as decideSchedule } from '../../domain/schedule/decide.ts';
import type { ScheduleObservation } from '../../domain/schedule/observation.ts';
import { actDocument, actLine, endDocument, tickDocument, waitingLine } from '../../ui/schedule-lines.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import { loadProject, PROJECT_FILE } from '../load-project.ts';
import { runLockOf } from '../status/schedule-is-running.ts';
import { Alarms } from './alarms.ts';
import { type Decide, type Tick, Ticker } from './tick.ts';
import { Waker } from './wake.ts';

export interface RunOptions {
  /** One look, its acts, and the end. */
  readonly once: boolean;
  /** One look; says what would be done. Exit 10 where something would. */
  readonly dryRun: boolean;
}

/** After something happened: what belongs together comes within it. */
const DEBOUNCE_MS = 200;

/** Looks cost CPU that the provers want. */
const LEAST_PAUSE_MS = 100;

const FIRST_BACKOFF_MS = 1000;

/**
 * The schedule: looks, decides and acts until the signal is aborted (design §7). Only one at a time for a project: a
 * second one rejects with `schedule-busy` (exit 75). Ends with 0 and leaves all provers as they are.
 *
 * @param decide the decision; replaced in tests of the loop alone
 */
export async function runSchedule(
  context: Context,
  options: RunOptions,
  decide: Decide = decideSchedule,
): Promise<ExitCode> {
  const { project } = await loadProject(context);
  if (options.dryRun) return lookOnce(context, project, decide);
  const release = await lockRun(context);
  try {
    const run = new ScheduleRun(context, project, decide);
    return options.once ? await run.once() : await run.untilEnded();
  } finally {
    await release();
  }
}

async function lockRun({ ports, clock, directory }: Context): Promise<() => Promise<void>> {
  const { files, system } = ports;
  const startedAt = new Date(clock.now()).toISOString();
  const lock = await files.lock(runLockOf(directory), `run (pid ${system.pid}, since ${startedAt})`);
  if (!('heldBy' in lock)) return () => lock.release();
  throw new SmeshError(
    'schedule-busy',
    ExitCode.busy,
    `A schedule runs for ${directory} already: ${lock.heldBy}. Nothing was changed.`,
    { hint: 'Two would only hinder each other. See what it does: smesh-compose status --watch' },
  );
}

async function lookOnce(context: Context, project: Project, decide: Decide): Promise<ExitCode> {
  const { out, json } = context;
  const tick = await new Ticker(context, decide).tick(project, true);
  if (tick.engineFault !== undefined) throw tick.engineFault;
  const { observation, decision } = tick;
  for (const act of decision.acts) {
    if (json) out.verbatim(JSON.stringify(actDocument(act, observation.at, 'pending')));
    else out.result(actLine(act, observation.at, true));
  }
  new Alarms(context).tell(tick.alarms, observation.at);
  sayWaiting(context, tick);
  if (!json && decision.acts.length === 0) out.note('Nothing is to be done now.');
  return decision.acts.length === 0 ? ExitCode.ok : ExitCode.changesPending;
}

function sayWaiting({ out, json }: Context, { observation, decision }: Tick): void {
  if (json) out.verbatim(JSON.stringify(tickDocument(observation, decision)));
  else for (const one of decision.waiting) out.result(waitingLine(one, observation.at));
}

class ScheduleRun {
  readonly #context: Context;
  readonly #ticker: Ticker;
  readonly #alarms: Alarms;
  #project: Project;
  #text = '';
  #held: ReadonlySet<string> = new Set();

  constructor(context: Context, project: Project, decide: Decide) {
    this.#context = context;
    this.#project = project;
    this.#ticker = new Ticker(context, decide);
    this.#alarms = new Alarms(context);
  }

  async once(): Promise<ExitCode> {
    const tick = await this.#tick();
    if (tick.engineFault !== undefined) throw tick.engineFault;
    if (!this.#context.json) sayWaiting(this.#context, tick);
    return ExitCode.ok;
  }

  async untilEnded(): Promise<ExitCode> {
    const { signal, clock, out } = this.#context;
    const waker = new Waker(this.#context);
    const listening = waker.listen(this.#project.name);
    let backoff = FIRST_BACKOFF_MS;
    out.note(
      `The schedule of ${this.#project.name} runs. Ctrl-C, or SIGTERM, leaves all provers as they are.`,
    );
    try {
      while (!signal.aborted) {
        const tick = await this.#tick();
        waker.follow(followed(tick));
        const lookEvery = this.#project.schedule.everySeconds * 1000;
        const now = clock.now();
        const pause = tick.engineFault === undefined ? tick.decision.lookAgainAt - now : backoff;
        backoff = tick.engineFault === undefined ? FIRST_BACKOFF_MS : Math.min(backoff * 2, lookEvery);
        const why = await waker.wait(Math.min(Math.max(pause, LEAST_PAUSE_MS), lookEvery));
        // A time that was decided is the time by which somebody is to be held.
        if (why === 'woken') await clock.sleep(DEBOUNCE_MS, signal).catch(() => undefined);
      }
    } finally {
      waker.end();
      await listening;
    }
    this.#sayFarewell();
    return ExitCode.ok;
  }

  async #tick(): Promise<Tick> {
    const { out, json, clock } = this.#context;
    const bad = await this.#readProject();
    const tick = await this.#ticker.tick(this.#project, false);
    const at = clock.now();
    for (const { act, outcome, why } of tick.performed) {
      if (json) out.verbatim(JSON.stringify(actDocument(act, at, outcome, why)));
      else if (outcome === 'done') out.result(actLine(act, at));
    }
    if (json) out.verbatim(JSON.stringify(tickDocument(tick.observation, tick.decision)));
    this.#alarms.tell([...bad, ...tick.alarms], at);
    this.#held = heldAfter(tick);
    return tick;
  }

  /** smesh.yaml may be edited while it runs; one with faults is said, and the one before goes on to count. */
  async #readProject(): Promise<Tick['alarms']> {
    const { ports, directory } = this.#context;
    const text = await ports.files.readTextIfPresent(`${directory}/${PROJECT_FILE}`).catch(() => undefined);
    if (text === undefined || text === this.#text) return [];
    try {
      this.#project = requireProject(text, { directory }).project;
      this.#text = text;
      return [];
    } catch (error) {
      if (!(error instanceof SmeshError)) throw error;
      const message = `${PROJECT_FILE} has faults, and the schedule goes on by what it said before: ${error.message}`;
      return [{ code: 'bad-project', message, next: 'smesh-compose generate --check' }];
    }
  }

  #sayFarewell(): void {
    const { out, json, clock } = this.#context;
    const held = [...this.#held].sort();
    if (json) out.verbatim(JSON.stringify(endDocument(held, clock.now())));
    const them = held.length === 1 ? 'it' : 'them';
    const also =
      held.length === 0
        ? ''
        : ` Held by CPU quota: ${enumerate(held)}; smesh-compose run, or smesh-compose up, lets ${them} go on.`;
    out.note(`The schedule has ended; all provers are left as they are.${also}`);
  }
}

function heldAfter({ observation, performed }: Tick): ReadonlySet<string> {
  const held = new Set(
    observation.provers.flatMap(({ name, container }) =>
      container.kind === 'present' && container.state === 'running' && container.held ? [name] : [],
    ),
  );
  for (const { act, outcome } of performed) {
    if (outcome !== 'done') continue;
    if (act.kind === 'hold') held.add(act.name);
    if (act.kind === 'release') held.delete(act.name);
  }
  return held;
}

/** Whose next phase matters: those that get ready to read, then those that were just started, then the readers. */
function followed({ observation, performed }: Tick): readonly string[] {
  const started = performed.flatMap(({ act, outcome }) =>
    outcome === 'done' && (act.kind === 'start' || act.kind === 'restart') ? [act.containerId] : [],
  );
  const working = observation.provers.filter(isAtWork);
  const isGettingReady = ({ log }: ScheduleObservation['provers'][number]) =>
    log?.phase.kind === 'k2pow' || log?.phase.kind === 'preparing' || log?.phase.kind === 'k2pow-finished';
  const ids = (some: readonly ScheduleObservation['provers'][number][]) =>
    some.flatMap(({ containerId }) => containerId ?? []);
  return [
    ...new Set([
      ...ids(working.filter(isGettingReady)),
      ...started,
      ...ids(working.filter((one) => !isGettingReady(one))),
    ]),
  ];
}

function isAtWork({ container, wanted }: ScheduleObservation['provers'][number]): boolean {
  return container.kind === 'present' && container.state === 'running' && wanted === 'proving';
}
