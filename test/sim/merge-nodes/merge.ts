/** The steps of merge-nodes v1.7.6 in their order (spacemesh.md §6.3): whatever fails, what came before it stays done. */
import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goErrno } from '../node/config.ts';
import { keyFilesIn, readKey } from '../node/identities.ts';
import { checkDatabase, createDatabase, mergeRows, NoDatabase } from './databases.ts';
import { log } from './log.ts';

const place = (line: number) => `internal/merge_action.go:${line}`;

/** @throws Error as the real program words it */
export function mergeNodes(from: string, to: string): void {
  openTarget(to);
  checkDatabase(from, 'source');
  if (isSupervised(from)) {
    const found = `found local.key in ${join(from, 'identities')}`;
    const only = 'only merging from remote smeshers is supported';
    log('error', place(83), `source appears to be a supervised node (${found}) - ${only}`);
    throw supervised();
  }
  copyKeys(from, to);
  log('info', place(161), 'merging databases', { from, to });
  mergeRows(from, to);
}

/** A target without a database is a fresh one, even where keys are in it, and one of them `local.key`. */
function openTarget(to: string): void {
  try {
    checkDatabase(to, 'target');
  } catch (error) {
    if (!(error instanceof NoDatabase)) throw error;
    log('info', place(35), 'target database does not exist, creating it', { path: to });
    mkdirSync(join(to, 'identities'), { recursive: true, mode: 0o700 });
    createDatabase(to);
    return;
  }
  if (!isSupervised(to)) return;
  const found = `found local.key in ${join(to, 'identities')}`;
  const only = 'only merging to remote smeshers is supported';
  log('error', place(60), `target appears to be a supervised node (${found})- ${only}`);
  throw supervised();
}

function isSupervised(folder: string): boolean {
  return existsSync(join(folder, 'identities', 'local.key'));
}

function supervised(): Error {
  return new Error('merging of supervised smeshing nodes is not supported');
}

/** All names and keys are looked at before the first is copied; what is copied stays, whatever fails later. */
function copyKeys(from: string, to: string): void {
  const source = join(from, 'identities');
  const names = namesIn(source);
  for (const name of names) {
    if (existsSync(join(to, 'identities', name)))
      throw new Error(`identity file ${name} already exists: file already exists`);
  }
  for (const name of names) checkKey(source, name);
  for (const name of names) {
    const target = join(to, 'identities', name);
    try {
      writeFileSync(target, readFileSync(join(source, name), 'latin1').toLowerCase(), {
        mode: 0o600,
        flag: 'wx',
      });
    } catch (error) {
      throw new Error(`failed to write identity file: open ${target}: ${goErrno(error)}`);
    }
    log('info', place(152), 'copied identity', { name });
  }
}

function namesIn(folder: string): string[] {
  try {
    lstatSync(folder);
  } catch (error) {
    throw new Error(`lstat ${folder}: ${goErrno(error)}`);
  }
  return keyFilesIn(folder);
}

function checkKey(folder: string, name: string): void {
  try {
    readKey(join(folder, name), name);
  } catch (error) {
    throw new Error(`not a valid key file ${name}: ${(error as Error).message}`);
  }
}
