import { execFile } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COINBASE } from '../e2e/support/project.ts';
import { makePostDirectory } from '../helpers/post-data.ts';
import { type CliRun, cleanEnvironment, requireBuiltCli } from '../helpers/run-cli.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { docker, NODE_IMAGE, OWNER, TestProject } from './support/project.ts';

const SOCKET = '/var/run/docker.sock';
const socket = statSync(SOCKET, { throwIfNoEntry: false });
const isRoot = process.getuid?.() === 0;

/** As somebody who may use Docker, by its group, and is not root. */
function asMember(args: readonly string[], cwd: string): Promise<CliRun> {
  const { uid, gid } = OWNER;
  const who = ['--reuid', `${uid}`, '--regid', `${gid}`, '--groups', `${socket?.gid}`];
  const env = { ...cleanEnvironment(), HOME: cwd };
  return new Promise((resolve) => {
    const command = [...who, process.execPath, requireBuiltCli(), ...args];
    execFile('setpriv', command, { cwd, env, timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ code, signal: null, stdout, stderr: stderr.replace(/\s+/g, ' ') });
    });
  });
}

describe.skipIf(!isRoot || socket === undefined)('S23: a node whose folder this user may not enter', () => {
  const folder = suiteTempFolder('closed-nodes');
  let project: TestProject;
  let container: string;
  const theirs = join(folder, 'theirs');

  beforeAll(async () => {
    project = await TestProject.make(folder, 1);
    chownSync(folder, OWNER.uid, OWNER.gid);
    container = `${project.name}-closed`;
    mkdirSync(join(theirs, 'identities'), { recursive: true });
    chmodSync(theirs, 0o700);
    await docker(
      'run',
      '-d',
      '--name',
      container,
      '-v',
      `${theirs}:/data`,
      '--entrypoint',
      'sleep',
      NODE_IMAGE,
      '600',
    );
  });

  afterAll(async () => {
    await docker('rm', '-f', container);
    await project.cleanUp();
  });

  it('keeps up from starting while it runs, for --force too, and says what to type', async () => {
    for (const args of [['up'], ['up', '--force']]) {
      const run = await asMember(args, folder);
      expect(run, run.stderr).toMatchObject({ code: 5 });
      expect(run.stderr).toContain(`A node runs whose keys may not be read, container ${container}`);
      expect(run.stderr).toContain(theirs);
      expect(run.stderr).toMatch(new RegExp(`sudo smesh-compose up.*docker stop ${container}`));
    }
    expect(await project.containerIds()).toEqual([]);
    // Who may look there sees that it has no key of this project.
    const asRoot = await project.smesh(['plan']);
    expect(asRoot, asRoot.stderr).toMatchObject({ code: 0 });
  });

  it('is warned of by init', async () => {
    const fresh = join(folder, 'fresh');
    mkdirSync(fresh);
    chownSync(fresh, OWNER.uid, OWNER.gid);
    const directory = makePostDirectory(join(folder, 'found/post'));
    for (const path of [
      directory.path,
      ...['identity.key', 'postdata_metadata.json', 'postdata_0.bin'].map((name) =>
        join(directory.path, name),
      ),
    ])
      chownSync(path, OWNER.uid, OWNER.gid);
    const init = await asMember(
      ['init', '--yes', '--dry-run', '--data', join(folder, 'found'), '--coinbase', COINBASE],
      fresh,
    );
    expect(init, init.stderr).toMatchObject({ code: 0 });
    // Other suites have nodes on this engine, too.
    expect(init.stderr).toMatch(new RegExp(`Another node's data may not be read \\([^)]*${theirs}`));
  });
});
