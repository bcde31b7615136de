/**
 * The real program, but it is killed with SIGKILL at the n-th change it makes to the file system (CRASH_AT, counted
 * from 1). CRASH_WHEN says whether right before it, in its middle (a temporary file half written) or right after it.
 * Without CRASH_AT it only counts: the number is written to the file CRASH_COUNT.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { nodeFiles } from '../../src/adapters/files/index.ts';
import { main } from '../../src/app.ts';
import type { FilesPort } from '../../src/ports/files.ts';

const crashAt = Number(process.env.CRASH_AT ?? 0);
const crashWhen = process.env.CRASH_WHEN ?? 'before';
let changes = 0;

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  // The signal is delivered before the next turn of the loop; nothing else may run until then.
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

async function change<T>(what: string, path: string, content: unknown, act: () => Promise<T>): Promise<T> {
  changes += 1;
  if (process.env.CRASH_COUNT !== undefined)
    appendFileSync(process.env.CRASH_COUNT, `${changes} ${what} ${path}\n`);
  const now = changes === crashAt;
  if (now && crashWhen === 'before') die();
  if (now && crashWhen === 'middle' && typeof content === 'string') {
    writeFileSync(
      join(dirname(path), `.smesh-${basename(path)}.crash.tmp`),
      content.slice(0, content.length / 2),
      { mode: 0o600 },
    );
    die();
  }
  const result = await act();
  if (now) die();
  return result;
}

const crashing: FilesPort = {
  ...nodeFiles,
  makeDirectory: (path, ownership) =>
    change('makeDirectory', path, undefined, () => nodeFiles.makeDirectory(path, ownership)),
  writeAtomic: (path, content, ownership) =>
    change('writeAtomic', path, content, () => nodeFiles.writeAtomic(path, content, ownership)),
  writeNew: (path, content, ownership) =>
    change('writeNew', path, content, () => nodeFiles.writeNew(path, content, ownership)),
  writeNewFrom: (path, content, ownership) =>
    change('writeNewFrom', path, undefined, () => nodeFiles.writeNewFrom(path, content, ownership)),
  move: (from, to) => change('move', to, undefined, () => nodeFiles.move(from, to)),
  moveOnDisk: (from, to) => change('moveOnDisk', to, undefined, () => nodeFiles.moveOnDisk(from, to)),
  setMode: (path, mode) => change('setMode', path, undefined, () => nodeFiles.setMode(path, mode)),
  setOwner: (path, uid, gid) => change('setOwner', path, undefined, () => nodeFiles.setOwner(path, uid, gid)),
  removeOwn: (path) => change('removeOwn', path, undefined, () => nodeFiles.removeOwn(path)),
};

const exitCode = await main(process.argv.slice(2), { files: crashing });
process.stdout.write('', () => process.exit(exitCode));
