import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { makePostDirectory } from '../helpers/post-data.ts';
import { keys, type PtyOptions, type PtyRun, startCli } from '../helpers/pty.ts';
import { runCli } from '../helpers/run-cli.ts';
import { tempFolder } from '../helpers/temp.ts';
import { describeTree } from '../helpers/tree.ts';
import { COINBASE, composeServices } from './support/project.ts';

const PRIVATE_COINBASE = 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg';
const WRONG_COINBASE = COINBASE.replace(/7y$/, '8y');

interface Scene {
  readonly data: string;
  readonly project: string;
}

function setScene(count = 3): Scene {
  const base = tempFolder('wizard');
  for (let number = 1; number <= count; number += 1) {
    makePostDirectory(join(base, 'disks', `d${number}`, `post0${number}`));
  }
  const project = join(base, 'my project');
  mkdirSync(project);
  return { data: join(base, 'disks'), project };
}

function start({ project }: Scene, args: readonly string[] = ['init'], options: PtyOptions = {}): PtyRun {
  return startCli(args, { cwd: project, ...options });
}

/** Every question of a first init, with what is typed to get past it. */
const QUESTIONS: readonly { readonly text: string; readonly answer: (scene: Scene) => string }[] = [
  { text: 'Where is your PoST data?', answer: ({ data }) => data + keys.enter },
  { text: 'Which identities should this node serve?', answer: () => keys.enter },
  { text: 'Coinbase', answer: () => COINBASE + keys.enter },
  { text: "Node's data folder", answer: () => keys.enter },
  { text: 'Name of the Compose project', answer: () => keys.enter },
  { text: 'of the post-service', answer: () => keys.enter },
  { text: 'Write it?', answer: () => keys.enter },
];

async function answerUpTo(run: PtyRun, scene: Scene, index: number): Promise<void> {
  for (const { text, answer } of QUESTIONS.slice(0, index)) {
    await run.waitFor(text);
    run.type(answer(scene));
  }
}

function expectNothingWritten({ project }: Scene, run: PtyRun): void {
  expect(readdirSync(project)).toEqual([]);
  expect(run.text()).not.toMatch(/^\s+at .*:\d+:\d+/m);
  expect(run.text()).not.toContain('bug in smesh-compose');
}

