import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makePostDirectory } from '../helpers/post-data.ts';
import { keys, startCli } from '../helpers/pty.ts';
import { runCli } from '../helpers/run-cli.ts';
import { tempFolder } from '../helpers/temp.ts';
import { describeTree } from '../helpers/tree.ts';
import { COINBASE } from './support/project.ts';

interface Scene {
  readonly base: string;
  readonly project: string;
}

async function setScene(): Promise<Scene> {
  const base = tempFolder('leases');
  for (const name of ['one', 'two']) makePostDirectory(join(base, 'data', name));
  const project = join(base, 'project');
  mkdirSync(project);
  const args = ['init', '--yes', '--data', join(base, 'data'), '--coinbase', COINBASE, '--name', 'leases'];
  const run = await runCli(args, { cwd: project });
  expect(run.code, run.stderr).toBe(0);
  return { base, project };
}

const NAMES = ['post-0001', 'post-0002'];
const pathOf = (project: string, name = 'post-0001') =>
  join(project, 'node-data/identities', `${name}.lease`);
const leaseOf = (project: string, name?: string) => JSON.parse(readFileSync(pathOf(project, name), 'utf8'));

/** As it would be on a machine to which the project came from one called borg. */
function comesFromBorg(project: string): void {
  for (const name of NAMES) {
    const lease = { ...leaseOf(project, name), host: { id: 'other', name: 'borg', cards: [] } };
    writeFileSync(pathOf(project, name), JSON.stringify(lease));
  }
}

describe('leases of installed keys', () => {
  it('stand beside each key, 0600, once; and generating again changes nothing', async () => {
    const { project } = await setScene();
    for (const name of NAMES) {
      expect(leaseOf(project, name)).toMatchObject({
        state: 'held',
        project: { name: 'leases', directory: project },
        nodeData: join(project, 'node-data'),
      });
      expect(statSync(pathOf(project, name)).mode & 0o777).toBe(0o600);
    }
    const before = describeTree(project);
    expect((await runCli(['generate', '--check'], { cwd: project })).code).toBe(0);
    expect((await runCli(['generate'], { cwd: project })).code).toBe(0);
    expect(describeTree(project)).toEqual(before);
  });

  it('are written for a project that has none yet, with a word about it', async () => {
    const { project } = await setScene();
    for (const name of NAMES) rmSync(pathOf(project, name));
    expect((await runCli(['generate', '--check'], { cwd: project })).code).toBe(10);
    const run = await runCli(['generate'], { cwd: project });
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toContain('no lease stood beside these installed keys');
    expect(leaseOf(project, 'post-0002').state).toBe('held');
  });

  it('follow a folder that was renamed, and not one that was copied', async () => {
    const { base, project } = await setScene();
    const copy = join(base, 'copy');
    cpSync(project, copy, { recursive: true });
    const copied = await runCli(['generate'], { cwd: copy });
    expect(copied.code, copied.stderr).toBe(0);
    expect(copied.stderr).toMatch(/another place holds these keys.*plain docker compose/);
    expect(leaseOf(copy).project.directory).toBe(project);
    rmSync(copy, { recursive: true });

    const renamed = join(base, 'renamed');
    renameSync(project, renamed);
    const moved = await runCli(['generate'], { cwd: renamed });
    expect(moved.code, moved.stderr).toBe(0);
    expect(moved.stderr).toContain('the folder was moved on this host');
    expect(leaseOf(renamed)).toMatchObject({
      project: { directory: renamed },
      nodeData: join(renamed, 'node-data'),
    });
    expect((await runCli(['generate', '--check'], { cwd: renamed })).code).toBe(0);
  });

  it('a copy is not taken for the original when that is gone: its disk may be away', async () => {
    const { base, project } = await setScene();
    const copy = join(base, 'copy');
    cpSync(project, copy, { recursive: true });
    rmSync(project, { recursive: true });
    const run = await runCli(['generate'], { cwd: copy });
    expect(run.stderr).toContain('another place holds these keys');
    expect(leaseOf(copy).project.directory).toBe(project);
  });

  it('S40: go with a key that is taken out of the folder of another project', async () => {
    const { base, project } = await setScene();
    const second = join(base, 'second');
    mkdirSync(second);
    // Without a key beside the data the only one is that in the first project's node.
    rmSync(join(base, 'data/two/identity.key'));
    const args = ['init', '--yes', '--data', join(base, 'data/two'), '--coinbase', COINBASE];
    const run = await runCli([...args, '--keys', join(project, 'node-data/identities'), '--name', 'second'], {
      cwd: second,
    });
    expect(run.code, run.stderr).toBe(0);
    expect(leaseOf(second)).toMatchObject({ state: 'held', project: { directory: project } });
    expect((await runCli(['keys'], { cwd: second })).code).toBe(5);
  });

  it('S40: say that a removed identity leaves, and that it came back', async () => {
    const { base, project } = await setScene();
    expect((await runCli(['remove', 'post-0002'], { cwd: project })).code).toBe(0);
    expect(leaseOf(project, 'post-0002').state).toBe('leaving');
    const list = await runCli(['keys'], { cwd: project });
    expect(list.stdout).toMatch(/post-0002 \(removed\) .*leaving/);
    const back = await runCli(['add', join(base, 'data/two')], { cwd: project });
    expect(back.code, back.stderr).toBe(0);
    expect(back.stderr).toContain('taken back');
    expect(leaseOf(project, 'post-0002')).toMatchObject({ state: 'held' });
  });
});

