import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { keys, startCli } from '../helpers/pty.ts';
import { runCli } from '../helpers/run-cli.ts';
import { tempFolder } from '../helpers/temp.ts';

const COINBASE = 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg';
const PASSPHRASE = 'three quiet orange lamps';

describe('post init in a terminal', () => {
  it('makes a project, a key and its backup for somebody who has nothing yet; Ctrl-C before that leaves nothing', async () => {
    const base = tempFolder('post-init');
    const project = join(base, 'farm');
    const disk = join(base, 'disk');
    for (const folder of [project, disk]) mkdirSync(folder);
    const begin = async () => {
      const run = startCli(['post', 'init', '--no-start', '--gpu', 'cpu', '--network', 'standalone'], {
        cwd: project,
      });
      await run.waitFor('Where shall the data go?');
      run.type(join(disk, 'post') + keys.enter);
      await run.waitFor('Genesis time');
      run.type(`2030-01-01T00:00:00Z${keys.enter}`);
      await run.waitFor('Coinbase');
      run.type(COINBASE + keys.enter);
      for (const text of ["Node's data folder", 'Name of the Compose project']) {
        await run.waitFor(text);
        run.type(keys.enter);
      }
      await run.waitFor('Units of each identity');
      run.type(`${keys.backspace.repeat(3)}9${keys.enter}`);
      await run.waitFor('standalone takes 2 at most');
      run.type(`${keys.backspace}2${keys.enter}`);
      await run.waitFor('Compute on the processor');
      run.type('y');
      await run.waitFor('This will be made');
      await run.waitFor('Make it?');
      run.type('y');
      await run.waitFor('Passphrase for the backup');
      return run;
    };
    const cancelled = await begin();
    cancelled.type(keys.ctrlC);
    expect((await cancelled.exit).code).toBe(130);
    expect(readdirSync(project).filter((name) => name !== '.smesh')).toEqual([]);
    expect(readdirSync(disk)).toEqual([]);

    const run = await begin();
    run.type(PASSPHRASE + keys.enter);
    await run.waitFor('The same once more');
    run.type(PASSPHRASE + keys.enter);
    await run.waitFor('The same without questions');
    expect((await run.exit).code).toBe(0);
    const { init } = parse(readFileSync(join(project, 'smesh.yaml'), 'utf8')) as { init: { jobs: object[] } };
    expect(init.jobs).toMatchObject([{ name: 'post-0001-init', units: 2, data: join(disk, 'post') }]);
    expect(readdirSync(join(project, 'node-data/identities'))).toEqual(['post-0001.key.pending']);
    expect(readdirSync(join(project, '.smesh/backups'))).toEqual([
      expect.stringMatching(/-keys\.smesh-backup\.age$/),
    ]);
    expect(run.text()).not.toContain(PASSPHRASE);

    // The same command, typed in a folder of its own, makes the same but for the key.
    const command = /The same without questions:\s+(smesh-compose .*?)\s*$/s.exec(run.text())?.[1] ?? '';
    const passphrase = join(base, 'passphrase');
    writeFileSync(passphrase, PASSPHRASE, { mode: 0o600 });
    const second = join(base, 'second/farm');
    mkdirSync(second, { recursive: true });
    const words = command
      .replaceAll(/\r?\n\s*/g, ' ')
      .split(' ')
      .slice(1);
    const moved = words.map((word) =>
      word === 'FILE' ? passphrase : word.replace(join(disk, 'post'), join(disk, 'other')),
    );
    const { code, stderr } = await runCli(moved, { cwd: second });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const model = (folder: string) =>
      readFileSync(join(folder, 'smesh.yaml'), 'utf8')
        .replace(/id: .*/, 'id: X')
        .replace(/poetPrivateKey: .*/, 'poetPrivateKey: X')
        .replace(/commitmentAtx: .*/, '')
        .replace(join(disk, 'post'), join(disk, 'other'));
    expect(model(second)).toBe(model(project));
  }, 60_000);
});
