import type { ObservedContainer } from '../../domain/compose/observed.ts';
import type { IdentityIndex } from '../../domain/identity/places.ts';
import type { ClockPort } from '../../ports/clock.ts';
import type { Ports } from '../../ports/index.ts';
import { placesOfContainer } from './container-places.ts';
import { createFolderReader } from './folder-reader.ts';
import { placesOfProcesses } from './process-places.ts';

export interface HostQuestion {
  readonly ports: Pick<Ports, 'files' | 'crypto'>;
  readonly clock: ClockPort;
  /** Containers to be looked into. */
  readonly containers: readonly ObservedContainer[];
  /** All of the engine, by ID: their processes are not looked at a second time. */
  readonly known: readonly string[];
  /** Those of the project in question. */
  readonly own: ReadonlySet<string>;
  readonly projectName?: string;
  /** Paths of this host are paths of the engine's host, and its processes share our /proc. */
  readonly engineIsHere: boolean;
}

/**
 * Every place on this host where an identity is served, or could be: containers of any origin, running and stopped, and
 * processes outside of them (spacemesh.md §9.1, S2, S23). Reads only, and never rejects for what it may not read.
 */
export async function indexHost({
  ports,
  clock,
  containers,
  known,
  own,
  projectName,
  engineIsHere,
}: HostQuestion): Promise<IdentityIndex> {
  const reader = createFolderReader(ports, clock);
  const question = {
    files: ports.files,
    reader,
    engineIsHere,
    own,
    ...(projectName === undefined ? {} : { projectName }),
  };
  const [ofContainers, ofProcesses] = await Promise.all([
    Promise.all(containers.map((container) => placesOfContainer(question, container))),
    engineIsHere ? placesOfProcesses(ports.files, reader, known) : [],
  ]);
  return { places: [...ofContainers.flat(), ...ofProcesses], closed: reader.closed(), unseen: [] };
}
