import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { ScanReport } from '../../domain/post/types.ts';
import { DEFAULT_PORTS } from '../../domain/project/defaults.ts';
import { projectNameFor } from '../../domain/project/name.ts';
import { type NewIdentity, type NewProject, newProjectText } from '../../domain/project/new-project.ts';
import type { Network, NodePorts } from '../../domain/project/types.ts';
import { renderScan } from '../../ui/scan.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import {
  askCoinbase,
  askNetwork,
  askNodeData,
  askPorts,
  askProjectName,
  requireAnswers,
} from './ask-settings.ts';
import { chooseCandidates, findCandidates, refuseDuplicates } from './choose-directories.ts';
import { settleHistory } from './foreign-history.ts';
import { chosenNames, headlessCommand } from './headless.ts';
import { nameIdentities } from './name-identities.ts';
import { fromWorkingDirectory, type InitOptions } from './options.ts';
import { othersToJson, reportOthers, scanFor } from './session.ts';
import { writeProject } from './write-project.ts';

/** The first `init` in a directory: asks (or takes from flags) what a project needs, shows it, writes it. */
export async function createProject(context: Context, options: InitOptions): Promise<number> {
  context.out.note(`smesh-compose init · project in ${context.directory}\n`);
  requireAnswers(context, options);
  const { roots, report } = await askRoots(context, options);
  refuseDuplicates(report, new Map());
  const network = await askNetwork(context, options, report);
  const candidates = findCandidates(report, network, { repairKeys: options.repairKeys, known: new Set() });
  if (candidates.usable.length === 0) throw nothingUsable(roots, report, candidates.others);
  reportOthers(context, candidates.others, report.skipped);
  const chosen = await chooseCandidates(context, candidates, {
    only: options.only,
    resolvePath: fromWorkingDirectory,
  });
  if (chosen.length === 0)
    throw new SmeshError('nothing-chosen', ExitCode.usage, 'No identity was chosen. Nothing was changed.');
  const coinbase = await askCoinbase(context, options, network);
  const chosenFolder = await askNodeData(context, options);
  const nodeData = await settleHistory(context, chosen, report, chosenFolder);
  const ports = await askPorts(context, options);
  const projectName = await askProjectName(context, options);
  const identities = await nameIdentities(context, options, { identities: [], retired: [] }, chosen);
  const text = newProjectText(
    describeProject(context, { network, coinbase, nodeData, ports, projectName, identities }),
  );
  const { exitCode } = await writeProject(context, {
    command: 'init',
    text,
    options,
    keyFiles: chosen.map(({ key }) => key.path),
    added: identities.map(({ name }) => name),
    facts: {
      added: identities.map(({ id, name, data }) => ({ id, name, data })),
      notTaken: othersToJson(candidates.others),
    },
  });
  if (!options.dryRun && !context.json) {
    const same = headlessCommand(context, 'init', [
      ['--data', roots],
      [
        '--only',
        chosen.length === candidates.usable.length
          ? undefined
          : chosen.map(({ directory }) => directory.path),
      ],
      ['--keys', options.keys],
      ['--ignore', options.ignore],
      ['--depth', options.depth === undefined ? undefined : String(options.depth)],
      ['--repair-keys', options.repairKeys ? true : undefined],
      ['--network', network.name],
      ['--genesis-time', network.name === 'standalone' ? network.genesisTime : undefined],
      ['--coinbase', coinbase],
      ['--node-data', nodeData === `${context.directory}/node-data` ? undefined : nodeData],
      ['--name', projectName],
      ['--service-names', chosenNames({ identities: [], retired: [] }, identities)],
      ...portFlags(ports),
    ]);
    context.out.result('Done. Next: smesh-compose up');
    context.out.note(`The same without questions:\n  ${same}`);
  }
  return exitCode;
}

/** Flags for ports that are not the usual ones. */
export function portFlags(ports: NodePorts): [string, string | undefined][] {
  const changed = (key: keyof NodePorts) =>
    ports[key] === DEFAULT_PORTS[key] ? undefined : String(ports[key]);
  return [
    ['--p2p-port', changed('p2p')],
    ['--public-port', changed('publicApi')],
    ['--private-port', changed('privateApi')],
  ];
}

/** Where the data is; a person sees what was found there before going on. */
async function askRoots(
  context: Context,
  options: InitOptions,
): Promise<{ roots: readonly string[]; report: ScanReport }> {
  const asked = options.roots === undefined && !context.yes && context.out.interactive;
  const keyPlaces = options.nodeData === undefined ? [] : [`${options.nodeData}/identities`];
  for (;;) {
    const answer = asked
      ? await context.ports.prompt.input({
          message: 'Where is your PoST data?',
          explanation: 'Directories, separated by commas. Nothing: every mounted disk.',
          flag: '--data DIRECTORY…',
        })
      : undefined;
    const roots = options.roots ?? (await readRoots(context, answer ?? ''));
    const report = await scanFor(context, options, roots, keyPlaces);
    if (context.out.interactive)
      context.out.note(`${renderScan(report, { columns: context.out.columns, color: context.out.color })}\n`);
    if (!asked || report.directories.length > 0) return { roots, report };
    context.out.note('No PoST directory there; another place, please (Ctrl-C ends).');
  }
}

/** Directories separated by commas, or one whose name holds a comma. */
async function readRoots(context: Context, answer: string): Promise<readonly string[]> {
  if (answer.includes(',') && (await context.ports.files.exists(fromWorkingDirectory(answer))))
    return [fromWorkingDirectory(answer)];
  return answer
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '')
    .map(fromWorkingDirectory);
}

function nothingUsable(
  roots: readonly string[],
  report: ScanReport,
  others: readonly { directory: { path: string; next: string }; why: string }[],
): SmeshError {
  const where = roots.length === 0 ? 'on the mounted disks' : `under ${roots.join(', ')}`;
  return new SmeshError(
    'no-identities',
    ExitCode.invalid,
    report.directories.length === 0
      ? `No PoST directory was found ${where}`
      : `${plural(report.directories.length, 'PoST directory', 'PoST directories')} found ${where}, but none can be served`,
    {
      details: [
        ...others.map(({ directory, why }) => `${directory.path}: ${why}. ${directory.next}`),
        ...report.skipped.map(({ path, reason }) => `not looked into: ${path}: ${reason}`),
      ],
      hint: 'Nothing was changed. A PoST directory holds postdata_metadata.json; name where yours are: --data DIRECTORY   Without any yet: smesh-compose post init DIRECTORY',
    },
  );
}

/** Only what differs from the defaults is written down. */
export function describeProject(
  context: Context,
  answers: {
    network: Network;
    coinbase: string;
    nodeData: string;
    ports: NodePorts;
    projectName: string;
    identities: readonly NewIdentity[];
  },
): NewProject {
  const { network, coinbase, nodeData, ports, projectName, identities } = answers;
  const changedPorts = Object.fromEntries(
    Object.entries(ports).filter(([key, port]) => DEFAULT_PORTS[key as keyof NodePorts] !== port),
  );
  const node = {
    ...(nodeData === `${context.directory}/node-data` ? {} : { data: nodeData }),
    ...(Object.keys(changedPorts).length === 0 ? {} : { ports: changedPorts }),
  };
  return {
    ...(projectName === projectNameFor(context.directory) ? {} : { name: projectName }),
    network:
      network.name === 'standalone'
        ? { genesisTime: network.genesisTime, poetPrivateKey: network.poetPrivateKey ?? '' }
        : network.name,
    coinbase,
    ...(Object.keys(node).length === 0 ? {} : { node }),
    identities,
  };
}
