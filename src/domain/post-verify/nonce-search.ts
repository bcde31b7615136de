import { CPU_PROVIDER } from '../compose/init-jobs.ts';
import { isMapping } from '../is-mapping.ts';
import { METADATA_FILE } from '../post/metadata.ts';
import { dataFlags } from '../post/postcli-flags.ts';
import type { PostMetadata, ScannedDirectory } from '../post/types.ts';
import { quoteForShell } from '../shell-quote.ts';
import { keyHinders } from './files-to-check.ts';

/** Whether a directory's data are to be read for the label that may be its VRF nonce. */
export type NonceNeed =
  | { readonly kind: 'search'; readonly metadata: PostMetadata }
  | { readonly kind: 'has-one' }
  | { readonly kind: 'not-possible'; readonly why: string; readonly next: string };

/**
 * Only complete data are searched: postcli writes the best label that it finds into the metadata, and of half the data that
 * would be another one than of the whole (spacemesh.md §8.1).
 *
 * @param again also where there is one: a card that computed wrongly may have given one that nobody accepts
 */
export function nonceNeed(directory: ScannedDirectory, again = false): NonceNeed {
  const { path, metadata, files, verdict, next, reasons } = directory;
  if (metadata === undefined || files === undefined || verdict === 'unreadable') {
    return { kind: 'not-possible', why: reasons.join('; '), next };
  }
  if (metadata.nonce !== undefined && !again) return { kind: 'has-one' };
  if (keyHinders(directory)) return { kind: 'not-possible', why: reasons.join('; '), next };
  const whole = files.missing.length === 0 && files.wrongSized.length === 0 && files.surplus.length === 0;
  if (!whole || verdict === 'split-part') {
    return { kind: 'not-possible', why: 'its data are not complete', next };
  }
  if (metadata.lastPosition !== undefined && !again) {
    return {
      kind: 'not-possible',
      why: 'postcli has looked through all of the data already, found none and went on behind it',
      next: `Let it go on: smesh-compose post init --resume ${quoteForShell(path)}`,
    };
  }
  return { kind: 'search', metadata };
}

/** Metadata as they would be if no nonce had been found; `undefined` where they are no JSON object. */
export function withoutNonce(text: string): string | undefined {
  const fields: unknown = JSON.parse(text);
  if (!isMapping(fields)) return undefined;
  const { Nonce: _nonce, NonceValue: _value, LastPosition: _last, ...rest } = fields;
  return JSON.stringify(rest, undefined, '\t');
}

/** The flags that the data was made with, and that it is to search only. */
export function searchFlags(metadata: PostMetadata, scryptN: number): readonly string[] {
  return ['-searchForNonce', '-provider', `${CPU_PROVIDER}`, ...dataFlags(metadata, scryptN), '-yes'];
}

export type NonceOutcome =
  | { readonly kind: 'found'; readonly nonce: bigint; readonly nonceValue?: string }
  | { readonly kind: 'none' }
  /** Something else than the nonce is otherwise than before. */
  | { readonly kind: 'changed'; readonly why: string };

/** Judged by the metadata, whatever the program said; `after` is absent where they cannot be read any more. */
export function judgeSearch(before: PostMetadata, after: PostMetadata | undefined): NonceOutcome {
  if (after === undefined) return { kind: 'changed', why: `${METADATA_FILE} cannot be used any more` };
  const same = (['smesherId', 'commitmentAtx', 'labelsPerUnit', 'units', 'maxFileSize'] as const).every(
    (field) => before[field] === after[field],
  );
  if (!same) return { kind: 'changed', why: `${METADATA_FILE} is of other data now` };
  if (after.nonce === undefined) return { kind: 'none' };
  return {
    kind: 'found',
    nonce: after.nonce,
    ...(after.nonceValue === undefined ? {} : { nonceValue: after.nonceValue }),
  };
}
