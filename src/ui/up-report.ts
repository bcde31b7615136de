import { printable } from './text.ts';
import { plural } from './units.ts';

/** How a service stands when `up` ends. */
export interface UpOutcome {
  readonly service: string;
  readonly role?: 'node' | 'prover' | 'other';
  readonly state: 'healthy' | 'starting' | 'failed' | 'unwell' | 'kept' | 'held-back' | 'postponed';
  readonly connected?: boolean;
  readonly reason?: string;
  readonly next?: string;
  /** What doing it now would have thrown away: for people, and as in the facts of a refusal. */
  readonly price?: readonly string[];
  readonly loss?: Readonly<Record<string, unknown>>;
}

const MARKED = {
  failed: 'failed',
  unwell: 'not well',
  'held-back': 'held back',
  postponed: 'later',
} as const;

type MarkedState = keyof typeof MARKED;

function isMarked(outcome: UpOutcome): outcome is UpOutcome & { readonly state: MarkedState } {
  return outcome.state in MARKED;
}

/** One line that counts, then a line for each service that needs somebody to look at it. */
export function renderUpReport(outcomes: readonly UpOutcome[], timedOut: boolean): string {
  const lines = outcomes
    .filter(isMarked)
    .flatMap(({ service, state, reason, next, price = [] }) => [
      `  ! ${service} ${MARKED[state]}: ${printable(reason ?? 'no reason given')}`,
      ...price.map((line) => `    ${printable(line)}`),
      ...(next === undefined ? [] : [`    → ${printable(next)}`]),
    ]);
  const late = outcomes.filter(({ state }) => state === 'starting');
  const lateLine =
    timedOut && late.length > 0
      ? [`  ! still starting when the time was up: ${late.map(({ service }) => service).join(', ')}`]
      : [];
  return [summarize(outcomes), ...lines, ...lateLine].join('\n');
}

function summarize(outcomes: readonly UpOutcome[]): string {
  const count = (state: UpOutcome['state']) => outcomes.filter((one) => one.state === state).length;
  const node = outcomes.find(({ role }) => role === 'node');
  const provers = outcomes.filter(({ role }) => role === 'prover');
  const healthy = provers.filter(({ state }) => state === 'healthy');
  const connected = healthy.filter((one) => one.connected === true).length;
  const others = outcomes.filter(({ role, state }) => role === 'other' && state === 'healthy').length;
  const parts = [
    ...(node?.state === 'healthy' ? ['node healthy'] : []),
    ...(healthy.length > 0
      ? [`${plural(healthy.length, 'post-service')} healthy, ${connected} connected to the node`]
      : []),
    ...(others > 0 ? [`${plural(others, 'other service')} running`] : []),
    ...(count('starting') > 0 ? [`${plural(count('starting'), 'service')} starting`] : []),
    ...(count('failed') > 0 ? [`${count('failed')} failed`] : []),
    ...(count('held-back') > 0 ? [`${count('held-back')} held back`] : []),
    ...(count('postponed') > 0 ? [`${count('postponed')} postponed`] : []),
    ...(count('kept') > 0 ? [`${count('kept')} kept as they were`] : []),
  ];
  return parts.length === 0 ? 'Nothing to do.' : `${parts.join(' · ')}`;
}
