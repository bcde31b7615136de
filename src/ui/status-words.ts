import type { IdentityProgress } from '../domain/proving/identity-progress.ts';
import type { Activity, IdentityState, PassFacts, Wants } from '../domain/proving/identity-state.ts';
import type { IdentityReport } from '../domain/proving/status-report.ts';
import type { WaitReason } from '../domain/schedule/decision.ts';
import { PATIENT } from '../domain/schedule/outlook.ts';

/** Column NODE WANTS. */
export function wantsWords(wants: Wants): string {
  switch (wants) {
    case 'a-proof':
      return 'a proof';
    case 'nothing':
      return '–';
    case 'unlisted':
      return 'not known';
    case 'unknown':
      return '?';
  }
}

const SAYS_MORE: ReadonlySet<WaitReason> = new Set([...PATIENT, 'stopped-by-person', 'invalid-proofs']);

/** Column SERVICE: what it does, or how far the identity is while there is nothing to do. */
export function serviceWords(
  identity: Pick<IdentityReport, 'state' | 'progress'> & Partial<Pick<IdentityReport, 'waiting'>>,
): string {
  const { state, progress, waiting } = identity;
  // That it is down is no news where it waits for its turn; why it fails is.
  if (state.activity.kind === 'down' && waiting !== undefined && SAYS_MORE.has(waiting.why))
    return waiting.words;
  const words = activityWords(state, progress);
  return state.held && state.activity.kind !== 'ready-to-read' ? `held: ${words}` : words;
}

function activityWords({ activity, wants, held }: IdentityState, progress: IdentityProgress): string {
  switch (activity.kind) {
    case 'idle':
      return restWords(wants, progress);
    case 'about-to-prove':
      return 'is about to begin';
    case 'preparing':
      return 'builds its dataset';
    case 'k2pow':
      return `k2pow${groupWords(activity)}${passWords(activity)}`;
    case 'ready-to-read':
      return held ? 'held before it reads' : `k2pow done, about to read${passWords(activity)}`;
    case 'before-reading':
      return `proving, nothing read yet${passWords(activity)}`;
    case 'reading':
      return `reading ${percentWords(activity.fraction)}${nonceWords(activity)}${passWords(activity)}`;
    case 'proof-ready':
      return wants === 'a-proof' ? 'done: the node fetches it' : 'done, waits for the node';
    case 'failed':
      return activity.stuck ? `stuck: ${activity.reason}` : `failed: ${activity.reason}`;
    case 'not-connected':
      return `not connected: ${activity.reason}`;
    case 'paused':
      return 'paused';
    case 'silent':
      return 'does not answer';
    case 'starting':
      return 'starting';
    case 'down':
      return `down: ${activity.reason}`;
    case 'not-created':
      return 'no container yet';
    case 'unknown':
      return `? ${activity.reason}`;
  }
}

/** The words of an idle service: unknown facts are left out, none is made up. */
function restWords(wants: Wants, progress: IdentityProgress): string {
  const { published, registered, due, initialProof } = progress;
  if (published === 'yes') return registered === 'yes' ? 'published, registered' : 'published';
  if (registered === 'yes') return 'registered';
  if (due === 'yes') return 'waits for the round to end';
  if (initialProof === 'yes' && due === 'no') return 'waits for registration';
  return wants === 'nothing' ? 'idle, nothing to do' : 'idle';
}

function groupWords({ group, groups }: Extract<Activity, { kind: 'k2pow' }>): string {
  if (groups === undefined) return '';
  return group === undefined ? ` of ${groups} groups` : `, group ${group} of ${groups}`;
}

/** The first pass usually finds the proof; the others are worth a word. */
function passWords({ pass }: PassFacts): string {
  return pass === undefined || pass === 1 ? '' : `, pass ${pass}`;
}

function nonceWords({ nonces }: PassFacts): string {
  return nonces === undefined ? '' : `  nonces ${nonces.start}–${nonces.end - 1}`;
}

/** Never 100 % while it still reads. */
function percentWords(fraction: number | undefined): string {
  return fraction === undefined ? 'its data' : `${Math.min(Math.floor(fraction * 100), 99)} %`;
}
