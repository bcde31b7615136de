/** Shorter pieces than these say too little to be told from chance; longer ones would let half a key pass. */
const HEX_PIECE = 16;
const BASE64_PIECE = 40;
const BYTES_PIECE = 8;

/** What of the recorded private halves a text could show, in the spellings that printing by accident produces. */
export interface KeyPieces {
  readonly hex: ReadonlySet<string>;
  readonly base64: ReadonlySet<string>;
  readonly bytes: ReadonlySet<string>;
}

function* windows(text: string, length: number): Generator<string> {
  for (let at = 0; at + length <= text.length; at += 1) yield text.slice(at, at + length);
}

function* byteWindows(bytes: readonly (number | string)[]): Generator<string> {
  for (let at = 0; at + BYTES_PIECE <= bytes.length; at += 1)
    yield bytes.slice(at, at + BYTES_PIECE).join(',');
}

/** Prepares the search for all private halves at once; each is 64 hex characters. */
export function keyPieces(privateHalves: Iterable<string>): KeyPieces {
  const hex = new Set<string>();
  const base64 = new Set<string>();
  const bytes = new Set<string>();
  for (const half of new Set(privateHalves)) {
    const raw = Buffer.from(half, 'hex');
    for (const piece of windows(half.toLowerCase(), HEX_PIECE)) hex.add(piece);
    // A whole key begins with its private half, so both spell the same for as long as that lasts.
    base64.add(raw.toString('base64').slice(0, BASE64_PIECE));
    base64.add(raw.toString('base64url').slice(0, BASE64_PIECE));
    for (const piece of byteWindows([...raw])) bytes.add(piece);
  }
  return { hex, base64, bytes };
}

/** Line and spelling of the first piece of a private half in each line of a text; never the piece itself. */
export function findLeaks(text: string, pieces: KeyPieces): readonly { line: number; spelling: string }[] {
  const leaks: { line: number; spelling: string }[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const spelling = leakIn(line, pieces);
    if (spelling !== undefined) leaks.push({ line: index + 1, spelling });
  }
  return leaks;
}

function leakIn(line: string, pieces: KeyPieces): string | undefined {
  for (const [run] of line.toLowerCase().matchAll(/[0-9a-f]{16,}/g)) {
    for (const piece of windows(run, HEX_PIECE)) if (pieces.hex.has(piece)) return 'hex';
  }
  for (const [run] of line.matchAll(/[A-Za-z0-9+/_-]{40,}/g)) {
    for (const piece of windows(run, BASE64_PIECE)) if (pieces.base64.has(piece)) return 'base64';
  }
  for (const [run] of line.matchAll(/(?:\d{1,3},\s*){7,}\d{1,3}/g)) {
    for (const piece of byteWindows(run.split(/,\s*/))) if (pieces.bytes.has(piece)) return 'a list of bytes';
  }
  return undefined;
}
