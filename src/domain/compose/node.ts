import { digestOf } from '../digest.ts';
import type { SmesherId } from '../identity/smesher-id.ts';
import { NODE_DATA_FOLDER, NODE_PORTS } from '../node/config.ts';
import { absolutePath } from '../project/paths.ts';
import type { Project } from '../project/types.ts';
import { bindMount, NODE_HARDENING } from './hardening.ts';
import { identitySetDigest, writeLabels } from './labels.ts';
import type { ComposeService } from './types.ts';

/** Path of the generated node configuration, relative to the project directory. */
export const NODE_CONFIG_PATH = 'node/config.json';

/**
 * Profile of a node that has no key yet: none of Compose's commands starts it. Without any key it would make `local.key`,
 * which keeps it from starting once others are there (spacemesh.md §2.1).
 */
export const WITHOUT_KEYS = 'node-without-keys';

const CONFIG_IN_CONTAINER = '/config.json';

export interface NodeServiceFacts {
  readonly directory: string;
  readonly user: string;
  /** Text of node/config.json. */
  readonly config: string;
  /** Of every key in its `identities/`. */
  readonly installedIds: readonly SmesherId[];
}

/** The one node that serves all identities (design §5; spacemesh.md §4, §14.2). */
export function nodeService(
  project: Project,
  { directory, user, config, installedIds }: NodeServiceFacts,
): ComposeService {
  const { node, network } = project;
  const { p2p, publicApi, privateApi } = node.ports;
  return {
    image: node.image,
    user,
    command: ['-c', CONFIG_IN_CONTAINER],
    ...(network.poetPrivateKey === undefined
      ? {}
      : { environment: { POET_PRIVATE_KEY: network.poetPrivateKey } }),
    ports: [
      `${p2p}:${p2p}`,
      // The private API stops smeshing and recovers from checkpoints without asking who calls (spacemesh.md §9.1).
      `127.0.0.1:${publicApi}:${NODE_PORTS.publicApi}`,
      `127.0.0.1:${privateApi}:${NODE_PORTS.privateApi}`,
    ],
    volumes: [
      bindMount(absolutePath(directory, NODE_CONFIG_PATH), CONFIG_IN_CONTAINER, 'ro'),
      bindMount(node.data, NODE_DATA_FOLDER, 'rw'),
    ],
    ...(node.memory === undefined ? {} : { mem_limit: node.memory }),
    // The two that make a changed set of keys or a changed configuration recreate the node, also for plain Compose.
    labels: writeLabels({
      role: 'node',
      identities: identitySetDigest(installedIds),
      config: digestOf(config).slice(0, 16),
    }),
    ...NODE_HARDENING,
    ...(installedIds.length === 0 ? { profiles: [WITHOUT_KEYS] } : {}),
  };
}
