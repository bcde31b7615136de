/**
 * How a check came out. `not-due`: nothing of it can be there yet. `unknown` is what could not be learnt, and is never
 * shown as right. `costs-rewards`: as things stand an epoch is lost, or more.
 */
export type Level = 'ok' | 'not-due' | 'warning' | 'unknown' | 'costs-rewards';

/** What is looked at, in the order in which one thing needs the other. */
export const SUBJECTS = [
  'node',
  'coinbase',
  'other-keys',
  'standing',
  'key',
  'data',
  'known-to-node',
  'service',
  'connection',
  'atx',
  'eligibility',
  'rewards',
  'publication',
  'registration',
] as const;

export type Subject = (typeof SUBJECTS)[number];

/** One answer about one identity, or about the project. */
export interface Check {
  readonly subject: Subject;
  /** What was found; stable, in `--json`. Of every subject there is one that means that all is right: the subject itself. */
  readonly code: string;
  readonly level: Level;
  /** Continues the identity's name: `is registered for round 87 at 5 of 5 PoETs`. */
  readonly message: string;
  /** Where that is known from, a line each. */
  readonly evidence: readonly string[];
  /** What to do or type. */
  readonly next?: string;
}

/** Makes the checks of one subject. */
export function checksOf(subject: Subject) {
  const make =
    (level: Level) =>
    (code: string, message: string, evidence: readonly string[] = [], next?: string): Check => ({
      subject,
      code,
      level,
      message,
      evidence,
      ...(next === undefined ? {} : { next }),
    });
  return {
    ok: (message: string, evidence: readonly string[] = []) => make('ok')(subject, message, evidence),
    notDue: make('not-due'),
    warning: make('warning'),
    costs: make('costs-rewards'),
    unknown: (message: string, why: string, next?: string) =>
      make('unknown')(`${subject}-unknown`, message, [why], next),
  };
}
