import { NODE_PORTS, proverNetworkFlags } from '../node/config.ts';
import type { Identity, Network, RemoteK2pow } from '../project/types.ts';
import { bindMount, OPERATOR_PORT, PROVER_HARDENING } from './hardening.ts';
import { writeLabels } from './labels.ts';
import type { ComposeService } from './types.ts';

/** Where a prover finds its data. */
export const POST_FOLDER = '/post';

function remoteK2powFlags(remote: RemoteK2pow | undefined): readonly string[] {
  if (remote === undefined) return [];
  return [
    ...['--remote-k2pow', remote.url],
    ...(remote.parallelism === undefined ? [] : ['--remote-k2pow-parallelism', `${remote.parallelism}`]),
    ...(remote.backoffSeconds === undefined ? [] : ['--remote-k2pow-backoff', `${remote.backoffSeconds}`]),
  ];
}

/** Arguments of post-service (spacemesh.md §3.1). */
export function proverCommand(identity: Identity, network: Network): readonly string[] {
  return [
    ...['--dir', POST_FOLDER],
    ...['--address', `http://node:${NODE_PORTS.post}`],
    // Numeric: a name would be refused.
    ...['--operator-address', `0.0.0.0:${OPERATOR_PORT}`],
    ...(identity.pinnedCores === undefined
      ? ['--threads', `${identity.threads ?? 0}`]
      : ['--pinned-cores', identity.pinnedCores.join(',')]),
    ...['--nonces', `${identity.nonces}`],
    ...['--randomx-mode', identity.randomx],
    ...proverNetworkFlags(network),
    ...remoteK2powFlags(identity.remoteK2pow),
  ];
}

/**
 * One identity's post-service. No `depends_on` and nothing of other identities: Compose would recreate it with the node
 * or with its neighbours, and its proof would be lost (spacemesh.md §14.6).
 */
export function proverService(identity: Identity, network: Network, user: string): ComposeService {
  return {
    image: identity.image,
    user,
    command: proverCommand(identity, network),
    environment: { RUST_LOG: identity.log },
    volumes: [bindMount(identity.data, POST_FOLDER, 'ro')],
    mem_limit: identity.memory,
    labels: writeLabels({ role: 'prover', smesherId: identity.id }),
    ...PROVER_HARDENING,
  };
}
