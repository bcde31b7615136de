import { type SmesherId, shortId } from '../identity/smesher-id.ts';
import { quoteForShell } from '../shell-quote.ts';
import { adviseMalformed, adviseMismatch, adviseMissing, adviseUnreadable } from './advice.ts';
import { inspectData } from './completeness.ts';
import { type Finding, judgeData, partOf, type Read } from './data-verdict.ts';
import type { DirectoryFacts, ScanFacts } from './facts.ts';
import { chooseKey, fileName } from './key-choice.ts';
import { METADATA_FILE, readMetadata } from './metadata.ts';
import { networkOf } from './network.ts';
import type { FoundKey, ScannedDirectory, Verdict } from './types.ts';

/** Above this a proof hardly fits the usual cycle gap on one disk (S10: 4 TiB rule). */
const MANY_UNITS = 64;

export interface Judgement {
  readonly directories: readonly ScannedDirectory[];
  /** Keys of no directory, and files that stand among keys and are none. */
  readonly looseKeys: readonly FoundKey[];
}

function groupBy<K, T>(items: readonly T[], keyOf: (item: T) => K | undefined): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

interface KeyIndex {
  readonly bySmesher: ReadonlyMap<SmesherId, readonly FoundKey[]>;
  readonly all: readonly FoundKey[];
}

/** Every key once, seen from this directory: a key beside other data is found elsewhere. */
function keysFrom(facts: DirectoryFacts, keys: readonly FoundKey[]): readonly FoundKey[] {
  const beside = new Set(facts.keys.map((key) => key.path));
  return keys.map((key) =>
    beside.has(key.path) || !key.where.startsWith('beside-data') ? key : { ...key, where: 'elsewhere' },
  );
}

function judgeKey({ facts, metadata }: Read, keys: KeyIndex): Finding {
  const sameIdentity = keysFrom(facts, keys.bySmesher.get(metadata.smesherId) ?? []);
  const choice = chooseKey(metadata.smesherId, facts.keys, sameIdentity);
  switch (choice.kind) {
    case 'usable':
      return {
        verdict: 'ready',
        reasons: [],
        next: `Serve it: smesh-compose init --data ${quoteForShell(facts.path)}`,
        notes: choice.notes,
        key: choice.key,
        otherKeys: choice.others,
      };
    case 'mismatch': {
      const owner = choice.key.smesherId === undefined ? 'nobody' : shortId(choice.key.smesherId);
      const name = fileName(choice.key.path);
      return {
        verdict: 'key-mismatch',
        reasons: [
          `${name} is the key of smesher ${owner}, the data is of smesher ${shortId(metadata.smesherId)}`,
        ],
        next: adviseMismatch(facts.path, choice.key, choice.right),
        key: choice.key,
        ...(choice.right === undefined ? {} : { otherKeys: [choice.right] }),
      };
    }
    case 'malformed':
      return {
        verdict: 'key-malformed',
        reasons: [`${fileName(choice.key.path)}: ${choice.key.fault}`],
        next: adviseMalformed(facts.path, choice.key),
        key: choice.key,
      };
    case 'missing':
      return {
        verdict: 'key-missing',
        reasons: ['no key beside the data'],
        next: adviseMissing(facts.path, metadata, keys.all.length),
      };
  }
}

function noteShape({ facts, metadata, data }: Read, family: readonly Read[], verdict: Verdict): string[] {
  const notes: string[] = [];
  const { note } = networkOf(metadata);
  if (note !== undefined) notes.push(note);
  if (metadata.units > MANY_UNITS) {
    notes.push(
      `${metadata.units} units: more than ${MANY_UNITS} in one set are hard to prove within the cycle gap`,
    );
  }
  if (verdict !== 'ready') return notes;
  for (const other of family) {
    if (other.facts === facts || partOf(other) !== undefined) continue;
    if (data.state.kind === 'whole' && other.data.state.kind === 'damaged') {
      notes.push(`damaged data of the same identity is at ${other.facts.path}: never serve both`);
    }
  }
  return notes;
}

