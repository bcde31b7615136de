import { shortId } from '../identity/smesher-id.ts';
import { quoteForShell } from '../shell-quote.ts';
import {
  adviseDamaged,
  adviseDuplicate,
  adviseNoNonce,
  advisePart,
  adviseUnfinished,
  describePart,
  describeUnfinished,
  type Part,
} from './advice.ts';
import type { DataInspection } from './completeness.ts';
import type { DirectoryFacts } from './facts.ts';
import type { FoundKey, PostMetadata, Verdict } from './types.ts';

/** A directory whose metadata could be read, with what its files say. */
export interface Read {
  readonly facts: DirectoryFacts;
  readonly metadata: PostMetadata;
  readonly data: DataInspection;
}

/** A verdict with what a person is told. */
export interface Finding {
  readonly verdict: Verdict;
  readonly reasons: readonly string[];
  readonly next: string;
  readonly notes?: readonly string[];
  readonly key?: FoundKey;
  readonly otherKeys?: readonly FoundKey[];
}

function shapeOf({ commitmentAtx, labelsPerUnit, units, maxFileSize }: PostMetadata): string {
  return `${commitmentAtx} ${labelsPerUnit} ${units} ${maxFileSize}`;
}

/** The directory as one part of a split initialisation, if its files are one unfinished range. */
export function partOf({ facts, metadata, data }: Read): Part | undefined {
  if (data.state.kind !== 'unfinished' || data.state.range === undefined) return undefined;
  return { path: facts.path, metadata, range: data.state.range };
}

function overlaps(a: readonly [number, number], b: readonly [number, number]): boolean {
  return a[0] <= b[1] && b[0] <= a[1];
}

/** Whether the files are all there; what cannot be read counts, because it may be. */
function mayBeWhole({ facts, data }: Read): boolean {
  return data.state.kind === 'whole' || facts.unreadable.length > 0;
}

/**
 * What the other directories of the same identity mean for this one: parts of the same initialisation, copies that
 * must never run beside it, or remains that only deserve a note.
 */
export function judgeData(read: Read, family: readonly Read[]): Finding | undefined {
  const { facts, metadata, data } = read;
  const { state, files } = data;
  const others = family.filter((other) => other !== read);
  const wholeElsewhere = others.find((other) => other.data.state.kind === 'whole')?.facts.path;

  if (state.kind === 'damaged') {
    return {
      verdict: 'damaged',
      reasons: state.faults,
      next: adviseDamaged(facts.path, files.surplus),
    };
  }
  if (state.kind === 'unfinished') {
    const part = partOf(read);
    const siblings = others
      .filter((other) => shapeOf(other.metadata) === shapeOf(metadata))
      .map(partOf)
      .filter((other) => other !== undefined)
      .filter((other) => part !== undefined && !overlaps(other.range, part.range));
    if (part !== undefined && siblings.length > 0) {
      const finished = family.every((other) => {
        return other.data.state.kind !== 'unfinished' || other.data.state.shortLast === undefined;
      });
      return {
        verdict: 'split-part',
        reasons: [describePart(part, siblings, files.expected)],
        next: advisePart([part, ...siblings], files.expected, finished, wholeElsewhere),
      };
    }
    const reasons = [describeUnfinished(state, files.expected)];
    if (wholeElsewhere === undefined) {
      return { verdict: 'incomplete', reasons, next: adviseUnfinished(facts.path, state) };
    }
    reasons.push(`${wholeElsewhere} holds the whole set of the same identity`);
    return {
      verdict: 'incomplete',
      reasons,
      next: `Serve ${quoteForShell(wholeElsewhere)} and leave this one out`,
    };
  }
  if (metadata.nonce === undefined) {
    if (metadata.lastPosition !== undefined) {
      return {
        verdict: 'incomplete',
        reasons: [
          `all files are there, the search for the VRF nonce has come to label ${metadata.lastPosition}`,
        ],
        next: adviseUnfinished(facts.path, { kind: 'unfinished' }),
      };
    }
    return {
      verdict: 'damaged',
      reasons: ['all files are there, but no VRF nonce: the node refuses its first proof'],
      next: adviseNoNonce(facts.path),
    };
  }
  const copies = others.filter(mayBeWhole).map((other) => other.facts.path);
  if (copies.length > 0) {
    return {
      verdict: 'duplicate',
      reasons: [`smesher ${shortId(metadata.smesherId)} is also at ${copies.join(', ')}`],
      next: adviseDuplicate(copies),
    };
  }
  return undefined;
}
