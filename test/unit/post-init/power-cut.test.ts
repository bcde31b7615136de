import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { createDatabaseEditor } from '../../../src/adapters/sqlite/editor.ts';
import { Passphrase } from '../../../src/domain/backup/passphrase.ts';
import { verifyBackup } from '../../../src/usecases/backup/verify.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { loadProject } from '../../../src/usecases/load-project.ts';
import { joinComplete, takeIn } from '../../../src/usecases/post-init/finish-jobs.ts';
import { withProjectLock } from '../../../src/usecases/project-lock.ts';
import { bundleStandIn, removeScratch } from '../../contract/run-stand-in.ts';
import { suiteTempFolder } from '../../helpers/temp.ts';
import { dyingAt, Killed } from '../merge/support/killing-files.ts';
import { carryOutJob, type HalfMade, makeHalfMade, postFiles, surroundings } from './support/half-made.ts';

/*
 * The power goes right before each change of the file system, in its middle where it writes. At every moment the key is
 * there, whole and readable by its owner alone, under one name; no label is lost; and the node reads the key only when
 * its data is whole and a backup has it.
 */

const suite = suiteTempFolder('power-cut');
const place = join(suite, 'world');
const template = join(suite, 'template');
const minute = 60_000;

let farm: HalfMade;
let labels: Record<string, string> = {};

beforeAll(async () => {
  const postcli = await bundleStandIn('postcli');
  farm = await makeHalfMade(place);
  for (const job of farm.jobs) await carryOutJob(postcli, farm, job);
  labels = Object.assign({}, ...farm.jobs.map(({ data }) => binaries(data)));
  cpSync(place, template, { recursive: true, preserveTimestamps: true });
}, minute);
afterAll(removeScratch);

function binaries(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  return Object.fromEntries(Object.entries(postFiles(folder)).filter(([name]) => name.endsWith('.bin')));
}

/** The same paths again: journals and smesh.yaml know them. */
function begin(): void {
  rmSync(place, { recursive: true });
  cpSync(template, place, { recursive: true, preserveTimestamps: true });
}

/** All of it, as `post init` does it when the last job has ended. */
async function finish(context: Context): Promise<void> {
  const finished = await withProjectLock(context, 'post init', async () =>
    joinComplete(context, (await loadProject(context)).project),
  );
  if (finished.length > 0) await takeIn(context, finished, { dryRun: false });
}

function dying(n?: number) {
  const death = dyingAt(nodeFiles, createDatabaseEditor(), n);
  return { ...death, context: surroundings(farm.directory, { files: death.files }).context };
}

async function isBackedUp(): Promise<boolean> {
  if (!existsSync(farm.backups)) return false;
  for (const name of readdirSync(farm.backups).filter((one) => one.endsWith('.age'))) {
    const key = { kind: 'key-file', content: new Passphrase(farm.ageKey) } as const;
    const { contents, files, faults } = await verifyBackup(farm.context, join(farm.backups, name), key);
    const entry = contents.entries.find(
      ({ kind, smesherId }) => kind === 'key' && smesherId === farm.made.smesherId,
    );
    const content = entry === undefined ? undefined : files.get(entry.path);
    if (faults.length === 0 && Buffer.from(content ?? []).toString() === farm.made.keyFile) return true;
  }
  return false;
}

/** What must hold at any moment. */
async function judge(): Promise<void> {
  const names = readdirSync(farm.identities).filter((name) => /^[^.].*\.key(\.pending)?$/.test(name));
  const ofMade = names.filter(
    (name) => readFileSync(join(farm.identities, name), 'utf8') === farm.made.keyFile,
  );
  expect(names).toHaveLength(2);
  expect(ofMade).toHaveLength(1);
  for (const name of names) expect(statSync(join(farm.identities, name)).mode & 0o777).toBe(0o600);
  const folders = [farm.into, ...farm.jobs.map(({ data }) => data)];
  expect(Object.assign({}, ...folders.map(binaries))).toEqual(labels);
  if (!ofMade[0]?.endsWith('.key')) return;
  expect(binaries(farm.into)).toEqual(labels);
  expect(JSON.parse(readFileSync(join(farm.into, 'postdata_metadata.json'), 'utf8'))).toHaveProperty('Nonce');
  expect(await isBackedUp()).toBe(true);
}

/** The end, without what says when. */
function endState(): unknown {
  const yaml = readFileSync(join(farm.directory, 'smesh.yaml'), 'utf8');
  return {
    yaml,
    compose: readFileSync(join(farm.directory, 'compose.yaml'), 'utf8'),
    whole: postFiles(farm.into),
    parts: farm.jobs.map(({ data }) => readdirSync(data)),
    identities: readdirSync(farm.identities).sort(),
    state: readdirSync(join(farm.directory, '.smesh/journal')),
  };
}

describe('the power goes while data is joined and its key taken in', () => {
  it(
    'at any moment the key is kept and no label lost; the next command ends as if nothing had been',
    async () => {
      begin();
      const counted = dying();
      await finish(counted.context);
      await judge();
      const wanted = endState();
      expect(wanted).toMatchObject({
        identities: ['post-0001.key', 'post-0001.lease', 'post-0002.key', 'post-0002.lease'],
      });
      const { changes } = counted;
      expect(changes.filter((change) => change.startsWith('moveOnDisk'))).toHaveLength(10);
      expect(changes.filter((change) => /^move .*\.key\.pending /.test(change))).toHaveLength(1);
      for (let n = 1; n <= changes.length; n += 1) {
        begin();
        const { context } = dying(n);
        await expect(finish(context), changes[n - 1]).rejects.toThrow(Killed);
        await judge();
        await finish(surroundings(farm.directory).context);
        await judge();
        expect(endState(), changes[n - 1]).toEqual(wanted);
      }
    },
    2 * minute,
  );
});
