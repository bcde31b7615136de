import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import { courtesyOf, remember } from '../../domain/schedule/courtesy.ts';
import type { decide as decideSchedule } from '../../domain/schedule/decide.ts';
import type { Decision, ScheduleAct, ScheduleAlarm } from '../../domain/schedule/decision.ts';
import { type Machine, schedulePolicy } from '../../domain/schedule/default-policy.ts';
import {
  type ScheduleHistory,
  withDiskRate,
  withK2powRate,
  withRestart,
  withStopDone,
  withStopIntended,
} from '../../domain/schedule/history.ts';
import { measure, type Watch } from '../../domain/schedule/measure.ts';
import { missedDeadlines } from '../../domain/schedule/misses.ts';
import type { ScheduleObservation } from '../../domain/schedule/observation.ts';
import { outlook } from '../../domain/schedule/outlook.ts';
import type { SchedulePolicy } from '../../domain/schedule/policy.ts';
import type { Context } from '../context.ts';
import { withProjectLock } from '../project-lock.ts';
import { HistoryKeeper } from './history-keeper.ts';
import {
  type LookMemory,
  NO_LOOKS,
  observeSchedule,
  type ScheduleLook,
  statusesOf,
} from './observe-schedule.ts';
import { isQuotaAct, type PerformedAct, performActs } from './perform-acts.ts';

export type Decide = typeof decideSchedule;

/** What one tick saw, decided and did. */
export interface Tick {
  readonly project: Project;
  readonly observation: ScheduleObservation;
  readonly decision: Decision;
  readonly performed: readonly PerformedAct[];
  /** Those of the decision and those of the tick itself: engine or node away, another command at work. */
  readonly alarms: readonly ScheduleAlarm[];
  readonly engineFault?: SmeshError;
}

/** So many looks in a row must fail to reach a node before it is said; one that is slow for a moment is no news. */
const SILENT_LOOKS = 3;

/** An engine that has refused holds for another reason than that it never can is tried again. */
const TRY_HOLDS_AGAIN_MS = 10 * 60_000;

/**
 * Observes, decides, acts, once per call. What it carries from tick to tick is only what makes it faster or more polite:
 * a new one decides the same (design §7).
 */
export class Ticker {
  readonly #context: Context;
  readonly #decide: Decide;
  readonly #history: HistoryKeeper;
  #memory: LookMemory = NO_LOOKS;
  #watch: Watch = new Map();
  #machine: Machine | undefined;
  #cannotHold = false;
  /** Containers that the engine has refused to hold, and none has been held since. */
  readonly #refusedHolds = new Set<string>();
  #refusedAt = 0;
  #silentLooks = 0;

  constructor(context: Context, decide: Decide) {
    this.#context = context;
    this.#decide = decide;
    this.#history = new HistoryKeeper(context);
  }

