import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createBackup } from '../../../src/usecases/backup/create.ts';
import { restoreBackup } from '../../../src/usecases/backup/restore/restore.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { planGenerate } from '../../../src/usecases/generate.ts';
import { runJournaled } from '../../../src/usecases/journal.ts';
import { listKeys } from '../../../src/usecases/list-keys.ts';
import { loadProject } from '../../../src/usecases/load-project.ts';
import { findIdentity } from '../../../src/usecases/remove-identities.ts';
import { makeIdentity } from '../../helpers/keys.ts';
import { makePostDirectory } from '../../helpers/post-data.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { makeLocalSql } from '../merge/support/rig.ts';
import { observed } from '../plan/observed.ts';
import { type HalfMade, makeHalfMade, surroundings } from './support/half-made.ts';

const WAITING = 'post-0002.key.pending';

async function backUp({ context, backups }: HalfMade): Promise<string> {
  const { project } = await loadProject(context);
  await createBackup(context, project, {
    recipients: [],
    withoutKeys: false,
    withState: false,
    dryRun: false,
  });
  return join(backups, readdirSync(backups)[0] ?? '');
}

async function restore(root: string, farm: HalfMade, file: string): Promise<number> {
  const ageKey = join(root, 'age.key');
  writeFileSync(ageKey, `${farm.ageKey}\n`, { mode: 0o600 });
  return restoreBackup(farm.context, { file, ageKey, withOldLocalSql: false, dryRun: false });
}

async function generate(context: Context): Promise<readonly string[]> {
  const { project } = await loadProject(context);
  const plan = await planGenerate(context, { project, keyPlaces: [], repairKeys: false, force: false });
  await runJournaled(context.ports, {
    ...{ directory: context.directory, command: 'generate', at: 0, steps: plan.steps },
  });
  return plan.notes;
}

