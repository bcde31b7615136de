import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import { METADATA_FILE } from '../../domain/post/metadata.ts';
import type { ScanReport } from '../../domain/post/types.ts';
import { printable, wrapText } from '../../ui/text.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import type { Candidates } from './choose-directories.ts';
import type { InitOptions } from './options.ts';

const DEFAULT_DEPTH = 6;

/** Looks for PoST data where the options say, or everywhere that is mounted. */
export async function scanFor(
  context: Context,
  options: InitOptions,
  roots: readonly string[],
  keyPlaces: readonly string[],
  alsoMounted = false,
): Promise<ScanReport> {
  const scanner = await context.ports.scanner();
  const report = await scanner.scan({
    roots,
    currentDirectory: context.directory,
    maxDepth: options.depth ?? DEFAULT_DEPTH,
    keyPlaces: [...options.keys, ...keyPlaces],
    ignore: options.ignore,
    alsoMounted,
  });
  // Ctrl-C during a scan is heard at its end.
  context.signal.throwIfAborted();
  return report;
}

/** smesh.yaml's `identities` by ID, with where their data is: as written, and without links. */
export async function servedDirectories(
  context: Context,
  identities: readonly { readonly id: SmesherId; readonly data: string }[],
): Promise<ReadonlyMap<SmesherId, ServedDirectory>> {
  const entries = await Promise.all(
    identities.map(async ({ id, data }) => {
      const realPath = await context.ports.files.realPath(data).catch(() => undefined);
      return [id, { path: data, realPath }] as const;
    }),
  );
  return new Map(entries);
}

/**
 * Found directories that are those of the project under another name: a bind mount shows the very same files, which are
 * no second copy. Told by device and inode of the folder and of its metadata; a link is told by its real path already.
 */
export async function servedUnderOtherNames(
  { ports: { files } }: Context,
  report: ScanReport,
  served: ReadonlyMap<SmesherId, ServedDirectory>,
): Promise<ReadonlySet<string>> {
  const marks = async (folder: string) => {
    const facts = await Promise.all([folder, `${folder}/${METADATA_FILE}`].map((path) => files.facts(path)));
    return facts.map((fact) => (fact === undefined ? 'absent' : `${fact.device}:${fact.inode}`)).join(' ');
  };
  const others = report.directories.flatMap(({ metadata, path }) => {
    const known = metadata === undefined ? undefined : served.get(metadata.smesherId);
    return known?.realPath === undefined || known.path === path ? [] : [{ path, known: known.realPath }];
  });
  const same = await Promise.all(
    others.map(async ({ path, known }) => {
      const [one, other] = await Promise.all([marks(path), marks(known)]).catch(() => ['', undefined]);
      return one === other ? [path] : [];
    }),
  );
  return new Set(same.flat());
}

export interface ServedDirectory {
  readonly path: string;
  /** Absent while its disk is away. */
  readonly realPath: string | undefined;
}

/** More than this many places that could not be looked into are only counted. */
const MOST_SKIPPED = 5;

/**
 * What was found and cannot be served: why, and what to do next. And what could not be looked into, where an identity
 * may be. A person who is there has seen it in the table of the scan.
 */
export function reportOthers(
  context: Context,
  others: Candidates['others'],
  skipped: ScanReport['skipped'],
): void {
  if (context.out.interactive) return;
  if (others.length > 0) {
    context.out.warn(
      [
        `Not taken (${plural(others.length, 'directory', 'directories')}):`,
        ...others.flatMap(({ directory, why }) => {
          const [said = '', ...commands] = `${directory.path}: ${why}. ${directory.next}`
            .split('\n')
            .map(printable);
          // What follows are commands to be copied: broken into lines they would be others.
          const lines = [...wrapText(said, context.out.columns - 6), ...commands];
          return lines.map((line, index) => `${index === 0 ? '  ' : '      '}${line}`);
        }),
      ].join('\n'),
    );
  }
  if (skipped.length === 0) return;
  const more = skipped.length - MOST_SKIPPED;
  context.out.warn(
    [
      'Not looked into:',
      ...skipped.slice(0, MOST_SKIPPED).map(({ path, reason }) => printable(`  ${path}: ${reason}`)),
      ...(more > 0 ? [`  and ${more} more: smesh-compose scan lists them`] : []),
    ].join('\n'),
  );
}

/** The same for `--json`. */
export function othersToJson(others: Candidates['others']): readonly unknown[] {
  return others.map(({ directory, why }) => ({
    path: directory.path,
    verdict: directory.verdict,
    why,
    next: directory.next,
  }));
}