describe('init in a terminal', () => {
  it('makes a project from typed answers: a wrong coinbase first, one identity left out, other names', async () => {
    const scene = setScene();
    const run = start(scene);
    await run.waitFor('Where is your PoST data?');
    run.type(`${scene.data}${keys.enter}`);
    await run.waitFor('3 PoST directories');
    await run.waitFor('Which identities should this node serve?');
    run.type(keys.down + keys.space + keys.enter);
    await run.waitFor('Coinbase');
    run.type(WRONG_COINBASE + keys.enter);
    await run.waitFor('wrong check sum');
    run.type(keys.backspace.repeat(WRONG_COINBASE.length) + COINBASE + keys.enter);
    await run.waitFor("Node's data folder");
    run.type(keys.enter);
    await run.waitFor('Name of the Compose project');
    run.type(keys.enter);
    await run.waitFor('Names of the post-services');
    run.type(`disk-one, disk-three${keys.enter}`);
    await run.waitFor('This will be written');
    await run.waitFor('Write it?');
    run.type('y');
    await run.waitFor('Done. Next: smesh-compose up');
    expect((await run.exit).code).toBe(0);
    expect(composeServices(scene.project)).toEqual(['node', 'disk-one', 'disk-three']);
    expect(run.text()).toContain('2 of 3 chosen');
    expect(run.text()).not.toContain('Warning');

    // The same command, typed in a folder of its own, gives the same project.
    const command = /The same without questions:\s+(smesh-compose .*?)\s*$/s.exec(run.text())?.[1];
    const words = shellWords((command ?? '').replaceAll(/\r?\n\s*/g, ' '));
    const second = join(scene.project, '..', 'second');
    mkdirSync(second);
    const { code, stderr } = await runCli(words.slice(1), { cwd: second });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const model = (project: string) => {
      const { name, ...rest } = parse(readFileSync(join(project, 'smesh.yaml'), 'utf8')) as { name?: string };
      return { ...rest, name: name ?? 'my-project' };
    };
    expect(model(second)).toEqual(model(scene.project));
    expect(composeServices(second)).toEqual(composeServices(scene.project));
  });

  it('asks when a private network begins, and gives it a PoET key of its own', async () => {
    const scene = setScene(0);
    makePostDirectory(join(scene.data, 'post01'), { network: 'standalone' });
    const run = start(scene, ['init', '--data', scene.data]);
    await run.waitFor('Genesis time');
    run.type(`tomorrow${keys.enter}`);
    await run.waitFor('a time in UTC such as');
    run.type(`${keys.backspace.repeat('tomorrow'.length)}2030-01-01T00:00:00Z${keys.enter}`);
    await run.waitFor('Which identities should this node serve?');
    run.type(keys.enter);
    await run.waitFor('Coinbase');
    run.type(`${PRIVATE_COINBASE}${keys.enter}`);
    for (const text of [
      "Node's data folder",
      'Name of the Compose project',
      'of the post-service',
      'Write it?',
    ]) {
      await run.waitFor(text);
      run.type(keys.enter);
    }
    expect((await run.exit).code).toBe(0);
    const { network } = parse(readFileSync(join(scene.project, 'smesh.yaml'), 'utf8')) as {
      network: { standalone: { genesisTime: string; poetPrivateKey: string } };
    };
    expect(network.standalone.genesisTime).toBe('2030-01-01T00:00:00Z');
    expect(Buffer.from(network.standalone.poetPrivateKey, 'base64')).toHaveLength(64);
  });

  for (const [index, { text }] of QUESTIONS.entries()) {
    for (const [name, key] of [
      ['Ctrl-C', keys.ctrlC],
      ['Esc', keys.escape],
      ['Ctrl-D', keys.ctrlD],
    ] as const) {
      it(`ends with 130 and writes nothing: ${name} at "${text}"`, async () => {
        const scene = setScene(1);
        const run = start(scene);
        await answerUpTo(run, scene, index);
        await run.waitFor(text);
        run.type(key);
        expect(await run.exit).toEqual({ code: 130, signal: undefined });
        expect(run.text()).toMatch(/Nothing\s+was\s+changed/);
        expectNothingWritten(scene, run);
      });
    }
  }

  it('ends with 130 at a "no" to the last question', async () => {
    const scene = setScene(1);
    const run = start(scene);
    await answerUpTo(run, scene, QUESTIONS.length - 1);
    await run.waitFor('Write it?');
    run.type('n');
    expect((await run.exit).code).toBe(130);
    expectNothingWritten(scene, run);
  });

  it('ends with 130 at SIGTERM in the middle of a question', async () => {
    const scene = setScene(1);
    const run = start(scene);
    await answerUpTo(run, scene, 2);
    await run.waitFor('Coinbase');
    run.kill('SIGTERM');
    expect((await run.exit).code).toBe(130);
    expectNothingWritten(scene, run);
  });

  it('can be read and answered in a window of 60 columns', async () => {
    const scene = setScene(2);
    const run = start(scene, ['init'], { columns: 60, rows: 24 });
    for (const { text, answer } of QUESTIONS) {
      // Words may stand on two lines here.
      await run.waitFor(new RegExp(text.replace(/[?]/g, '\\?').split(' ').join('\\s+')));
      run.type(answer(scene));
    }
    await run.waitFor(/Done\.\s+Next:\s+smesh-compose\s+up/);
    expect((await run.exit).code).toBe(0);
    expect(composeServices(scene.project)).toEqual(['node', 'post-0001', 'post-0002']);
  });

  it('asks again where nothing was found', async () => {
    const scene = setScene(1);
    const run = start(scene);
    await run.waitFor('Where is your PoST data?');
    run.type(`${scene.project}${keys.enter}`);
    await run.waitFor('No PoST directory there');
    await run.waitFor('Where is your PoST data?');
    run.type(keys.ctrlC);
    expect((await run.exit).code).toBe(130);
  });

  it('S17: run again it offers what is new, ticked, and adds what stays ticked', async () => {
    const scene = setScene(2);
    const first = await runCli(['init', '--yes', '--data', scene.data, '--coinbase', COINBASE], {
      cwd: scene.project,
    });
    expect(first.code).toBe(0);
    makePostDirectory(join(scene.data, 'd3/post03'));
    makePostDirectory(join(scene.data, 'd4/post04'));
    const keysBefore = describeTree(join(scene.project, 'node-data'));
    const run = start(scene, ['init', '--data', scene.data]);
    await run.waitFor('Which identities should this node serve?');
    run.type(keys.space + keys.enter);
    await run.waitFor('Name of the post-service');
    run.type(keys.enter);
    await run.waitFor('Write it?');
    run.type(keys.enter);
    await run.waitFor('Added post-0003');
    expect((await run.exit).code).toBe(0);
    expect(composeServices(scene.project)).toEqual(['node', 'post-0001', 'post-0002', 'post-0003']);
    expect(readFileSync(join(scene.project, 'smesh.yaml'), 'utf8')).toContain('d4/post04');
    expect(describeTree(join(scene.project, 'node-data'))).toEqual(expect.arrayContaining([...keysBefore]));
  });
});

describe('init where nobody can be asked', () => {
  it.each([
    ['cron', {}],
    ['a pipe', { input: `${COINBASE}\n` }],
  ])('exits with 2 and names the flag: %s', async (_, options) => {
    const scene = setScene(1);
    const { code, stdout, stderr } = await runCli(['init', '--data', scene.data], {
      cwd: scene.project,
      ...options,
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('--coinbase');
    expect(existsSync(join(scene.project, '.smesh'))).toBe(false);
  });

  it('a terminal in CI is nobody, too', async () => {
    const scene = setScene(1);
    const run = start(scene, ['init', '--data', scene.data], { env: { CI: 'true' } });
    expect((await run.exit).code).toBe(2);
    expect(run.text()).toContain('--coinbase');
    expectNothingWritten(scene, run);
  });
});

/** Words as a POSIX shell reads them; what `quoteForShell` writes needs no more. */
function shellWords(command: string): string[] {
  return [...command.matchAll(/(?:[^\s']|'[^']*')+/g)].map(([word]) => word.replaceAll("'", ''));
}
