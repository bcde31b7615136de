import { type DataFile, formatRange, formatRanges } from '../post/completeness.ts';
import type { InitialisationJob } from '../project/types.ts';
import { dataFilePath, type JobFiles } from './job-files.ts';
import { type Refusal, refuse, THEN_AGAIN } from './refusal.ts';

/** Whether a file is one that the job writes. */
export function inRange({ from, to }: JobFiles): (file: DataFile) => boolean {
  return ({ index }) => index >= from && index <= to;
}

const singles = (files: readonly DataFile[]) =>
  files.map(({ index }) => [index, index] as const).sort(([a], [b]) => a - b);

/** Files that must not be there, or not in this size. */
export function judgeFiles(
  job: InitialisationJob,
  files: JobFiles,
  found: readonly DataFile[],
  joined: readonly DataFile[],
): Refusal | undefined {
  const { data } = job;
  const seen = new Set<number>();
  const twice = found.filter(({ index }) => seen.size === seen.add(index).size);
  if (twice.length > 0) {
    return refuse(
      'file-twice',
      `${data} has ${formatRanges(singles(twice))} there twice, under two spellings of the number`,
      `Move the one out of the way that postcli did not write (postdata_${twice[0]?.index}.bin is its spelling), ${THEN_AGAIN}`,
    );
  }
  const surplus = found.filter(({ index }) => index >= files.count);
  if (surplus.length > 0) {
    return refuse(
      'surplus-files',
      `${data} has ${formatRanges(singles(surplus))} beyond the ${files.count} that ${job.units} units take: postcli would delete them without asking`,
      `If they are of other data, move them away; if not, correct units in smesh.yaml; ${THEN_AGAIN}`,
    );
  }
  const outside = found.filter((file) => !inRange(files)(file));
  if (outside.length > 0) {
    return refuse(
      'files-outside-range',
      `${data} has ${formatRanges(singles(outside))}, and job ${job.name} writes ${formatRange([files.from, files.to])}: they would be there twice when the parts are joined`,
      `Move them to the directory of the job whose range they are in, or correct fromFile and toFile in smesh.yaml; ${THEN_AGAIN}`,
    );
  }
  if (joined.length > 0) {
    return refuse(
      'partly-joined',
      `${job.into} has ${formatRanges(singles(joined))} of the range of job ${job.name} already, and not all: which of them count cannot be told`,
      `Where a join was interrupted, smesh-compose generate finishes it; else move them back to ${data}, ${THEN_AGAIN}`,
    );
  }
  const long = found.filter(({ index, size }) => size > files.sizeOf(index));
  const [first] = long;
  if (first === undefined) return undefined;
  return refuse(
    'file-too-long',
    `${formatRanges(singles(long))} in ${data} ${long.length === 1 ? 'is' : 'are'} longer than possible (${first.size} instead of ${files.sizeOf(first.index)} bytes): labels in it are misplaced, and postcli would cut it and take it for good`,
    `Move ${dataFilePath(data, first.index)} out of the way; it is written again. ${THEN_AGAIN.replace('then', 'Then')}`,
  );
}
