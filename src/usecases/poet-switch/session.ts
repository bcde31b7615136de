import { resolve } from 'node:path';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { nodeAwayMs } from '../../domain/plan/node-moment.ts';
import { epochClock } from '../../domain/poet/epochs.ts';
import { POET_PRESETS } from '../../domain/poet/presets.ts';
import {
  decideSwitch,
  type SwitchDecision,
  type SwitchObservation,
} from '../../domain/poet/switch/decide.ts';
import type { TargetVerdict } from '../../domain/poet/switch/judge-targets.ts';
import {
  type PoetTarget,
  parseTarget,
  presetTarget,
  sameSettings,
  settingsAfter,
} from '../../domain/poet/switch/target.ts';
import { outcomeOf, type SwitchOutcome, type SwitchWindow } from '../../domain/poet/switch/window.ts';
import { projectFault } from '../../domain/project/diagnostics.ts';
import { parseProject } from '../../domain/project/parse.ts';
import type { PoetSettings, Project } from '../../domain/project/types.ts';
import { formatRelease } from '../../domain/upgrade/release.ts';
import type { SwitchView } from '../../ui/poet-switch.ts';
import type { Context } from '../context.ts';
import { askTargets, targetOf } from './ask-targets.ts';
import { lookAtNode, type NodeLook, observationOf } from './observe.ts';
import { readProject } from './read-project.ts';
import { readSwitchRecord, type SwitchRecord } from './record.ts';
import { textWith } from './settings-text.ts';

export interface SwitchOptions {
  /** A preset's name or a file; absent: goes on with the one that is under way. */
  readonly to?: string;
  readonly dryRun: boolean;
  /** Waits for the window, and for the registration behind it. Absent: refuses outside, and only starts the node. */
  readonly wait?: { readonly timeoutMs?: number };
  /** How long the node takes from its stop to its open ports; absent: what the network's layers let expect. */
  readonly startMs?: number;
  /** How long the node may take to be healthy again. */
  readonly timeoutMs: number;
  /** The cure that costs an epoch, where nothing else is left or it is asked for. */
  readonly deleteRegistrations: boolean;
}

/** What is wanted, resolved once: which servers with which keys, and how the answers were. */
export interface Wanted {
  readonly targetName: string;
  readonly to: PoetSettings;
  readonly verdict: TargetVerdict;
  /** Under way; absent: this run begins it. */
  readonly record?: SwitchRecord;
}

/** One look, and what is to be done about it. */
export interface Judged {
  readonly project: Project;
  readonly text: string;
  readonly from: PoetSettings;
  readonly look: NodeLook;
  readonly seen: SwitchObservation;
  readonly decision: SwitchDecision;
  readonly window?: SwitchWindow;
  readonly outcome?: SwitchOutcome;
}

/** Reads what is to be changed to. Rejects for what cannot be a target at all: exit 2, 3 or 5, nothing changed. */
export async function resolveWanted(context: Context, options: SwitchOptions): Promise<Wanted> {
  const { project, text } = await readProject(context);
  const record = await readSwitchRecord(context);
  if (options.to === undefined) {
    if (record === undefined) throw nothingNamed();
    return {
      record,
      targetName: record.targetName,
      to: record.to,
      verdict: await askAgain(context, project, record),
    };
  }
  const target = await readTarget(context, project, options.to);
  const verdict = await askTargets(context, project, target);
  const to = settingsAfter(project.poet, target, verdict.pubkeys);
  if (verdict.faults.length === 0) demandValid(context, options.to, text, project.poet, to);
  if (record === undefined) return { targetName: options.to, to, verdict };
  if (sameSettings(record.to, to)) return { record, targetName: record.targetName, to: record.to, verdict };
  if (record.nodeRan || sameSettings(project.poet, record.to)) {
    throw new SmeshError(
      'other-switch',
      ExitCode.refused,
      `A change of PoETs to ${record.targetName} is under way and has been begun on the node. Nothing was changed.`,
      { hint: 'Finish it: smesh-compose poet switch   or take it back: smesh-compose poet switch --cancel' },
    );
  }
  // It has only waited so far: another target takes its place.
  return { targetName: options.to, to, verdict };
}

function askAgain(
  context: Context,
  project: Project,
  { targetName, to }: SwitchRecord,
): Promise<TargetVerdict> {
  return askTargets(context, project, targetOf(targetName, to));
}

/** A grace period as long as the cycle gap, a phase shift beyond the epoch: said before anything is done. */
function demandValid(
  context: Context,
  name: string,
  text: string,
  present: PoetSettings,
  to: PoetSettings,
): void {
  const result = parseProject(textWith(text, present, to), { directory: context.directory });
  if (result.ok) return;
  const { message, details } = projectFault(result.diagnostics);
  throw new SmeshError(
    'target-not-valid',
    ExitCode.invalid,
    `With ${name} smesh.yaml would be wrong: ${message}`,
    {
      details,
      hint: 'Nothing was changed. The file may set gracePeriod and positioningAtxTimeout, too.',
    },
  );
}

