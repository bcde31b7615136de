import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { beforeAll, describe, expect, it } from 'vitest';
import { nodeCrypto } from '../../../src/adapters/crypto/index.ts';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { createDatabaseEditor } from '../../../src/adapters/sqlite/editor.ts';
import { Passphrase } from '../../../src/domain/backup/passphrase.ts';
import { readKeyFile } from '../../../src/domain/identity/key-file.ts';
import { newProjectText } from '../../../src/domain/project/new-project.ts';
import type { FilesPort } from '../../../src/ports/files.ts';
import { verifyBackup } from '../../../src/usecases/backup/verify.ts';
import { loadProject } from '../../../src/usecases/load-project.ts';
import { preparePost } from '../../../src/usecases/post-init/init-post.ts';
import type { PostInitOptions } from '../../../src/usecases/post-init/options.ts';
import { withProjectLock } from '../../../src/usecases/project-lock.ts';
import { makePoetKey, recordKeyFiles } from '../../helpers/keys.ts';
import { suiteTempFolder } from '../../helpers/temp.ts';
import { dyingAt, Killed } from '../merge/support/killing-files.ts';
import { surroundings } from './support/half-made.ts';

/*
 * The power goes right before each change of the file system while a new identity is made, in its middle where it writes.
 * At every moment there is no key, or one that is whole and its owner's alone; and no job whose key no backup has.
 */

const suite = suiteTempFolder('new-key');
const place = join(suite, 'world');
const template = join(suite, 'template');
const directory = join(place, 'farm');
const identities = join(directory, 'node-data/identities');
const data = join(place, 'disk/post');
let ageKey = '';
let recipient = '';

beforeAll(async () => {
  ageKey = await generateIdentity();
  recipient = await identityToRecipient(ageKey);
  for (const folder of [join(template, 'farm'), join(template, 'disk')])
    mkdirSync(folder, { recursive: true });
});

const settings = {
  network: 'standalone',
  genesisTime: '2026-11-16T00:00:00Z',
  coinbase: 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg',
} as const;

/** Where the key is made: a project without identities, or a folder with nothing in it. */
type Start = 'a project' | 'an empty folder';

function begin(start: Start): void {
  if (existsSync(place)) recordKeyFiles(place);
  rmSync(place, { recursive: true, force: true });
  cpSync(template, place, { recursive: true });
  if (start === 'an empty folder') return;
  const { genesisTime, coinbase } = settings;
  const network = { genesisTime, poetPrivateKey: makePoetKey() };
  const text = newProjectText({ name: 'farm', network, coinbase, identities: [] });
  writeFileSync(join(directory, 'smesh.yaml'), text);
}

const options = (): PostInitOptions => ({
  ...{ places: [data], units: 2, gpu: 'cpu', providers: [], devices: [], split: false, cpu: true },
  ...{ commitment: 'golden', resume: false, detach: false, noStart: true, dryRun: false, force: false },
  ...{ recipients: [recipient], keys: [] },
  settings: { ...settings, keys: [], ignore: [], repairKeys: false, dryRun: false, force: false },
});

async function make(files?: FilesPort): Promise<void> {
  const { context } = surroundings(directory, files === undefined ? {} : { files });
  const bare = { ...context, yes: true };
  await withProjectLock(bare, 'post init', () => preparePost(bare, options()));
}

function keysThere(): readonly { readonly name: string; readonly id: string }[] {
  if (!existsSync(identities)) return [];
  const names = readdirSync(identities).filter((name) => !name.startsWith('.'));
  return names.map((name) => {
    const path = join(identities, name);
    const reading = readKeyFile(readFileSync(path), nodeCrypto.publicKeyOfSeed);
    if (reading.kind !== 'valid') throw new Error(`${name} is no key`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    return { name, id: reading.smesherId };
  });
}

async function backedUp(): Promise<ReadonlySet<string | undefined>> {
  const folder = join(directory, '.smesh/backups');
  const found = new Set<string | undefined>();
  if (!existsSync(folder)) return found;
  const { context } = surroundings(directory);
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.age'))) {
    const key = { kind: 'key-file', content: new Passphrase(ageKey) } as const;
    const { contents, faults } = await verifyBackup(context, join(folder, name), key);
    expect(faults).toEqual([]);
    for (const { kind, smesherId } of contents.entries) if (kind === 'key') found.add(smesherId);
  }
  return found;
}

/** What must hold at any moment. Answers the keys. */
async function judge(what: string) {
  const keys = keysThere();
  expect(
    keys.map(({ name }) => name),
    what,
  ).toEqual(keys.length === 0 ? [] : ['post-0001.key.pending']);
  if (!existsSync(join(directory, 'smesh.yaml'))) return { keys, jobs: [] };
  const { project } = await loadProject(surroundings(directory).context);
  for (const { id, data: folder } of project.initialisation?.jobs ?? []) {
    expect(
      keys.map((key) => key.id),
      what,
    ).toContain(id);
    expect(await backedUp(), what).toContain(id);
    expect(folder).toBe(data);
  }
  return { keys, jobs: project.initialisation?.jobs ?? [] };
}

describe('the power goes while a new identity is made', () => {
  it.each<Start>(['a project', 'an empty folder'])(
    'in %s: no key is left, or one that waits, which the next run backs up and uses',
    async (start) => {
      begin(start);
      const counted = dyingAt(nodeFiles, createDatabaseEditor());
      await make(counted.files);
      const whole = await judge('undisturbed');
      expect(whole.jobs).toHaveLength(1);
      expect(statSync(data).mode & 0o777).toBe(0o700);
      const { changes } = counted;
      expect(changes.filter((change) => change.includes('post-0001.key.pending'))).toHaveLength(1);
      for (let n = 1; n <= changes.length; n += 1) {
        begin(start);
        const what = `${n}: ${changes[n - 1]}`;
        await expect(make(dyingAt(nodeFiles, createDatabaseEditor(), n).files), what).rejects.toThrow(Killed);
        const left = await judge(what);
        await make();
        const after = await judge(what);
        expect(after.jobs, what).toHaveLength(1);
        // One that was made is never left for another.
        if (left.keys.length > 0) expect(after.keys, what).toEqual(left.keys);
        // Nothing is left that could be half a key.
        expect(
          readdirSync(identities).filter((name) => name.startsWith('.')),
          what,
        ).toEqual([]);
      }
    },
    120_000,
  );
});
