import { ExitCode, SmeshError } from '../domain/errors.ts';
import { isGenesisTime } from '../domain/node/networks.ts';
import type { NetworkName } from '../domain/project/types.ts';
import { fromWorkingDirectory, type InitOptions } from '../usecases/init/options.ts';
import type { Invocation, OptionSpec } from './command.ts';
import { flagOption, integerOption, listOption, textOption } from './options.ts';

const HIGHEST_PORT = 65_535;
const DEEPEST = 64;

/** Options that `init` and `add` share. */
export const searchOptions: readonly OptionSpec[] = [
  { flags: '--keys <path...>', summary: 'further files or folders to look for keys in' },
  { flags: '--ignore <path...>', summary: 'directories to leave out, such as the copy that is not served' },
  { flags: '--only <which...>', summary: 'take these alone: directories or smesher IDs' },
  { flags: '--depth <levels>', summary: 'how deep to look below each root' },
  { flags: '--repair-keys', summary: 'drop a trailing line break in the installed copy of a key' },
  { flags: '--service-names <name...>', summary: 'names of the new post-services, in the order of scan' },
  { flags: '--dry-run', summary: 'show what would be written, change nothing' },
  { flags: '--force', summary: 'overwrite generated files changed by hand; they are kept in .smesh/backups' },
];

/** Options of a first `init` alone; in a project they are in smesh.yaml. */
export const settingOptions: readonly OptionSpec[] = [
  { flags: '--network <name>', summary: 'network to serve', choices: ['mainnet', 'testnet', 'standalone'] },
  { flags: '--genesis-time <time>', summary: 'when a private network begins, such as 2030-01-01T00:00:00Z' },
  { flags: '--coinbase <address>', summary: 'the account that earns the rewards' },
  { flags: '--node-data <dir>', summary: "the node's data folder (default: node-data in the project)" },
  { flags: '--name <name>', summary: 'name of the Compose project (default: from the directory)' },
  { flags: '--p2p-port <port>', summary: 'port for other nodes' },
  { flags: '--public-port <port>', summary: 'port of the public API on 127.0.0.1' },
  { flags: '--private-port <port>', summary: 'port of the private API on 127.0.0.1' },
];

const NETWORKS: readonly NetworkName[] = ['mainnet', 'testnet', 'standalone'];

/** Reads the options of `init` and `add`; `roots` comes from `--data` or from arguments. */
export function readInitOptions(invocation: Invocation, roots: readonly string[] | undefined): InitOptions {
  const port = (name: string) => integerOption(invocation, name, { min: 1, max: HIGHEST_PORT });
  const genesisTime = textOption(invocation, 'genesis-time');
  if (genesisTime !== undefined && !isGenesisTime(genesisTime)) {
    throw new SmeshError(
      'bad-option',
      ExitCode.usage,
      `--genesis-time ${genesisTime} is no time such as 2030-01-01T00:00:00Z`,
    );
  }
  const nodeData = textOption(invocation, 'node-data');
  return {
    ...optional({
      roots: roots?.map(fromWorkingDirectory),
      only: listOption(invocation, 'only'),
      depth: integerOption(invocation, 'depth', { min: 0, max: DEEPEST }),
      network: NETWORKS.find((name) => name === textOption(invocation, 'network')),
      genesisTime,
      coinbase: textOption(invocation, 'coinbase'),
      nodeData: nodeData === undefined ? undefined : fromWorkingDirectory(nodeData),
      projectName: textOption(invocation, 'name'),
      p2pPort: port('p2p-port'),
      publicPort: port('public-port'),
      privatePort: port('private-port'),
      serviceNames: listOption(invocation, 'service-names'),
    }),
    keys: (listOption(invocation, 'keys') ?? []).map(fromWorkingDirectory),
    ignore: (listOption(invocation, 'ignore') ?? []).map(fromWorkingDirectory),
    repairKeys: flagOption(invocation, 'repair-keys'),
    dryRun: flagOption(invocation, 'dry-run'),
    force: flagOption(invocation, 'force'),
  };
}

/** Without the keys that are undefined, as `exactOptionalPropertyTypes` wants it. */
function optional<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
