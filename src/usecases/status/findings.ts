import type { IdentityReport, StatusFinding } from '../../domain/proving/status-report.ts';
import type { Observation } from '../observe.ts';
import { identityTrouble } from './identity-trouble.ts';
import { nodeTrouble } from './node-trouble.ts';
import { scheduleTrouble } from './schedule-trouble.ts';
import { type Known, notice, type Trouble } from './trouble.ts';

/** All troubles of a project, problems first, those of many identities told once. */
export function findTrouble(observation: Observation, known: Known): readonly StatusFinding[] {
  const { engineFault } = observation;
  const general: Trouble[] =
    engineFault === undefined
      ? [...nodeTrouble(observation, known), ...scheduleTrouble(known)]
      : [
          {
            code: engineFault.code,
            severity: 'problem',
            message: `${engineFault.message.replace(/\.?( Nothing was changed)?\.$/, '')}; nothing is known of any container`,
            ...(engineFault.hint === undefined ? {} : { next: engineFault.hint }),
          },
        ];
  const findings: StatusFinding[] = general.map((trouble) => toFinding(trouble, []));
  const shared = new Map<string, { trouble: Trouble; of: IdentityReport[] }>();
  for (const identity of known.identities) {
    for (const trouble of identityTrouble(identity, known, observation)) {
      const key = `${trouble.code} ${trouble.message}`;
      const entry = shared.get(key) ?? { trouble, of: [] };
      entry.of.push(identity);
      shared.set(key, entry);
    }
  }
  for (const { trouble, of } of shared.values()) findings.push(toFinding(trouble, of));
  if (observation.strays.length > 0) findings.push(strayFinding(observation));
  return findings.sort((a, b) => Number(a.severity === 'notice') - Number(b.severity === 'notice'));
}

function toFinding({ next, ...trouble }: Trouble, of: readonly IdentityReport[]): StatusFinding {
  const services = of.map(({ name }) => name);
  return {
    ...trouble,
    smeshers: of.map(({ smesher }) => smesher),
    services,
    ...(next === undefined ? {} : { next: typeof next === 'string' ? next : next(services) }),
  };
}

function strayFinding({ strays }: Observation): StatusFinding {
  const services = strays.map(({ service, name }) => service ?? name);
  const trouble = notice(
    'not-in-project',
    'has a container, but smesh.yaml no longer has its identity',
    'smesh-compose up   (removes it once that is safe)',
  );
  return { ...toFinding(trouble, []), services };
}
