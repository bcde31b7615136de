import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { createDatabaseEditor } from '../../../src/adapters/sqlite/editor.ts';
import { restoreBackup } from '../../../src/usecases/backup/restore/restore.ts';
import { loadProject } from '../../../src/usecases/load-project.ts';
import { preparePost } from '../../../src/usecases/post-init/init-post.ts';
import type { PostInitOptions } from '../../../src/usecases/post-init/options.ts';
import { withProjectLock } from '../../../src/usecases/project-lock.ts';
import { makeIdentity, recordKeyFiles } from '../../helpers/keys.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { dyingAt, Killed } from '../merge/support/killing-files.ts';
import { surroundings } from './support/half-made.ts';

/** Somebody who has nothing yet, and an age key. */
async function beginner() {
  const root = tempFolder('waiting');
  const directory = join(root, 'farm');
  for (const folder of [directory, join(root, 'disk')]) mkdirSync(folder);
  const ageKey = await generateIdentity();
  const recipient = await identityToRecipient(ageKey);
  const settings = {
    network: 'standalone',
    genesisTime: '2026-11-16T00:00:00Z',
    coinbase: 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg',
    ...{ keys: [], ignore: [], repairKeys: false, dryRun: false, force: false },
  } as const;
  const { context, said } = surroundings(directory);
  const make = (folders: readonly string[], files = nodeFiles) => {
    const options: PostInitOptions = {
      ...{ places: folders.map((folder) => join(root, 'disk', folder)), count: folders.length, units: 2 },
      ...{ gpu: 'cpu', providers: [], devices: [], split: false, cpu: true, commitment: 'golden' },
      ...{ resume: false, detach: false, noStart: true, dryRun: false, force: false },
      ...{ recipients: [recipient], keys: [], settings },
    };
    const here = { ...context, ports: { ...context.ports, files }, yes: true };
    return withProjectLock(here, 'post init', () => preparePost(here, options));
  };
  const jobs = async () => (await loadProject(context)).project.initialisation?.jobs ?? [];
  const identities = join(directory, 'node-data/identities');
  const backups = join(directory, '.smesh/backups');
  return { root, directory, context, said, ageKey, make, jobs, identities, backups };
}

describe('the first key of a new project', () => {
  it('comes back from the backup that was made before its job, and is used again', async () => {
    const farm = await beginner();
    await farm.make(['a']);
    const [job] = await farm.jobs();
    const key = readFileSync(join(farm.identities, 'post-0001.key.pending'));
    const [name = ''] = readdirSync(farm.backups);
    const file = join(farm.root, name);
    writeFileSync(file, readFileSync(join(farm.backups, name)));
    recordKeyFiles(farm.root);
    for (const folder of ['farm', 'disk']) rmSync(join(farm.root, folder), { recursive: true });
    const ageKey = join(farm.root, 'age.key');
    writeFileSync(ageKey, `${farm.ageKey}\n`, { mode: 0o600 });
    expect(await restoreBackup(farm.context, { file, ageKey, withOldLocalSql: false, dryRun: false })).toBe(
      0,
    );
    expect(readFileSync(join(farm.identities, 'post-0001.key.pending'))).toEqual(key);
    mkdirSync(join(farm.root, 'disk'));
    await farm.make(['a']);
    expect(await farm.jobs()).toMatchObject([{ id: job?.id, identity: 'post-0001' }]);
  });

  it('has a smesh.yaml beside it at whatever moment the power goes', async () => {
    const counted = dyingAt(nodeFiles, createDatabaseEditor());
    const first = await beginner();
    await first.make(['a'], counted.files);
    const at = counted.changes.findIndex((change) => change.includes('post-0001.key.pending')) + 1;
    expect(at).toBeGreaterThan(0);
    for (const n of [at, at + 1, at + 2]) {
      const farm = await beginner();
      await expect(farm.make(['a'], dyingAt(nodeFiles, createDatabaseEditor(), n).files)).rejects.toThrow(
        Killed,
      );
      expect(await farm.jobs()).toEqual([]);
      await farm.make(['a']);
      expect(await farm.jobs()).toHaveLength(1);
      expect(readdirSync(farm.identities)).toEqual(['post-0001.key.pending']);
      // Nothing of the tool's own is taken for an edit by hand.
      expect(farm.said.warnings.filter((line) => line.includes('had been changed'))).toEqual([]);
    }
  });
});

describe('keys that wait without a job', () => {
  async function withFiles(names: readonly string[]) {
    const farm = await beginner();
    await farm.make(['a']);
    const key = makeIdentity();
    for (const name of names) writeFileSync(join(farm.identities, name), key.keyFile, { mode: 0o600 });
    return { ...farm, key };
  }

  it('under two names are one identity', async () => {
    const farm = await withFiles(['post-0007.key.pending', 'post-0008.key.pending']);
    await farm.make(['b', 'c']);
    const [, second, third] = await farm.jobs();
    expect(second).toMatchObject({ id: farm.key.smesherId, identity: 'post-0007' });
    expect(third?.identity).toBe('post-0009');
    expect(third?.id).not.toBe(farm.key.smesherId);
  });

  it.each(['My Key', 'node', 'x'.repeat(60)])('are passed over, and said, when called %j', async (name) => {
    const farm = await withFiles([`${name}.key.pending`]);
    await farm.make(['b']);
    expect((await farm.jobs())[1]?.identity).toBe('post-0002');
    expect(farm.said.warnings.join('\n')).toContain(`${name}.key.pending`);
    expect(readdirSync(farm.identities)).toContain(`${name}.key.pending`);
  });

  it('are not looked for in a folder of such a name, which keeps its name to itself', async () => {
    const farm = await withFiles([]);
    mkdirSync(join(farm.identities, 'post-0002.key.pending'));
    await farm.make(['b']);
    expect((await farm.jobs())[1]?.identity).toBe('post-0003');
  });

  it('are not used while the node reads a copy: it would ask for a proof that is not there', async () => {
    const farm = await withFiles(['post-0007.key.pending', 'copy.key']);
    await farm.make(['b']);
    expect((await farm.jobs()).map(({ id }) => id)).not.toContain(farm.key.smesherId);
  });
});

describe('names', () => {
  it('of identities that were removed are given to nobody', async () => {
    const farm = await beginner();
    await farm.make(['a']);
    const yaml = join(farm.directory, 'smesh.yaml');
    const { smesherId } = makeIdentity();
    writeFileSync(yaml, `${readFileSync(yaml, 'utf8')}retired:\n  - {id: '${smesherId}', name: post-0005}\n`);
    await farm.make(['b']);
    expect((await farm.jobs()).map(({ identity }) => identity)).toEqual(['post-0001', 'post-0006']);
  });

  it('are given once where two run at the same moment: the second one is sent away', async () => {
    const farm = await beginner();
    const runs = await Promise.allSettled([farm.make(['a']), farm.make(['b'])]);
    expect(runs.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const lost = runs.find(({ status }) => status === 'rejected');
    expect(lost).toMatchObject({ reason: { code: 'project-busy', exitCode: 75 } });
    expect(await farm.jobs()).toHaveLength(1);
    expect(readdirSync(farm.identities)).toEqual(['post-0001.key.pending']);
  });
});
