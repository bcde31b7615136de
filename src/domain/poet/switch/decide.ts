import { openRoundAt, roundEnd } from '../epochs.ts';
import { type Hindered, judgeMoment, type MomentFacts } from './moment.ts';
import type { PoetFatal } from './node-log.ts';
import type { RowsVerdict } from './rows.ts';
import type { StagedIdentity } from './stages.ts';
import { outcomeOf, type SwitchOutcome, type SwitchWindow, windowFrom } from './window.ts';

/** How the node stands. A container in a restart loop is `failing`; `unknown`: the engine could not be asked. */
export type NodeStand = 'up' | 'down' | 'absent' | 'failing' | 'unknown';

/** All that one look at a project that changes its PoETs found. Nothing in it is remembered but what `begun` says. */
export interface SwitchObservation extends MomentFacts {
  /** What smesh.yaml and, with it, node/config.json say. They are changed in one journaled act. */
  readonly written: 'present' | 'target';
  readonly node: NodeStand;
  /** Its container was made for what is written now. */
  readonly nodeIsCurrent: boolean;
  /** Its last words, where it is failing. */
  readonly fatal?: PoetFatal;
  readonly begun: {
    /** The node was up when it was stopped for this, and has to be up at the end. */
    readonly nodeRan: boolean;
    readonly backedUp: boolean;
    /** What was said that it costs. */
    readonly promised?: { readonly round: number; readonly lost: number };
  };
  /** Of the target's servers; empty: they fit. */
  readonly targetFaults: readonly string[];
  readonly rows: RowsVerdict;
  /** By the target's rhythm; who is registered with it already. */
  readonly registered: ReadonlySet<string>;
}

export type SwitchAct =
  | 'back-up'
  | 'stop-node'
  /** smesh.yaml and all that is generated from it, while the node is down. */
  | 'write-target'
  /** With what is written now. */
  | 'start-node'
  /** It was stopped for this, and this is not to be: everything as before. */
  | 'start-unchanged';

export type SwitchDecision =
  | {
      readonly kind: 'act';
      readonly act: SwitchAct;
      readonly outcome?: SwitchOutcome;
      readonly closes?: number;
      readonly why?: string;
    }
  /** The node runs with the new PoETs; these have yet to register. */
  | {
      readonly kind: 'watch';
      readonly missing: readonly string[];
      readonly outcome: SwitchOutcome;
      /** Some of them are registered where the list does not lead: once the round begins, the node ends. */
      readonly stranded: boolean;
    }
  | { readonly kind: 'wait'; readonly hindered: readonly Hindered[]; readonly next?: SwitchWindow }
  | { readonly kind: 'refuse'; readonly code: RefusalCode; readonly reasons: readonly string[] }
  /** It runs into the round that has begun meanwhile: see `recover.ts`. */
  | { readonly kind: 'cure'; readonly fatal?: PoetFatal }
  | { readonly kind: 'done'; readonly missed: readonly string[] };

export type RefusalCode = 'targets' | 'release' | 'node-failing' | 'node-unknown';

/** What is left of the node's start when its stop is over. */
const LEFT_OF_LEAD = 0.75;

/**
 * The next act of a change of PoETs (spacemesh.md §6.4, §14.7), from what is seen now: whoever was killed at any point asks
 * again and goes on. Nothing is written and no node is stopped while somebody's proof or registration hangs on the present
 * PoETs, and what is seen after the stop decides anew.
 */
export function decideSwitch(seen: SwitchObservation, now: number): SwitchDecision {
  if (seen.node === 'unknown') return { kind: 'refuse', code: 'node-unknown', reasons: [] };
  return seen.written === 'target' ? afterWriting(seen, now) : beforeWriting(seen, now);
}

