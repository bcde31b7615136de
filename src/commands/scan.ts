import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { FilesPort } from '../ports/files.ts';
import { renderScan } from '../ui/scan.ts';
import { fromWorkingDirectory } from '../usecases/init/options.ts';
import { type Context, defineCommand, type Invocation } from './command.ts';
import { flagOption, integerOption, listOption } from './options.ts';

const DEFAULT_DEPTH = 6;
const DEEPEST = 64;

function pathsOption(invocation: Invocation, name: string): string[] {
  return (listOption(invocation, name) ?? []).map(fromWorkingDirectory);
}

/** A misspelt path must not look like a disk without data. */
async function requireThere(
  files: FilesPort,
  paths: readonly string[],
  what: 'root' | 'keys',
): Promise<void> {
  for (const path of paths) {
    let kind: string | undefined;
    try {
      kind = (await files.facts(path, 'follow'))?.kind;
    } catch {
      // It is there, or above it something is, and may not be looked at: the scan says so with the owner.
      continue;
    }
    if (kind === undefined) {
      throw new SmeshError(`no-such-${what}`, ExitCode.usage, `${path} is not there`, {
        hint: 'Is the disk mounted? Without any root, scan looks at everything that is: smesh-compose scan',
      });
    }
    if (what === 'root' && kind !== 'directory') {
      throw new SmeshError('no-directory', ExitCode.usage, `${path} is no directory`, {
        hint: 'Name the folder that holds the data, or one above it',
      });
    }
  }
}

async function nodeKeyPlaces({ directory, ports }: Context): Promise<readonly string[]> {
  const identities = `${directory === '/' ? '' : directory}/node-data/identities`;
  const facts = await ports.files.facts(identities).catch(() => undefined);
  return facts === undefined ? [] : [identities];
}

export const scanCommand = defineCommand({
  name: 'scan',
  summary: 'find PoST directories and keys, and say what each is good for',
  description:
    'Looks below the roots for PoST data and key files, and says of each directory whether it can be served and what to do next. Reads metadata, sizes and keys; changes nothing.',
  arguments: [
    { name: '[roots...]', summary: 'where to look (default: every mounted disk and the project directory)' },
  ],
  options: [
    { flags: '--keys <path...>', summary: 'further files or folders to look for keys in' },
    { flags: '--ignore <path...>', summary: 'directories to leave out, such as the copy that is not served' },
    { flags: '--depth <levels>', summary: `how deep to look below each root (${DEFAULT_DEPTH})` },
    { flags: '-v, --verbose', summary: 'full smesher IDs, every note, and the disks' },
  ],
  examples: [
    { command: 'smesh-compose scan', summary: 'everything that is mounted' },
    {
      command: 'smesh-compose scan /mnt --keys ~/old-node/identities',
      summary: 'with the keys of an old node',
    },
    { command: 'smesh-compose scan /mnt --json', summary: 'the same for a program' },
  ],
  async run(invocation, context) {
    const roots = invocation.arguments.map(fromWorkingDirectory);
    const keys = pathsOption(invocation, 'keys');
    const { files } = context.ports;
    await requireThere(files, roots, 'root');
    await requireThere(files, keys, 'keys');
    const scanner = await context.ports.scanner();
    const report = await scanner.scan({
      roots,
      currentDirectory: context.directory,
      maxDepth: integerOption(invocation, 'depth', { min: 0, max: DEEPEST }) ?? DEFAULT_DEPTH,
      keyPlaces: [...keys, ...(await nodeKeyPlaces(context))],
      ignore: pathsOption(invocation, 'ignore'),
    });
    const skipped = new Map(report.skipped.map(({ path, reason }) => [path, reason]));
    if (report.directories.length === 0 && report.roots.every((root) => skipped.has(root))) {
      throw new SmeshError(
        'root-unreadable',
        ExitCode.environment,
        'None of the roots could be looked into',
        {
          details: report.roots.map((root) => `${root}: ${skipped.get(root)}`),
          hint: 'As another user you may see more: sudo smesh-compose scan …',
        },
      );
    }
    if (context.json) context.out.json(toJson(report));
    else {
      const { columns, color } = context.out;
      context.out.result(renderScan(report, { columns, color, verbose: flagOption(invocation, 'verbose') }));
    }
    return ExitCode.ok;
  },
});

/** JSON has no whole numbers beyond 2^53: the VRF nonce and the last position are written as decimal text. */
function toJson(report: unknown): unknown {
  return JSON.parse(
    JSON.stringify(report, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
  );
}
