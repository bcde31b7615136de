import type { FileStep } from '../plan/steps.ts';
import { type DataFile, expectedFiles, formatRange } from '../post/completeness.ts';
import { METADATA_FILE } from '../post/metadata.ts';
import { metadataText } from '../post/metadata-text.ts';
import type { PostMetadata } from '../post/types.ts';
import { quoteForShell } from '../shell-quote.ts';
import { dataFilePath } from './job-files.ts';

/** Beside the place of the files that were moved away: kept for people, and no data directory to a scan. */
export const JOINED_METADATA = `${METADATA_FILE}.joined`;

export interface Owned {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** One directory with a range of the files, as it was found. */
export interface JoinPart {
  readonly path: string;
  readonly files: readonly DataFile[];
  readonly metadata: PostMetadata;
  readonly metadataFile: Owned & { readonly size: number };
  /** Metadata of an earlier join lies there, in the place where this one's would be kept. */
  readonly joinedBefore?: boolean;
  readonly folder: Owned & { readonly device: number };
}

export interface JoinFacts {
  /** Of the identity to be. */
  readonly name: string;
  readonly parts: readonly JoinPart[];
  readonly into: {
    readonly path: string;
    /** Of it, or of the nearest folder above that is there. */
    readonly device: number;
    /** It is there and no directory. */
    readonly isOther?: boolean;
    /** PoST data or metadata in it, by name. */
    readonly present: readonly string[];
  };
}

export type JoinRefusal =
  | 'parts-differ'
  | 'parts-overlap'
  | 'parts-incomplete'
  | 'parts-owners'
  | 'into-not-empty'
  | 'joined-before'
  | 'other-file-system';

export type JoinDecision =
  | {
      readonly kind: 'join';
      /** In this order: the files, then the metadata of the whole, then those of the parts out of the way. */
      readonly steps: readonly FileStep[];
      readonly metadata: PostMetadata;
    }
  | { readonly kind: 'refused'; readonly code: JoinRefusal; readonly message: string; readonly hint: string };

/**
 * How the parts of a split initialisation become one set (spacemesh.md §8.3): every file is moved by name, and the
 * metadata is that of the part whose VRF nonce has the smallest value. Until that is written the directory is nothing that
 * anybody would prove with. Nothing is copied, overwritten or deleted.
 */
export function decideJoin(facts: JoinFacts): JoinDecision {
  const { name, into, parts } = facts;
  const refusal = refuse(facts);
  if (refusal !== undefined) return refusal;
  const sorted = parts.toSorted((a, b) => firstOf(a) - firstOf(b));
  const [first] = sorted;
  if (first === undefined) throw new Error('a join of nothing');
  const { mode: folderMode, uid, gid } = first.folder;
  const metadata = joinedMetadata(parts);
  const folder = { mode: folderMode, uid, gid };
  const moves = sorted.flatMap((part, index) =>
    moveFiles(name, part, into.path, index === 0 ? folder : undefined),
  );
  const { mode, uid: owner, gid: group } = first.metadataFile;
  const whole: FileStep = {
    kind: 'write-file',
    path: `${into.path}/${METADATA_FILE}`,
    content: metadataText(metadata),
    what:
      metadata.nonce === undefined
        ? `metadata of ${name}, whose VRF nonce has yet to be searched for`
        : `metadata of ${name}, with the smallest VRF nonce of its parts`,
    replaces: null,
    ...{ mode, uid: owner, gid: group },
  };
  const kept = sorted.map(
    ({ path, metadataFile }): FileStep => ({
      kind: 'move-data-file',
      from: `${path}/${METADATA_FILE}`,
      to: `${path}/${JOINED_METADATA}`,
      size: metadataFile.size,
      what: `metadata of a part of ${name}, kept as ${JOINED_METADATA}`,
    }),
  );
  return { kind: 'join', steps: [...moves, whole, ...kept], metadata };
}

/** The first of all makes the folder; a whole that is on a disk that is away is made nowhere. */
function moveFiles(
  name: string,
  { path, files }: JoinPart,
  into: string,
  folder: Owned | undefined,
): readonly FileStep[] {
  const sorted = files.toSorted((a, b) => a.index - b.index);
  const range = [sorted[0]?.index ?? 0, sorted.at(-1)?.index ?? 0] as const;
  const what = `${sorted.length === 1 ? 'file' : 'files'} ${formatRange(range)} of ${name}`;
  return sorted.map(({ index, size }, place) => ({
    kind: 'move-data-file',
    from: dataFilePath(path, index),
    to: dataFilePath(into, index),
    size,
    ...(folder === undefined || place > 0 ? {} : { folder }),
    what,
  }));
}

function firstOf({ files }: JoinPart): number {
  return Math.min(...files.map(({ index }) => index));
}

/** Compared as text: both are 32 hex digits. A nonce without its value counts only where no other is known. */
function joinedMetadata(parts: readonly JoinPart[]): PostMetadata {
  const all = parts.map(({ metadata }) => metadata);
  const [any] = all;
  if (any === undefined) throw new Error('a join of nothing');
  const valued = all
    .filter(({ nonce, nonceValue }) => nonce !== undefined && nonceValue !== undefined)
    .toSorted((a, b) => ((a.nonceValue ?? '') < (b.nonceValue ?? '') ? -1 : 1));
  const best = valued[0] ?? all.find(({ nonce }) => nonce !== undefined);
  const { smesherId, commitmentAtx, labelsPerUnit, units, maxFileSize } = any;
  return {
    ...{ smesherId, commitmentAtx, labelsPerUnit, units, maxFileSize },
    ...(best?.nonce === undefined ? {} : { nonce: best.nonce }),
    ...(best?.nonceValue === undefined ? {} : { nonceValue: best.nonceValue }),
  };
}

type Refusal = Extract<JoinDecision, { readonly kind: 'refused' }>;

function refused(code: JoinRefusal, message: string, hint: string): Refusal {
  return { kind: 'refused', code, message, hint };
}

const AGAIN = 'then: smesh-compose post init';

function refuse(facts: JoinFacts): Refusal | undefined {
  const { name, parts, into } = facts;
  const shape = ({ smesherId, commitmentAtx, labelsPerUnit, units, maxFileSize }: PostMetadata) =>
    [smesherId, commitmentAtx, labelsPerUnit, units, maxFileSize].join(' ');
  const [first] = parts;
  if (first === undefined) return undefined;
  const other = parts.find(({ metadata }) => shape(metadata) !== shape(first.metadata));
  if (other !== undefined) {
    return refused(
      'parts-differ',
      `${first.path} and ${other.path} are no parts of one initialisation: their metadata say different things`,
      `Nothing was moved. Look at both: smesh-compose scan ${[first, other].map(({ path }) => quoteForShell(path)).join(' ')}`,
    );
  }
  const wrong = refuseFiles(facts, first.metadata);
  if (wrong !== undefined) return wrong;
  if (into.isOther === true) {
    return refused(
      'into-not-empty',
      `${into.path}, where the parts of ${name} are to be joined, is there and no directory`,
      `Nothing was moved. Move it away, ${AGAIN}`,
    );
  }
  // Found out half-way, the act could not come to its end.
  const former = parts.find(({ joinedBefore }) => joinedBefore === true);
  if (former !== undefined) {
    const path = `${former.path}/${JOINED_METADATA}`;
    return refused(
      'joined-before',
      `${path} is there already, of an earlier set: the metadata of this part of ${name} could not be kept there`,
      `Nothing was moved. Give it another name: mv -n ${quoteForShell(path)} ${quoteForShell(`${path}.old`)}   ${AGAIN}`,
    );
  }
  if (into.present.length > 0) {
    return refused(
      'into-not-empty',
      `${into.path}, where the parts of ${name} are to be joined, has ${into.present.slice(0, 3).join(', ')}${into.present.length > 3 ? ' …' : ''} already`,
      `Nothing was moved. Find out where that comes from, move it away, ${AGAIN}`,
    );
  }
  const far = parts.find(({ folder }) => folder.device !== into.device);
  if (far !== undefined) {
    return refused(
      'other-file-system',
      `${far.path} lies on another file system than ${into.path}: the parts of ${name} cannot be joined by moving, and PoST data is never copied`,
      `Nothing was moved. Move its folder to the disk of ${into.path} (mv), say so in smesh.yaml (data of that job), ${AGAIN}`,
    );
  }
  const owners = new Set(parts.flatMap(({ folder, metadataFile }) => [folder.uid, metadataFile.uid]));
  if (owners.size > 1) {
    return refused(
      'parts-owners',
      `The parts of ${name} belong to different users (${[...owners].join(', ')}): no post-service could read all of it`,
      `Nothing was moved. Give them to one user: sudo chown -R UID:GID ${parts.map(({ path }) => quoteForShell(path)).join(' ')}   ${AGAIN}`,
    );
  }
  return undefined;
}

/** Each file of the set once, in its size. */
function refuseFiles({ name, parts }: JoinFacts, metadata: PostMetadata): Refusal | undefined {
  const expected = expectedFiles(metadata);
  const holder = new Map<number, string>();
  for (const { path, files } of parts) {
    for (const { index, size } of files) {
      const before = holder.get(index);
      if (before !== undefined) {
        return refused(
          'parts-overlap',
          `File ${index} of ${name} is in ${before} and in ${path}: which one counts nobody can tell`,
          `Nothing was moved. Move one of the two out of the way, ${AGAIN}`,
        );
      }
      holder.set(index, path);
      if (index < expected.count && size === expected.sizeOf(index)) continue;
      return refused(
        'parts-incomplete',
        `${dataFilePath(path, index)} is no whole file of ${name}`,
        `Nothing was moved. Let its job end first: smesh-compose post init`,
      );
    }
  }
  if (holder.size === expected.count) return undefined;
  return refused(
    'parts-incomplete',
    `The parts of ${name} have ${holder.size} of its ${expected.count} files`,
    'Nothing was moved. Let their jobs end first: smesh-compose post init',
  );
}
