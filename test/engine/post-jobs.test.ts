import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { bundleStandIn, removeScratch, scratch, start } from '../contract/run-stand-in.ts';
import { makeIdentity } from '../helpers/keys.ts';
import { startCli } from '../helpers/pty.ts';
import type { CliRun } from '../helpers/run-cli.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { plain, turnKnobs, until } from './support/lifecycle.ts';
import { docker, OWNER, POSTCLI_IMAGE, TestProject } from './support/project.ts';

/*
 * Jobs on three disks and four cards: one set alone, one in two parts, one on a disk that gets full. The cards are the
 * stand-in's: each label takes its time.
 */

const ATX = 'c0ac7edf3561d5a4e8a66e5fd18357dcaa9274559236864c451cbf89d3cfeb8a';
/** Two units of 64 labels, in two files. */
const SIZES = { units: 2, commitmentAtx: ATX, maxFileSize: 1024 };
const CARDS = { SIM_GPUS: 'A,B,C,D', SIM_BATCH_LABELS: '2' };
/** The one that a terminal waits for to have a speed. Done in 32 s: until then it is stopped, on a loaded machine, too. */
const SLOW = { ...CARDS, SIM_LABELS_PER_SECOND: '4' };
/** Half done after a minute: none of the others may be, before its card dies or its disk is full. */
const SLOWEST = { ...CARDS, SIM_LABELS_PER_SECOND: '1' };
/** On a disk that gets full: nothing tells it before it begins with its second file. */
const FILLING = { ...CARDS, SIM_LABELS_PER_SECOND: '8' };
const QUICK = { ...CARDS, SIM_LABELS_PER_SECOND: '60' };

const folder = suiteTempFolder('post-jobs');
const disk = (name: string) => join(folder, name);
const alone = { ...makeIdentity(), data: join(disk('d1'), 'post-0001') };
const split = { ...makeIdentity(), data: join(disk('d2'), 'post-0002') };
const tight = { ...makeIdentity(), data: join(disk('d3'), 'post-0003') };
const JOBS = ['post-0001-init', 'post-0002-init-1', 'post-0002-init-2', 'post-0003-init'];
let project: TestProject;

function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true });
  chownSync(path, OWNER.uid, OWNER.gid);
}

/** A file system of its own, which is what makes it another disk. */
function mount(path: string, size: string): void {
  makeFolder(path);
  execFileSync('mount', [
    '-t',
    'tmpfs',
    '-o',
    `size=${size},uid=${OWNER.uid},gid=${OWNER.gid}`,
    'tmpfs',
    path,
  ]);
}

beforeAll(async () => {
  project = await TestProject.make(folder, 0);
  makeFolder(disk('d1'));
  mount(disk('d2'), '1m');
  mount(disk('d3'), '64k');
  const part = (number: number) => ({
    id: split.smesherId,
    name: `post-0002-init-${number}`,
    identity: 'post-0002',
    data: `${split.data}.part-${number}`,
    into: split.data,
    fromFile: number - 1,
    toFile: number - 1,
    provider: number,
    ...SIZES,
  });
  const single = (number: number, { smesherId, data }: typeof alone, provider: number) => ({
    id: smesherId,
    name: `post-000${number}-init`,
    identity: `post-000${number}`,
    data,
    provider,
    ...SIZES,
  });
  const jobs = [single(1, alone, 0), part(1), part(2), single(3, tight, 3)];
  for (const { data } of jobs) makeFolder(data);
  const init = { init: { image: POSTCLI_IMAGE, gpu: 'cpu', jobs } };
  appendFileSync(join(folder, 'smesh.yaml'), stringify(init));
  const made = await project.smesh(['generate']);
  expect(made.code, made.stderr).toBe(0);
});

afterAll(async () => {
  removeScratch();
  await project.cleanUp();
  for (const name of ['d2', 'd3']) execFileSync('umount', ['-l', disk(name)]);
});

const knobs = (more: Readonly<Record<string, Readonly<Record<string, string>>>>) =>
  turnKnobs(
    project,
    Object.fromEntries(
      JOBS.map((name) => [name, { ...(name === 'post-0001-init' ? SLOW : SLOWEST), ...more[name] }]),
    ),
  );

