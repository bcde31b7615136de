import { readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { keys, startCli } from '../helpers/pty.ts';
import { runCli } from '../helpers/run-cli.ts';
import { tempFolder } from '../helpers/temp.ts';
import { makeFarm } from '../unit/backup/support/farm.ts';

const PASSPHRASE = 'correct horse battery staple';

it('asks for a passphrase twice at a terminal, once to open it, and shows none', async () => {
  const root = tempFolder('backup');
  const farm = makeFarm(root);
  farm.database.close();
  const create = startCli(['backup', 'create'], { cwd: farm.directory });
  await create.waitFor('Passphrase for the backup:');
  create.type(`short${keys.enter}`);
  await create.waitFor('at least 12');
  create.type(keys.backspace.repeat(5));
  create.type(PASSPHRASE + keys.enter);
  await create.waitFor('The same once more:');
  create.type(`${PASSPHRASE}x${keys.enter}`);
  await create.waitFor('not the same');
  create.type(keys.backspace);
  create.type(keys.enter);
  await create.waitFor('opens with the passphrase');
  expect((await create.exit).code).toBe(0);
  expect(create.raw()).not.toContain('horse');

  const [name = ''] = readdirSync(join(farm.directory, '.smesh/backups'));
  const file = join(farm.directory, '.smesh/backups', name);
  const verify = startCli(['backup', 'verify', file], { cwd: root });
  await verify.waitFor('Passphrase of the backup:');
  verify.type(PASSPHRASE + keys.enter);
  await verify.waitFor('Whole: 2 keys, local.sql (schema 9)');
  expect((await verify.exit).code).toBe(0);
  expect(verify.raw()).not.toContain('horse');
});

it('without a terminal says which flag answers, and lists what there is', async () => {
  const root = tempFolder('backup');
  const farm = makeFarm(root);
  farm.database.close();
  const run = (...args: string[]) => runCli(['-C', farm.directory, 'backup', ...args]);
  const unasked = await run('create');
  expect(unasked.code, unasked.stderr).toBe(2);
  expect(unasked.stderr).toContain('--passphrase-file');
  expect((await run('list')).stdout).toContain('Make one: smesh-compose backup create');
  writeFileSync(join(root, 'passphrase'), `${PASSPHRASE}\n`, { mode: 0o644 });
  const created = await run('create', '--passphrase-file', join(root, 'passphrase'));
  expect(created.code, created.stderr).toBe(0);
  expect(created.stderr).toContain('can be read by others');
  expect((await run('create', '--without-keys')).code).toBe(0);
  const listed = await run('list', '--json');
  expect(JSON.parse(listed.stdout).backups).toMatchObject([{ reason: 'manual' }, { reason: 'manual' }]);
  for (const [args, code] of [
    [['verify'], 2],
    [['burn'], 2],
    [['verify', join(root, 'none')], 4],
    [['verify', join(root, 'passphrase')], 3],
    [['create', '--recipient', 'age1x'], 2],
    [['create', '--to', join(root, 'disk1/post/copies'), '--without-keys'], 2],
  ] as const) {
    const refused = await run(...args);
    expect(refused.code, `${args}: ${refused.stderr}`).toBe(code);
  }
  // A disk that is away, and its key with it: the backup says which one it was.
  const [file = ''] = [created.stdout.trim().split('\n').at(-1)?.trim()];
  const kept = join(root, 'kept.age');
  renameSync(file, kept);
  for (const gone of ['disk2', 'farm']) rmSync(join(root, gone), { recursive: true });
  const restored = await run('restore', kept, '--passphrase-file', join(root, 'passphrase'));
  expect(restored.code, restored.stderr).toBe(0);
  expect(restored.stderr).toMatch(/post-0002: its data is not at \S+\. It was on /);
  expect(restored.stdout).toContain('2 keys among them');
});
