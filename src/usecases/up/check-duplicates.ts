import { readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import type { ClosedFolder, Place } from '../../domain/identity/places.ts';
import { type SmesherId, shortId } from '../../domain/identity/smesher-id.ts';
import type { Finding } from '../../domain/plan/findings.ts';
import type { Context } from '../context.ts';
import { indexHost } from '../identity-index/host-index.ts';
import type { EngineObservation } from './observe-engine.ts';

/**
 * The same identity in two places: the one thing that costs it for ever (spacemesh.md §9.1). There is no way to override
 * what is found alive elsewhere (design §8, S23).
 *
 * @param names all identities that the node will register, and what they are called
 */
export async function checkDuplicates(
  context: Context,
  observation: EngineObservation,
  names: ReadonlyMap<SmesherId, string>,
): Promise<readonly Finding[]> {
  const beside = handMade(observation);
  const { places, closed } = await indexHost({
    ports: context.ports,
    clock: context.clock,
    containers: [...observation.foreign, ...beside],
    known: [...observation.own, ...observation.foreign].map(({ id }) => id),
    own: new Set(),
    ...(beside[0]?.project === undefined ? {} : { projectName: beside[0].project }),
    engineIsHere: observation.engineIsHere,
  });
  return [
    ...places.flatMap((place) => {
      const name = names.get(place.smesherId);
      return name === undefined ? [] : [toFinding(place, name)];
    }),
    ...closed.map(toUnknown),
  ];
}

/**
 * Containers of the project's own name that neither this tool nor its compose.yaml made: those of a hand-written project
 * that was adopted under its name, where a service had another. Compose leaves such orphans running beside the new ones.
 */
function handMade({ own, desired }: EngineObservation): readonly ObservedContainer[] {
  return own.filter(
    ({ labels, service }) =>
      readLabels(labels) === undefined && !desired.some((wanted) => wanted.name === service),
  );
}

/**
 * Not known is not clean (design §8): while such a node runs nothing is started beside it, or a key in both is lost. One
 * that is down does no harm yet.
 */
function toUnknown({ path, who, live, stop }: ClosedFolder): Finding {
  const finding = { code: 'identities-unknown', kind: 'refused', evidence: path } as const;
  const risk =
    'whether it has a key of this project nobody can say; two nodes with one key cost that identity for ever';
  if (live) {
    return {
      ...finding,
      severity: 'error',
      message: `A node runs whose keys may not be read, ${who}: ${risk}`,
      next: `Look there as root: sudo smesh-compose up.  Or stop that node: ${stop}`,
    };
  }
  return {
    ...finding,
    severity: 'warning',
    message: `Keys of a node that is down may not be read, ${who}: ${risk}`,
    next: 'Look there as root before that node starts again: sudo smesh-compose plan',
  };
}

function toFinding(place: Place, name: string): Finding {
  const who = `${place.who} ${place.by === 'key' ? 'has its key' : 'has its PoST data'}`;
  const remedy = place.remedy ?? '';
  if (!place.live) {
    return {
      code: 'identity-elsewhere',
      severity: 'warning',
      kind: 'refused',
      message: `${name} (${shortId(place.smesherId)}) stands in a second place, which is down now: ${who}`,
      next: `Make sure that it never starts again: ${remedy}`,
    };
  }
  const cost =
    place.by === 'key'
      ? 'two nodes with one key: the network cancels that identity for ever'
      : 'two services for one identity keep each other out';
  return {
    code: 'identity-twice',
    severity: 'error',
    kind: 'refused',
    message: `${name} (${shortId(place.smesherId)}) is served by somebody else: ${who} — ${cost}`,
    next: remedy,
  };
}
