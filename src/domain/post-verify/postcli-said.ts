/** What `postcli -verify` found. */
export type LabelOutcome =
  | { readonly kind: 'valid' }
  /** The first wrong label that it met; it ends there. Offset in bytes. */
  | { readonly kind: 'invalid'; readonly file: number; readonly offset: number }
  | { readonly kind: 'failed'; readonly reason: string };

export interface ProgramEnd {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const INVALID =
  /invalid label in file (\d+) at offset (\d+)|file (\d+) contains invalid label at offset (\d+)/;
const TIME = /^(?:\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+Z\t[A-Z]+\t)\s*/;

/** Reads the end of `postcli -verify` (truth: exit 1 and `file N contains invalid label at offset M`; spacemesh.md §8.1). */
export function readVerifyEnd({ exitCode, stdout, stderr }: ProgramEnd): LabelOutcome {
  const found = INVALID.exec(stderr) ?? INVALID.exec(stdout);
  if (found !== null) {
    return { kind: 'invalid', file: Number(found[1] ?? found[3]), offset: Number(found[2] ?? found[4]) };
  }
  // Exit 0 alone proves nothing: an image whose program does something else ends with it, too.
  if (exitCode === 0 && /POS data is valid/.test(stderr)) return { kind: 'valid' };
  return { kind: 'failed', reason: lastWords({ exitCode, stdout, stderr }) };
}

/** The last thing that a postcli said, without its time, and how it ended. */
export function lastWords({ exitCode, stdout, stderr }: ProgramEnd): string {
  const lines = (stderr.trim() === '' ? stdout : stderr).split('\n').filter((line) => line.trim() !== '');
  const panic = lines.find((line) => line.startsWith('panic: '));
  const said = (panic ?? lines.at(-1) ?? '').replace(TIME, '').replace(/^(panic|cli): /, '');
  return said === '' ? `it ended with exit code ${exitCode} and said nothing` : said;
}

/** The number of the file that a line of progress is about, of a check or of a search for the nonce. */
export function fileBegun(line: string): number | undefined {
  const digits = /(?:verifying file \S*|looking for VRF nonce in file.*)postdata_(\d{1,15})\.bin/.exec(
    line,
  )?.[1];
  return digits === undefined ? undefined : Number(digits);
}