interface Job {
  readonly name: string;
  readonly state: string;
  readonly queue: string;
  readonly bytes: number;
  readonly labelsPerSecond: number | null;
  readonly code: string | null;
  readonly why: string | null;
  readonly next: string | null;
}

async function status(): Promise<{
  readonly code: number | null;
  readonly jobs: Readonly<Record<string, Job>>;
}> {
  const { code, stdout } = await project.smesh(['post', 'status', '--json']);
  const { jobs } = JSON.parse(stdout);
  return { code, jobs: Object.fromEntries(jobs.map((job: Job) => [job.name, job])) };
}

const said = ({ stdout, stderr }: CliRun) => plain(stdout + stderr);
const resume = (...words: string[]) => project.smesh(['post', 'init', '--resume', ...words]);
const running = async () =>
  (
    await docker(
      'ps',
      '--format',
      '{{.Label "com.docker.compose.service"}}',
      '--filter',
      `label=com.docker.compose.project=${project.name}`,
    )
  )
    .split('\n')
    .filter((name) => name !== '')
    .sort();

describe('jobs', () => {
  it('S26: one whose card cannot be opened says what to look at, and keeps nobody from the queue', async () => {
    // Closed to everybody but root, as a render node without its group.
    knobs({ 'post-0001-init': { SIM_GPU_NODES: '/etc/shadow' } });
    const run = await resume('post-0001-init');
    expect(run.code, run.stderr).toBe(6);
    expect(said(run)).toMatch(
      /post-0001-init: there is no provider 0 in the container.*smesh-compose gpu list/,
    );
    expect((await status()).jobs['post-0001-init']).toMatchObject({ code: 'no-provider', queue: 'starts' });
  });

  it('run side by side on their disks and cards, are watched, and go on after Ctrl-C', async () => {
    knobs({});
    const terminal = startCli(['post', 'init', '--resume'], { cwd: folder });
    await terminal.waitFor(/post-0001-init +\S+ +provider 0 +2 \(2 KiB\) +[\d.]+ % +\d+\/s +\S+ kB\/s +\S+/);
    expect(await running()).toEqual(JOBS);
    terminal.type('\u0003');
    expect((await terminal.exit).code).toBe(130);
    expect(plain(terminal.text())).toContain('go on without this terminal');
    expect(terminal.text()).toContain('smesh-compose post stop');
    const known = (job: Job | undefined) => (job?.labelsPerSecond ?? 0) > 0.3;
    const { code, jobs } = await until('one look tells the speed of each', status, (seen) =>
      JOBS.every((name) => known(seen.jobs[name])),
    );
    expect(code).toBe(0);
    for (const name of JOBS) expect(jobs[name]).toMatchObject({ state: 'unfinished', queue: 'runs' });
  });

  it('are left alone by stop and down, and ended by post stop with whole labels', async () => {
    const stop = await project.smesh(['stop']);
    expect(stop.code, stop.stderr).toBe(0);
    expect(said(stop)).toMatch(/go on making data. To end them: smesh-compose post stop/);
    const lives = await project.lives();
    // Nothing else runs that it could restart.
    await project.smesh(['restart']);
    const down = await project.smesh(['down']);
    expect(down.code, down.stderr).toBe(0);
    expect(await project.lives()).toEqual(lives);
    expect(await running()).toEqual(JOBS);

    const { stdout } = await project.smesh(['status']);
    expect(plain(stdout)).toMatch(/post-0001-init.* makes? PoST data/);

    await docker('kill', await project.containerOf('post-0001-init'));
    expect((await status()).jobs['post-0001-init']).toMatchObject({ code: 'killed' });
    const run = await project.smesh(['post', 'stop', '--json']);
    expect(run.code, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({ stopped: JOBS.slice(1), killed: [] });
    expect(await running()).toEqual([]);
    const { jobs } = await status();
    for (const name of JOBS) {
      expect(jobs[name]?.state).toBe('unfinished');
      expect((jobs[name]?.bytes ?? 1) % 16).toBe(0);
    }
    expect(jobs['post-0002-init-1']?.code).toBe('stopped');
  });

  it('S12: no job on a disk that is read-only, and the others are not kept from theirs', async () => {
    execFileSync('mount', ['-o', 'remount,ro', disk('d3')]);
    const { code, jobs } = await status();
    execFileSync('mount', ['-o', 'remount,rw', disk('d3')]);
    expect(code).toBe(6);
    expect(jobs['post-0003-init']).toMatchObject({ state: 'refused', code: 'read-only', queue: 'stuck' });
    expect(jobs['post-0001-init']?.queue).toBe('starts');
  });

  it('S3: go on where they were: a range whose card dies is done again alone, a full disk is explained', async () => {
    const first = readdirSync(`${split.data}.part-1`);
    const quick = Object.fromEntries(JOBS.map((name) => [name, QUICK]));
    turnKnobs(project, {
      ...quick,
      'post-0002-init-2': { ...QUICK, SIM_DIE_AT_LABEL: '126', SIM_FAULT_ONCE: 'died' },
      'post-0003-init': FILLING,
    });
    const watched = resume();
    await until('it writes', running, (names) => names.includes('post-0003-init'));
    const filler = join(disk('d3'), 'filler');
    try {
      writeFileSync(filler, Buffer.alloc(128 * 1024));
    } catch {
      // As full as it gets.
    }
    const run = await watched;
    expect(run.code, run.stderr).toBe(6);
    expect(said(run)).toMatch(
      /post-0002-init-2: provider 2 failed: "failed to compute labels[^"]*"; tried once more/,
    );
    expect(said(run)).not.toMatch(/post-0002-init-1: provider 1 failed/);
    expect(said(run)).toMatch(/post-0003-init: the disk of \S+ is full: \d+ bytes are missing/);
    expect(said(run)).toMatch(/post-0002: 2 parts joined/);
    expect(first.length).toBeGreaterThan(0);

    rmSync(filler);
    // Parts that are one now must not be named there any more.
    turnKnobs(project, { 'post-0001-init': QUICK, 'post-0003-init': QUICK });
    const again = await resume();
    expect(again.code, again.stderr).toBe(0);
    expect(said(again)).toMatch(/post-0003-init: resumes on provider 3/);
    expect((await resume()).code).toBe(0);
    const left = ['post-0001-init', 'post-0002-init', 'post-0003-init'];
    expect(Object.keys((await status()).jobs).sort()).toEqual(left);
    // Of parts that are one now nothing is left that plain Compose would call an orphan.
    expect(await project.containerIds()).toHaveLength(2);
  });

  it('S4: a file that is missing is written again; all are as if nobody had interrupted them', async () => {
    rmSync(join(alone.data, 'postdata_0.bin'));
    expect((await status()).jobs['post-0001-init']).toMatchObject({ state: 'unfinished', bytes: 1024 });
    const run = await resume('post-0001-init');
    expect(run.code, run.stderr).toBe(0);
    const postcli = await bundleStandIn('postcli');
    for (const { smesherId, data } of [alone, split, tight]) {
      const reference = scratch();
      const flags = [
        '-numUnits',
        '2',
        '-labelsPerUnit',
        '64',
        '-maxFileSize',
        '1024',
        '-provider',
        '4294967295',
      ];
      const wanted = ['-datadir', reference, '-id', smesherId, '-commitmentAtxId', ATX, '-yes', ...flags];
      await start(postcli, wanted).ended;
      for (const name of readdirSync(reference).filter((one) => one.endsWith('.bin')))
        expect(readFileSync(join(data, name)).equals(readFileSync(join(reference, name)))).toBe(true);
      const metadata = (place: string) =>
        JSON.parse(readFileSync(join(place, 'postdata_metadata.json'), 'utf8'));
      // On a full disk postcli cannot write down a better nonce, and goes on: another one that is small enough is kept.
      const { Nonce: _, NonceValue: __, ...rest } = metadata(reference);
      if (data === tight.data) expect(metadata(data)).toMatchObject({ ...rest, Nonce: expect.any(Number) });
      else expect(metadata(data)).toEqual(metadata(reference));
      expect(statSync(join(data, 'postdata_0.bin')).uid).toBe(OWNER.uid);
    }
  });

  it('down takes their containers along once they have ended', async () => {
    expect(await project.containerIds()).not.toEqual([]);
    const down = await project.smesh(['down']);
    expect(down.code, down.stderr).toBe(0);
    expect(await project.containerIds()).toEqual([]);
  });
});
