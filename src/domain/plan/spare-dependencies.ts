import type { DesiredService } from './decide-up.ts';
import type { ContainerStep } from './steps.ts';

/** All services that Compose would make along with `name`, near and far. */
function dependenciesOf(name: string, desired: ReadonlyMap<string, DesiredService>): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [name];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const dependency of desired.get(next)?.dependsOn ?? []) {
      if (dependency !== name && !found.has(dependency)) {
        found.add(dependency);
        open.push(dependency);
      }
    }
  }
  return found;
}

/**
 * Compose recreates what a service depends on along with it, asked for or not, and would not start it again: a proof, or
 * the node in the cycle gap, would fall to a service of the user's own (`depends_on` in compose.override.yaml,
 * spacemesh.md §14.6). So whoever depends on something changed that is left alone now waits with it.
 *
 * @param changed services whose container Compose would recreate
 */
export function spareDependencies(
  steps: readonly ContainerStep[],
  services: readonly DesiredService[],
  changed: ReadonlySet<string>,
): readonly ContainerStep[] {
  const desired = new Map(services.map((service) => [service.name, service]));
  const made = new Set(
    steps.flatMap(({ kind, service }) =>
      kind === 'create-service' || kind === 'recreate-service' ? [service] : [],
    ),
  );
  return steps.map((step) => {
    if (!made.has(step.service)) return step;
    const spared = [...dependenciesOf(step.service, desired)].filter(
      (name) => changed.has(name) && !made.has(name),
    );
    if (spared.length === 0) return step;
    const why = 'why' in step ? `${step.why}; but ` : '';
    return {
      kind: 'postpone-service',
      service: step.service,
      why: `${why}Compose would recreate ${spared.join(', ')} along with it (depends_on)`,
      next: `smesh-compose up, when ${spared.length === 1 ? 'that' : 'those'} can be recreated too`,
    };
  });
}
