import { MAINNET } from '../node/networks.ts';
import { DEFAULT_MAX_FILE_SIZE } from '../project/defaults.ts';
import type { PostMetadata } from './types.ts';

/**
 * The flags that data was made with, as postcli wants all of them again: with fewer units it would delete labels, with
 * another scrypt N take right ones for wrong (spacemesh.md §8.1, §14.4). What is postcli's own default is left out.
 *
 * @param scryptN of its network; absent: mainnet's
 */
export function dataFlags(metadata: PostMetadata, scryptN?: number): readonly string[] {
  const { post } = MAINNET;
  const { smesherId, commitmentAtx, units, maxFileSize, labelsPerUnit } = metadata;
  return [
    ...['-id', smesherId, '-commitmentAtxId', commitmentAtx, '-numUnits', `${units}`],
    ...(maxFileSize === DEFAULT_MAX_FILE_SIZE ? [] : ['-maxFileSize', `${maxFileSize}`]),
    ...(labelsPerUnit === post.labelsPerUnit ? [] : ['-labelsPerUnit', `${labelsPerUnit}`]),
    ...(scryptN === undefined || scryptN === post.scrypt.n ? [] : ['-scryptN', `${scryptN}`]),
  ];
}
