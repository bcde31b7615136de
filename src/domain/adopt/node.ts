import { hostPath, isOnHost } from '../compose/who-serves.ts';
import { isMapping } from '../is-mapping.ts';
import { mergeConfig } from '../node/config.ts';
import type { NewProject } from '../project/new-project.ts';
import type { Network, NodePorts } from '../project/types.ts';
import type { FoundProgram, NotExpressible } from './found.ts';
import { shownValue } from './found.ts';
import { imageFor } from './image.ts';
import { leftEnvironment, leftMounts, leftoversOf } from './leftovers.ts';
import { at, lowerKeys, parseJson, readNodeFlags, type Tree, without } from './node-flags.ts';
import { NETWORK_KEYS, readNetwork } from './node-network.ts';
import { POET_KEYS, readPoet } from './node-poet.ts';
import { readPorts } from './node-ports.ts';
import { memoryText, numericUser } from './values.ts';

/** Where on the host a path of a program lies; of a bare process it lies there itself. */
export function placeOnHost(program: FoundProgram, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  if (program.image !== undefined)
    return hostPath(program.mounts.filter(isOnHost), path.replace(/(?<=.)\/+$/, ''));
  return path.startsWith('/') ? path : program.folders?.map((folder) => `${folder}/${path}`)[0];
}

/** The file that a node is configured by, on the host. */
export function configPlace(program: FoundProgram): string | undefined {
  return placeOnHost(program, readNodeFlags(program.words).config);
}

/** File and flags together; `undefined` where the file is no JSON object. */
export function nodeConfiguration(program: FoundProgram, configText: string | undefined): Tree | undefined {
  const file = configText === undefined ? {} : lowerKeys(parseJson(configText));
  return isMapping(file) ? mergeConfig(file, readNodeFlags(program.words).tree) : undefined;
}

/** The data folder on the host (spacemesh.md §1.2); `undefined`: it is inside the container only. */
export function dataPlace(program: FoundProgram, config: Tree): string | undefined {
  const said = at(config, 'main.data-folder');
  const home = program.environment['HOME'] ?? '/root';
  return placeOnHost(program, typeof said === 'string' && said !== '' ? said : `${home}/spacemesh`);
}

export interface NodeReading {
  readonly network: Network;
  readonly parts: Pick<NewProject, 'network' | 'coinbase' | 'node' | 'poet'>;
  readonly left: readonly NotExpressible[];
}

/** Sections and keys that smesh.yaml cannot take over, and why. */
const LEFT: Readonly<Record<string, string>> = {
  'main.filelock': 'becomes a lock inside the data folder: it keeps a second node away from it',
  'main.poet-server': 'left out: the node refuses it',
  'api.publicservices': 'left out: status asks these services',
  'api.privateservices': 'left out: the tool adds what it asks',
  'api.postservices': 'left out: post-services need them as they are',
  'api.grpc-tls-listener':
    'left out: provers of the project reach the node without TLS; another host needs compose.override.yaml',
  'api.grpc-tls-services': 'left out with grpc-tls-listener',
  'api.grpc-tls-ca-cert': 'left out with grpc-tls-listener',
  'api.grpc-tls-cert': 'left out with grpc-tls-listener',
  'api.grpc-tls-key': 'left out with grpc-tls-listener',
  'smeshing.smeshing-opts': 'left out: it concerns a node that proves by itself',
  'smeshing.smeshing-proving-opts': 'left out: it concerns a node that proves by itself',
};

/** Said in another place of smesh.yaml, or true of every node here. */
const SAID_ELSEWHERE: readonly string[] = [
  ...['main.data-folder', 'smeshing.smeshing-start', 'smeshing.smeshing-coinbase'],
  ...['api.grpc-public-listener', 'api.grpc-private-listener', 'api.grpc-post-listener'],
  ...NETWORK_KEYS,
  ...POET_KEYS,
];

