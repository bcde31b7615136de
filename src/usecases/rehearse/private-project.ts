import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { encodeCoinbase } from '../../domain/node/coinbase.ts';
import { STANDALONE_PRESET, type StandaloneSettings } from '../../domain/node/networks.ts';
import { newProjectText } from '../../domain/project/new-project.ts';
import type { NodePorts } from '../../domain/project/types.ts';
import type { RehearsalTiming } from '../../domain/rehearsal/timing.ts';
import type { Context } from '../context.ts';
import { PROJECT_FILE } from '../load-project.ts';
import type { RehearsalFolder } from './folder.ts';
import type { RehearsalImages } from './images.ts';

/** The smallest that a post-service takes (spacemesh.md §3.1): a tiny identity needs no more. */
const NONCES = 16;

export interface PrivateProject {
  readonly name: string;
  readonly network: StandaloneSettings;
  readonly timing: RehearsalTiming;
  readonly images: RehearsalImages;
  readonly ports: NodePorts;
}

/**
 * Writes the smesh.yaml of a private network that serves nobody yet. `init` adds the identities to it, as it adds them to
 * any project.
 */
export async function writePrivateProject(
  context: Context,
  folder: RehearsalFolder,
  project: PrivateProject,
): Promise<void> {
  const { files } = context.ports;
  const { uid, gid } = folder.owner;
  const text = newProjectText({
    name: project.name,
    network: project.network,
    coinbase: throwAwayCoinbase(),
    node: { image: project.images.node, ports: project.ports },
    poet: project.timing.poet,
    defaults: { image: project.images.post, nonces: NONCES, threads: 1, randomx: 'light' },
    identities: [],
  });
  await files.makeDirectory(folder.project, { mode: 0o755, uid, gid });
  // It holds the PoET's key: thrown away with the network, but nobody else's business either.
  await files.writeNew(`${folder.project}/${PROJECT_FILE}`, text, { mode: 0o600, uid, gid });
}

/** An account that nobody has the key of: 24 bytes, the first four zero (spacemesh.md §1.3, preset `standalone`). */
function throwAwayCoinbase(): string {
  const bytes = new Uint8Array(24);
  bytes[4] = 0x31;
  return encodeCoinbase(bytes, STANDALONE_PRESET);
}

const LOWEST_PORT = 20_000;
const PORT_RANGE = 10_000;
const TRIES = 200;

/** Ports that nobody uses, away from those of real projects; drawn, so that two rehearsals do not meet. */
export async function findFreePorts(context: Context): Promise<NodePorts> {
  const { system, crypto } = context.ports;
  const taken = new Set<number>();
  const draw = async (address: string): Promise<number> => {
    for (let left = TRIES; left > 0; left -= 1) {
      const port = LOWEST_PORT + (Buffer.from(crypto.randomBytes(4)).readUInt32BE() % PORT_RANGE);
      if (taken.has(port) || (await system.portOwner(port, address)) !== undefined) continue;
      taken.add(port);
      return port;
    }
    throw new SmeshError(
      'no-free-port',
      ExitCode.environment,
      `No free port was found from ${LOWEST_PORT} on. Nothing was changed.`,
    );
  };
  return {
    p2p: await draw('0.0.0.0'),
    publicApi: await draw('127.0.0.1'),
    privateApi: await draw('127.0.0.1'),
  };
}
