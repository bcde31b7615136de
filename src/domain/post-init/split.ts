/** First and last file of one part, both inclusive, as postcli's -fromFile and -toFile take them (spacemesh.md §8.3). */
export type FileRange = readonly [from: number, to: number];

/**
 * Deals the files of one identity out to several cards in contiguous ranges, as evenly as whole files allow: no range is
 * more than one file longer than another, the longer ones first. Fewer files than cards: as many ranges as files.
 */
export function splitFiles(files: number, parts: number): readonly FileRange[] {
  const ranges = Math.min(files, parts);
  const each = Math.floor(files / ranges);
  const longer = files % ranges;
  return Array.from({ length: ranges }, (_, index): FileRange => {
    const from = index * each + Math.min(index, longer);
    return [from, from + each + (index < longer ? 1 : 0) - 1];
  });
}
