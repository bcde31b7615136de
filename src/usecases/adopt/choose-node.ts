import type { FoundProgram, NotTaken } from '../../domain/adopt/found.ts';
import type { NodeReading } from '../../domain/adopt/node.ts';
import { type FoundProver, readProver } from '../../domain/adopt/prover.ts';
import { foundRole } from '../../domain/adopt/role.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { fromWorkingDirectory } from '../init/options.ts';
import type { LoadedProject } from '../load-project.ts';
import type { Gathered } from './gather.ts';

export interface NodeChoice {
  readonly node: FoundProgram;
  /** Those that connect to it, or to nobody who was found. */
  readonly provers: readonly FoundProver[];
  readonly notTaken: readonly NotTaken[];
}

export interface NodeOptions {
  /** Service or container, where there are several. */
  readonly node?: string;
  /** Of a node that is a process of the host and therefore in no list. */
  readonly nodeConfig?: string;
  readonly nodeData?: string;
}

/** Of a project that is there: what is adopted besides are post-services for its node. */
export interface OwnNode {
  readonly node: FoundProgram;
  readonly reading: NodeReading;
}

/** The node of a project, for sources that have none of their own. */
export function nodeOfProject(
  { project }: LoadedProject,
  gathered: Gathered,
  options: NodeOptions,
): OwnNode | undefined {
  const named = options.node ?? options.nodeConfig;
  if (named !== undefined || gathered.programs.some((program) => foundRole(program) === 'node'))
    return undefined;
  const { name, network, coinbase, node } = project;
  return {
    node: {
      ...nobody,
      name: 'node',
      where: 'the node of this project',
      // As Compose will have it: nothing has to go before it.
      container: { id: '', name: `${name}-node-1`, project: name, service: 'node', runs: true },
      names: ['node'],
    },
    reading: {
      network,
      parts: {
        network: network.name === 'testnet' ? 'testnet' : 'mainnet',
        coinbase,
        node: { data: node.data },
      },
      left: [],
    },
  };
}

const nobody = { words: [], environment: {}, mounts: [], ports: [], hostNetwork: true, rest: [] } as const;

/** One project has one node: the one found, the one named, or the one that the post-services connect to. */
export async function chooseNode(
  gathered: Gathered,
  options: NodeOptions,
  own: FoundProgram | undefined,
): Promise<NodeChoice> {
  const provers = gathered.programs.filter((program) => foundRole(program) === 'prover').map(readProver);
  const found = gathered.programs.filter((program) => foundRole(program) === 'node');
  const node = own ?? processNode(options) ?? (await pick(gathered, found, provers, options));
  const others = found.filter((one) => one !== node);
  const taken = provers.filter(
    (prover) => others.every((other) => !connects(prover, other)) || connects(prover, node),
  );
  return {
    node,
    provers: taken,
    notTaken: [
      ...provers
        .filter((prover) => !taken.includes(prover))
        .map(({ program, address }) => ({
          service: program.name,
          why: `it belongs to another node (${address}): adopt that one into a folder of its own, with --node`,
        })),
      ...others.map(({ name }) => ({
        service: name,
        why: 'one project has one node; adopt it into a folder of its own',
      })),
    ],
  };
}

function processNode({ nodeConfig, nodeData }: NodeOptions): FoundProgram | undefined {
  if (nodeConfig === undefined) return undefined;
  const config = fromWorkingDirectory(nodeConfig);
  return {
    ...nobody,
    name: 'node',
    where: `the node of ${config}`,
    words: [
      ...['go-spacemesh', '--config', config],
      ...(nodeData === undefined ? [] : ['--data-folder', fromWorkingDirectory(nodeData)]),
    ],
    names: ['localhost', '127.0.0.1'],
  };
}

function connects({ address }: FoundProver, node: FoundProgram): boolean {
  const host = /^https?:\/\/(\[[^\]]*\]|[^:/]*)/.exec(address ?? '')?.[1];
  return host !== undefined && node.names.includes(host);
}

async function pick(
  gathered: Gathered,
  found: readonly FoundProgram[],
  provers: readonly FoundProver[],
  { node: wanted }: NodeOptions,
): Promise<FoundProgram> {
  const isWanted = ({ name, container }: FoundProgram) => name === wanted || container?.name === wanted;
  const candidates = wanted === undefined ? found : found.filter(isWanted);
  const [first, ...others] = candidates;
  if (first !== undefined && others.length === 0) return first;
  if (first !== undefined) throw several(candidates);
  // A scheduler lists post-services and leaves the node out; they say where it is.
  const near = (await gathered.engineNodes()).filter((one) =>
    wanted === undefined ? provers.some((prover) => connects(prover, one)) : isWanted(one),
  );
  const [only, ...more] = near;
  if (only !== undefined && more.length === 0) return only;
  if (only !== undefined) throw several(near);
  throw new SmeshError(
    'no-node',
    ExitCode.invalid,
    wanted === undefined ? 'No node was found, and a project needs one' : `No node ${wanted} was found`,
    {
      details: provers.map(({ program, address }) => `${program.where} connects to ${address ?? '(nobody)'}`),
      hint: 'Nothing was changed. Name its container too; of a process: --node-config FILE --node-data DIR',
    },
  );
}

function several(nodes: readonly FoundProgram[]): SmeshError {
  return new SmeshError(
    'several-nodes',
    ExitCode.usage,
    `There are ${nodes.length} nodes, and one project has one`,
    {
      details: nodes.map(({ name, where }) => `${name}: ${where}`),
      hint: 'Nothing was changed. Adopt each with its post-services into a folder of its own: smesh-compose -C DIR adopt … --node NAME',
    },
  );
}
