import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { TestRegistry } from '../../helpers/registry.ts';
import { docker, NODE_IMAGE, PROVER_IMAGE } from './project.ts';

const run = promisify(execFile);

export const NODE_REPOSITORY = 'spacemeshos/go-spacemesh';
export const PROVER_REPOSITORY = 'spacemeshos/post-service';

/** A release that the registry has: the stand-in with some of its knobs turned. */
export interface TestRelease {
  readonly of: 'node' | 'prover';
  readonly tag: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of its own program. */
  readonly entrypoint?: readonly string[];
}

/**
 * A registry that has these releases as images, and nothing of them on the engine: whoever wants one has to pull it.
 */
export class TestReleases {
  readonly registry: TestRegistry;
  readonly #token = `smt-rel-${process.pid}-${randomBytes(3).toString('hex')}`;

  private constructor(registry: TestRegistry) {
    this.registry = registry;
  }

  /** @param folder takes their layers, for as long as they are served */
  static async serve(folder: string, releases: readonly TestRelease[]): Promise<TestReleases> {
    const made = new TestReleases(await TestRegistry.start());
    const tags = await Promise.all(releases.map((release) => made.#make(release)));
    try {
      const archive = join(folder, 'images.tar');
      await docker('save', '-o', archive, ...tags);
      await run('tar', ['-x', '-f', archive, '-C', folder]);
      rmSync(archive);
      made.registry.addSaved(folder, (saved) => {
        const release = releases[tags.findIndex((tag) => saved.endsWith(tag))];
        if (release === undefined) throw new Error(`${saved} was not asked for`);
        return { repository: repositoryOf(release), tag: release.tag };
      });
    } finally {
      await docker('rmi', ...tags);
    }
    return made;
  }

  node(tag: string): string {
    return `${this.registry.host}/${NODE_REPOSITORY}:${tag}`;
  }

  prover(tag: string): string {
    return `${this.registry.host}/${PROVER_REPOSITORY}:${tag}`;
  }

  async stop(): Promise<void> {
    await this.registry.stop();
    const pulled = await docker(
      'images',
      '-q',
      '--no-trunc',
      '--filter',
      `reference=${this.registry.host}/*/*`,
    );
    if (pulled !== '') await docker('rmi', '-f', ...new Set(pulled.split('\n'))).catch(() => {});
  }

  async #make({ of, tag, env = {}, entrypoint }: TestRelease): Promise<string> {
    const version = of === 'node' ? tag : tag.replace(/^v/, '');
    const changes = Object.entries({ SIM_VERSION: version, ...env }).map(
      ([key, value]) => `ENV ${key}=${value}`,
    );
    if (entrypoint !== undefined) changes.push(`ENTRYPOINT ${JSON.stringify(entrypoint)}`);
    const image = `${this.#token}/${of}:${tag}`;
    const container = await docker('create', of === 'node' ? NODE_IMAGE : PROVER_IMAGE);
    try {
      await docker('commit', ...changes.flatMap((change) => ['--change', change]), container, image);
    } finally {
      await docker('rm', container);
    }
    return image;
  }
}

function repositoryOf({ of }: TestRelease): string {
  return of === 'node' ? NODE_REPOSITORY : PROVER_REPOSITORY;
}
