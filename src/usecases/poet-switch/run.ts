import { cancelled, ExitCode, SmeshError } from '../../domain/errors.ts';
import type { SwitchDecision } from '../../domain/poet/switch/decide.ts';
import { sameSettings } from '../../domain/poet/switch/target.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import type { LiveArea } from '../../ports/output.ts';
import { costLines, renderSwitch } from '../../ui/poet-switch.ts';
import type { Context } from '../context.ts';
import { loadProject } from '../load-project.ts';
import { withoutChanges, withProjectLock } from '../project-lock.ts';
import { finishPendingStarts } from '../up/pending-starts.ts';
import { ACTS } from './acts.ts';
import { askTargets, targetOf } from './ask-targets.ts';
import { cureNode } from './cure.ts';
import { LATER_IS_DEARER, lostLater, sayMissed } from './price.ts';
import { readProject } from './read-project.ts';
import { readSwitchRecord, removeSwitchRecord, type SwitchRecord, writeSwitchRecord } from './record.ts';
import { refusalOf, reportEnd, reportPreview, reportSame, styleOf, waitingLines } from './report.ts';
import { type Judged, judge, resolveWanted, type SwitchOptions, viewOf, type Wanted } from './session.ts';
import { takenBack, timedOut } from './wait-errors.ts';

const LONGEST_PAUSE_MS = 15_000;
const LEAST_PAUSE_MS = 500;

/** From open ports to a registration, or to the end of a node that has missed it. */
const SETTLES_MS = 120_000;

/** Looks in an epoch while waiting: it is two weeks long, or a minute. */
const LOOKS_PER_EPOCH = 200;

/**
 * Changes the PoETs that the node registers with, in the one stretch of an epoch in which nothing is lost by it, or says
 * what it costs (spacemesh.md §6.4, §14.7; S39). Can be killed at any point and run again.
 */
export async function runSwitch(context: Context, options: SwitchOptions): Promise<ExitCode> {
  await loadProject(context);
  if (options.dryRun) return withoutChanges(context, () => preview(context, options));
  const run = new SwitchRun(context, options, await resolveWanted(context, options));
  return run.toTheEnd();
}

async function preview(context: Context, options: SwitchOptions): Promise<ExitCode> {
  const wanted = await resolveWanted(context, options);
  const judged = await judge(context, wanted, wanted.record, options);
  if (wanted.record === undefined && judged.seen.written === 'target')
    return reportSame(context, wanted, judged);
  return reportPreview(context, wanted, judged);
}

class SwitchRun {
  readonly #context: Context;
  readonly #options: SwitchOptions;
  #wanted: Wanted;
  readonly #did: string[] = [];
  /** An earlier run had begun it. */
  readonly #resumed: boolean;
  #announced = false;
  #watchedSince: number | undefined;

  constructor(context: Context, options: SwitchOptions, wanted: Wanted) {
    this.#context = context;
    this.#options = options;
    this.#wanted = wanted;
    this.#resumed = wanted.record !== undefined;
  }