/**
 * A node's part of smesh.yaml. Faults are what keeps it from being one node for many identities: then nothing can be
 * adopted.
 *
 * @param coinbase what a person says where the configuration has none
 */
export function readNode(
  program: FoundProgram,
  configText: string | undefined,
  coinbase: string | undefined,
): { readonly reading?: NodeReading; readonly faults: readonly string[] } {
  const config = nodeConfiguration(program, configText);
  if (config === undefined) return { faults: ['its configuration is no JSON object'] };
  const found = readNetwork(config, program.environment);
  if (!found.ok) return { faults: [found.why] };
  const { network } = found;
  const faults: string[] = [];
  if (at(config, 'smeshing.smeshing-start') === true)
    faults.push('it smeshes by itself (smeshing-start): a node for post-services must not');
  const data = dataPlace(program, config);
  if (data === undefined)
    faults.push('its data folder is inside the container and not on the host: it has to be copied out first');
  const earner = coinbase ?? text(at(config, 'smeshing.smeshing-coinbase'));
  if (earner === undefined) faults.push('it has no coinbase: name the account with --coinbase');
  const poet = readPoet(config, network);
  faults.push(...poet.faults);
  if (faults.length > 0 || data === undefined || earner === undefined) return { faults };
  const { image, left: leftOfImage } = imageFor(program, 'node');
  const ports = readPorts(program, config, network);
  const user = numericUser(program.user);
  const rest = restOfConfig(config, ports.listenIsSaid);
  const taken = new Set(
    program.mounts
      .filter(({ target }) =>
        [readNodeFlags(program.words).config, text(at(config, 'main.data-folder')) ?? '/root/spacemesh'].some(
          (path) =>
            path === target || path?.startsWith(target.endsWith('/') ? target : `${target}/`) === true,
        ),
      )
      .map(({ target }) => target),
  );
  return {
    faults: [],
    reading: {
      network,
      parts: {
        network: found.written,
        coinbase: earner,
        node: {
          image,
          data,
          ...(Object.keys(ports.ports).length === 0 ? {} : { ports: ports.ports as Partial<NodePorts> }),
          ...(user === undefined || user === '0:0' ? {} : { user }),
          ...(program.memoryBytes === undefined ? {} : { memory: memoryText(program.memoryBytes) }),
          ...(Object.keys(rest).length === 0 ? {} : { config: rest }),
        },
        ...(Object.keys(poet.written).length === 0 ? {} : { poet: poet.written }),
      },
      left: [
        ...leftOfImage,
        ...(program.user !== undefined && (user === undefined || user === '0:0')
          ? [leave(program, 'user', program.user, 'becomes the owner of the data folder')]
          : []),
        ...leftOfConfig(program, config),
        ...readNodeFlags(program.words).unknown.map(({ flag, value }) =>
          leave(program, flag, value, 'not known to this version of the tool: left out'),
        ),
        ...ports.left,
        ...leftMounts(program, taken),
        ...leftEnvironment(
          program,
          new Set(network.name === 'standalone' ? ['POET_PRIVATE_KEY', 'HOME'] : ['HOME']),
        ),
        ...leftoversOf(program),
      ],
    },
  };
}

function restOfConfig(config: Tree, listenIsSaid: boolean): Tree {
  const said = [...SAID_ELSEWHERE, ...Object.keys(LEFT), ...(listenIsSaid ? ['p2p.listen'] : [])];
  return said.reduce(without, config);
}

function leftOfConfig(program: FoundProgram, config: Tree): readonly NotExpressible[] {
  return Object.entries(LEFT).flatMap(([path, meaning]) => {
    // What a network is made of was read from there already.
    const value = at(without(config, 'smeshing.smeshing-opts.smeshing-opts-scrypt'), path);
    return value === undefined ? [] : [leave(program, path, shownValue('', value), meaning)];
  });
}

function leave(program: FoundProgram, key: string, value: string, meaning: string): NotExpressible {
  return { service: program.name, key, value: shownValue('', value), meaning };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
