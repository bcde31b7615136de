import type { EpochTimeline } from '../../domain/poet/epochs.ts';
import type { IdentityReport, Registration, StatusCounts } from '../../domain/proving/status-report.ts';

/**
 * Whether it registers for the next round, as things stand.
 *
 * @param isServed it is at work, or a schedule runs that lets it work when its turn comes
 */
export function registrationOf(
  {
    state: { wants, activity },
    progress,
    expectedAt,
  }: Pick<IdentityReport, 'state' | 'progress' | 'expectedAt'>,
  { deadlines }: EpochTimeline,
  now: number,
  isServed: boolean,
): Registration {
  if (progress.registered === 'yes') return 'have';
  if (now >= deadlines.registerBy) return progress.registered === 'no' ? 'miss' : 'unknown';
  if (activity.kind === 'reading' && activity.doneAt !== undefined) {
    return activity.doneAt <= deadlines.registerBy ? 'will' : 'miss';
  }
  if (activity.kind === 'proof-ready' || progress.published === 'yes') return 'will';
  // A new identity has nothing to prove now: its initial proof is all that registration needs.
  if (wants === 'nothing' && progress.initialProof === 'yes' && progress.due === 'no') return 'will';
  // Nobody starts or releases it: that it would be in time says nothing, that it would not does.
  if (expectedAt !== undefined && wants === 'a-proof') {
    return expectedAt > deadlines.registerBy ? 'miss' : isServed ? 'will' : 'unknown';
  }
  return 'unknown';
}

/** How many have published and registered, will, or will not. */
export function countAll(identities: readonly IdentityReport[]): StatusCounts {
  const published = { yes: 0, no: 0, unknown: 0 };
  const registration = { have: 0, will: 0, miss: 0, unknown: 0 };
  for (const identity of identities) {
    published[identity.progress.published] += 1;
    registration[identity.registration] += 1;
  }
  return { identities: identities.length, published, registration };
}
