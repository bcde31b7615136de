import type { IdentityProgress } from '../../domain/proving/identity-progress.ts';
import type { ContainerFacts, ReadingSample } from '../../domain/proving/identity-state.ts';
import { type Courtesy, NO_COURTESY, type ProverFacts } from '../../domain/schedule/observation.ts';
import { provingSettings } from '../../domain/schedule/proving-settings.ts';
import type { ObservedIdentity } from '../observe.ts';

export interface SeenProver {
  readonly observed: ObservedIdentity;
  readonly container: ContainerFacts;
  readonly wanted: ProverFacts['wanted'];
  readonly progress: IdentityProgress;
  readonly sample: ReadingSample | undefined;
  /** Absent: nothing is remembered of it. */
  readonly courtesy: Courtesy | undefined;
}

/** One identity of a look, as the schedule takes it. Pure. */
export function proverFacts(seen: SeenProver): ProverFacts {
  const { identity, container, service, log, data, disk, units, dataBytes } = seen.observed;
  return {
    id: identity.id,
    name: identity.name,
    // Nobody knows what it shares with others: a disk of its own.
    disk: disk ?? identity.data,
    settings: provingSettings(identity),
    data,
    container: seen.container,
    wanted: seen.wanted,
    progress: seen.progress,
    courtesy: seen.courtesy ?? NO_COURTESY,
    ...(units === undefined ? {} : { units }),
    ...(dataBytes === undefined ? {} : { dataBytes }),
    ...(container === undefined ? {} : { containerId: container.id }),
    ...(service === undefined ? {} : { service }),
    ...(log === undefined ? {} : { log }),
    ...(seen.sample === undefined ? {} : { firstSample: seen.sample }),
  };
}
