import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyFilesIn } from '../helpers/keys.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { askNode, until, untilSynced } from './support/lifecycle.ts';
import { docker, OWNER, TestProject } from './support/project.ts';

const folder = suiteTempFolder('backup');
const elsewhere = suiteTempFolder('backup-to');
const passphrase = join(elsewhere, 'passphrase');

let project: TestProject;
let file: string;

beforeAll(async () => {
  writeFileSync(passphrase, 'correct horse battery staple\n', { mode: 0o600 });
  project = await TestProject.make(folder, 2);
  const run = await project.smesh(['up']);
  expect(run.code, run.stdout + run.stderr).toBe(0);
  await untilSynced(project);
});

afterAll(() => project.cleanUp());

const secret = ['--passphrase-file', passphrase];

async function smesherIds(): Promise<readonly string[]> {
  const { postStates } = await until(
    'the node lists its identities',
    () => askNode(project),
    ({ postStates }) => postStates.ok && postStates.value.length === 2,
  );
  return postStates.ok ? postStates.value.map(({ smesher }) => String(smesher)).sort() : [];
}

describe('a backup of a running project', () => {
  it('is made and opened while the node has its database open, and nothing is touched', async () => {
    const before = await project.lives();
    expect(existsSync(join(folder, 'node-data/local.sql-wal'))).toBe(true);
    const made = await project.smesh(['backup', 'create', '--json', ...secret, '--to', elsewhere]);
    expect(made.code, made.stderr).toBe(0);
    [file] = JSON.parse(made.stdout).paths;
    const verified = await project.smesh(['backup', 'verify', file, '--json', ...secret]);
    expect(verified.code, verified.stderr).toBe(0);
    const { ok, entries } = JSON.parse(verified.stdout);
    expect(ok).toBe(true);
    expect(entries.map(({ path }: { path: string }) => path)).toEqual(
      expect.arrayContaining(['node-data/local.sql', 'node-data/identities/post-0002.key']),
    );
    expect(await project.lives()).toEqual(before);
    expect((await project.smesh(['plan', '--check'])).code).toBe(0);
  });

  it('is not restored over it, nor elsewhere while it serves these identities', async () => {
    const over = await project.smesh(['backup', 'restore', file, ...secret]);
    expect(over.code, over.stdout).toBe(5);
    expect(over.stderr).toContain('of this project are running');
    const other = join(elsewhere, 'copy');
    const beside = await project.smesh(['backup', 'restore', file, '--to', other, ...secret]);
    expect(beside.code, beside.stdout).toBe(5);
    expect(existsSync(other)).toBe(false);
  });

  it('brings back what was wiped, and the node starts with the same identities', async () => {
    const ids = await smesherIds();
    expect(ids).toEqual(project.identities.map(({ smesherId }) => smesherId).sort());
    const keys = keyFilesIn(join(folder, 'node-data/identities'));
    const contents = keys.map((name) => readFileSync(join(folder, 'node-data/identities', name), 'utf8'));
    const down = await project.smesh(['down', '--force']);
    expect(down.code, down.stderr).toBe(0);
    for (const entry of readdirSync(folder))
      if (!entry.startsWith('disk-')) rmSync(join(folder, entry), { recursive: true });
    const restored = await project.smesh(['backup', 'restore', file, ...secret, '--with-old-local-sql']);
    expect(restored.code, restored.stderr).toBe(0);
    expect(keyFilesIn(join(folder, 'node-data/identities'))).toEqual(keys);
    expect(keys.map((name) => readFileSync(join(folder, 'node-data/identities', name), 'utf8'))).toEqual(
      contents,
    );
    expect(statSync(join(folder, 'node-data/local.sql')).uid).toBe(OWNER.uid);
    // Plain Compose is enough.
    await project.compose('up', '-d');
    await untilSynced(project);
    expect(await smesherIds()).toEqual(ids);
    const plan = await project.smesh(['plan', '--check']);
    expect(plan.code, plan.stdout + plan.stderr).toBe(0);
    expect(await docker('inspect', '-f', '{{.Config.User}}', await project.containerOf('node'))).toBe(
      '1000:1000',
    );
    const keysNow = await project.smesh(['keys']);
    expect(keysNow.code, keysNow.stdout).toBe(0);
  });
});