describe('keys adopt in a terminal', () => {
  it('says what must be true, and takes nothing but the name of the host for an answer', async () => {
    const { project } = await setScene();
    comesFromBorg(project);
    const run = startCli(['keys', 'adopt', '--all', '--yes'], { cwd: project });
    await run.waitFor('all of this must be true');
    await run.waitFor('Type borg to take over these 2 keys');
    run.type(`yes${keys.enter}`);
    await run.waitFor('Only borg takes them over');
    run.type(`${keys.backspace.repeat(3)}borg${keys.enter}`);
    await run.waitFor(/Taken over: post-0001 \([0-9a-f]{8}\), post-0002/);
    expect((await run.exit).code).toBe(0);
    expect(leaseOf(project)).toMatchObject({ adopted: { host: 'borg', directory: project } });
  });

  it('is left by Ctrl-C with nothing changed', async () => {
    const { project } = await setScene();
    comesFromBorg(project);
    const before = describeTree(project);
    const run = startCli(['keys', 'adopt', 'post-0001'], { cwd: project });
    await run.waitFor('Type borg to take over this key');
    run.type(keys.ctrlC);
    expect((await run.exit).code).toBe(130);
    expect(describeTree(project)).toEqual(before);
  });
});

describe('keys, misused', () => {
  it.each([
    [['keys', 'adopt'], /Which keys are to be taken over/],
    [['keys', 'adopt', 'post-0009'], /No key here is called post-0009; did you mean post-000[12]\?/],
    [['keys', 'adopt', 'post-0001', '--all'], /not both/],
    [['keys', 'burn'], /keys can list and adopt, not burn/],
    [['keys', 'list', 'nobody'], /No key here is called nobody/],
  ])('%j is a usage error', async (args, message) => {
    const { project } = await setScene();
    const run = await runCli(args, { cwd: project });
    expect(run.code, run.stderr).toBe(2);
    expect(run.stderr).toMatch(message);
  });

  it('what is held here already needs no taking over', async () => {
    const { project } = await setScene();
    const run = await runCli(['keys', 'adopt', '--all', '--confirm', 'borg'], { cwd: project });
    expect(run, run.stderr).toMatchObject({ code: 0 });
    expect(run.stdout).toContain('Nothing to take over: this project holds these keys');
  });

  it('a copy is not taken over while the keys still stand in the original, which is down', async () => {
    const { base, project } = await setScene();
    const copy = join(base, 'copy');
    cpSync(project, copy, { recursive: true });
    const host = leaseOf(project).host.name;
    const adopt = () => runCli(['keys', 'adopt', '--all', '--confirm', host], { cwd: copy });
    const refused = await adopt();
    expect(refused.code, refused.stderr).toBe(5);
    const key = join(project, 'node-data/identities/post-0001.key');
    expect(refused.stderr).toContain(`mv ${key} ${key}.moved`);
    expect(leaseOf(copy).project.directory).toBe(project);
    for (const name of NAMES) {
      const path = join(project, 'node-data/identities', `${name}.key`);
      renameSync(path, `${path}.moved`);
    }
    const adopted = await adopt();
    expect(adopted.code, adopted.stderr).toBe(0);
    expect(leaseOf(copy)).toMatchObject({ state: 'held', project: { directory: copy } });
  });

  it('without an engine nobody is clean (exit 3), and nothing is taken over', async () => {
    const { project } = await setScene();
    comesFromBorg(project);
    const env = { DOCKER_HOST: `unix://${project}/no-engine.sock` };
    const adopt = await runCli(['keys', 'adopt', '--all', '--confirm', 'borg'], { cwd: project, env });
    expect(adopt.code, adopt.stderr).toBe(5);
    expect(adopt.stderr).toContain('Docker could not be asked');
    for (const name of NAMES) rmSync(pathOf(project, name));
    await runCli(['generate'], { cwd: project });
    const list = await runCli(['keys', '--json'], { cwd: project, env });
    expect(list.code, list.stdout).toBe(3);
    expect(JSON.parse(list.stdout).identities).toMatchObject([
      { verdict: 'unknown', lease: { state: 'ours' } },
      { verdict: 'unknown' },
    ]);
  });
});
