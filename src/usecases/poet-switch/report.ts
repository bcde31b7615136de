import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { epochTimeline } from '../../domain/poet/epochs.ts';
import type { SwitchDecision } from '../../domain/poet/switch/decide.ts';
import type { SwitchWindow } from '../../domain/poet/switch/window.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import type { MomentStyle } from '../../ui/moments.ts';
import { countdown, momentHere } from '../../ui/moments.ts';
import {
  changeHeadline,
  hinderedLines,
  renderSwitch,
  switchSteps,
  windowWords,
} from '../../ui/poet-switch.ts';
import { momentStyle } from '../../ui/stop-price.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import type { SwitchRecord } from './record.ts';
import { type Judged, viewOf, type Wanted } from './session.ts';

export function styleOf({ clock }: Context, { seen }: Judged): MomentStyle {
  const now = clock.now();
  return momentStyle(epochTimeline(seen.rhythms.from, now), now, (at) => clock.localOffsetMinutes(at));
}

/** Why it cannot be, at all or now, and when it can. */
export function refusalOf(
  context: Context,
  wanted: Wanted,
  decision: Extract<SwitchDecision, { kind: 'refuse' | 'wait' }>,
  judged?: Judged,
): SmeshError {
  const unchanged = 'Nothing was changed.';
  if (decision.kind === 'wait') {
    const style = judged === undefined ? undefined : styleOf(context, judged);
    const next =
      decision.next === undefined || style === undefined
        ? 'No moment is known in which it can be done.'
        : windowWords(decision.next, style);
    return new SmeshError(
      'outside-window',
      ExitCode.refused,
      `The PoETs cannot be changed now. ${next} ${unchanged}`,
      {
        details: hinderedLines(decision.hindered),
        hint: `Wait for it here: smesh-compose poet switch --to ${quoteForShell(wanted.targetName)} --wait   or see all of it: --dry-run`,
        ...(judged === undefined ? {} : { facts: toJson(context, wanted, judged) }),
      },
    );
  }
  const { code, reasons } = decision;
  const [first = '', ...others] = reasons;
  switch (code) {
    case 'targets':
      return new SmeshError('poets-do-not-fit', ExitCode.invalid, `${first}. ${unchanged}`, {
        details: others,
        hint: `All servers of a node must have the same phase shift and cycle gap, and say so at /v1/info. Ask them: ${checkCommand(wanted)}`,
      });
    case 'release':
      return new SmeshError('release-not-supported', ExitCode.refused, `${first}. ${unchanged}`, {
        hint: 'Bring the node to v1.7.6 first: smesh-compose upgrade --check',
      });
    case 'node-failing':
      return new SmeshError(
        'node-failing',
        ExitCode.refused,
        `The node ends again and again as it is, and has to run before its PoETs are changed. ${unchanged}`,
        {
          hint: 'If its PoETs are the reason: smesh-compose poet recover --dry-run   else: smesh-compose logs node',
        },
      );
    case 'node-unknown':
      return new SmeshError(
        'node-unknown',
        ExitCode.refused,
        `There is more than one container of the node, or it is paused: nobody can say what it does. ${unchanged}`,
        { hint: 'docker ps -a   and then, with one node that runs or none: smesh-compose up' },
      );
  }
}

/** smesh.yaml says it already, and no change is under way. */
function checkCommand({ to }: Wanted): string {
  return `smesh-compose poet check ${to.servers.map(({ address }) => quoteForShell(address)).join(' ')}`;
}

export function reportSame(context: Context, wanted: Wanted, judged: Judged): ExitCode {
  const { out } = context;
  if (context.json) out.json({ schemaVersion: 1, outcome: 'nothing', target: wanted.targetName });
  else {
    out.result(`Nothing to change: smesh.yaml names the PoETs of ${wanted.targetName} already.`);
    if (!judged.seen.nodeIsCurrent) out.note('The node was not started with them yet: smesh-compose plan');
  }
  return ExitCode.ok;
}

export function reportPreview(context: Context, wanted: Wanted, judged: Judged): ExitCode {
  const { decision } = judged;
  if (decision.kind === 'refuse') throw refusalOf(context, wanted, decision);
  const exitCode = decision.kind === 'wait' ? ExitCode.refused : ExitCode.ok;
  if (context.json) {
    context.out.json({ schemaVersion: 1, dryRun: true, ...toJson(context, wanted, judged) });
    return exitCode;
  }
  context.out.result(renderSwitch(viewOf(wanted, judged), context.out.columns, styleOf(context, judged)));
  for (const warning of wanted.verdict.warnings) context.out.warn(warning);
  context.out.note(`Whether they are of this network only their rounds tell: ${checkCommand(wanted)}`);
  context.out.note(
    decision.kind === 'wait'
      ? 'Nothing has been changed, and now it would be refused (exit 5). Wait for the window with --wait.'
      : 'Nothing has been changed. Apply it without --dry-run.',
  );
  return exitCode;
}

