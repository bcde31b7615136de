import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { newProjectText } from '../../../../src/domain/project/new-project.ts';
import type { Context } from '../../../../src/usecases/context.ts';
import { type Prepared, preparePost } from '../../../../src/usecases/post-init/init-post.ts';
import type { PostInitOptions } from '../../../../src/usecases/post-init/options.ts';
import { lockedUnlessDry } from '../../../../src/usecases/project-lock.ts';
import { makePoetKey } from '../../../helpers/keys.ts';
import { tempFolder } from '../../../helpers/temp.ts';
import type { Said } from '../../backup/support/farm.ts';
import { surroundings } from './half-made.ts';

/** An age key of nobody: what is encrypted for it is never opened. */
const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

export const PRIVATE_COINBASE = 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg';

/** What is told; `undefined`: not even what these tests tell where nothing is said. */
type Told = { readonly [Key in keyof PostInitOptions]?: PostInitOptions[Key] | undefined };

export interface Scene {
  readonly root: string;
  readonly directory: string;
  /** Where data may go. */
  readonly disk: string;
  run(options: Told, changes?: (context: Context) => Context): Promise<Prepared>;
  readonly said: Said;
}

/** A project without identities, as a new smesher has it, beside an empty folder. */
export function scene(post: { readonly labelsPerUnit?: number; readonly maxUnits?: number } = {}): Scene {
  const root = tempFolder('post-init');
  const directory = join(root, 'farm');
  const disk = join(root, 'disk');
  for (const folder of [directory, disk]) mkdirSync(folder);
  const network = { genesisTime: '2026-11-16T00:00:00Z', poetPrivateKey: makePoetKey(), post };
  writeFileSync(
    join(directory, 'smesh.yaml'),
    newProjectText({ name: 'farm', network, coinbase: PRIVATE_COINBASE, identities: [] }),
  );
  const { context, said } = surroundings(directory);
  const bare: Context = { ...context, yes: true };
  return {
    ...{ root, directory, disk, said },
    run(options, changes = (same) => same) {
      const all = { ...defaults, ...options } as PostInitOptions;
      const changed = changes(bare);
      return lockedUnlessDry(changed, 'post init', all.dryRun, () => preparePost(changed, all));
    },
  };
}

const defaults: PostInitOptions = {
  ...{ places: [], units: 2, gpu: 'cpu', providers: [], devices: [], split: false, cpu: true },
  ...{ commitment: 'golden', resume: false, detach: false, noStart: true, dryRun: false, force: false },
  ...{ recipients: [RECIPIENT], keys: [] },
  settings: { keys: [], ignore: [], repairKeys: false, dryRun: false, force: false },
};

/** A file system of its own, which goes when the test ends. */
export function mountDisk(point: string, size: string): void {
  mkdirSync(point, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'smt-disk', point]);
  onTestFinished(() => {
    execFileSync('umount', [point]);
  });
}

export function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'smt', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
