import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makePostDirectory } from '../helpers/post-data.ts';
import { type CliRun, runCli } from '../helpers/run-cli.ts';
import { tempFolder } from '../helpers/temp.ts';
import { describeTree } from '../helpers/tree.ts';
import { COINBASE } from './support/project.ts';

/** A project of two identities; with `generate` and the like run in it. */
async function setScene() {
  const base = tempFolder('foreign-data');
  const project = join(base, 'project');
  for (const folder of [project, join(base, 'mnt')]) mkdirSync(folder);
  const [first, second] = ['post01', 'post02'].map((name) => makePostDirectory(join(base, 'mnt', name)));
  if (first === undefined || second === undefined) throw new Error('no data');
  const run = (...args: string[]): Promise<CliRun> => runCli(args, { cwd: project });
  const done = await run('init', '--yes', '--data', join(base, 'mnt'), '--coinbase', COINBASE);
  expect(done, done.stderr).toMatchObject({ code: 0 });
  const file = join(project, 'smesh.yaml');
  const edit = (change: (text: string) => string) => writeFileSync(file, change(readFileSync(file, 'utf8')));
  return { base, file, first, second, run, edit };
}

const swapped = (one: string, two: string) => (text: string) =>
  text.replace(one, '\0').replace(two, one).replace('\0', two);

describe("a data: in smesh.yaml that leads to another identity's directory", () => {
  it('is refused by everything that generates: both IDs, the line, what to do', async () => {
    const { base, file, first, second, run, edit } = await setScene();
    const [one, two] = [first, second].map(({ smesherId }) => smesherId.slice(0, 8));
    edit(swapped(first.path, second.path));
    const lines = readFileSync(file, 'utf8').split('\n');
    const line = lines.findIndex((text) => text.includes(second.path)) + 1;
    const before = describeTree(base);
    for (const args of [['generate'], ['generate', '--check'], ['generate', '--force'], ['plan'], ['up']]) {
      const refused = await run(...args);
      expect(refused, refused.stderr).toMatchObject({ code: 3 });
      const text = refused.stderr.replace(/\s+/g, ' ');
      expect(text).toContain(`smesh.yaml:${line}:`);
      expect(text).toMatch(/identities\[0\]\.data: .*identities\[1\]\.data: /);
      expect(text).toContain(
        `${second.path} holds the PoST data of post-0002 (${two}), not of post-0001 (${one})`,
      );
      expect(text).toContain('smesh-compose scan');
    }
    expect(describeTree(base)).toEqual(before);
    edit(swapped(first.path, second.path));
    expect(await run('generate', '--check')).toMatchObject({ code: 0 });
  });

  it('is left to up where it is away, or where two disks have changed places under what was generated', async () => {
    const { base, first, second, run } = await setScene();
    const aside = join(base, 'aside');
    renameSync(first.path, aside);
    expect(await run('generate', '--check')).toMatchObject({ code: 0 });
    renameSync(second.path, first.path);
    renameSync(aside, second.path);
    expect(await run('generate', '--check')).toMatchObject({ code: 0 });
  });
});