function describe(
  facts: DirectoryFacts,
  finding: Finding,
  read?: Read,
  family: readonly Read[] = [],
): ScannedDirectory {
  const { verdict, reasons, next, key, otherKeys } = finding;
  const notes = [
    ...facts.notes,
    ...(finding.notes ?? []),
    ...(read === undefined ? [] : noteShape(read, family, verdict)),
  ];
  return {
    path: facts.path,
    realPath: facts.realPath,
    verdict,
    reasons,
    next,
    notes,
    ...(read === undefined
      ? {}
      : { metadata: read.metadata, files: read.data.files, network: networkOf(read.metadata).network }),
    hasNonce: read?.metadata.nonce !== undefined,
    ...(key === undefined ? {} : { key }),
    ...(otherKeys === undefined || otherKeys.length === 0 ? {} : { otherKeys }),
    owner: facts.owner,
    mode: facts.mode,
    readable: facts.unreadable.length === 0,
    disk: facts.disk,
  };
}

function judgeWithoutMetadata(reasons: readonly string[]): Finding {
  return {
    verdict: 'damaged',
    reasons,
    next: `Put ${METADATA_FILE} back from a backup or from another part of the same initialisation, then scan again`,
  };
}

/**
 * Judges all directories of a scan together, because what one is worth depends on the others: a copy of the same
 * identity, the other parts of a split initialisation, a key that lies elsewhere. Order in, order out. What speaks
 * loudest wins: unreadable, then the data, then a duplicate identity, then the key.
 */
export function judgeDirectories({ directories, keys: otherKeys }: ScanFacts): Judgement {
  const reads = new Map<DirectoryFacts, Read>();
  const malformed = new Map<DirectoryFacts, readonly string[]>();
  for (const facts of directories) {
    if (facts.metadata.kind !== 'present') continue;
    const reading = readMetadata(facts.metadata.text);
    if (reading.kind === 'malformed') malformed.set(facts, reading.reasons);
    else {
      const { metadata } = reading;
      reads.set(facts, { facts, metadata, data: inspectData(metadata, facts.files) });
    }
  }
  const families = groupBy([...reads.values()], (read) => read.metadata.smesherId);
  const all = [
    ...new Map(
      [...directories.flatMap(({ keys }) => keys), ...otherKeys].map((key) => [key.path, key]),
    ).values(),
  ];
  const index: KeyIndex = { all, bySmesher: groupBy(all, (key) => key.smesherId) };

  const judge = (facts: DirectoryFacts): ScannedDirectory => {
    const read = reads.get(facts);
    const family = read === undefined ? [] : (families.get(read.metadata.smesherId) ?? []);
    if (facts.unreadable.length > 0) {
      const reasons = [`this user may not read ${facts.unreadable.join(', ')}`];
      const finding: Finding = {
        verdict: 'unreadable',
        reasons,
        next: adviseUnreadable(facts.path, facts.owner),
      };
      return describe(facts, finding, read, family);
    }
    if (read === undefined) {
      const reasons = malformed.get(facts) ?? [`data files, but no ${METADATA_FILE}`];
      return describe(facts, judgeWithoutMetadata(reasons));
    }
    const ofKey = judgeKey(read, index);
    const ofData = judgeData(read, family);
    if (ofData === undefined) return describe(facts, ofKey, read, family);
    // A fault of the key is said too, or it would be found only after the data was mended.
    const reasons = [...ofData.reasons, ...(ofKey.verdict === 'ready' ? [] : ofKey.reasons)];
    return describe(facts, { ...ofKey, ...ofData, reasons }, read, family);
  };

  return {
    directories: directories.map(judge),
    looseKeys: all.filter((key) =>
      key.smesherId === undefined ? !key.where.startsWith('beside-data') : !families.has(key.smesherId),
    ),
  };
}
