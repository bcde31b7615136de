import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { checkCoinbase } from '../../domain/node/coinbase.ts';
import { isGenesisTime, MAINNET, standaloneNetwork, TESTNET } from '../../domain/node/networks.ts';
import type { ScannedDirectory } from '../../domain/post/types.ts';
import { DEFAULT_PORTS } from '../../domain/project/defaults.ts';
import { PROJECT_NAME, projectNameFor } from '../../domain/project/name.ts';
import type { Network, NetworkName, NodePorts } from '../../domain/project/types.ts';
import { formatBytes } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import type { InitOptions } from './options.ts';

/** Data that was found, as far as it speaks for a network. */
interface FoundData {
  readonly directories: readonly Pick<ScannedDirectory, 'network'>[];
}

/** Networks that the data found speaks for, most directories first. */
function networksFound(report: FoundData): readonly NetworkName[] {
  const counts = new Map<NetworkName, number>();
  for (const { network } of report.directories) {
    if (network !== undefined && network !== 'unknown') counts.set(network, (counts.get(network) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name);
}

/**
 * The network to serve. Told by the labels per unit of the data; asked only where they leave a choice. A private
 * network gets a PoET key pair of its own: without one its node crashes at the end of each round (spacemesh.md §7.2).
 */
export async function askNetwork(
  context: Context,
  options: InitOptions,
  report: FoundData,
): Promise<Network> {
  const found = networksFound(report);
  const name = options.network ?? (await chooseNetwork(context, found));
  if (name === 'mainnet') return MAINNET;
  if (name === 'testnet') return TESTNET;
  const genesisTime = options.genesisTime ?? (await askGenesisTime(context));
  return standaloneNetwork({ genesisTime, poetPrivateKey: makePoetKey(context) });
}

/** Only whoever made the data knows it: the labels commit to it (spacemesh.md §2.2), and the node keeps it for good. */
async function askGenesisTime(context: Context): Promise<string> {
  return context.ports.prompt.input({
    explanation:
      'A private network begins at a time of its own, in UTC (2030-01-01T00:00:00Z); the data was made for it.',
    message: 'Genesis time',
    flag: '--genesis-time TIME',
    validate: (text) =>
      isGenesisTime(text) ? undefined : 'a time in UTC such as 2030-01-01T00:00:00Z, please',
  });
}

async function chooseNetwork(context: Context, found: readonly NetworkName[]): Promise<NetworkName> {
  const [first, ...rest] = found;
  if (first !== undefined && rest.length === 0) return first;
  if (context.yes || !context.out.interactive) return first ?? 'mainnet';
  const answer = await context.ports.prompt.select({
    message:
      found.length > 1 ? 'The data is of several networks. Which one should this node serve?' : 'Network',
    flag: '--network NAME',
    initial: first ?? 'mainnet',
    choices: [
      { value: 'mainnet', label: 'mainnet' },
      { value: 'testnet', label: 'testnet' },
      { value: 'standalone', label: 'standalone', hint: 'a private network, for tests' },
    ],
  });
  return answer === 'testnet' || answer === 'standalone' ? answer : 'mainnet';
}

/** A key pair for the PoET inside a private network's node: base64 of seed and public key (spacemesh.md §10). */
export function makePoetKey(context: Context): string {
  const seed = context.ports.crypto.randomBytes(32);
  return Buffer.concat([seed, context.ports.crypto.publicKeyOfSeed(seed)]).toString('base64');
}

/** Says before a scan that may take minutes what will be missing after it, where nobody can be asked. */
export function requireAnswers(context: Context, options: InitOptions): void {
  if (context.out.interactive || options.coinbase !== undefined) return;
  throw new SmeshError(
    'input-required',
    ExitCode.usage,
    'Nobody can be asked here (no terminal, CI or --json), and this was not said: the coinbase, the account that earns',
    { hint: 'Nothing was changed. Give it with: --coinbase ADDRESS' },
  );
}

/** The account that earns: without it the node serves nobody (spacemesh.md §1.2). Checked before anything is written. */
export async function askCoinbase(context: Context, options: InitOptions, network: Network): Promise<string> {
  const fault = (address: string) => {
    const check = checkCoinbase(address, network);
    return check.ok ? undefined : check.reason;
  };
  if (options.coinbase !== undefined) {
    const reason = fault(options.coinbase);
    if (reason === undefined) return options.coinbase;
    throw new SmeshError('bad-coinbase', ExitCode.usage, `--coinbase ${options.coinbase}: ${reason}`, {
      hint: `Nothing was changed. An address of ${network.name} begins with ${network.hrp}1; the wallet shows it.`,
    });
  }
  return context.ports.prompt.input({
    message: 'Coinbase',
    explanation: `The account that earns the rewards of all identities, ${network.hrp}1…; without it the node serves nobody.`,
    flag: '--coinbase ADDRESS',
    validate: fault,
  });
}

/** The node's data folder: a new one, or that of a node that stops being used by anything else. */
export async function askNodeData(context: Context, options: InitOptions): Promise<string> {
  const initial = `${context.directory}/node-data`;
  if (options.nodeData !== undefined) return options.nodeData;
  if (context.yes || !context.out.interactive) return initial;
  const free = await context.ports.files.freeBytes(initial);
  return context.ports.prompt.input({
    message: "Node's data folder",
    explanation: `Where shall the node keep its data? There are ${formatBytes(free)} free at the suggested place.`,
    flag: '--node-data DIRECTORY',
    initial,
    validate: (answer) => (answer.startsWith('/') ? undefined : 'an absolute path, please'),
  });
}

/** Compose project name; containers and network are named after it. */
export async function askProjectName(context: Context, options: InitOptions): Promise<string> {
  const initial = projectNameFor(context.directory);
  const fault = (name: string) =>
    PROJECT_NAME.test(name) ? undefined : 'small letters, digits, hyphens; the first a letter or digit';
  const given = options.projectName;
  if (given !== undefined) {
    const reason = fault(given);
    if (reason === undefined) return given;
    throw new SmeshError('bad-name', ExitCode.usage, `--name ${given}: ${reason}`, {
      hint: 'Nothing was changed.',
    });
  }
  if (context.yes || !context.out.interactive) return initial;
  return context.ports.prompt.input({
    message: 'Name of the Compose project',
    flag: '--name NAME',
    initial,
    validate: fault,
  });
}

const PORTS = [
  { key: 'p2p', option: 'p2pPort', flag: '--p2p-port', what: 'p2p', address: '0.0.0.0' },
  {
    key: 'publicApi',
    option: 'publicPort',
    flag: '--public-port',
    what: 'public API (this host only)',
    address: '127.0.0.1',
  },
  {
    key: 'privateApi',
    option: 'privatePort',
    flag: '--private-port',
    what: 'private API (this host only)',
    address: '127.0.0.1',
  },
] as const;

const HIGHEST_PORT = 65_535;

/**
 * Ports on the host. One that somebody else uses is named with its user; another is taken only with consent
 * (scenario S19).
 */
export async function askPorts(context: Context, options: InitOptions): Promise<NodePorts> {
  const chosen: Record<keyof NodePorts, number> = { ...DEFAULT_PORTS };
  for (const port of PORTS) {
    const given = options[port.option];
    if (given !== undefined) chosen[port.key] = given;
    const taken = new Set(PORTS.filter(({ key }) => key !== port.key).map(({ key }) => chosen[key]));
    const owner = await context.ports.system.portOwner(chosen[port.key], port.address);
    if (owner === undefined) continue;
    const problem = `Port ${chosen[port.key]} for the ${port.what} is in use by ${owner.description}.`;
    if (context.yes || !context.out.interactive) {
      context.out.warn(`${problem} The node cannot start until it is free; another one: ${port.flag} PORT`);
      continue;
    }
    const suggestion = await findFreePort(context, chosen[port.key] + 1, port.address, taken);
    const answer = await context.ports.prompt.input({
      message: 'Which port instead?',
      explanation: problem,
      flag: `${port.flag} PORT`,
      initial: String(suggestion),
      validate: async (text) => {
        const wanted = Number(text);
        if (!/^\d+$/.test(text) || wanted < 1 || wanted > HIGHEST_PORT) return 'a port from 1 to 65535';
        if (taken.has(wanted)) return `${wanted} is another port of this node already`;
        const user = await context.ports.system.portOwner(wanted, port.address);
        return user === undefined ? undefined : `${wanted} is in use by ${user.description}`;
      },
    });
    chosen[port.key] = Number(answer);
  }
  return chosen;
}

async function findFreePort(
  context: Context,
  from: number,
  address: string,
  taken: ReadonlySet<number>,
): Promise<number> {
  for (let port = from; port <= HIGHEST_PORT; port += 1) {
    if (!taken.has(port) && (await context.ports.system.portOwner(port, address)) === undefined) return port;
  }
  return from;
}