function nothingNamed(): SmeshError {
  return new SmeshError('no-target', ExitCode.usage, 'No change of PoETs is under way, and --to names none', {
    hint: 'smesh-compose poet switch --to default   or: --to FILE, with servers, phaseShift and cycleGap',
  });
}

async function readTarget(context: Context, project: Project, name: string): Promise<PoetTarget> {
  const preset = presetTarget(name, project.network);
  if (preset !== undefined && preset.servers.length > 0) return preset;
  if (preset !== undefined) {
    throw new SmeshError(
      'preset-without-servers',
      ExitCode.invalid,
      name === 'default'
        ? `${project.network.name} has no PoETs of its own`
        : `The addresses of ${name} are given to its members; none of them is known here`,
      {
        hint: 'Put them into a file with servers, phaseShift and cycleGap: smesh-compose poet switch --to FILE',
      },
    );
  }
  const path = resolve(name);
  const text = await context.ports.files.readTextIfPresent(path);
  if (text === undefined) {
    const presets = POET_PRESETS.map((one) => one.name).join(', ');
    throw new SmeshError(
      'no-target',
      ExitCode.usage,
      `${JSON.stringify(name)} is no preset, and there is no such file`,
      {
        hint: `Presets: ${presets}. A file holds servers, phaseShift and cycleGap.`,
      },
    );
  }
  const reading = parseTarget(text, name);
  if (!reading.ok) throw projectFault(reading.diagnostics);
  return reading.target;
}

/** From the stop of the node to its open ports: every dead PoET in the list delays it (spacemesh.md §9.1, hazard 15). */
export function leadOf(project: Project, wanted: Wanted, options: Pick<SwitchOptions, 'startMs'>): number {
  const layerMs = project.network.layerSeconds * 1000;
  const start = options.startMs ?? nodeAwayMs({ layerMs });
  return start + wanted.verdict.dead.length * wanted.to.requestTimeout * 1000;
}

/** Looks once and decides once. Reads only. */
export async function judge(
  context: Context,
  wanted: Wanted,
  record: SwitchRecord | undefined,
  options: SwitchOptions,
): Promise<Judged> {
  const { project, text } = await readProject(context);
  const look = await lookAtNode(context, project);
  const now = context.clock.now();
  const isWritten = sameSettings(project.poet, wanted.to);
  // A person may have changed the list while it waited: what is there now is what it is changed from.
  const from = isWritten ? (record?.from ?? project.poet) : project.poet;
  const leadMs = leadOf(project, wanted, options);
  const seen = observationOf(
    project,
    look,
    {
      from,
      to: wanted.to,
      targetFaults: wanted.verdict.faults,
      leadMs,
      begun: {
        nodeRan: record?.nodeRan ?? false,
        backedUp: isFresh(record, now),
        ...(record === undefined ? {} : { promised: record.promised }),
      },
    },
    now,
  );
  const decision = decideSwitch(seen, now);
  return { project, text, from, look, seen, decision, ...timing(seen, decision, now, leadMs) };
}

/** A backup of an earlier window says nothing of what is about to change. */
const BACKUP_LASTS_MS = 30 * 60_000;

function isFresh(record: SwitchRecord | undefined, now: number): boolean {
  const at = Date.parse(record?.backup?.at ?? '');
  return !Number.isNaN(at) && now - at < BACKUP_LASTS_MS;
}

function timing(
  { rhythms }: SwitchObservation,
  decision: SwitchDecision,
  now: number,
  leadMs: number,
): { readonly window?: SwitchWindow; readonly outcome?: SwitchOutcome } {
  if (decision.kind === 'wait' && decision.next !== undefined) {
    return { window: decision.next, outcome: outcomeOf(rhythms, decision.next.opens + leadMs) };
  }
  if (decision.kind === 'act' && decision.outcome !== undefined) {
    const { outcome, closes } = decision;
    return closes === undefined ? { outcome } : { outcome, window: { opens: now, closes } };
  }
  return decision.kind === 'watch' ? { outcome: decision.outcome } : {};
}

export function viewOf(wanted: Wanted, judged: Judged): SwitchView {
  const { project, from, seen, decision, window, outcome, look } = judged;
  return {
    targetName: wanted.targetName,
    from,
    to: wanted.to,
    learnt: wanted.verdict.learnt,
    identities: seen.identities,
    rows: seen.rows.ok ? seen.rows.rows : undefined,
    release: look.release === undefined ? 'release not known' : formatRelease(look.release),
    decision,
    leadMs: seen.leadMs,
    epochSeconds: epochClock(project.network, project.poet).epoch / 1000,
    ...(window === undefined ? {} : { window }),
    ...(outcome === undefined ? {} : { outcome }),
  };
}
