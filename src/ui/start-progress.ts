import { cutText, printable } from './text.ts';
import { formatDuration, plural } from './units.ts';

/** The parts of a start that are shown while waiting. */
export interface StartState {
  readonly service: string;
  readonly role: 'node' | 'prover' | 'other';
  readonly state: 'starting' | 'healthy' | 'failed';
  readonly connected: boolean;
  readonly reason?: string;
}

const MINUTE = 60_000;

/** Failing services named one by one; more than these would push the rest off the screen. */
const SHOWN_FAILURES = 5;

/**
 * A few lines about many services, redrawn while they start. Where nothing can be redrawn each new line is printed, so
 * nothing in here changes every second.
 */
export function renderStart(
  states: readonly StartState[],
  elapsedMs: number,
  nodeLine: string | undefined,
): readonly string[] {
  const node = states.find(({ role }) => role === 'node');
  const provers = states.filter(({ role }) => role === 'prover');
  const others = states.filter(({ role }) => role === 'other');
  const failing = states.filter(({ reason, role }) => reason !== undefined && role !== 'node');
  return [
    ...(node === undefined ? [] : nodeLines(node, elapsedMs, nodeLine)),
    ...(provers.length === 0 ? [] : [`post-services  ${countProvers(provers)}`]),
    ...others.map(({ service, state }) => `${service.padEnd(14)} ${state}`),
    ...failing
      .slice(0, SHOWN_FAILURES)
      .map(({ service, reason }) => `  ! ${service}: ${cutText(printable(reason ?? ''), 160)}`),
    ...(failing.length > SHOWN_FAILURES ? [`  ! … and ${failing.length - SHOWN_FAILURES} more`] : []),
  ];
}

function nodeLines(node: StartState, elapsedMs: number, nodeLine: string | undefined): readonly string[] {
  if (node.state === 'failed')
    return [`node           failed: ${cutText(printable(node.reason ?? ''), 200)}`];
  if (node.state === 'healthy') return ['node           healthy'];
  if (elapsedMs < MINUTE) return ['node           starting; it opens its ports last'];
  const minutes = Math.floor(elapsedMs / MINUTE) * MINUTE;
  return [
    `node           still starting after ${formatDuration(minutes)}; a migration of its database can take hours`,
    // Only with a full minute: in a log file each new line would be printed.
    ...(nodeLine === undefined || elapsedMs - minutes > 2000
      ? []
      : [`               its last words: ${cutText(printable(nodeLine), 120)}`]),
  ];
}

function countProvers(provers: readonly StartState[]): string {
  const healthy = provers.filter(({ state }) => state === 'healthy').length;
  const connected = provers.filter(({ connected }) => connected).length;
  const failed = provers.filter(({ state }) => state === 'failed').length;
  return [
    `${healthy} of ${plural(provers.length, 'post-service')} healthy`.replace(/ post-services?/, ''),
    `${connected} connected to the node`,
    ...(failed > 0 ? [`${failed} failed`] : []),
  ].join(', ');
}