  async tick(project: Project, dryRun: boolean): Promise<Tick> {
    const { clock } = this.#context;
    const before = await this.#history.load();
    const look = await observeSchedule(this.#context, project, before, this.#memory);
    this.#memory = look.memory;
    const policy = schedulePolicy(project, await this.#askMachine(look), before);
    const fold = (history: ScheduleHistory) => remember(history, look.observation);
    const history = dryRun ? fold(before) : await this.#rememberLook(fold, look.observation, policy);
    const observation = withCourtesies(look.observation, history);
    const now = clock.now();
    const possible = this.#cannotHold ? withoutHolds(policy) : policy;
    const decision = this.#decide(observation, possible, now);
    const expected = outlook(observation, possible, decision, now);
    const alarms = [
      ...decision.alarms,
      ...missedDeadlines(observation, expected, now),
      ...this.#troubles(look),
    ];
    const result = { project, observation, decision, ...faultOf(look) };
    if (dryRun) return { ...result, performed: [], alarms };
    const statuses = statusesOf(look);
    const ofKind = (kind: ScheduleAct['kind']) => decision.acts.filter((act) => act.kind === kind);
    // Whoever is to make room is held before anybody is released into it.
    const holds = await performActs(this.#context, ofKind('hold'), statuses);
    const [releases, others] = await Promise.all([
      performActs(this.#context, ofKind('release'), statuses),
      this.#actLocked(
        decision.acts.filter((act) => !isQuotaAct(act)),
        look,
      ),
    ]);
    const performed = [...holds, ...releases, ...others.performed];
    return { ...result, performed, alarms: [...alarms, ...this.#failures(performed), ...others.alarms] };
  }

  /** Starts, stops and restarts: not while another command changes the project. */
  async #actLocked(
    acts: readonly ScheduleAct[],
    look: ScheduleLook,
  ): Promise<{ readonly performed: readonly PerformedAct[]; readonly alarms: readonly ScheduleAlarm[] }> {
    if (acts.length === 0) return { performed: [], alarms: [] };
    try {
      const performed = await withProjectLock(this.#context, 'run', () => this.#actRemembered(acts, look));
      return { performed, alarms: [] };
    } catch (error) {
      if (!(error instanceof SmeshError)) throw error;
      const busy = error.exitCode === ExitCode.busy;
      const message = busy
        ? `another command is at work on this project, and nothing is started or stopped until it has ended (one that waits can be ended by Ctrl-C): ${error.message.replace(/ Nothing was changed\.$/, '')}`
        : `nothing can be started or stopped: ${error.message}`;
      return {
        performed: acts.map((act) => ({ act, outcome: 'skipped', why: error.message, code: error.code })),
        alarms: [{ code: error.code, message, ...(error.hint === undefined ? {} : { next: error.hint }) }],
      };
    }
  }

  /** What is about to be done is on disk first: whoever is killed in the act must not take it for somebody else's. */
  async #actRemembered(acts: readonly ScheduleAct[], look: ScheduleLook): Promise<readonly PerformedAct[]> {
    const at = this.#context.clock.now();
    await this.#history.update((history) =>
      acts.reduce((next, act) => {
        if (act.kind === 'stop') return withStopIntended(next, act.containerId, at);
        return act.kind === 'restart' ? withRestart(next, act.id, act.mends, at) : next;
      }, history),
    );
    const performed = await performActs(this.#context, acts, statusesOf(look));
    await this.#history.update((history) =>
      performed.reduce((next, { act, outcome, finishedAt }) => {
        // One that failed may still come to its end: the intent stays.
        if (act.kind !== 'stop' || outcome === 'failed') return next;
        return withStopDone(next, act.containerId, finishedAt);
      }, history),
    );
    return performed;
  }

  #rememberLook(
    fold: (history: ScheduleHistory) => ScheduleHistory,
    observation: ScheduleObservation,
    { rates, cores }: SchedulePolicy,
  ): Promise<ScheduleHistory> {
    const hashing = { hashesPerUnitGroup: rates.hashesPerUnitGroup, cores };
    const { watch, measured } = measure(this.#watch, observation, hashing);
    this.#watch = watch;
    return this.#history.update((history) =>
      measured.reduce(
        (next, one) =>
          one.kind === 'disk'
            ? withDiskRate(next, one.disk, one.bytesPerSecond, observation.at)
            : withK2powRate(next, one.hashesPerSecond, observation.at),
        fold(history),
      ),
    );
  }

  /** Once it is known it stays: a host does not change while its engine runs. */
  async #askMachine({ seen }: ScheduleLook): Promise<Machine> {
    if (seen.engineFault !== undefined) this.#machine = undefined;
    if (this.#machine !== undefined) return this.#machine;
    const { ports } = this.#context;
    try {
      if (seen.engineFault !== undefined) throw seen.engineFault;
      const { cpus, memoryBytes, cpuQuotas } = await (await ports.docker()).engine();
      this.#machine = { cores: cpus, memoryBytes, cpuQuotas };
      return this.#machine;
    } catch (error) {
      if (!(error instanceof SmeshError)) throw error;
      const { cpus, totalMemoryBytes } = ports.system;
      return { cores: cpus, memoryBytes: totalMemoryBytes, cpuQuotas: true };
    }
  }

  #troubles({ seen, observation }: ScheduleLook): readonly ScheduleAlarm[] {
    if (seen.engineFault !== undefined) {
      const { code, message, hint } = seen.engineFault;
      return [{ code, message, ...(hint === undefined ? {} : { next: hint }) }];
    }
    this.#silentLooks = observation.node === 'unknown' ? this.#silentLooks + 1 : 0;
    if (observation.node === 'down') {
      const message = 'the node is down: it wants nothing, so nothing is started';
      return [{ code: 'node-down', message, next: 'smesh-compose up' }];
    }
    if (this.#silentLooks < SILENT_LOOKS) return [];
    const message = 'the node does not answer: nobody knows what it wants, so nothing is started or stopped';
    return [{ code: 'node-silent', message, next: 'smesh-compose status' }];
  }

  #failures(performed: readonly PerformedAct[]): readonly ScheduleAlarm[] {
    const failed = performed.filter(({ outcome }) => outcome === 'failed');
    const refused = failed.find(({ code, act }) => code === 'quota-refused' && act.kind === 'hold');
    const now = this.#context.clock.now();
    const held = performed.some(({ act, outcome }) => act.kind === 'hold' && outcome === 'done');
    if (held || now - this.#refusedAt > TRY_HOLDS_AGAIN_MS) this.#refusedHolds.clear();
    if (refused !== undefined) {
      this.#refusedHolds.add(refused.act.containerId);
      this.#refusedAt = now;
    }
    // Of one alone it may be that one.
    this.#cannotHold = this.#refusedHolds.size > 1;
    const alarms = failed.map(
      ({ act, why, code }): ScheduleAlarm => ({
        code: code ?? 'act-failed',
        id: act.id,
        name: act.name,
        message: why ?? `could not ${act.kind} it`,
      }),
    );
    if (!this.#cannotHold) return alarms;
    const message = 'the engine cannot hold provers by CPU quota: no k2pow is done ahead';
    return [...alarms.filter(({ code }) => code !== 'quota-refused'), { code: 'cannot-hold', message }];
  }
}

function withCourtesies(observation: ScheduleObservation, history: ScheduleHistory): ScheduleObservation {
  const provers = observation.provers.map((prover) => ({
    ...prover,
    courtesy: courtesyOf(history, prover.id, prover.container, prover.containerId),
  }));
  return { ...observation, provers };
}

function withoutHolds(policy: SchedulePolicy): SchedulePolicy {
  return { ...policy, canHold: false, worksAhead: false };
}

function faultOf({ seen }: ScheduleLook): { readonly engineFault?: SmeshError } {
  return seen.engineFault === undefined ? {} : { engineFault: seen.engineFault };
}
