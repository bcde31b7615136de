import { shortId } from '../identity/smesher-id.ts';
import { quoteForShell } from '../shell-quote.ts';
import { type DataState, formatRange, formatRanges } from './completeness.ts';
import { LABEL_BYTES } from './metadata.ts';
import type { FoundKey, PostMetadata, ScannedDirectory } from './types.ts';

/**
 * The command that goes on with an initialisation. It repeats by itself what the data was made with: postcli deletes data
 * when it is given fewer units than before (spacemesh.md §14.4), so nobody should have to type them from memory.
 */
function resume(path: string): string {
  return `smesh-compose post init --resume ${quoteForShell(path)}`;
}

type Unfinished = Extract<DataState, { kind: 'unfinished' }>;

/** `files 0–479 of 640 present, file 480 short`. */
export function describeUnfinished(state: Unfinished, expected: number): string {
  const { range, shortLast } = state;
  if (range === undefined) return `none of its ${expected} files is there yet`;
  const [first, last] = range;
  if (shortLast === undefined) return `${formatRanges([range])} of ${expected} present`;
  const odd = shortLast.size % LABEL_BYTES === 0 ? '' : `, which is no multiple of ${LABEL_BYTES}`;
  const short = `file ${last} short: ${shortLast.size} of ${shortLast.expected} bytes${odd}`;
  return last === first
    ? `of ${expected} files only ${short}`
    : `${formatRanges([[first, last - 1]])} of ${expected} present, ${short}`;
}

/** What to do with an initialisation that has not ended (S3). */
export function adviseUnfinished(path: string, state: Unfinished): string {
  const { range, shortLast } = state;
  if (shortLast !== undefined && shortLast.size % LABEL_BYTES !== 0) {
    const cut = shortLast.size - (shortLast.size % LABEL_BYTES);
    return (
      `Do not resume it with postcli as it is: it would make a corrupt file and report success. ` +
      `This cuts postdata_${shortLast.index}.bin to ${cut} bytes first, when you agree, and goes on:\n${resume(path)}`
    );
  }
  if (range !== undefined && range[0] > 0) {
    return (
      `If it is one part of a split initialisation, scan the other parts together with it. ` +
      `If not, the missing files can be written:\n${resume(path)}`
    );
  }
  return `It can be resumed:\n${resume(path)}`;
}

export function adviseDamaged(path: string, surplus: readonly number[]): string {
  if (surplus.length > 0) {
    const names = surplus.length === 1 ? `postdata_${surplus[0]}.bin` : `the ${surplus.length} surplus files`;
    return (
      `Find out where ${names} came from before anything else: postcli would delete it, and the post-service would ` +
      `read it as part of the data. Move it out of the folder, then scan again`
    );
  }
  return (
    `Never prove with it: what follows a gap would be read at wrong places and the proof be invalid. ` +
    `Missing files can be written again; move files of a wrong size out of the folder first:\n${resume(path)}`
  );
}

export function adviseNoNonce(path: string): string {
  return (
    `If it was joined from parts, take Nonce and NonceValue from the part with the lowest NonceValue. ` +
    `Otherwise have the data read once to find it:\nsmesh-compose post verify --search-nonce ${quoteForShell(path)}`
  );
}

/** A directory that holds one range of an initialisation split over several (spacemesh.md §8.3). */
export interface Part {
  readonly path: string;
  readonly metadata: PostMetadata;
  readonly range: readonly [number, number];
}

export function describePart(part: Part, siblings: readonly Part[], expected: number): string {
  const others = siblings.map(({ path, range }) => `${path} has ${formatRange(range)}`).join(', ');
  return `part of a split initialisation: ${formatRanges([part.range])} of ${expected}; ${others}`;
}

function missingFrom(parts: readonly Part[], expected: number): [number, number][] {
  const missing: [number, number][] = [];
  let next = 0;
  for (const { range } of parts.toSorted((a, b) => a.range[0] - b.range[0])) {
    if (range[0] > next) missing.push([next, range[0] - 1]);
    next = Math.max(next, range[1] + 1);
  }
  if (next < expected) missing.push([next, expected - 1]);
  return missing;
}

/** How parts become one set; the VRF nonce of the whole is the one with the lowest value (S5). */
export function advisePart(
  parts: readonly Part[],
  expected: number,
  finished: boolean,
  whole?: string,
): string {
  if (whole !== undefined) return `${quoteForShell(whole)} holds the whole set: serve that one`;
  const missing = missingFrom(parts, expected);
  if (missing.length > 0) return `Together the parts still lack ${formatRanges(missing)}: finish those first`;
  if (!finished) return 'Let the initialisation of the parts end first';
  const [best] = parts
    .filter(({ metadata }) => metadata.nonceValue !== undefined)
    .toSorted((a, b) => ((a.metadata.nonceValue ?? '') < (b.metadata.nonceValue ?? '') ? -1 : 1));
  const from =
    best === undefined
      ? 'the postdata_metadata.json of any of them (none has a VRF nonce: search for it afterwards)'
      : `the postdata_metadata.json of ${quoteForShell(best.path)}, whose NonceValue is the lowest`;
  return `Join them: put the data files of all parts into one folder with ${from}, then scan again`;
}

export function adviseUnreadable(path: string, owner: ScannedDirectory['owner']): string {
  return (
    `It belongs to uid ${owner.uid}, gid ${owner.gid}. Scan as that user or as root, or let your group read it:\n` +
    `sudo smesh-compose scan ${quoteForShell(path)}`
  );
}

export function adviseDuplicate(others: readonly string[]): string {
  return (
    `Serve one of them and never the other${others.length > 1 ? 's' : ''}: an identity that runs twice is banned for ` +
    `ever. To serve this one, leave out:\n--ignore ${others.map(quoteForShell).join(' ')}`
  );
}

/** A whole command: other commands that show this advice have no such option. */
function lookElsewhere(path: string): string {
  return `smesh-compose scan ${quoteForShell(path)} --keys DIR`;
}

export function adviseMismatch(path: string, key: FoundKey, right: FoundKey | undefined): string {
  const wrong = quoteForShell(key.path);
  return right === undefined
    ? `No key that was looked at belongs to this data. Name where else to look:\n${lookElsewhere(path)}`
    : `The right key is at ${quoteForShell(right.path)}. Rename the wrong one, so that nothing takes it for this data's:\n` +
        `mv -n ${wrong} ${quoteForShell(`${key.path}.other`)}`;
}

export function adviseMalformed(path: string, key: FoundKey): string {
  return key.repairable === true
    ? 'The line break can be left out of the installed copy; the file itself stays as it is: smesh-compose init --repair-keys'
    : `Look for a whole copy of the key, in a backup or an old node, and name where:\n${lookElsewhere(path)}`;
}

export function adviseMissing(path: string, metadata: PostMetadata, keysSeen: number): string {
  const seen =
    keysSeen === 0
      ? 'No other key file was found'
      : `None of the other key files found (${keysSeen}) belongs to it`;
  return `${seen}: without the key of smesher ${shortId(metadata.smesherId)} the data cannot be used. Name where else to look:\n${lookElsewhere(path)}`;
}
