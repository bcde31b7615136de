import type { SmesherId } from '../identity/smesher-id.ts';
import { epochAt } from '../poet/epochs.ts';
import type { Check } from './check.ts';
import type { IdentityEvidence, ProjectEvidence } from './facts.ts';
import { journeyOf } from './journey.ts';
import { checkNextEpochs } from './next-epochs.ts';
import { type Outlook, outlooksOf } from './outlook.ts';
import { checkRewards } from './rewards.ts';
import { checkProject, checkSetup } from './setup.ts';

export interface VerifiedIdentity {
  readonly smesher: SmesherId;
  readonly name: string;
  readonly checks: readonly Check[];
  /** This epoch and the next two. */
  readonly outlooks: readonly Outlook[];
}

export interface Verification {
  readonly epoch: number;
  readonly project: readonly Check[];
  readonly identities: readonly VerifiedIdentity[];
  /**
   * `costs-rewards`: an epoch is lost somewhere, or will be as things stand. `unknown`: of somebody it cannot be told
   * whether it is paid. `right`: neither.
   */
  readonly verdict: 'right' | 'unknown' | 'costs-rewards';
}

/** Is it right, will it be paid? Pure: facts in, one answer per subject and identity out; unknown stays unknown. */
export function verify(project: ProjectEvidence, identities: readonly IdentityEvidence[]): Verification {
  const shared = checkProject(project);
  const verified = identities.map((identity): VerifiedIdentity => {
    const journey = journeyOf(identity, project);
    const checks = withoutEcho([
      ...checkSetup(identity, project),
      ...checkRewards(identity, project, journey),
      ...checkNextEpochs(identity, project, journey),
    ]);
    return {
      smesher: identity.smesher,
      name: identity.name,
      checks,
      outlooks: outlooksOf(journey, project, [...shared, ...checks]),
    };
  });
  const all = [...shared, ...verified.flatMap(({ checks }) => checks)];
  const costs = all.some(({ level }) => level === 'costs-rewards');
  const doubtful =
    shared.some(({ subject, level }) => subject === 'node' && level === 'unknown') ||
    verified.some(({ outlooks }) => outlooks.some(({ prospect }) => prospect === 'unknown'));
  return {
    epoch: Math.max(0, epochAt(project.clock, project.now)),
    project: shared,
    identities: verified,
    verdict: costs ? 'costs-rewards' : doubtful ? 'unknown' : 'right',
  };
}

/** One cause is told once: an identity that is cancelled is not unpaid as well, one without key is not unknown as well. */
function withoutEcho(checks: readonly Check[]): readonly Check[] {
  const has = (code: string) => checks.some((check) => check.code === code);
  const echoes = new Set<string>();
  if (has('cancelled')) {
    for (const code of ['unpaid', 'no-atx', 'no-proof-due', 'not-registered', 'proof-too-late'])
      echoes.add(code);
  }
  if (has('key-absent')) echoes.add('not-known');
  return checks.map((check): Check => {
    if (!echoes.has(check.code)) return check;
    const { subject, code, message, evidence } = check;
    return { subject, code, level: 'not-due', message, evidence };
  });
}
