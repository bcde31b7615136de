import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { recordKeyFiles } from '../helpers/keys.ts';
import { keys, startCli } from '../helpers/pty.ts';
import { runCli } from '../helpers/run-cli.ts';
import { tempFolder } from '../helpers/temp.ts';
import { keepContainerLogs } from '../helpers/transcripts.ts';

const minute = 60_000;

const IMAGES = [
  ['--node-image', process.env.SMESH_NODE_IMAGE ?? 'smesh-sim/go-spacemesh:v1.7.6'],
  ['--post-image', process.env.SMESH_POST_IMAGE ?? 'smesh-sim/post-service:v0.8.5'],
  ['--postcli-image', process.env.SMESH_POSTCLI_IMAGE ?? 'smesh-sim/postcli:v0.12.9'],
].flat();

interface Summary {
  readonly schemaVersion: number;
  readonly verdict: string;
  readonly project: string;
  readonly identities: readonly {
    readonly name: string;
    readonly smesher: string;
    readonly added: boolean;
    readonly publishEpochs: readonly number[];
  }[];
  readonly untouched: readonly { readonly service: string; readonly containerId: string }[];
}

interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly State: { readonly StartedAt: string; readonly Status: string };
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
}

const docker = (...args: readonly string[]) => execFileSync('docker', args, { encoding: 'utf8' }).trim();

const lines = (text: string) => text.split('\n').filter((line) => line !== '');

/** `undefined` when one went away between the list and the look at it: the node is being recreated. */
function containersOf(project: string): readonly Inspected[] | undefined {
  const ids = lines(docker('ps', '-aq', '--filter', `label=com.docker.compose.project=${project}`));
  if (ids.length === 0) return [];
  const { status, stdout } = spawnSync('docker', ['inspect', ...ids], { encoding: 'utf8' });
  return status === 0 ? (JSON.parse(stdout) as Inspected[]) : undefined;
}

const networksOf = (project: string) =>
  lines(docker('network', 'ls', '-q', '--filter', `label=com.docker.compose.project=${project}`));

/** Name of the Compose project of the rehearsal in a folder, as soon as it has one. */
function projectIn(folder: string): string | undefined {
  const label = `label=com.docker.compose.project.working_dir=${join(folder, 'project')}`;
  // Only listed, never inspected: other suites' containers come and go meanwhile.
  const format = '{{.Label "com.docker.compose.project"}}';
  return lines(docker('ps', '-a', '--filter', label, '--format', format))[0];
}

async function until<T>(look: () => T | undefined, limit: number): Promise<T> {
  for (const end = Date.now() + limit; Date.now() < end; ) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error('waited in vain');
}

describe('rehearse', () => {
  it('S17: plays two identities to their ATXs, adds a third, touches nobody else and leaves nothing', {
    timeout: 4 * minute,
  }, async () => {
    const folder = join(tempFolder('rehearse'), 'rehearsal');
    const run = runCli(
      [
        'rehearse',
        '--json',
        '--identities',
        '2',
        '--disks',
        '2',
        '--epoch',
        '30s',
        '--dir',
        folder,
        ...IMAGES,
      ],
      { timeout: 3.5 * minute },
    );
    // Seen from outside, beside what the command says of itself: who runs before and after the third is added.
    const project = await until(() => projectIn(folder), minute);
    const before = await until(() => {
      const found = containersOf(project);
      return found?.length === 3 && found.every(({ State }) => State.Status === 'running')
        ? found
        : undefined;
    }, minute);
    const after = await until(() => {
      const found = containersOf(project);
      return found?.length === 4 && found.every(({ State }) => State.Status === 'running')
        ? found
        : undefined;
    }, 2 * minute);
    await keepContainerLogs(project);
    recordKeyFiles(join(folder, 'disks'));

    const { code, stdout, stderr } = await run;
    expect(code, stdout + stderr).toBe(0);
    const summary = JSON.parse(stdout) as Summary;
    expect(summary).toMatchObject({ schemaVersion: 1, verdict: 'passed', project });
    expect(summary.identities.map(({ name, added }) => ({ name, added }))).toEqual([
      { name: 'post-0001', added: false },
      { name: 'post-0002', added: false },
      { name: 'post-0003', added: true },
    ]);
    expect(new Set(summary.identities.map(({ smesher }) => smesher)).size).toBe(3);
    for (const { publishEpochs } of summary.identities) expect(publishEpochs.length).toBeGreaterThan(0);

    const mark = (all: readonly Inspected[], service: string) => {
      const found = all.find(({ Config }) => Config.Labels['com.docker.compose.service'] === service);
      return `${found?.Id} since ${found?.State.StartedAt}`;
    };
    for (const service of ['post-0001', 'post-0002']) {
      expect(mark(after, service)).toBe(mark(before, service));
    }
    expect(mark(after, 'node')).not.toBe(mark(before, 'node'));

    expect(containersOf(project)).toEqual([]);
    expect(networksOf(project)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  });

  it.each([
    { when: 'while containers are made', sign: 'First start of' },
    { when: 'while it follows the node', sign: 'initial proof' },
  ])(
    'takes down on Ctrl-C what it had started, leaves a person’s file, and says so: $when',
    { timeout: 2 * minute },
    async ({ sign }) => {
      const folder = tempFolder('rehearse');
      const options = ['--identities', '1', '--disks', '1', '--epoch', '60s', '--dir', folder];
      const run = startCli(['rehearse', ...options, ...IMAGES], { columns: 200 });
      await run.waitFor(sign, minute);
      const name = /^name: (rehearsal-[0-9a-f]+)$/m;
      const project = name.exec(readFileSync(join(folder, 'project', 'smesh.yaml'), 'utf8'))?.[1] ?? '';
      expect(project).not.toBe('');
      recordKeyFiles(join(folder, 'disks'));
      writeFileSync(join(folder, 'project', 'notes.txt'), 'mine');
      run.type(keys.ctrlC);
      expect(await run.exit).toMatchObject({ code: 130 });
      expect(run.text()).toContain('taken down and removed again');
      expect(run.text()).toContain(join(folder, 'project', 'notes.txt'));
      expect(containersOf(project)).toEqual([]);
      expect(networksOf(project)).toEqual([]);
      expect(readdirSync(folder, { recursive: true })).toEqual(['project', 'project/notes.txt']);
    },
  );

  it('refuses a folder that is in use and images that are not there, and changes nothing', async () => {
    const folder = tempFolder('rehearse');
    const used = join(folder, 'used');
    mkdirSync(used);
    writeFileSync(join(used, 'mine.txt'), '');
    const occupied = await runCli(['rehearse', '--dir', used, ...IMAGES]);
    expect(occupied.code).toBe(2);
    expect(occupied.stderr).toContain('is not empty');

    const absent = ['--node-image', 'localhost:1/not/there:v1', '--post-image', 'localhost:1/not/there:v1'];
    const images = await runCli(['rehearse', '--dir', join(folder, 'new'), ...absent, ...IMAGES.slice(4)]);
    expect(images.code).toBe(4);
    expect(images.stderr).toContain('--node-image');
    expect(images.stderr).toContain('--post-image');
    expect(images.stderr).not.toContain('--postcli-image');
    expect(readdirSync(folder)).toEqual(['used']);
  });
});
