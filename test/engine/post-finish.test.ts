import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordKeyFiles } from '../helpers/keys.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { plain } from './support/lifecycle.ts';
import { docker, OWNER, POSTCLI_IMAGE, TestProject } from './support/project.ts';

const TWO_CARDS = `smesh-test/postcli-two-cards:${process.pid}`;

const folder = suiteTempFolder('post-finish');
const disk = join(folder, 'disk');
const data = join(disk, 'post-0001');
const identities = join(folder, 'node-data/identities');
let project: TestProject;

/** A project without any identity: all that it will have is made in this test. */
beforeAll(async () => {
  project = await TestProject.make(folder, 0);
  const made = await docker('create', POSTCLI_IMAGE);
  await docker('commit', '--change', 'ENV SIM_GPUS=A,B', made, TWO_CARDS);
  await docker('rm', made);
  appendFileSync(join(folder, 'smesh.yaml'), `init:\n  image: ${TWO_CARDS}\n  gpu: nvidia\n  jobs: []\n`);
  writeFileSync(join(folder, 'passphrase'), 'correct horse battery staple\n', { mode: 0o600 });
  mkdirSync(disk);
  // A disk on which no prover of another suite can be at work: there nobody's labels would be looked at.
  const options = `size=2g,uid=${OWNER.uid},gid=${OWNER.gid}`;
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk]);
});

afterAll(async () => {
  await project.cleanUp();
  execFileSync('umount', ['-l', disk]);
  await docker('rmi', TWO_CARDS);
});

const keys = () => readdirSync(identities).filter((name) => name.includes('.key'));
const yaml = () => readFileSync(join(folder, 'smesh.yaml'), 'utf8');

async function smesh(...args: string[]): Promise<string> {
  const run = await project.smesh(args);
  expect(run.code, `${args.join(' ')}\n${run.stdout}${run.stderr}`).toBe(0);
  return plain(run.stdout + run.stderr);
}

/** The node asks for its first proof, and what the service makes of the labels holds. */
async function waitForProof(service: string): Promise<void> {
  const until = Date.now() + 60_000;
  while (!/proof is valid/.test(await project.compose('logs', '--no-color', service))) {
    if (Date.now() > until) throw new Error(`${service} has made no proof`);
    await sleep(300);
  }
}

describe('a new identity on two cards', () => {
  it('S5: has a key that waits and a backup before the first label; no node starts meanwhile', async () => {
    await smesh(
      ...['post', 'init', data, '--units', '2', '--max-file-size', '1024', '--gpu', 'nvidia', '--split'],
      ...['--provider', '0', '--provider', '1', '--commitment', 'golden', '--user', '1000:1000'],
      ...['--passphrase-file', join(folder, 'passphrase'), '--no-start', '--yes'],
    );
    recordKeyFiles(identities);
    expect(keys()).toEqual(['post-0001.key.pending']);
    const key = join(identities, 'post-0001.key.pending');
    expect(statSync(key).mode & 0o777).toBe(0o600);
    expect(statSync(key).uid).toBe(OWNER.uid);
    const backups = await smesh('backup', 'list');
    expect(backups).toMatch(/keys/);
    const up = await project.smesh(['up']);
    expect(up.code).toBe(5);
    expect(plain(up.stderr)).toMatch(/There is no key for the node yet/);
    await expect(project.compose('up', '-d')).rejects.toThrow(/no service selected/);
    expect(await project.containerIds()).toEqual([]);
    expect(plain(await smesh('keys'))).toMatch(/post-0001 .*waits for its data/);
  });

  it('S26: is computed by both, joined with the smallest nonce', async () => {
    // The passthrough of cards that this machine does not have; all else is as it is written.
    writeFileSync(
      join(folder, 'compose.override.yaml'),
      `services:\n${[1, 2].map((part) => `  post-0001-init-${part}: {deploy: !reset null}\n`).join('')}`,
    );
    const done = await smesh('post', 'init');
    expect(done).toMatch(/2 parts joined in/);
    expect(done).toMatch(/post-0001 .*whole +right \(0\.001 % of files 0–1\)/);
    expect(readdirSync(data).sort()).toEqual(['postdata_0.bin', 'postdata_1.bin', 'postdata_metadata.json']);
    expect(readdirSync(`${data}.part-1`)).toEqual(['postdata_metadata.json.joined']);
    writeFileSync(join(folder, 'compose.override.yaml'), 'services: {}\n');
    expect(keys()).toEqual(['post-0001.key.pending']);
    expect(await smesh('post', 'status')).toMatch(/post-0001/);
    expect(await smesh('post', 'verify', 'post-0001', '--structure')).toMatch(/post-0001 .*whole/);
  });

  it('is not taken in with labels that no card computed', async () => {
    const file = join(data, 'postdata_0.bin');
    const right = readFileSync(file);
    writeFileSync(file, randomBytes(right.length));
    const wrong = await project.smesh(['post', 'init', '--yes']);
    expect(wrong.code).toBe(3);
    expect(plain(wrong.stdout)).toMatch(/wrong in file 0/);
    expect(plain(wrong.stderr)).toMatch(/Nothing was taken into the project/);
    expect(keys()).toEqual(['post-0001.key.pending']);
    writeFileSync(file, right);
  });

  it('S7: is taken in once its data is whole, and proves', async () => {
    const before = yaml();
    await smesh('add', data, '--dry-run');
    expect(yaml()).toBe(before);
    await smesh('add', data);
    expect(keys()).toEqual(['post-0001.key']);
    expect(yaml()).toMatch(/jobs: \[\]/);
    // The first key takes the node out of its profile, for plain Compose, too.
    await project.compose('up', '-d');
    expect(await project.compose('ps', '--services')).toMatch(/^node$/m);
    await smesh('up', '--force');
    expect(existsSync(join(identities, 'local.key'))).toBe(false);
    // Compose would call them orphans for ever.
    for (const part of [1, 2]) expect(await project.containerOf(`post-0001-init-${part}`)).toBe('');
    await waitForProof('post-0001');
    expect(keys()).toEqual(['post-0001.key']);
  });

  it('is not restarted when its last key was taken out by hand: it would make local.key', async () => {
    const text = yaml().replace(/^identities:\n(?: .*\n)*/m, 'identities: []\n');
    expect(text).not.toMatch(/name: post-0001/);
    writeFileSync(join(folder, 'smesh.yaml'), text);
    renameSync(join(identities, 'post-0001.key'), join(folder, 'post-0001.key'));
    const before = await project.containerOf('node');
    const restart = await project.smesh(['restart', 'node', '--force']);
    expect(plain(restart.stderr)).toMatch(/There is no key for the node yet/);
    expect(restart.code).toBe(5);
    expect(await project.containerOf('node')).toBe(before);
    expect(keys()).toEqual([]);
  });
});