describe('a key that waits for its data', () => {
  it('is in a backup, and comes back under its name, for its owner alone', async () => {
    const root = tempFolder('pending');
    const farm = await makeHalfMade(root);
    const file = await backUp(farm);
    rmSync(farm.directory, { recursive: true });
    expect(await restore(root, farm, file)).toBe(0);
    const path = join(farm.identities, WAITING);
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual([farm.made.keyFile, 0o600]);
    expect(existsSync(join(farm.identities, 'post-0002.key'))).toBe(false);
  });

  it('that is lost costs no older backup which still has it', async () => {
    const farm = await makeHalfMade(tempFolder('pending'));
    const yaml = join(farm.directory, 'smesh.yaml');
    writeFileSync(yaml, readFileSync(yaml, 'utf8').replace('backup: {', 'backup: {keep: 1, '));
    makeLocalSql(join(farm.directory, 'node-data/local.sql'), []);
    const made = async () => {
      const { project } = await loadProject(farm.context);
      const options = { recipients: [], withoutKeys: false, withState: false, dryRun: false };
      const code = await createBackup(farm.context, project, options);
      return { code, backups: readdirSync(farm.backups).length };
    };
    expect([await made(), await made()]).toEqual([
      { code: 0, backups: 1 },
      { code: 0, backups: 1 },
    ]);
    rmSync(join(farm.identities, WAITING));
    expect(await made()).toEqual({ code: 3, backups: 2 });
  });

  it('keeps an older backup from being restored over it', async () => {
    const root = tempFolder('pending');
    const farm = await makeHalfMade(root);
    const file = await backUp(farm);
    const newer = makeIdentity();
    writeFileSync(join(farm.identities, 'post-0003.key.pending'), newer.keyFile, { mode: 0o600 });
    await expect(restore(root, farm, file)).rejects.toMatchObject({
      exitCode: 5,
      details: [expect.stringContaining('post-0003.key.pending is the key of')],
    });
  });

  it('does not come back once its identity was removed: another host may have it since', async () => {
    const root = tempFolder('pending');
    const farm = await makeHalfMade(root);
    const file = await backUp(farm);
    const yaml = join(farm.directory, 'smesh.yaml');
    const text = readFileSync(yaml, 'utf8').replace(/\n# Jobs that make[\s\S]*$/, '\n');
    writeFileSync(yaml, `${text}retired:\n  - {id: '${farm.made.smesherId}', name: post-0002}\n`);
    rmSync(join(farm.identities, WAITING));
    await expect(restore(root, farm, file)).rejects.toMatchObject({
      exitCode: 5,
      details: [expect.stringContaining('was removed from this project since the backup')],
    });
    expect(existsSync(join(farm.identities, WAITING))).toBe(false);
  });

  it('is listed as waiting, and as in two places where a node has a copy of it', async () => {
    const root = tempFolder('pending');
    const farm = await makeHalfMade(root);
    const other = join(root, 'other');
    mkdirSync(join(other, 'identities'), { recursive: true });
    writeFileSync(join(other, 'identities/copy.key'), farm.made.keyFile);
    const node = observed('node', {
      id: 'other',
      project: 'other',
      labels: { 'io.smesh-compose.role': 'node' },
      mounts: [{ kind: 'bind', source: other, target: '/data', writable: true }],
    });
    const list = async (containers: readonly (typeof node)[]) => {
      const { context, said } = surroundings(farm.directory, { json: true, containers });
      const code = await listKeys(context, (await loadProject(context)).project, []);
      const { identities } = JSON.parse(said.results[0] ?? '') as { identities: Record<string, unknown>[] };
      return { code, ...identities.find(({ name }) => name === 'post-0002') };
    };
    expect(await list([])).toMatchObject({ code: 0, id: farm.made.smesherId, waits: true, verdict: 'clean' });
    expect(await list([node])).toMatchObject({ code: 5, waits: true, verdict: 'twice' });
  });

  it('goes to the retired keys where somebody has copied it by hand and its job is gone', async () => {
    const root = tempFolder('pending');
    const farm = await makeHalfMade(root);
    const yaml = join(farm.directory, 'smesh.yaml');
    const data = join(root, 'disk3/post');
    makePostDirectory(data, { identity: farm.made, network: 'standalone', key: 'none' });
    writeFileSync(join(farm.identities, 'by-hand.key'), farm.made.keyFile, { mode: 0o600 });
    const text = readFileSync(yaml, 'utf8').replace(/\n# Jobs that make[\s\S]*$/, '\n');
    const entry = `  - {id: '${farm.made.smesherId}', name: post-0002, data: ${data}}\n`;
    writeFileSync(yaml, text.replace(/identities:\n/, `identities:\n${entry}`));
    expect((await generate(farm.context)).join(' ')).toContain('waits for nothing any more');
    const keys = readdirSync(farm.identities).filter((name) => name.includes('.key'));
    expect(keys).toEqual(['by-hand.key', 'post-0001.key']);
    const [retired = ''] = readdirSync(join(farm.directory, '.smesh/retired')).filter((name) =>
      name.endsWith('.key'),
    );
    expect(readFileSync(join(farm.directory, '.smesh/retired', retired), 'utf8')).toBe(farm.made.keyFile);
    expect(await generate(farm.context)).toEqual([]);
  });

  it('starts no node: with no other key Compose leaves it alone', async () => {
    const root = tempFolder('pending');
    const farm = await makeHalfMade(root);
    const compose = () =>
      parse(readFileSync(join(farm.directory, 'compose.yaml'), 'utf8')).services.node.profiles;
    expect(compose()).toBeUndefined();
    const yaml = join(farm.directory, 'smesh.yaml');
    writeFileSync(yaml, readFileSync(yaml, 'utf8').replace(/identities:\n( {2}.*\n)+/, 'identities: []\n'));
    rmSync(join(farm.identities, 'post-0001.key'));
    await generate(farm.context);
    expect(compose()).toEqual(['node-without-keys']);
  });

  it('is of nobody who could be removed', async () => {
    const farm = await makeHalfMade(tempFolder('pending'));
    const { project } = await loadProject(farm.context);
    expect(() => findIdentity(project, 'post-0002')).toThrow(
      expect.objectContaining({ code: 'being-made', message: expect.stringContaining('post-0002-init-1') }),
    );
  });
});
