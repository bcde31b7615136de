/** The guards of a data folder: one node at a time, one genesis for ever. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { goErrno, type NodeConfig } from './config.ts';
import { log } from './logger.ts';

/**
 * Holds the lock file until this process ends, however it ends: flock belongs to the open file, which the
 * helper inherits and this process keeps. @throws Error when another process holds it
 */
export function lockDataFolder(path: string): void {
  let file: number;
  try {
    mkdirSync(dirname(path), { recursive: true });
    file = openSync(path, 'a+', 0o644);
  } catch (error) {
    throw new Error(`getting exclusive file lock: open ${path}: ${goErrno(error)}`);
  }
  const helper = spawnSync('flock', ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'inherit', file] });
  if (helper.error !== undefined) throw helper.error;
  if (helper.status === 0) return;
  const only = 'only one spacemesh instance should be running';
  throw new Error(`getting exclusive file lock: ${only} (locking file ${path})`);
}

/** Compares the genesis settings with those of the first start, or keeps them. @throws Error when they differ */
export function checkGenesis(config: NodeConfig): void {
  const path = join(config.dataFolder, 'genesis.json');
  const wanted = {
    'genesis-time': config.genesisTime === undefined ? '' : new Date(config.genesisTime).toISOString(),
    'genesis-extra-data': config.genesisExtraData,
    accounts: config.accounts,
  };
  let present: unknown;
  try {
    present = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new Error(`initializing app: ${goErrno(error)}`);
    writeFileSync(path, JSON.stringify(wanted), { mode: 0o644 });
    return;
  }
  if (JSON.stringify(present) === JSON.stringify(wanted)) return;
  const required = `if this update is required delete config at ${path}.`;
  log('ERROR', 'node', `genesis config updated after node initialization, ${required}`);
  throw new Error('initializing app: genesis config updated after node initialization');
}