function beforeWriting(seen: SwitchObservation, now: number): SwitchDecision {
  const { begun, node } = seen;
  const isStoppedForThis = begun.nodeRan && (node === 'down' || node === 'absent');
  const giveUp = (decision: SwitchDecision, why: string): SwitchDecision =>
    isStoppedForThis ? { kind: 'act', act: 'start-unchanged', why } : decision;
  if (node === 'failing') return { kind: 'refuse', code: 'node-failing', reasons: [] };
  if (seen.targetFaults.length > 0) {
    return giveUp(
      { kind: 'refuse', code: 'targets', reasons: seen.targetFaults },
      seen.targetFaults[0] ?? '',
    );
  }
  if (!seen.rows.ok)
    return giveUp({ kind: 'refuse', code: 'release', reasons: [seen.rows.why] }, seen.rows.why);
  const leadMs = isStoppedForThis ? seen.leadMs * LEFT_OF_LEAD : seen.leadMs;
  const moment = judgeMoment({ ...seen, leadMs }, now);
  if (moment.kind === 'closed') {
    const { hindered, next } = moment;
    const wait: SwitchDecision = { kind: 'wait', hindered, ...(next === undefined ? {} : { next }) };
    return giveUp(wait, hindered.map(({ name, why }) => `${name} ${why}`.trim()).join('; '));
  }
  const { outcome, closes } = moment;
  const { promised } = begun;
  // What it costs was said before the node went down, and must not have become more since.
  if (isStoppedForThis && promised !== undefined && outcome.round > promised.round) {
    const why = `the round that was meant, ${promised.round}, cannot be reached any more`;
    return { kind: 'act', act: 'start-unchanged', why };
  }
  if (promised !== undefined && outcome.lostEpochs.length > promised.lost) {
    return { kind: 'wait', ...tooDear(seen, outcome, now) };
  }
  if (!begun.backedUp) return { kind: 'act', act: 'back-up', outcome, closes };
  return { kind: 'act', act: node === 'up' ? 'stop-node' : 'write-target', outcome, closes };
}

/** It would be done now at a price that nobody has agreed to. */
function tooDear({ rhythms, leadMs }: SwitchObservation, { lostEpochs }: SwitchOutcome, now: number) {
  const why = `it would cost the rewards of epoch ${lostEpochs.join(', ')} now, more than was said when it began`;
  const gap = roundEnd(rhythms.from, openRoundAt(rhythms.from, now));
  const next = windowFrom(rhythms, gap, leadMs);
  return { hindered: [{ name: '', why }], ...(next === undefined ? {} : { next }) };
}

function afterWriting(seen: SwitchObservation, now: number): SwitchDecision {
  const { node, begun, nodeIsCurrent, rhythms, registered } = seen;
  if (node === 'failing') return { kind: 'cure', ...(seen.fatal === undefined ? {} : { fatal: seen.fatal }) };
  if (node !== 'up') {
    return begun.nodeRan ? { kind: 'act', act: 'start-node' } : { kind: 'done', missed: [] };
  }
  if (!nodeIsCurrent) return startAnew(seen, now);
  const missing = seen.identities.filter((one) => takesPart(one) && !registered.has(one.smesher));
  const names = missing.map(({ name }) => name);
  if (names.length === 0) return { kind: 'done', missed: [] };
  const outcome = outcomeOf(rhythms, now);
  const { promised } = begun;
  // Its round has begun: who is not in it now will not be.
  const stranded = missing.some(({ stage }) => 'addresses' in stage);
  if (!stranded && promised !== undefined && outcome.round > promised.round) {
    return { kind: 'done', missed: names };
  }
  return { kind: 'watch', missing: names, outcome, stranded };
}

/**
 * It was started between the stop and the writing, by hand: with the former list, by which somebody may be registered since.
 * Made anew at once, it would register them with both, or end because their round has begun.
 */
function startAnew(seen: SwitchObservation, now: number): SwitchDecision {
  const { identities, targetAddresses } = seen;
  const elsewhere = identities.filter(
    ({ stage }) => 'addresses' in stage && !stage.addresses.some((one) => targetAddresses.includes(one)),
  );
  const moment = judgeMoment({ ...seen, identities: elsewhere }, now);
  if (elsewhere.length === 0 || moment.kind === 'open') return { kind: 'act', act: 'start-node' };
  const { hindered, next } = moment;
  return { kind: 'wait', hindered, ...(next === undefined ? {} : { next }) };
}

/** Who has no initial proof yet registers when it has one, in whatever round that is. */
function takesPart({ stage }: StagedIdentity): boolean {
  return stage.kind !== 'no-proof';
}
