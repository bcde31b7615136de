import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import * as fc from 'fast-check';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import type { SmeshError } from '../../../src/domain/errors.ts';
import { createBackup } from '../../../src/usecases/backup/create.ts';
import { chooseKey } from '../../../src/usecases/backup/locks.ts';
import { restoreBackup } from '../../../src/usecases/backup/restore/restore.ts';
import { verifyBackup } from '../../../src/usecases/backup/verify.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { contextFor, type Farm, type FarmOptions, makeFarm, NOW, projectIn } from './support/farm.ts';
import { treeOf } from './support/watch.ts';

const PASSPHRASE = 'correct horse battery staple';

async function create(
  context: Context,
  root: string,
  options: { recipients?: string[]; withState?: boolean } = {},
): Promise<string> {
  const said: string[] = [];
  const watched = {
    ...context,
    out: { ...context.out, json: (value: unknown) => void said.push(JSON.stringify(value)) },
    json: true,
  };
  writeFileSync(join(root, 'passphrase'), `${PASSPHRASE}\n`, { mode: 0o600 });
  await createBackup(watched, await projectIn(context), {
    recipients: options.recipients ?? [],
    ...(options.recipients === undefined ? { passphraseFile: join(root, 'passphrase') } : {}),
    withoutKeys: false,
    withState: options.withState ?? false,
    to: join(root, 'backups'),
    dryRun: false,
  });
  return JSON.parse(said[0] ?? '').paths[0];
}

const restoring = (root: string, file: string) => ({
  file,
  passphraseFile: join(root, 'passphrase'),
  withOldLocalSql: false,
  dryRun: false,
});

/** What must come back: not copies, journal, or keys that are no longer installed. */
function project(directory: string): Map<string, string> {
  const tree = treeOf(directory);
  for (const path of tree.keys())
    if (/\.smesh\/(backups|journal|retired)|local\.sql|\.smesh$/.test(path)) tree.delete(path);
  return tree;
}

async function rows(context: Context): Promise<unknown> {
  const database = await context.ports.localDatabase();
  return database.read(`${context.directory}/node-data/local.sql`);
}

/** A whole backup that takes a moment to make, once for many tests. */
async function backedUp(root: string, options: FarmOptions = {}): Promise<{ farm: Farm; file: string }> {
  const farm = makeFarm(root, options);
  const file = await create(contextFor(farm.directory).context, root);
  farm.database.close();
  return { farm, file };
}

