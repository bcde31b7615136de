import { LABEL_BYTES } from '../post/metadata.ts';
import { dataFlags } from '../post/postcli-flags.ts';
import { quoteForShell } from '../shell-quote.ts';
import type { VerifyPlace } from './report.ts';

/**
 * Commands that have data files written again, in the order in which they are typed; what is there now keeps its bytes under
 * another name. Data that nobody serves yet are a job of `post init`. Served data are none, and postcli itself writes the
 * one file: with these flags it touches no other (spacemesh.md §8.1).
 */
export function redoCommands(place: VerifyPlace, files: readonly number[]): readonly string[] {
  const { path, name, served, servedBy } = place;
  const dataFile = (file: number) => `${path}/postdata_${file}.bin`;
  const aside = files.map((file) => words('mv', '-n', dataFile(file), `${dataFile(file)}.wrong`));
  const checks = files.map((file) =>
    words(
      ...['smesh-compose', 'post', 'verify', path, '--from-file', `${file}`, '--to-file', `${file}`],
      ...['--fraction', '100'],
    ),
  );
  // What was computed wrongly may have been taken for the smallest label, and no right one is below it.
  const nonce = holdsNonce(place, files)
    ? [words('smesh-compose', 'post', 'verify', '--search-nonce', '--again', path)]
    : [];
  const pause = served === true && name !== undefined ? ['smesh-compose', 'stop', name] : undefined;
  const stop = pause ?? (servedBy === undefined ? undefined : ['docker', 'stop', servedBy]);
  if (stop === undefined) {
    return [...aside, words('smesh-compose', 'post', 'init', '--resume', path), ...checks, ...nonce];
  }
  return [
    words(...stop),
    ...aside,
    ...files.map((file) => words('postcli', '-provider', '0', ...flagsOf(place), ...range(file), '-yes')),
    ...checks,
    ...nonce,
    pause === undefined ? words('docker', 'start', servedBy ?? '') : words('smesh-compose', 'up', name ?? ''),
  ];
}

function holdsNonce({ directory }: VerifyPlace, files: readonly number[]): boolean {
  const metadata = directory?.metadata;
  if (metadata?.nonce === undefined) return false;
  const labelsPerFile = BigInt(Math.floor(metadata.maxFileSize / LABEL_BYTES));
  return files.includes(Number(metadata.nonce / labelsPerFile));
}

function words(...all: readonly string[]): string {
  return all.map(quoteForShell).join(' ');
}

function range(file: number): readonly string[] {
  return ['-fromFile', `${file}`, '-toFile', `${file}`];
}

function flagsOf({ path, directory, scryptN }: VerifyPlace): readonly string[] {
  const metadata = directory?.metadata;
  return ['-datadir', path, ...(metadata === undefined ? [] : dataFlags(metadata, scryptN))];
}
