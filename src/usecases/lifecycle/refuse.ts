import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { NodeChange } from '../../domain/plan/node-change.ts';
import type { UnsafeStop } from '../../domain/proving/stop-risk.ts';
import { type MomentStyle, momentHere } from '../../ui/moments.ts';
import { type Loss, lossConsequences, lossHeadline, lossSentence, lossToJson } from '../../ui/stop-price.ts';
import { enumerate } from '../../ui/text.ts';
import { plural } from '../../ui/units.ts';
import type { ProverLook } from './look-at-provers.ts';

/** Everything that keeps an act from being done now. */
export interface Blocked {
  readonly losses: readonly Loss[];
  /** The node is among what is to be stopped, and it should not be. */
  readonly node?: Extract<NodeChange, { kind: 'waits' }>;
}

/** What the user typed, without options: `smesh-compose restart post-0002`. */
export type TypedCommand = `smesh-compose ${string}`;

/** More than these are counted: fifty provers in the gap would hide what to type next. */
const NAMED_LOSSES = 12;

export function lossOf({
  service,
  smesherId,
  risk,
  price,
}: ProverLook & { readonly risk: UnsafeStop }): Loss {
  return {
    service,
    why: risk.why,
    loses: risk.loses,
    ...(smesherId === undefined ? {} : { smesherId }),
    ...(price === undefined ? {} : { price }),
  };
}

export function isBlocked({ losses, node }: Blocked): boolean {
  return losses.length > 0 || node !== undefined;
}

/**
 * The refusal of an act that would lose proofs or registrations: what, why, the cost per identity, and the two commands
 * that go on from here (ux.md, "A refusal").
 *
 * @param changed what has been done already, when the refusal comes in the middle
 */
export function refusal(
  blocked: Blocked,
  verb: string,
  command: TypedCommand,
  style: MomentStyle,
  changed = 'Nothing was changed.',
): SmeshError {
  const { losses, node } = blocked;
  return new SmeshError(
    losses.length > 0 ? 'would-lose-proofs' : 'would-miss-registration',
    ExitCode.refused,
    `Refused: ${[...lossSubject(losses, verb), ...nodeSubject(node, losses.length > 0)].join(' ')} ${changed}`,
    { details: priceBelow(blocked, style), hint: waitOrForce(command), facts: blockedToJson(blocked) },
  );
}

function lossSubject(losses: readonly Loss[], verb: string): readonly string[] {
  const [only, ...more] = losses;
  if (only === undefined) return [];
  if (more.length > 0) {
    return [
      `${plural(losses.length, 'post-service')} prove or may prove, and a ${verb} throws that work away.`,
    ];
  }
  return [lossSentence(only, verb)];
}

function nodeSubject(node: Blocked['node'], also: boolean): readonly string[] {
  if (node === undefined) return [];
  const subject = also ? 'The node should stay up, too' : 'the node should stay up';
  return [`${subject}: ${node.why}.`];
}

/** What each identity stands to lose, by name; what `--force` says before it acts. */
export function priceLines({ losses, node }: Blocked, style: MomentStyle): readonly string[] {
  const shown = losses.slice(0, NAMED_LOSSES);
  return [
    ...shown.flatMap((loss) => [lossHeadline(loss), ...indented(lossConsequences(loss, style))]),
    ...unnamed(losses),
    ...(node === undefined ? [] : nodePrice(node, style)),
  ];
}

/** The same below a sentence that has named the only one. */
function priceBelow(blocked: Blocked, style: MomentStyle): readonly string[] {
  const { losses, node } = blocked;
  const [only, ...more] = losses;
  if (only === undefined || more.length > 0) return priceLines(blocked, style);
  return [...lossConsequences(only, style), ...(node === undefined ? [] : nodePrice(node, style))];
}

function nodePrice({ names, until }: NonNullable<Blocked['node']>, style: MomentStyle): readonly string[] {
  return [
    'node: no proof is lost by its restart, but who has not published and registered by',
    `  ${momentHere(until, style)} earns nothing in the epoch after the next: ${enumerate(names)}`,
  ];
}

function unnamed(losses: readonly Loss[]): readonly string[] {
  const rest = losses.slice(NAMED_LOSSES).map(({ service }) => service);
  return rest.length === 0 ? [] : [`… and ${rest.length} more: ${enumerate(rest)}`];
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`);
}

/** The answer of somebody who only asked: who proves or may prove, and what hangs on it. */
export function notNow(blocked: Blocked, style: MomentStyle): string {
  const { losses, node } = blocked;
  const [only, ...more] = losses;
  const headline = [
    ...(only === undefined
      ? []
      : more.length === 0
        ? [lossHeadline(only)]
        : [`${plural(losses.length, 'post-service')} prove or may prove`]),
    ...(node === undefined ? [] : [`the node should stay up: ${node.why}`]),
  ].join('; ');
  return [`Not now: ${headline}.`, ...indented(priceBelow(blocked, style))].join('\n');
}

/** Who stands in the way and why, without the cost. */
export function blockedLines({ losses, node }: Blocked): readonly string[] {
  return [
    ...losses.slice(0, NAMED_LOSSES).map(lossHeadline),
    ...unnamed(losses),
    ...(node === undefined ? [] : [`node: ${node.why}`]),
  ];
}

export function waitOrForce(command: TypedCommand): string {
  return `Wait for a safe moment:  ${command} --wait\nDo it anyway:            ${command} --force`;
}

/** The same for `--json`. */
export function blockedToJson({ losses, node }: Blocked): Readonly<Record<string, unknown>> {
  return {
    losses: losses.map(lossToJson),
    node:
      node === undefined
        ? null
        : { why: node.why, until: new Date(node.until).toISOString(), services: node.names },
  };
}