describe('backup, wipe, restore', () => {
  it('gives back the same keys, the same model and the same rows, whatever the project is', async () => {
    const identity = await generateIdentity();
    const recipient = await identityToRecipient(identity);
    const farms = fc.record({
      identities: fc.integer({ min: 1, max: 5 }),
      override: fc.option(
        fc.string({ unit: 'grapheme' }).map((text) => `# ${text.replaceAll('\n', ' ')}\n`),
        { nil: undefined },
      ),
      p2p: fc.boolean(),
      lease: fc.boolean(),
      rows: fc.integer({ min: 0, max: 60 }),
      keysBesideData: fc.boolean(),
      retired: fc.boolean(),
      settings: fc.constantFrom('', '# mine\ndefaults: {nonces: 288}', 'schedule: {k2pow: 2}'),
    });
    await fc.assert(
      fc.asyncProperty(farms, fc.boolean(), async (options, forRecipient) => {
        const root = tempFolder('round');
        const { override, ...rest } = options;
        const farm = makeFarm(root, { ...rest, ...(override === undefined ? {} : { override }) });
        const { context } = contextFor(farm.directory);
        const [tree, model, database] = [
          project(farm.directory),
          await projectIn(context),
          await rows(context),
        ];
        const file = await create(context, root, forRecipient ? { recipients: [recipient] } : {});
        farm.database.close();
        rmSync(farm.directory, { recursive: true });
        writeFileSync(join(root, 'age.key'), `# made by a test\n${identity}\n`, { mode: 0o600 });
        const request = { ...restoring(root, file), ageKey: join(root, 'age.key') };
        expect(await restoreBackup(context, request)).toBe(0);
        expect(project(farm.directory)).toEqual(tree);
        expect(await projectIn(context)).toEqual(model);
        expect(await rows(context)).toEqual(database);
        // A second time there is nothing to do.
        const { context: again, said } = contextFor(farm.directory);
        expect(await restoreBackup(again, request)).toBe(0);
        expect(said.results.join()).toContain('Nothing was changed');
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  it('goes to another folder where the node keeps its data in the project', async () => {
    const root = tempFolder('other');
    const { farm, file } = await backedUp(root);
    const { context } = contextFor(join(root, 'elsewhere/farm'));
    expect(await restoreBackup(context, restoring(root, file))).toBe(0);
    const [former, found] = [project(farm.directory), project(context.directory)];
    expect([...found].map(([path, bytes]) => [path.replace('/elsewhere', ''), bytes])).toEqual([...former]);
  });
});

describe('state.sql', () => {
  it('is in it when that was asked for, with its -wal, and never puts another one away', async () => {
    const root = tempFolder('state');
    const farm = makeFarm(root);
    const state = join(farm.directory, 'node-data/state.sql');
    const database = new Database(state);
    database.exec('PRAGMA journal_mode = wal; PRAGMA user_version = 25; CREATE TABLE atxs (a BLOB)');
    for (let row = 0; row < 40; row += 1) database.exec('INSERT INTO atxs VALUES (randomblob(60000))');
    const whole = [state, `${state}-wal`].map((path) => readFileSync(path));
    const { context } = contextFor(farm.directory);
    const file = await create(context, root, { withState: true });
    farm.database.close();
    database.close();
    const key = await chooseKey(context, file, restoring(root, file));
    expect((await verifyBackup(context, file, key)).faults).toEqual([]);
    rmSync(farm.directory, { recursive: true });
    expect(await restoreBackup(context, restoring(root, file))).toBe(0);
    expect([state, `${state}-wal`].map((path) => readFileSync(path))).toEqual(whole);
    writeFileSync(state, 'newer');
    expect(await restoreBackup(context, restoring(root, file))).toBe(0);
    expect(readFileSync(state, 'utf8')).toBe('newer');
  });
});

describe('a backup that is not as it was written', () => {
  it('is refused at any flipped byte and at any end, and nothing is written', async () => {
    const root = tempFolder('damage');
    const { farm, file } = await backedUp(root, { rows: 400, retired: true });
    const whole = readFileSync(file);
    expect(whole.length).toBeGreaterThan(70_000);
    rmSync(farm.directory, { recursive: true });
    const damaged = join(root, 'backups', 'damaged.age');
    writeFileSync(damaged, whole);
    const { context } = contextFor(farm.directory);
    const before = treeOf(root);
    before.delete(damaged);
    const refused = async (content: Buffer) => {
      writeFileSync(damaged, content);
      for (const act of [
        async () =>
          verifyBackup(context, damaged, await chooseKey(context, damaged, restoring(root, damaged))),
        () => restoreBackup(context, restoring(root, damaged)),
      ]) {
        const error: SmeshError = await act().then(
          () => expect.unreachable(`${content.length} bytes were taken`),
          (thrown) => thrown,
        );
        expect(error.name, error.stack).toBe('SmeshError');
        expect([2, 3]).toContain(error.exitCode);
        expect(error.message).not.toContain(PASSPHRASE);
      }
      const after = treeOf(root);
      after.delete(damaged);
      expect(after).toEqual(before);
    };
    const offsets = fc.integer({ min: 0, max: whole.length - 1 });
    await fc.assert(
      fc.asyncProperty(offsets, fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const content = Buffer.from(whole);
        content[at] = (content[at] ?? 0) ^ change;
        await refused(content);
      }),
      // The head of the file, byte by byte, and the edges of age's pieces.
      {
        numRuns: 60 + 190,
        examples: [
          ...Array.from({ length: 180 }, (_, at): [number, number] => [at, 1 + (at % 255)]),
          ...[65_535, 65_536, whole.length - 17, whole.length - 16, whole.length - 1].map(
            (at): [number, number] => [at, 128],
          ),
        ],
      },
    );
    await fc.assert(
      fc.asyncProperty(offsets, (length) => refused(whole.subarray(0, length))),
      { numRuns: 40, examples: [[0], [1], [21], [150], [whole.length - 1], [whole.length - 16]] },
    );
    await refused(Buffer.concat([whole, Buffer.from([0])]));
    await refused(Buffer.concat([whole, whole]));
  }, 60_000);

  it('and so is a plain one', async () => {
    const root = tempFolder('plain');
    const farm = makeFarm(root);
    const { context } = contextFor(farm.directory, { json: true });
    const said: string[] = [];
    await createBackup(
      {
        ...context,
        out: { ...context.out, json: (value: unknown) => void said.push(JSON.stringify(value)) },
      },
      await projectIn(context),
      {
        recipients: [],
        withoutKeys: true,
        withState: false,
        to: join(root, 'backups'),
        dryRun: false,
      },
    );
    const file: string = JSON.parse(said[0] ?? '').paths[0];
    const whole = readFileSync(file);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (at) => {
        const content = Buffer.from(whole);
        content[at] = (content[at] ?? 0) ^ 1;
        writeFileSync(file, content);
        const opened = verifyBackup(context, file, undefined).then(
          () => 'taken',
          (error: unknown) => error,
        );
        expect(await opened).toMatchObject({ code: 'damaged-backup' });
      }),
      { numRuns: 80 },
    );
  });

  it('a wrong passphrase is said to be one', async () => {
    const root = tempFolder('wrong');
    const { farm, file } = await backedUp(root);
    writeFileSync(join(root, 'passphrase'), 'correct horse battery stable\n', { mode: 0o600 });
    const { context } = contextFor(farm.directory);
    await expect(restoreBackup(context, restoring(root, file))).rejects.toMatchObject({
      code: 'backup-not-opened',
      exitCode: 3,
      message: expect.stringContaining('the passphrase does not open it'),
    });
  });
});

describe('a folder with newer state', () => {
  const refusal = async (change: (farm: Farm, root: string) => void, options: FarmOptions = {}) => {
    const root = tempFolder('newer');
    const { farm, file } = await backedUp(root, options);
    change(farm, root);
    const before = treeOf(farm.directory);
    const { context } = contextFor(farm.directory);
    const error = await restoreBackup(context, restoring(root, file)).catch((thrown: SmeshError) => thrown);
    expect(treeOf(farm.directory)).toEqual(before);
    return error as SmeshError;
  };

  it('is refused: a key that the backup has not, or another one of the same name', async () => {
    const other = makeFarm(tempFolder('o')).identities;
    const added = await refusal(({ directory }) =>
      writeFileSync(join(directory, 'node-data/identities/new.key'), other[0]?.keyFile ?? ''),
    );
    expect(added).toMatchObject({ code: 'newer-state', exitCode: 5 });
    expect(added.details.join()).toContain(`key of ${other[0]?.smesherId.slice(0, 8)}`);
    const changed = await refusal(({ directory }) =>
      writeFileSync(join(directory, 'node-data/identities/post-0001.key'), other[0]?.keyFile ?? ''),
    );
    expect(changed.details.join()).toContain('post-0001.key is not the one in the backup');
  });

  it('is refused: a local.sql in which something happened since, or an identity that was removed', async () => {
    const root = tempFolder('later');
    const farm = makeFarm(root);
    const { context } = contextFor(farm.directory);
    const file = await create(context, root);
    farm.database.exec('DELETE FROM poet_registration');
    const before = treeOf(farm.directory);
    await expect(restoreBackup(context, restoring(root, file))).rejects.toMatchObject({
      code: 'newer-state',
      details: [expect.stringContaining('local.sql is not the one in the backup')],
    });
    expect(treeOf(farm.directory)).toEqual(before);
    const removed = await refusal(({ directory, identities }) => {
      const path = join(directory, 'smesh.yaml');
      const lines = readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => !line.includes('post-0002'));
      writeFileSync(
        path,
        `${lines.join('\n')}\nretired: [{id: '${identities[1]?.smesherId}', name: post-0002}]\n`,
      );
    });
    expect(removed.details.join()).toContain('post-0002');
  });

  it('an older one gets what is missing, and keeps a copy of what is replaced', async () => {
    const root = tempFolder('older');
    const { farm, file } = await backedUp(root, { override: 'services: {node: {environment: {A: b}}}\n' });
    const tree = project(farm.directory);
    rmSync(join(farm.directory, 'node-data/identities/post-0002.key'));
    writeFileSync(join(farm.directory, 'compose.override.yaml'), '# edited\n');
    const { context, said } = contextFor(farm.directory);
    expect(await restoreBackup(context, restoring(root, file))).toBe(0);
    expect(project(farm.directory)).toEqual(tree);
    expect(said.notes.join('\n')).toContain('Backup before this');
    const copies = [...treeOf(join(farm.directory, '.smesh/backups')).values()];
    expect(copies).toContain(Buffer.from('# edited\n').toString('base64'));
  });
});

describe('an old local.sql', () => {
  const GAP_OPENS = Date.UTC(2026, 10, 22, 20);
  const restored = async (now: number, withOldLocalSql: boolean) => {
    const root = tempFolder('old');
    const { farm, file } = await backedUp(root);
    rmSync(farm.directory, { recursive: true });
    const { context, said } = contextFor(farm.directory, { now });
    expect(await restoreBackup(context, { ...restoring(root, file), withOldLocalSql })).toBe(0);
    return { back: treeOf(farm.directory).has(join(farm.directory, 'node-data/local.sql')), said };
  };

  it('goes back while nobody can have published since', async () => {
    expect((await restored(GAP_OPENS - 1, false)).back).toBe(true);
  });

  it('stays in the backup once a gap has opened, with the reasons, and goes back when that is asked for', async () => {
    const left = await restored(GAP_OPENS + 1, false);
    expect(left.back).toBe(false);
    expect(left.said.warnings.join('\n')).toMatch(
      /gap of epoch 87 opened[\s\S]*cancels[\s\S]*--with-old-local-sql/,
    );
    const forced = await restored(GAP_OPENS + 1, true);
    expect(forced.back).toBe(true);
    expect(forced.said.warnings.join('\n')).toContain('let the node sync');
  });

  it('and stays where the clock is behind the backup', async () => {
    expect((await restored(NOW - 1, false)).back).toBe(false);
  });
});

it('a copy of a project on the same host does not pass for the original', async () => {
  const root = tempFolder('copy');
  const { farm, file } = await backedUp(root);
  const copy = join(root, 'copy/farm');
  mkdirSync(join(root, 'copy'));
  cpSync(farm.directory, copy, { recursive: true });
  writeFileSync(join(copy, 'node-data/local.sql'), 'not a database');
  const { context } = contextFor(copy);
  await expect(restoreBackup(context, restoring(root, file))).rejects.toMatchObject({ code: 'newer-state' });
});
