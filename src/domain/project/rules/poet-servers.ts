import { hasPoetInNode, IN_PROCESS_POET, IN_PROCESS_POETS, poetPublicKey } from '../../node/networks.ts';
import { error, type Finding, type Rule, repeated } from './rule.ts';

const NONE_BY_DEFAULT = {
  mainnet: '',
  testnet: ', and testnet has none by default',
  standalone: ', and a private network with external PoETs has none by default',
} as const;

/** A PoET to register with, each once; a private network has exactly its own, with its key (spacemesh.md §10, §14.2). */
export const poetServers: Rule = ({ project }) => {
  const { servers } = project.poet;
  const { network } = project;
  if (servers.length === 0) {
    return [
      error(
        ['poet', 'servers'],
        `names no PoET${NONE_BY_DEFAULT[network.name]}: nothing could be registered`,
      ),
    ];
  }
  const findings: Finding[] = [
    ...repeated(
      servers,
      ({ address }) => address,
      ({ address }, index) => error(['poet', 'servers', index, 'address'], `${address} stands here twice`),
    ),
  ];
  if (hasPoetInNode(network)) {
    const [own] = servers;
    if (servers.length !== 1 || !IN_PROCESS_POETS.includes(own?.address ?? '')) {
      findings.push(
        error(
          ['poet', 'servers'],
          `a private network has exactly one PoET, ${IN_PROCESS_POET} in the node itself`,
        ),
      );
    } else if (own?.pubkey !== poetPublicKey(network.poetPrivateKey ?? '')) {
      findings.push(
        error(['poet', 'servers', 0, 'pubkey'], 'does not belong to network.standalone.poetPrivateKey'),
      );
    }
  }
  return findings;
};
