import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { makePostDirectory } from '../../test/helpers/post-data.ts';

const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** A project with real PoST directories and keys, made by the built program. */
export interface BenchProject {
  readonly data: string;
  readonly directory: string;
  /** Runs the built program in the project; throws when it fails. */
  run(...args: string[]): void;
  remove(): void;
}

/** Makes a project of so many identities, spread over ten disks. */
export function makeBenchProject(identities: number): BenchProject {
  const base = mkdtempSync(join(tmpdir(), 'smesh-bench-'));
  const [data, directory] = [join(base, 'mnt'), join(base, 'project')];
  for (let number = 1; number <= identities; number += 1)
    makePostDirectory(join(data, `d${number % 10}/post${String(number).padStart(4, '0')}`));
  const run = (...args: string[]) => {
    execFileSync(process.execPath, [cli, '-C', directory, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const coinbase = 'sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y';
  run('init', '--yes', '--data', data, '--coinbase', coinbase);
  return { data, directory, run, remove: () => rmSync(base, { recursive: true, force: true }) };
}
