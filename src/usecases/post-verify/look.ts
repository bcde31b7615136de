import { defaultPoet, MAINNET, TESTNET } from '../../domain/node/networks.ts';
import { type EpochClock, epochClock } from '../../domain/poet/epochs.ts';
import { networkOf } from '../../domain/post/network.ts';
import type { ScannedDirectory } from '../../domain/post/types.ts';
import type { VerifyPlace } from '../../domain/post-verify/report.ts';
import { scryptNOf } from '../../domain/post-verify/scrypt-n.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import type { ChosenPlace } from './choose-places.ts';
import { realFolders } from './real-folders.ts';

/** A share that is there answers within it, asleep or not. */
const ANSWER_MS = 10_000;
/** As `scan`. */
const DEPTH = 6;

/**
 * Looks at structure and keys: metadata, files and their sizes, nonce, key against metadata. Changes nothing. What does not
 * answer is opened by another process first, so that a dead disk holds nobody.
 */
export async function lookAtPlaces(
  context: Context,
  project: Project | undefined,
  chosen: readonly ChosenPlace[],
): Promise<readonly VerifyPlace[]> {
  const { ports } = context;
  const host = await ports.host();
  const answers = await Promise.all(chosen.map(({ path }) => host.answers(path, ANSWER_MS)));
  const silent = chosen.filter((_, index) => answers[index] !== true);
  const roots = chosen.filter((_, index) => answers[index] === true).map(({ path }) => path);
  const scanner = await ports.scanner();
  const report =
    roots.length === 0
      ? undefined
      : await scanner.scan({
          roots,
          currentDirectory: context.directory,
          maxDepth: DEPTH,
          keyPlaces: project === undefined ? [] : await identitiesFolder(context, project),
          ignore: [],
        });
  const found = report?.directories ?? [];
  const identities = project?.identities ?? [];
  const folders = await realFolders(
    context,
    identities.map(({ data }) => data),
  );
  const homes = identities.map((identity, index) => ({ identity, folder: folders[index] ?? identity.data }));
  const words = diskWords(homes, scanner.diskNames(folders));
  const places = await Promise.all(
    found.map((directory) => placeOf(context, project, chosen, directory, { homes, words })),
  );
  const isFound = (path: string) =>
    found.some((one) => one.path === path || one.realPath === path || one.path.startsWith(`${path}/`));
  const missing = chosen.filter((one) => roots.includes(one.path) && !isFound(one.path));
  const skipped = new Map((report?.skipped ?? []).map(({ path, reason }) => [path, reason]));
  return [
    ...places,
    ...missing.map((one) => without(one, skipped.get(one.path) ?? 'holds no PoST data')),
    ...silent.map((one) => without(one, 'does not answer: is its disk, or its server, there?')),
  ];
}

/** An identity and where its data really are. */
interface Home {
  readonly identity: Project['identities'][number];
  readonly folder: string;
}

function without(place: ChosenPlace, fault: string): VerifyPlace {
  return { ...place, fault, disk: place.path };
}

async function identitiesFolder({ ports }: Context, project: Project): Promise<readonly string[]> {
  const folder = `${project.node.data}/identities`;
  const facts = await ports.files.facts(folder).catch(() => undefined);
  return facts === undefined ? [] : [folder];
}

/**
 * What smesh.yaml calls disks, by their own names: other data on such a disk have the same one reader. A disk that it takes
 * for several is none of them: there it says that the detection is wrong.
 */
function diskWords(homes: readonly Home[], names: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const words = new Map<string, Set<string>>();
  for (const { identity, folder } of homes) {
    const own = names.get(folder);
    if (own !== undefined) words.set(own, (words.get(own) ?? new Set()).add(identity.disk ?? own));
  }
  return new Map(
    [...words].flatMap(([own, all]) => {
      const [word] = all;
      return word === undefined || all.size > 1 || word === own ? [] : [[own, word] as const];
    }),
  );
}

async function placeOf(
  { ports }: Context,
  project: Project | undefined,
  chosen: readonly ChosenPlace[],
  directory: ScannedDirectory,
  known: { readonly homes: readonly Home[]; readonly words: ReadonlyMap<string, string> },
): Promise<VerifyPlace> {
  const { path, realPath, owner } = directory;
  const isHere = ({ data }: { readonly data: string }) => data === path || data === realPath;
  // smesh.yaml may name the data by a link, and served data are treated otherwise than others.
  const identity = known.homes.find((home) => isHere(home.identity) || home.folder === realPath)?.identity;
  const job = project?.initialisation?.jobs.find(({ into, data }) => isHere({ data: into ?? data }));
  const named = chosen.find((one) => one.path === path || one.path === realPath)?.name;
  const name = identity?.name ?? named ?? job?.identity ?? job?.name;
  const scryptN = directory.metadata && scryptNOf(directory.metadata, project?.network);
  // Metadata may belong to another user than the folder; whoever may read it may read the labels.
  const facts = await ports.files.facts(`${realPath}/postdata_metadata.json`).catch(() => undefined);
  const { uid, gid } = facts ?? owner;
  const word = known.words.get(directory.disk);
  return {
    path: identity?.data ?? path,
    directory,
    disk: identity?.disk ?? word ?? (directory.disk === 'unknown' ? path : directory.disk),
    ...(word === undefined ? {} : { device: directory.disk }),
    user: identity?.user ?? `${uid}:${gid}`,
    ...(name === undefined ? {} : { name }),
    ...(identity === undefined ? {} : { served: true }),
    ...(scryptN?.kind === 'known' ? { scryptN: scryptN.n } : {}),
  };
}

/** The rhythm of the network that the data is of; `undefined` where it is not known. */
export function clockOf(project: Project | undefined, { directory }: VerifyPlace): EpochClock | undefined {
  if (project !== undefined) return epochClock(project.network, project.poet);
  const metadata = directory?.metadata;
  if (metadata === undefined) return undefined;
  const network = { mainnet: MAINNET, testnet: TESTNET, standalone: undefined, unknown: undefined }[
    networkOf(metadata).network
  ];
  return network === undefined ? undefined : epochClock(network, defaultPoet(network));
}
