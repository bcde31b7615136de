import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { parseSmesherId, type SmesherId, shortId } from '../../domain/identity/smesher-id.ts';
import { unsuitability } from '../../domain/post/suits.ts';
import type { FoundKey, PostMetadata, ScannedDirectory, ScanReport } from '../../domain/post/types.ts';
import type { Network } from '../../domain/project/types.ts';
import { formatBytes } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import type { ServedDirectory } from './session.ts';

/** A directory whose identity can be served: complete, with its key. */
export interface Candidate {
  readonly directory: ScannedDirectory;
  readonly smesherId: SmesherId;
  readonly metadata: PostMetadata;
  readonly key: FoundKey;
}

export interface Candidates {
  readonly usable: readonly Candidate[];
  /** Found, but not to be served, and why. */
  readonly others: readonly { readonly directory: ScannedDirectory; readonly why: string }[];
}

/** Sorts what a scan found into what this network's node can serve and what not (scenarios S2 to S8, S11). */
export function findCandidates(
  report: ScanReport,
  network: Network,
  options: { readonly repairKeys: boolean; readonly known: ReadonlySet<SmesherId> },
): Candidates {
  const usable: Candidate[] = [];
  const others: { directory: ScannedDirectory; why: string }[] = [];
  for (const directory of report.directories) {
    const { metadata, key, verdict } = directory;
    if (metadata !== undefined && options.known.has(metadata.smesherId) && verdict !== 'duplicate') continue;
    const mended = verdict === 'key-malformed' && key?.repairable === true && options.repairKeys;
    if ((verdict !== 'ready' && !mended) || metadata === undefined || key === undefined) {
      others.push({ directory, why: [directory.verdict, ...directory.reasons].join(': ') });
      continue;
    }
    const fault = unsuitability(metadata, network);
    if (fault === undefined) usable.push({ directory, smesherId: metadata.smesherId, metadata, key });
    else others.push({ directory, why: fault });
  }
  return { usable, others };
}

/**
 * Two directories of one identity would get it banned for ever; no option overrides this (scenario S2, design §8).
 *
 * @param aliases found directories that are a served one under another name
 */
export function refuseDuplicates(
  report: ScanReport,
  known: ReadonlyMap<SmesherId, ServedDirectory>,
  aliases: ReadonlySet<string> = new Set(),
): void {
  const places = new Map<SmesherId, string[]>();
  for (const { metadata, path, realPath, verdict } of report.directories) {
    if (metadata === undefined) continue;
    const served = known.get(metadata.smesherId);
    const isServed =
      served === undefined || served.path === path || served.realPath === realPath || aliases.has(path);
    if (verdict !== 'duplicate' && isServed) continue;
    // A part of a split initialisation beside the whole is no second copy.
    if (verdict === 'split-part') continue;
    places.set(metadata.smesherId, [...(places.get(metadata.smesherId) ?? []), path]);
  }
  if (places.size === 0) return;
  const away = [...places.keys()].some((id) => known.has(id) && known.get(id)?.realPath === undefined);
  throw new SmeshError(
    'duplicate-identity',
    ExitCode.refused,
    places.size === 1
      ? 'One identity stands in more than one directory. Run twice, it is banned for ever.'
      : `${places.size} identities stand in more than one directory. Run twice, an identity is banned for ever.`,
    {
      details: [
        ...[...places].map(([id, paths]) => {
          const served = known.get(id);
          const absent = served?.realPath === undefined ? ', where nothing is now' : '';
          const all =
            served === undefined || paths.includes(served.path)
              ? paths
              : [`${served.path} (in this project${absent})`, ...paths];
          return `${shortId(id)}: ${all.join('  and  ')}`;
        }),
        ...(away ? ['Was it moved? Then say so in smesh.yaml: the data of that identity.'] : []),
      ],
      hint: 'Nothing was changed. Decide which copy is served and leave the other out: --ignore DIRECTORY',
    },
  );
}

/** What `--only` may name: a directory, a smesher ID or the beginning of one. */
function matches(candidate: Candidate, wanted: string, resolvePath: (path: string) => string): boolean {
  const { directory, smesherId } = candidate;
  const path = resolvePath(wanted);
  return (
    directory.path === path ||
    directory.realPath === path ||
    (wanted.length >= 4 && smesherId.startsWith(wanted.toLowerCase())) ||
    parseSmesherId(wanted) === smesherId
  );
}

/**
 * Which of the usable ones are taken: those that `--only` names, all with `--yes` or where nobody can be asked about
 * them, or what a person ticks.
 */
export async function chooseCandidates(
  context: Context,
  candidates: Candidates,
  options: { readonly only: readonly string[] | undefined; readonly resolvePath: (path: string) => string },
): Promise<readonly Candidate[]> {
  if (options.only !== undefined) {
    const missing = options.only.filter(
      (wanted) => !candidates.usable.some((candidate) => matches(candidate, wanted, options.resolvePath)),
    );
    if (missing.length > 0) {
      throw new SmeshError(
        'not-found',
        ExitCode.invalid,
        `Not among the identities that can be served: ${missing.join(', ')}`,
        {
          details: candidates.others.map(({ directory, why }) => `${directory.path}: ${why}`),
          hint: 'Nothing was changed. See them all with: smesh-compose scan',
        },
      );
    }
    return candidates.usable.filter((candidate) =>
      options.only?.some((wanted) => matches(candidate, wanted, options.resolvePath)),
    );
  }
  if (context.yes || !context.out.interactive) return candidates.usable;
  const chosen = await context.ports.prompt.multiselect({
    message: 'Which identities should this node serve?',
    flag: '--only DIRECTORY… (or --yes for all that are ready)',
    choices: [
      ...candidates.usable.map(({ directory, smesherId, metadata }) => ({
        value: directory.path,
        label: directory.path,
        hint: `${shortId(smesherId)}  ${metadata.units} units  ${formatBytes(directory.files?.bytes ?? 0)}  on ${directory.disk}`,
      })),
      ...candidates.others.map(({ directory, why }) => ({
        value: directory.path,
        label: directory.path,
        disabled: why,
      })),
    ],
    initial: candidates.usable.map(({ directory }) => directory.path),
  });
  return candidates.usable.filter(({ directory }) => chosen.includes(directory.path));
}
