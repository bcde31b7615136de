import { inspectImage } from '../../domain/node/images.ts';
import type { Finding } from '../../domain/plan/findings.ts';
import type { Project } from '../../domain/project/types.ts';
import type { EngineObservation } from './observe-engine.ts';

const GIB = 1024 ** 3;

/** Measured on the real programs (spacemesh.md §14.1); a remote k2pow needs none of it here (operators.md §d.5). */
const PROOF_MEMORY = { fast: 2.3 * GIB, light: 0.26 * GIB } as const;

/** What go-spacemesh and the system want for themselves on a small host; provers must not count on it. */
const RESERVED = 2 * GIB;

/** Whether all could prove at once; warns, because the schedule or a person may see to it that they do not (S25). */
export function checkMemory(observation: EngineObservation, project: Project): readonly Finding[] {
  const needs = project.identities
    .map((identity) => (identity.remoteK2pow === undefined ? PROOF_MEMORY[identity.randomx] : 0))
    .sort((left, right) => right - left);
  const all = needs.reduce((sum, need) => sum + need, 0);
  const free = Math.max(observation.engine.memoryBytes - RESERVED, 0);
  if (all <= free) return [];
  let used = 0;
  const fitting = needs.filter((need) => {
    used += need;
    return used <= free;
  }).length;
  return [
    {
      code: 'memory-short',
      severity: 'warning',
      kind: 'environment',
      message: `All ${needs.length} proofs at once would need ${gib(all)}, and this host has ${gib(observation.engine.memoryBytes)}: ${fitting} at a time fit`,
      next: 'Let fewer prove at a time, set randomx: light for some, or use remoteK2pow',
    },
  ];
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(bytes < 10 * GIB ? 1 : 0)} GiB`;
}

/** Images that an override brought in, and provers of several versions (S24). smesh.yaml's own are judged when it is read. */
export function checkImages(observation: EngineObservation, project: Project): readonly Finding[] {
  const judged = new Set([project.node.image, ...project.identities.map(({ image }) => image)]);
  const used = observation.desired.filter(({ role }) => role !== 'other');
  const brought = [...new Set(used.map(({ image }) => image))].filter((image) => !judged.has(image));
  const provers = [...new Set(used.filter(({ role }) => role === 'prover').map(({ image }) => image))].sort();
  return [
    ...brought.flatMap((image) =>
      inspectImage(image).map(
        ({ severity, message }): Finding => ({
          code: 'image',
          severity,
          kind: 'invalid',
          message,
          evidence: 'from compose.override.yaml',
          next: 'Name another release there',
        }),
      ),
    ),
    ...(provers.length > 1
      ? [
          {
            code: 'mixed-versions',
            severity: 'warning',
            kind: 'invalid',
            message: `Post-services of ${provers.length} versions: ${provers.join(', ')}`,
            next: 'One version for all is what is tested: image under defaults in smesh.yaml',
          } satisfies Finding,
        ]
      : []),
  ];
}
