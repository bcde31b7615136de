export interface TarEntry {
  /** Relative, ASCII, at most 100 bytes. */
  readonly path: string;
  readonly content: Uint8Array;
}

export const TAR_BLOCK = 512;
const BLOCK = TAR_BLOCK;
const FILE_MODE = 0o600;

/** Eleven octal digits; more is written in base 256, as GNU tar does. */
const LARGEST_OCTAL = 8 ** 11 - 1;

/** A tar archive (ustar) of plain files, readable by nobody but who unpacks it; the same input makes the same bytes. */
export function tarOf(entries: readonly TarEntry[], modifiedSeconds: number): Uint8Array {
  const blocks = entries.flatMap(({ path, content }) => {
    const padding = (BLOCK - (content.length % BLOCK)) % BLOCK;
    return [tarHeader(path, content.length, modifiedSeconds), content, new Uint8Array(padding)];
  });
  // Two empty blocks end an archive.
  const parts = [...blocks, new Uint8Array(2 * BLOCK)];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether an entry can be called so: relative, ASCII, at most 100 bytes, and leading nowhere else. */
export function isTarPath(path: string): boolean {
  return /^[\x20-\x7e]{1,100}$/.test(path) && !path.startsWith('/') && !path.split('/').includes('..');
}

/** The block before a file of an archive. */
export function tarHeader(path: string, size: number, modifiedSeconds: number): Uint8Array {
  if (!isTarPath(path)) {
    throw new Error(`not a path for an archive: ${JSON.stringify(path)}`);
  }
  const header = new Uint8Array(BLOCK);
  const text = (at: number, value: string) => header.set(new TextEncoder().encode(value), at);
  const octal = (at: number, digits: number, value: number) =>
    text(at, value.toString(8).padStart(digits, '0'));
  text(0, path);
  octal(100, 7, FILE_MODE);
  octal(108, 7, 0);
  octal(116, 7, 0);
  if (size <= LARGEST_OCTAL) octal(124, 11, size);
  else header.set(base256(size), 124);
  octal(136, 11, Math.floor(modifiedSeconds));
  // The checksum counts itself as blanks.
  text(148, '        ');
  text(156, '0');
  text(257, 'ustar\u000000');
  const sum = header.reduce((total, byte) => total + byte, 0);
  text(148, `${sum.toString(8).padStart(6, '0')}\u0000 `);
  return header;
}

function base256(size: number): Uint8Array {
  const field = new Uint8Array(12);
  field[0] = 0x80;
  for (let at = 11, rest = size; rest > 0; at -= 1, rest = Math.floor(rest / 256)) field[at] = rest % 256;
  return field;
}
