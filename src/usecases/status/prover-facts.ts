import type { IdentityProgress } from '../../domain/proving/identity-progress.ts';
import type { ContainerFacts, ReadingSample } from '../../domain/proving/identity-state.ts';
import { courtesyOf } from '../../domain/schedule/courtesy.ts';
import type { ScheduleHistory } from '../../domain/schedule/history.ts';
import type { ProverFacts } from '../../domain/schedule/observation.ts';
import type { ObservedIdentity } from '../observe.ts';

export interface SeenProver {
  readonly observed: ObservedIdentity;
  readonly container: ContainerFacts;
  readonly wanted: ProverFacts['wanted'];
  readonly progress: IdentityProgress;
  readonly sample: ReadingSample | undefined;
  readonly history: ScheduleHistory;
}

/** One identity of a look, as the schedule takes it. Pure. */
export function proverFacts(seen: SeenProver): ProverFacts {
  const { identity, container, service, log, data, disk, units, dataBytes } = seen.observed;
  const { history } = seen;
  const { nonces, threads, pinnedCores, randomx, remoteK2pow } = identity;
  return {
    id: identity.id,
    name: identity.name,
    // A disk that is away has no name any more. Of one that was never seen nobody knows what it shares: one of its own.
    disk: disk ?? history.diskOf.get(identity.id) ?? identity.data,
    settings: {
      nonces,
      threads: threads ?? pinnedCores?.length ?? 0,
      randomx,
      ...(remoteK2pow === undefined ? {} : { remoteK2pow: remoteK2pow.url }),
      tellsGroups: /(?:^|,)(?:post::prove=)?(?:debug|trace)(?:,|$)/.test(identity.log),
    },
    data,
    container: seen.container,
    wanted: seen.wanted,
    progress: seen.progress,
    courtesy: courtesyOf(history, identity.id, seen.container, container?.id),
    ...(units === undefined ? {} : { units }),
    ...(dataBytes === undefined ? {} : { dataBytes }),
    ...(container === undefined ? {} : { containerId: container.id }),
    ...(service === undefined ? {} : { service }),
    ...(log === undefined ? {} : { log }),
    ...(seen.sample === undefined ? {} : { firstSample: seen.sample }),
  };
}
