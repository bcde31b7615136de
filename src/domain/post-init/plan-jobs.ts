import type { SmesherId } from '../identity/smesher-id.ts';
import { expectedFiles } from '../post/completeness.ts';
import type { InitialisationJob, Network } from '../project/types.ts';
import { splitFiles } from './split.ts';

/** What computes the labels of a job. */
export interface Card {
  /** For people: `NVIDIA GeForce RTX 3090`, `provider 1`, `the processor`. */
  readonly label: string;
  /** The one device that the job gets for itself; it is provider 0 then. */
  readonly device?: string;
  readonly provider?: number;
}

/** An identity that is to be made. */
export interface PlannedIdentity {
  readonly id: SmesherId;
  readonly name: string;
  /** The directory that its whole data will be in. */
  readonly data: string;
  readonly units: number;
  readonly commitmentAtx: string;
  readonly maxFileSize: number;
  /** `uid:gid`, where it is not the owner of the place. */
  readonly user?: string;
}

export interface PlannedJob {
  readonly job: InitialisationJob;
  readonly card: Card;
}

/** Folders of parts stand beside the directory that they are joined in: on the same file system, and out of its way. */
export function partFolder(data: string, number: number): string {
  return `${data}.part-${number}`;
}

/**
 * The jobs of new identities. One job each, on the cards in turn; with `split` every identity is dealt out to all cards, in
 * file ranges and directories of their own: processes that share one overwrite each other's nonce (spacemesh.md §8.3).
 */
export function planJobs(
  identities: readonly PlannedIdentity[],
  cards: readonly [Card, ...Card[]],
  split: boolean,
  network: Network,
): readonly PlannedJob[] {
  return identities.flatMap((identity, index): readonly PlannedJob[] => {
    if (!split) return [single(identity, cards[index % cards.length] ?? cards[0])];
    const files = filesOf(identity, network);
    const ranges = splitFiles(files, cards.length);
    if (ranges.length < 2) return [single(identity, cards[0])];
    return ranges.map(([fromFile, toFile], part) => {
      const card = cards[part] ?? cards[0];
      const { name, data } = identity;
      const job = {
        ...base(identity, card),
        name: `${name}-init-${part + 1}`,
        data: partFolder(data, part + 1),
        ...{ into: data, fromFile, toFile },
      };
      return { card, job };
    });
  });
}

/** Data files of a whole set (spacemesh.md §8.3). */
export function filesOf(
  { id, units, maxFileSize, commitmentAtx }: Omit<PlannedIdentity, 'name' | 'data'>,
  { post }: Network,
): number {
  const { labelsPerUnit } = post;
  return expectedFiles({ smesherId: id, commitmentAtx, labelsPerUnit, units, maxFileSize }).count;
}

function single(identity: PlannedIdentity, card: Card): PlannedJob {
  const job = { ...base(identity, card), name: `${identity.name}-init`, data: identity.data };
  return { card, job };
}

function base({ id, name, units, commitmentAtx, maxFileSize, user }: PlannedIdentity, card: Card) {
  const { device, provider } = card;
  return {
    ...{ id, identity: name, units, commitmentAtx, maxFileSize },
    ...(device === undefined ? {} : { device }),
    ...(provider === undefined ? {} : { provider }),
    ...(user === undefined ? {} : { user }),
  };
}
