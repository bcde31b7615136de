import { isMapping } from '../../is-mapping.ts';
import { error, type Finding, type Rule, warning } from './rule.ts';

/**
 * Keys of the node that `node.config` may not set, with what to do instead: they would break one node for many
 * identities, or part the node from what its provers are started with (spacemesh.md §1.2, §9.1, §14.2).
 */
const REFUSED: Readonly<Record<string, string>> = {
  preset: 'set network instead',
  'genesis.genesis-time': 'it belongs to the network',
  'genesis.genesis-extra-data': 'it belongs to the network',
  'main.data-folder': 'the folder is mounted there; set node.data instead',
  'main.filelock': 'the lock inside the data folder keeps a second node away from it',
  'main.poet-servers': 'set poet.servers instead',
  'main.poet-server': 'the node refuses to start with it; set poet.servers instead',
  'main.layer-duration': 'it belongs to the network',
  'main.layers-per-epoch': 'it belongs to the network',
  'main.network-hrp': 'it belongs to the network',
  'main.standalone': 'it belongs to the network',
  'smeshing.smeshing-start': 'with post-services of its own beside it the node refuses to start',
  'smeshing.smeshing-coinbase': 'set coinbase instead',
  'smeshing.smeshing-opts.smeshing-opts-scrypt': 'it belongs to the network',
  post: 'it belongs to the network: node and post-services must agree',
  'poet.phase-shift': 'set poet.phaseShift instead',
  'poet.cycle-gap': 'set poet.cycleGap instead',
  'poet.grace-period': 'set poet.gracePeriod instead',
  'poet.positioning-atx-selection-timeout': 'set poet.positioningAtxTimeout instead',
  'poet.poet-request-timeout': 'set poet.requestTimeout instead',
  'poet.retry-delay': 'set poet.retryDelay instead',
  'poet.retry-max': 'set poet.retryMax instead',
  'api.grpc-public-listener': 'set node.ports.publicApi instead',
  'api.grpc-private-listener': 'set node.ports.privateApi instead',
  'api.grpc-post-listener': 'the post-services connect there',
  'api.publicservices': 'status asks these services',
  'api.privateservices': 'status asks these services',
  'api.postservices': 'the post-services need it as it is',
};

/** Sections that hold such keys: anything but a mapping in their place would replace them whole. */
const SECTIONS = new Set(
  Object.keys(REFUSED).flatMap((key) => {
    const parts = key.split('.');
    return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('.'));
  }),
);

const P2P_LISTEN = 'p2p.listen';

/** The node reads keys without regard to case, and a dot in a key as one more level (spacemesh.md §1.1). */
function checkMapping(
  value: Readonly<Record<string, unknown>>,
  prefix: string,
  path: readonly PropertyKey[],
): Finding[] {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const [key, entry] of Object.entries(value)) {
    const name = key.toLowerCase();
    const full = prefix === '' ? name : `${prefix}.${name}`;
    const here = [...path, key];
    if (seen.has(name))
      findings.push(error(here, 'stands here twice: the node does not tell capital letters from small ones'));
    seen.add(name);
    const reason = REFUSED[full];
    if (reason !== undefined) findings.push({ ...error(here, `cannot be overridden: ${reason}`), at: 'key' });
    else if (SECTIONS.has(full) && !isMapping(entry)) {
      findings.push(error(here, 'must be a mapping: another value would replace the whole section'));
    } else if (isMapping(entry)) findings.push(...checkMapping(entry, full, here));
    else findings.push(...checkValue(entry, full, here));
  }
  return findings;
}

function checkValue(value: unknown, full: string, path: readonly PropertyKey[]): readonly Finding[] {
  if (typeof value === 'number' && !(Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
    return [error(path, 'is too large to be carried exactly; put it in quotation marks')];
  }
  if (full === P2P_LISTEN) {
    return [
      warning(
        path,
        'node.ports.p2p is what the container publishes; keep the two alike, or publish in compose.override.yaml',
      ),
    ];
  }
  return [];
}

/** What would break the set-up is refused at its line, not found in the node's log. */
export const nodeConfig: Rule = ({ project }) => checkMapping(project.node.config, '', ['node', 'config']);
