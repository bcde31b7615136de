import { isMapping } from '../is-mapping.ts';
import { defaultPoet, MAINNET_POETS } from '../node/networks.ts';
import { parseGoDuration } from '../project/duration.ts';
import type { NewProject } from '../project/new-project.ts';
import type { Network, PoetServer, PoetSettings } from '../project/types.ts';
import { at, lowerKeys, type Tree } from './node-flags.ts';

const TIMES = {
  phaseShift: 'poet.phase-shift',
  cycleGap: 'poet.cycle-gap',
  gracePeriod: 'poet.grace-period',
  positioningAtxTimeout: 'poet.positioning-atx-selection-timeout',
  retryDelay: 'poet.retry-delay',
  requestTimeout: 'poet.poet-request-timeout',
} as const satisfies Partial<Record<keyof PoetSettings, string>>;

/** Keys of a node's configuration that smesh.yaml has of its own. */
export const POET_KEYS: readonly string[] = [...Object.values(TIMES), 'poet.retry-max', 'main.poet-servers'];

export interface PoetReading {
  /** Only what differs from the network's own. */
  readonly written: NonNullable<NewProject['poet']>;
  readonly faults: readonly string[];
}

/** PoETs, phase shift and cycle gap as the node has them (spacemesh.md §1.2, §1.3). */
export function readPoet(config: Tree, network: Network): PoetReading {
  const preset = defaultPoet(network);
  const faults: string[] = [];
  const written: { -readonly [K in keyof PoetSettings]?: PoetSettings[K] } = {};
  for (const [field, path] of Object.entries(TIMES) as [keyof typeof TIMES, string][]) {
    const said = at(config, path);
    if (said === undefined) continue;
    const seconds = parseGoDuration(String(said));
    if (seconds === undefined) faults.push(`${path} ${JSON.stringify(said)} is no duration`);
    else if (seconds !== preset[field]) written[field] = seconds;
  }
  const tries = at(config, 'poet.retry-max');
  if (tries !== undefined && Number(tries) !== preset.retryMax) written.retryMax = Number(tries);
  // Left out it would be computed from the tries here, and by the node it is not.
  if ((written.retryDelay ?? written.retryMax) !== undefined)
    written.requestTimeout = written.requestTimeout ?? preset.requestTimeout;
  const servers = readServers(at(config, 'main.poet-servers'), faults);
  if (servers !== undefined && JSON.stringify(servers) !== JSON.stringify(preset.servers))
    written.servers = servers;
  return { written, faults };
}

function readServers(value: unknown, faults: string[]): readonly PoetServer[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.map((entry): PoetServer => {
    const server = lowerKeys(entry);
    const address = isMapping(server) ? String(server['address'] ?? '') : String(entry);
    const said = isMapping(server) ? server['pubkey'] : undefined;
    const pubkey = said ?? MAINNET_POETS.find((known) => known.address === address)?.pubkey;
    if (typeof pubkey !== 'string' || pubkey === '')
      faults.push(
        `the PoET ${address} has no pubkey in the node's configuration: such a node crashes when a round ends. Put it there first; ${address}/v1/info says it`,
      );
    return { address, pubkey: typeof pubkey === 'string' ? pubkey : '' };
  });
}
