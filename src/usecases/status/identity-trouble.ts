import { lostWork } from '../../domain/proving/lost-work.ts';
import type { IdentityReport } from '../../domain/proving/status-report.ts';
import { hasLostItsData } from '../../domain/proving/stop-risk.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import { formatDuration } from '../../ui/units.ts';
import type { Observation } from '../observe.ts';
import { downTrouble, wantedFor } from './down-trouble.ts';
import { heldTrouble } from './schedule-trouble.ts';
import { type Known, notice, problem, type Trouble } from './trouble.ts';

/** What is wrong with one identity. */
export function identityTrouble(
  identity: IdentityReport,
  known: Known,
  observation: Observation,
): readonly Trouble[] {
  const { node, timeline } = known;
  const { state, progress, container, name } = identity;
  const { activity, wants } = state;
  const logs = `smesh-compose logs ${name}`;
  const found: Trouble[] = [];
  if (progress.malfeasance !== undefined) {
    found.push(
      problem(
        'cancelled',
        `is cancelled by the network for ever (${progress.malfeasance.what})`,
        'Find out where else its key was used before the same happens to the others',
      ),
    );
  }
  if (identity.dataSeen === 'absent') {
    const wanted =
      wants === 'a-proof' ? `is wanted${wantedFor(progress.wantedSince, observation.at)}, but ` : '';
    const disk = identity.disk === undefined ? 'its disk' : `disk ${identity.disk}`;
    found.push(
      problem(
        'data-away',
        `${wanted}has no data where smesh.yaml says: is ${disk} mounted?`,
        'mount it, then: smesh-compose up',
      ),
    );
  }
  if (wants === 'unlisted') {
    found.push(
      problem(
        'unknown-to-node',
        'is not among the identities of the node: its key is not installed, or was installed after the node started',
        'smesh-compose up',
      ),
    );
  }
  switch (activity.kind) {
    case 'down':
    case 'not-created':
      if (identity.dataSeen !== 'absent') found.push(...downTrouble(identity, known, observation));
      break;
    case 'failed':
      found.push(
        activity.stuck
          ? problem(
              'proof-stuck',
              `cannot prove (${activity.reason}) and stays so until it is restarted`,
              `smesh-compose restart ${name}`,
            )
          : problem(
              'proof-failed',
              `failed to prove (${activity.reason}); the node asks again in the next layer`,
              logs,
            ),
      );
      break;
    case 'not-connected':
      if (node.certainty === 'settled' || node.certainty === 'fresh') {
        found.push(
          problem(
            'not-connected',
            `is wanted, but not connected to the node: ${activity.reason}`,
            `${logs}, then: smesh-compose restart ${name}`,
          ),
        );
      }
      break;
    case 'paused':
      found.push(
        (wants === 'nothing' ? notice : problem)(
          'paused',
          'is paused: it keeps its proof, and plain docker compose up fails until it goes on',
          `docker compose unpause ${name}`,
        ),
      );
      break;
    case 'silent':
      found.push(notice('silent', 'takes the connection and does not answer; nothing says why', logs));
      break;
    case 'unknown':
      if (observation.engineFault === undefined) {
        found.push(notice('service-unknown', `cannot be asked what it does: ${activity.reason}`, logs));
      }
      break;
    default:
  }
  const { log } = identity;
  if (log !== undefined && log.unreadable.length > 0) {
    found.push(
      problem(
        'data-unreadable',
        `cannot read its data (${log.unreadable[0]}): proofs will fail`,
        `smesh-compose scan ${quoteForShell(identity.data)}`,
      ),
    );
  } else if (log !== undefined && hasLostItsData(log, identity.dataBytes)) {
    found.push(
      problem(
        'data-vanished',
        'finishes its passes without reading anything: its disk is gone, and it burns CPU for nothing',
        `smesh-compose stop ${name}, then look after the disk`,
      ),
    );
  }
  if (progress.failedAt !== undefined && wants === 'a-proof' && activity.kind !== 'failed') {
    found.push(
      problem(
        'last-proof-failed',
        'made no valid proof the last time and is at it again: its data may be damaged',
        `smesh-compose scan ${quoteForShell(identity.data)}`,
      ),
    );
  }
  found.push(...heldTrouble(identity, known), ...lostWorkTrouble(identity));
  if (container?.health === 'unhealthy' && container.state === 'running') {
    found.push(notice('unhealthy', 'is unhealthy by its healthcheck', logs));
  }
  if (identity.registration === 'miss' && observation.at < timeline.deadlines.registerBy) {
    found.push(notice('will-miss', 'will be done too late to register: it loses the epoch after the next'));
  }
  return found;
}

function lostWorkTrouble({ state, container, log, progress }: IdentityReport): readonly Trouble[] {
  const lost = lostWork({
    wanted: state.wants === 'a-proof' ? 'proving' : 'unknown',
    ...(container?.startedAt === undefined ? {} : { startedAt: container.startedAt }),
    ...(log === undefined ? {} : { log }),
    ...(progress.askedAt === undefined ? {} : { askedAt: progress.askedAt }),
  });
  if (lost === undefined) return [];
  const work = lost.workedMs === undefined ? 'its work' : `${formatDuration(lost.workedMs)} of work`;
  return [
    notice(
      'work-lost',
      `was restarted while it proved: ${work} is lost, it began anew`,
      'smesh-compose guard   (before whatever restarts it: cron, updates, reboots)',
    ),
  ];
}