/** One line or two while it waits. */
export function waitingLines(context: Context, judged: Judged): readonly string[] {
  const { decision } = judged;
  const style = styleOf(context, judged);
  if (decision.kind === 'watch') {
    const { missing, outcome } = decision;
    return [
      `The node runs with the new PoETs. Not registered yet: ${enumerate(missing)}. Registration opens ${momentHere(outcome.registrationOpens, style)}, the round begins ${momentHere(outcome.roundStarts, style)}`,
    ];
  }
  if (decision.kind !== 'wait') return ['Waits for another command to end'];
  return [
    ...hinderedLines(decision.hindered).map((line) => `Waits: ${line}`),
    ...(decision.next === undefined ? [] : [nextWords(decision.next, style, context.out.interactive)]),
  ];
}

/** Where nothing can be redrawn a countdown would be a new line each second. */
function nextWords({ opens, closes }: SwitchWindow, style: MomentStyle, interactive: boolean): string {
  if (opens <= style.now)
    return `The window is open for everybody else, and closes ${momentHere(closes, style)}`;
  return `Next window from ${momentHere(opens, style)}${interactive ? ` (${countdown(opens, style.now)})` : ''}`;
}

export interface SwitchEnd {
  readonly wanted: Wanted;
  readonly judged: Judged;
  readonly record: SwitchRecord | undefined;
  readonly did: readonly string[];
}

/** How it ended: all are registered, or the node runs and will register, or somebody missed the round. */
export function reportEnd(context: Context, { wanted, judged, record, did }: SwitchEnd): ExitCode {
  const { out } = context;
  const { decision, seen } = judged;
  const style = styleOf(context, judged);
  const missed = decision.kind === 'done' ? decision.missed : [];
  const outcome =
    decision.kind === 'watch'
      ? 'started'
      : missed.length > 0
        ? 'missed-round'
        : seen.node === 'up'
          ? 'registered'
          : 'written';
  if (context.json) {
    const backup = record?.backup?.paths ?? [];
    out.json({ schemaVersion: 1, outcome, did, missed, backup, ...toJson(context, wanted, judged) });
    return missed.length > 0 ? ExitCode.unhealthy : ExitCode.ok;
  }
  out.result(`${changeHeadline({ ...wanted, from: judged.from })}.`);
  switch (outcome) {
    case 'registered': {
      const next = record === undefined ? undefined : record.promised.round;
      out.result(
        `All ${seen.identities.length} identities that take part are registered with the new PoETs${next === undefined ? '' : ` for round ${next}`}.`,
      );
      if (next !== undefined) {
        out.note(
          `The first ATX through them is of epoch ${next + 1}, when that round has ended. Look then: smesh-compose verify`,
        );
      }
      return ExitCode.ok;
    }
    case 'started': {
      if (decision.kind !== 'watch') return ExitCode.ok;
      const { registrationOpens, roundStarts, round, publishEpoch } = decision.outcome;
      out.result(
        `The node runs with the new PoETs. It registers from ${momentHere(registrationOpens, style)} (${countdown(registrationOpens, style.now)}) until round ${round} begins ${momentHere(roundStarts, style)}.`,
      );
      out.note(
        `See who is registered then: smesh-compose status   The first ATX through them is of epoch ${publishEpoch}: smesh-compose verify`,
      );
      return ExitCode.ok;
    }
    case 'written':
      out.result(
        'smesh.yaml and node/config.json name the new PoETs. The node was down before, and is not started.',
      );
      out.note('Start it: smesh-compose up');
      return ExitCode.ok;
    default:
      out.result(
        `The round began without ${enumerate(missed)}: ${missed.length === 1 ? 'it registers' : 'they register'} for the next one, an epoch later.`,
      );
      out.note('Why: smesh-compose logs node   and smesh-compose poet check');
      return ExitCode.unhealthy;
  }
}

const iso = (at: number) => new Date(at).toISOString();

export function toJson(
  { clock }: Pick<Context, 'clock'>,
  wanted: Wanted,
  judged: Judged,
): Readonly<Record<string, unknown>> {
  const { seen, decision, window, outcome } = judged;
  const view = viewOf(wanted, judged);
  return {
    target: wanted.targetName,
    from: settingsToJson(view.from),
    to: settingsToJson(view.to),
    sameRounds: seen.sameRounds,
    warnings: wanted.verdict.warnings,
    decision: decision.kind === 'act' ? decision.act : decision.kind,
    hindered: decision.kind === 'wait' ? decision.hindered : [],
    window: window === undefined ? null : { opens: iso(window.opens), closes: iso(window.closes) },
    cost: outcome === undefined ? null : { lostEpochs: outcome.lostEpochs },
    next:
      outcome === undefined
        ? null
        : {
            round: outcome.round,
            registrationOpens: iso(outcome.registrationOpens),
            roundStarts: iso(outcome.roundStarts),
            roundEnds: iso(outcome.roundEnds),
            publishEpoch: outcome.publishEpoch,
          },
    identities: seen.identities.map(({ smesher, name, stage }) => ({ id: smesher, name, ...stage })),
    steps: switchSteps(view, clock.now()).map(({ at, what }) => ({ at: iso(at), what })),
  };
}

function settingsToJson({ servers, phaseShift, cycleGap, gracePeriod }: Judged['from']) {
  return {
    servers,
    phaseShiftSeconds: phaseShift,
    cycleGapSeconds: cycleGap,
    gracePeriodSeconds: gracePeriod,
  };
}