  async toTheEnd(): Promise<ExitCode> {
    const { clock, signal } = this.#context;
    const { wait } = this.#options;
    const until = wait?.timeoutMs === undefined ? undefined : clock.now() + wait.timeoutMs;
    const live = this.#context.out.live();
    try {
      for (;;) {
        signal.throwIfAborted();
        const judged = await this.#lookPatiently(live);
        const end = await this.#answer(judged);
        if (end === 'again') continue;
        if (end !== undefined) return end;
        if (until !== undefined && clock.now() >= until) throw timedOut(judged);
        live.update(waitingLines(this.#context, judged));
        await clock.sleep(this.#pause(judged), signal);
      }
    } catch (error) {
      if (signal.aborted) throw await this.#stopped();
      if (wait === undefined) await this.#forgetUnbegun();
      throw error;
    } finally {
      live.done();
    }
  }

  /** Without --wait nobody waits any more: what has done nothing is not under way. */
  async #forgetUnbegun(): Promise<void> {
    const record = await this.#record();
    if (record === undefined || record.nodeRan || this.#resumed) return;
    const { project } = await readProject(this.#context);
    if (!sameSettings(project.poet, record.to)) await removeSwitchRecord(this.#context);
  }

  #pause({ seen }: Judged): number {
    const pause = seen.rhythms.from.epoch / LOOKS_PER_EPOCH;
    return Math.min(LONGEST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, pause));
  }

  async #record(): Promise<SwitchRecord | undefined> {
    const record = await readSwitchRecord(this.#context);
    return record !== undefined && sameSettings(record.to, this.#wanted.to) ? record : undefined;
  }

  async #look(): Promise<Judged> {
    return judge(this.#context, this.#wanted, await this.#record(), this.#options);
  }

  /** The window is hours away; an engine that is restarted is back in a minute, and so is a file that somebody edits. */
  async #lookPatiently(live: LiveArea): Promise<Judged> {
    const { clock, signal } = this.#context;
    for (;;) {
      try {
        return await this.#look();
      } catch (error) {
        const passes =
          error instanceof SmeshError &&
          (error.exitCode === ExitCode.environment || error.code === 'invalid-project');
        if (this.#options.wait === undefined || !passes) throw error;
        live.update([`Waits: ${error.message}`]);
        await clock.sleep(LONGEST_PAUSE_MS, signal);
      }
    }
  }

  /** What one look leads to; `undefined`: wait and look again. */
  async #answer(judged: Judged): Promise<ExitCode | 'again' | undefined> {
    const { decision } = judged;
    const record = await this.#record();
    if (record === undefined && judged.seen.written === 'target')
      return reportSame(this.#context, this.#wanted, judged);
    if (record === undefined && (this.#announced || this.#resumed)) throw takenBack();
    if (decision.kind === 'refuse') throw refusalOf(this.#context, this.#wanted, decision);
    if (decision.kind === 'wait' && this.#options.wait === undefined) {
      throw refusalOf(this.#context, this.#wanted, decision, judged);
    }
    if (decision.kind === 'wait' || decision.kind === 'act') await this.#announce(judged, record);
    if (decision.kind === 'wait') {
      // Somebody else has started the node again: whoever stops it from now on means it.
      if (record?.nodeRan === true && judged.seen.node === 'up') {
        await writeSwitchRecord(this.#context, { ...record, nodeRan: false });
      }
      return undefined;
    }
    if (decision.kind === 'watch') return this.#mustSee(judged) ? undefined : this.#end(judged);
    if (decision.kind === 'done') return this.#end(judged);
    return this.#locked();
  }

  /** Where registration is open it is over in a moment, and until it is the round may begin without the node. */
  #mustSee({ decision }: Judged): boolean {
    if (this.#options.wait !== undefined) return true;
    const now = this.#context.clock.now();
    this.#watchedSince ??= now;
    if (decision.kind !== 'watch' || now - this.#watchedSince > SETTLES_MS) return false;
    return decision.stranded || now >= decision.outcome.registrationOpens;
  }

  /** Says what it is and costs, once, and writes down what was agreed to. */
  async #announce(judged: Judged, record: SwitchRecord | undefined): Promise<void> {
    if (this.#announced || record?.nodeRan === true) return;
    const { context, wanted } = { context: this.#context, wanted: this.#wanted };
    const view = viewOf(wanted, judged);
    context.out.note(renderSwitch(view, context.out.columns, styleOf(context, judged)));
    for (const warning of wanted.verdict.warnings) context.out.warn(warning);
    if (judged.decision.kind === 'act') await sayMissed(context, judged);
    const { outcome, from } = judged;
    const cheapest = outcome?.lostEpochs.length ?? 0;
    const dearest = Math.max(cheapest, lostLater(judged));
    // Published late in the gap it may cost what it does not cost early in it: then another gap is waited for.
    const lost = context.yes ? dearest : cheapest;
    if (dearest > cheapest && !context.yes) context.out.note(LATER_IS_DEARER);
    if (lost > (record?.promised.lost ?? 0) || (record === undefined && lost > 0))
      await this.#agree(costLines(view));
    this.#announced = true;
    const now = new Date(context.clock.now()).toISOString();
    await writeSwitchRecord(context, {
      startedAt: record?.startedAt ?? now,
      targetName: wanted.targetName,
      from,
      to: wanted.to,
      promised: { round: outcome?.round ?? 0, lost },
      nodeRan: false,
      ...(record?.backup === undefined ? {} : { backup: record.backup }),
    });
  }

  async #agree(cost: readonly string[]): Promise<void> {
    const { yes, ports } = this.#context;
    if (yes) return;
    const agreed = await ports.prompt.confirm({
      message: 'Give that up and change?',
      explanation: cost.join('\n'),
      flag: '--yes',
      initial: false,
    });
    if (!agreed) throw cancelled('smesh-compose poet switch');
  }

  /** Acts as long as there is something to do at once; everything is looked at anew between two acts. */
  async #locked(): Promise<ExitCode | 'again' | undefined> {
    try {
      return await withProjectLock(this.#context, 'poet switch', () => this.#actSafely(), {
        startPending: false,
      });
    } catch (error) {
      // Somebody else is at the project: their act is over in a moment, and the window in hours. Where the engine went away
      // between two acts, the next look goes on from there, and starts a node that was stopped.
      const passes =
        error instanceof SmeshError &&
        (error.code === 'project-busy' || error.exitCode === ExitCode.environment);
      if (passes && this.#options.wait !== undefined) return undefined;
      throw error;
    }
  }

  /** Where an act fails the node that was stopped for it does not stay down. */
  async #actSafely(): Promise<ExitCode | 'again'> {
    try {
      return await this.#act();
    } catch (error) {
      if (!this.#context.signal.aborted) {
        await finishPendingStarts(this.#context, 'This poet switch failed before it had started').catch(
          () => {},
        );
      }
      throw error;
    }
  }

  async #act(): Promise<ExitCode | 'again'> {
    // Asked when it was begun, which may be days ago.
    const { project } = await readProject(this.#context);
    const target = targetOf(this.#wanted.targetName, this.#wanted.to);
    this.#wanted = { ...this.#wanted, verdict: await askTargets(this.#context, project, target) };
    const first = await this.#record();
    // What an interrupted `up` left down is nobody else's any more; a node that was stopped for this is ours.
    if (first?.nodeRan !== true) await finishPendingStarts(this.#context);
    for (;;) {
      this.#context.signal.throwIfAborted();
      const record = await this.#record();
      const judged = await judge(this.#context, this.#wanted, record, this.#options);
      const { decision } = judged;
      if (decision.kind === 'cure')
        return cureNode(this.#context, { judged, record, wanted: this.#wanted, options: this.#options });
      if (decision.kind !== 'act') return 'again';
      // Taken back while the lock was waited for.
      if (record === undefined) return 'again';
      await ACTS[decision.act](this.#context, {
        judged,
        record,
        wanted: this.#wanted,
        options: this.#options,
      });
      this.#did.push(decision.act);
      if (decision.act === 'start-unchanged') {
        this.#sayUnchanged(decision);
        return 'again';
      }
    }
  }

  #sayUnchanged({ why }: Extract<SwitchDecision, { kind: 'act' }>): void {
    const words = `The node was stopped and started again as it was; nothing else was changed: ${why ?? 'the moment had passed'}`;
    if (this.#options.wait === undefined) {
      throw new SmeshError('moment-passed', ExitCode.refused, `${words}.`, {
        hint: `Wait for the next window: smesh-compose poet switch --to ${quoteForShell(this.#wanted.targetName)} --wait`,
      });
    }
    this.#context.out.warn(`${words}.`);
  }

  async #end(judged: Judged): Promise<ExitCode> {
    const record = await this.#record();
    await removeSwitchRecord(this.#context);
    return reportEnd(this.#context, { wanted: this.#wanted, judged, record, did: this.#did });
  }

  /** After Ctrl-C: a node that was stopped for this does not stay down. */
  async #stopped(): Promise<SmeshError> {
    const unheard: Context = { ...this.#context, signal: new AbortController().signal };
    await finishPendingStarts(unheard, 'Stopped before poet switch had started').catch(() => {});
    const { project } = await readProject(unheard);
    const state = sameSettings(project.poet, this.#wanted.to)
      ? 'smesh.yaml names the new PoETs.'
      : 'smesh.yaml names the PoETs that it named before.';
    return new SmeshError('cancelled', ExitCode.cancelled, `Stopped. ${state}`, {
      hint: 'Go on later: smesh-compose poet switch --wait   or take it back: smesh-compose poet switch --cancel',
    });
  }
}
