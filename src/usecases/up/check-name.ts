import { type FormerProject, findFormerProjects } from '../../domain/compose/former-project.ts';
import { readLabels } from '../../domain/compose/labels.ts';
import type { Finding } from '../../domain/plan/findings.ts';
import type { EngineObservation } from './observe-engine.ts';

export interface NameCheck {
  readonly findings: readonly Finding[];
  /** As the other checks shall see it: what has the project's former name is its own and in nobody's way. */
  readonly observation: EngineObservation;
}

/**
 * Whether `name:` was changed while containers of the former name are there. Said once; without this every identity would
 * be found at a stranger's, and every port be taken by ourselves.
 */
export function checkName(
  observation: EngineObservation,
  project: { readonly directory: string; readonly nodeData: string },
): NameCheck {
  const former = findFormerProjects(observation.foreign, project);
  const ours = new Set(former.flatMap(({ containers }) => containers));
  return {
    findings: former.map((one) => toFinding(one, observation.composeProject.name)),
    observation: {
      ...observation,
      own: [...observation.own, ...ours],
      foreign: observation.foreign.filter((container) => !ours.has(container)),
    },
  };
}

function toFinding({ name, containers }: FormerProject, present: string): Finding {
  // A node that is down starts with one `up`, and then there are two with the same keys.
  const live = containers.some(
    ({ state, labels }) =>
      ['running', 'restarting', 'paused'].includes(state) || readLabels(labels)?.role === 'node',
  );
  const those =
    containers.length === 1
      ? 'its container of that name is'
      : `its ${containers.length} containers of that name are`;
  return {
    code: 'project-renamed',
    severity: live ? 'error' : 'warning',
    kind: 'refused',
    message: `This project was called ${name}, and ${those} still there: as ${present} it would serve each identity a second time`,
    next: `Put the name back in smesh.yaml (name: ${name}), or take ${name} down when nothing proves (docker compose -p ${name} down stops proofs in progress)`,
  };
}
