import type { PostMetadata } from './types.ts';

/**
 * `postdata_metadata.json` as postcli writes it: fields in the order of its Go struct, indented by tabs, no line break at
 * the end, numbers in all their digits (spacemesh.md §2.2).
 */
export function metadataText(metadata: PostMetadata): string {
  const { nonce, nonceValue, lastPosition } = metadata;
  const base64 = (hex: string) => JSON.stringify(Buffer.from(hex, 'hex').toString('base64'));
  const fields: readonly (readonly [name: string, value: string])[] = [
    ['NodeId', base64(metadata.smesherId)],
    ['CommitmentAtxId', base64(metadata.commitmentAtx)],
    ['LabelsPerUnit', `${metadata.labelsPerUnit}`],
    ['NumUnits', `${metadata.units}`],
    ['MaxFileSize', `${metadata.maxFileSize}`],
    ...(nonce === undefined ? [] : [['Nonce', `${nonce}`] as const]),
    ...(nonceValue === undefined ? [] : [['NonceValue', JSON.stringify(nonceValue)] as const]),
    ...(lastPosition === undefined ? [] : [['LastPosition', `${lastPosition}`] as const]),
  ];
  return `{\n${fields.map(([name, value]) => `\t"${name}": ${value}`).join(',\n')}\n}`;
}
