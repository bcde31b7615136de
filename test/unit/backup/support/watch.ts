import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeFiles } from '../../../../src/adapters/files/index.ts';
import type { FilesPort } from '../../../../src/ports/files.ts';

/** Methods of FilesPort that change something. */
const CHANGES = [
  'makeDirectory',
  'writeAtomic',
  'writeNew',
  'writeNewFrom',
  'move',
  'copy',
  'replace',
  'setMode',
  'setOwner',
  'removeOwn',
  'removeLeftovers',
] as const;

/** Every file below a folder with its bytes; names alone where it is a hole of a PoST directory. */
export function treeOf(root: string): Map<string, string> {
  const tree = new Map<string, string>();
  if (!existsSync(root)) return tree;
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile()) tree.set(path, 'folder');
    else tree.set(path, /^postdata_\d+\.bin$/.test(entry.name) ? 'labels' : readFileSync(path, 'base64'));
  }
  return tree;
}

/** Each spelling in which a key could lie about: of its private half, and of a good part of it. */
function spellings(keyFile: string): Buffer[] {
  const half = Buffer.from(keyFile.slice(0, 64), 'hex');
  const part = keyFile.slice(0, 24);
  return [
    Buffer.from(part),
    Buffer.from(part.toUpperCase()),
    half.subarray(0, 12),
    Buffer.from(half.toString('base64').slice(0, 16)),
  ];
}

/** Files below a folder in which one of the keys can be read, other than those that may have them. */
export function filesWithKeys(
  root: string,
  keyFiles: readonly string[],
  isAllowed: (path: string) => boolean,
): string[] {
  const wanted = keyFiles.flatMap(spellings);
  const found: string[] = [];
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || /^postdata_\d+\.bin$/.test(entry.name) || isAllowed(path)) continue;
    // It may be gone again by now.
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
    if (wanted.some((spelling) => bytes.includes(spelling))) found.push(path);
  }
  return found;
}

/** The real file system, and a look at it after every change and after every piece that is written. */
export function watchedFiles(look: (what: string) => void): FilesPort {
  const files = { ...nodeFiles } as Record<string, unknown>;
  for (const name of CHANGES) {
    files[name] = async (...args: unknown[]) => {
      const [path, content, ...rest] = args;
      const pieces =
        name === 'writeNewFrom'
          ? watchPieces(content as AsyncIterable<Uint8Array>, () => look(`${name} ${path}`))
          : content;
      const act = nodeFiles[name] as (...all: unknown[]) => Promise<unknown>;
      const result = await act.call(nodeFiles, path, pieces, ...rest);
      look(`${name} ${path}`);
      return result;
    };
  }
  return files as unknown as FilesPort;
}

async function* watchPieces(content: AsyncIterable<Uint8Array>, look: () => void) {
  for await (const piece of content) {
    yield piece;
    look();
  }
}

/** A process that is killed at its n-th change: nothing that comes later is done. Counts when `at` is infinite. */
export function dyingFiles(at: number): { files: FilesPort; changes(): number; last(): string } {
  let changes = 0;
  let last = '';
  const files = { ...nodeFiles } as Record<string, unknown>;
  for (const name of CHANGES) {
    files[name] = async (...args: unknown[]) => {
      changes += 1;
      if (changes >= at) throw new Error('killed');
      last = `${name} ${String(args[0])}`;
      const act = nodeFiles[name] as (...all: unknown[]) => Promise<unknown>;
      return act.apply(nodeFiles, args);
    };
  }
  return { files: files as unknown as FilesPort, changes: () => changes, last: () => last };
}
