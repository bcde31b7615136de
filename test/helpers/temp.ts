import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, onTestFinished } from 'vitest';
import { recordKeyFiles } from './keys.ts';

function make(name: string): string {
  return realpathSync(mkdtempSync(join(tmpdir(), `smt-${name}-`)));
}

/** Before a folder goes, the keys that were made in it are put on record. `SMESH_KEEP_TEMP=1` keeps the folder. */
function remove(folder: string): void {
  recordKeyFiles(folder);
  if (process.env.SMESH_KEEP_TEMP === '1') console.error(`kept: ${folder}`);
  else rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** A fresh folder that goes when the running test ends. */
export function tempFolder(name = 'test'): string {
  const folder = make(name);
  onTestFinished(() => remove(folder));
  return folder;
}

/** A fresh folder that goes when the describe block ends; to be called in its body. */
export function suiteTempFolder(name = 'suite'): string {
  const folder = make(name);
  afterAll(() => remove(folder));
  return folder;
}
