import { stringify } from 'yaml';
import type { SmesherId } from '../identity/smesher-id.ts';
import type { StandaloneSettings } from '../node/networks.ts';
import { formatGoDuration } from './duration.ts';
import type { NodePorts, NodeSettings, PoetServer, PoetSettings, ProverSettings } from './types.ts';

/** An identity as it is written into smesh.yaml; what is left out follows `defaults`. */
export interface NewIdentity extends Partial<ProverSettings> {
  readonly id: SmesherId;
  readonly name: string;
  readonly data: string;
  readonly disk?: string;
  readonly user?: string;
}

/** What a first `init` writes down; everything else keeps its default and is not written. */
export interface NewProject {
  readonly name?: string;
  readonly network: 'mainnet' | 'testnet' | StandaloneSettings;
  readonly coinbase: string;
  readonly node?: Partial<Omit<NodeSettings, 'ports'>> & { readonly ports?: Partial<NodePorts> };
  readonly poet?: Partial<Omit<PoetSettings, 'servers'>> & { readonly servers?: readonly PoetServer[] };
  readonly defaults?: Partial<ProverSettings>;
  readonly identities: readonly NewIdentity[];
}

/** YAML of a value as this tool writes it: readable by 1.1 and 1.2 readers, one line per value. */
export function yamlText(value: unknown): string {
  return stringify(value, {
    compat: 'yaml-1.1',
    aliasDuplicateObjects: false,
    lineWidth: 0,
    singleQuote: true,
    flowCollectionPadding: false,
  });
}

/** An identity's keys in the order in which they are written. */
export function identityEntry(identity: NewIdentity): Readonly<Record<string, unknown>> {
  const { id, name, data, disk, user, ...settings } = identity;
  const entry = { id, name, data, disk, user, ...settings };
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

const DURATIONS = [
  'phaseShift',
  'cycleGap',
  'gracePeriod',
  'positioningAtxTimeout',
  'retryDelay',
  'requestTimeout',
] as const;

function poetEntry(poet: NonNullable<NewProject['poet']>): Readonly<Record<string, unknown>> {
  const entry: Record<string, unknown> = { ...poet };
  for (const key of DURATIONS) {
    const seconds = poet[key];
    if (seconds !== undefined) entry[key] = formatGoDuration(seconds);
  }
  return entry;
}

function networkEntry(network: NewProject['network']): unknown {
  if (typeof network === 'string') return network;
  const { genesisTime, poetPrivateKey, layerSeconds, layersPerEpoch, post } = network;
  return {
    standalone: {
      genesisTime,
      poetPrivateKey,
      ...(layerSeconds === undefined ? {} : { layer: formatGoDuration(layerSeconds) }),
      ...(layersPerEpoch === undefined ? {} : { layersPerEpoch }),
      ...post,
    },
  };
}

function isEmpty(value: object | undefined): boolean {
  return value === undefined || Object.keys(value).length === 0;
}

/** The text of a first smesh.yaml, with comments that say what else can be set. */
export function newProjectText(project: NewProject): string {
  const { name, network, coinbase, node, poet, defaults, identities } = project;
  const part = (comments: readonly string[], value: object, otherwise = ''): string =>
    `${comments.map((line) => `# ${line}\n`).join('')}${isEmpty(value) ? otherwise : yamlText(value)}`;
  const parts = [
    part(
      [
        'The model of this folder: one Spacemesh node and the identities that it serves.',
        'Yours to edit; the tool adds and removes entries and leaves the rest, comments too, as it is.',
        'After a change: smesh-compose generate (or up, which does that first).',
      ],
      { version: 1, ...(name === undefined ? {} : { name }) },
    ),
    part(
      typeof network === 'string'
        ? []
        : ['A private network of one node. Its PoET key is thrown away with it.'],
      { network: networkEntry(network) },
    ),
    part(['The account that earns the rewards.'], { coinbase }),
    part(
      [
        'The node. More keys: image, ports, user, memory, subnet, config (overrides of its own configuration).',
      ],
      isEmpty(node) ? {} : { node },
      '# node: {data: node-data}\n',
    ),
    ...(poet === undefined || isEmpty(poet)
      ? []
      : [
          part(['PoETs to register with; without this part those of the network.'], {
            poet: poetEntry(poet),
          }),
        ]),
    part(
      [
        'What every post-service is run with, unless its own entry says otherwise: image, nonces, threads or pinnedCores,',
        'randomx, memory, log, remoteK2pow.',
      ],
      defaults === undefined || isEmpty(defaults) ? {} : { defaults },
      '# defaults: {nonces: 128, threads: 0}\n',
    ),
    part(
      [
        'One entry per PoST directory. A name stays with its identity for good. Any key of defaults can stand here, and',
        'disk: entries with the same word share one reader (default: the disk is looked up).',
      ],
      { identities: identities.map(identityEntry) },
    ),
  ];
  return parts.join('\n');
}
