import {
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SmeshError } from '../../../src/domain/errors.ts';
import { addJobs } from '../../../src/domain/project/edit-jobs.ts';
import type { InitialisationJob } from '../../../src/domain/project/types.ts';
import { runJournaled } from '../../../src/usecases/journal.ts';
import { loadProject } from '../../../src/usecases/load-project.ts';
import { joinComplete, takeIn } from '../../../src/usecases/post-init/finish-jobs.ts';
import { withWhole } from '../../../src/usecases/post-init/finish-post.ts';
import { lookAtJobs } from '../../../src/usecases/post-init/look-at-jobs.ts';
import { bundleStandIn, removeScratch } from '../../contract/run-stand-in.ts';
import { makeIdentity } from '../../helpers/keys.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { treeOf } from '../backup/support/watch.ts';
import { observed } from '../plan/observed.ts';
import {
  carryOutJob,
  FILE_BYTES,
  type HalfMade,
  makeHalfMade,
  postFiles,
  surroundings,
} from './support/half-made.ts';

let postcli = '';
beforeAll(async () => {
  postcli = await bundleStandIn('postcli');
});
afterAll(removeScratch);

async function join_(farm: HalfMade) {
  return joinComplete(farm.context, (await loadProject(farm.context)).project);
}

const jobsOf = async (farm: HalfMade) => (await loadProject(farm.context)).project.initialisation?.jobs ?? [];

describe('parts of one identity', () => {
  it.each([2, 3])(
    'made by %i providers and joined are what a single run makes, byte by byte',
    async (parts) => {
      const root = tempFolder('join');
      const farm = await makeHalfMade(root, parts);
      for (const job of farm.jobs) await carryOutJob(postcli, farm, job);
      const { fromFile: _, toFile: __, ...single } = farm.jobs[0] as InitialisationJob;
      await carryOutJob(postcli, farm, single, join(root, 'single'));
      const finished = await join_(farm);
      expect(finished).toEqual([{ id: farm.made.smesherId, name: 'post-0002', data: farm.into }]);
      expect(postFiles(farm.into)).toEqual(postFiles(join(root, 'single')));
      expect(statSync(join(farm.into, 'postdata_metadata.json')).mode & 0o777).toBe(0o600);
      for (const { data } of farm.jobs) expect(readdirSync(data)).toEqual(['postdata_metadata.json.joined']);
      expect(await jobsOf(farm)).toEqual([
        expect.objectContaining({ name: 'post-0002-init', data: farm.into, identity: 'post-0002' }),
      ]);
      expect(existsSync(join(farm.identities, 'post-0002.key'))).toBe(false);
      const tree = treeOf(root);
      expect(await join_(farm)).toEqual(finished);
      expect(treeOf(root)).toEqual(tree);
    },
  );

  it('stay apart while one is not complete, and while a container still has one open', async () => {
    const root = tempFolder('join');
    const farm = await makeHalfMade(root);
    const [first, second] = farm.jobs as [InitialisationJob, InitialisationJob];
    await carryOutJob(postcli, farm, first);
    expect(await join_(farm)).toEqual([]);
    await carryOutJob(postcli, farm, second);
    const { context } = surroundings(farm.directory, {
      containers: [
        observed('post-0002-init-2', {
          mounts: [{ kind: 'bind', source: second.data, target: '/post', writable: true }],
        }),
      ],
    });
    expect(await join_({ ...farm, context })).toEqual([]);
    expect(existsSync(farm.into)).toBe(false);
    expect(await join_(farm)).toHaveLength(1);
  });

  it('without a nonce in any are joined, and are not yet what can be taken in', async () => {
    const root = tempFolder('join');
    const farm = await makeHalfMade(root);
    for (const job of farm.jobs) {
      await carryOutJob(postcli, farm, job);
      const path = join(job.data, 'postdata_metadata.json');
      const { Nonce: _, NonceValue: __, ...rest } = JSON.parse(readFileSync(path, 'utf8'));
      writeFileSync(path, JSON.stringify(rest, null, '\t'));
    }
    expect(await join_(farm)).toEqual([]);
    expect(Object.keys(postFiles(farm.into))).toHaveLength(9);
    expect(farm.said.notes.join('\n')).toContain('smesh-compose post verify post-0002 --search-nonce');
    await expect(
      takeIn(farm.context, [{ id: farm.made.smesherId as never, name: 'post-0002', data: farm.into }], {
        dryRun: false,
      }),
    ).rejects.toMatchObject({ code: 'no-identities' });
    expect(existsSync(join(farm.identities, 'post-0002.key.pending'))).toBe(true);
    // The same job finds it, as postcli does when it is run again on the whole.
    const [whole] = await jobsOf(farm);
    await carryOutJob(postcli, farm, whole as InitialisationJob);
    expect(await join_(farm)).toHaveLength(1);
  });

  it('on two file systems are not joined: nothing is copied', async () => {
    const root = tempFolder('join');
    const farm = await makeHalfMade(root);
    for (const job of farm.jobs) await carryOutJob(postcli, farm, job);
    mkdirSync(farm.into);
    const files = {
      ...farm.context.ports.files,
      facts: async (path: string, follow?: 'follow' | 'nofollow') => {
        const facts = await farm.context.ports.files.facts(path, follow);
        return path === farm.into && facts !== undefined ? { ...facts, device: facts.device + 1 } : facts;
      },
    };
    const { context } = surroundings(farm.directory, { files });
    const before = treeOf(root);
    await expect(join_({ ...farm, context })).rejects.toMatchObject({
      code: 'other-file-system',
      exitCode: 5,
    });
    expect(treeOf(root)).toEqual(before);
  });
});

describe('what is in the way of a join', () => {
  async function complete(): Promise<{ farm: HalfMade; root: string; first: InitialisationJob }> {
    const root = tempFolder('join');
    const farm = await makeHalfMade(root);
    for (const job of farm.jobs) await carryOutJob(postcli, farm, job);
    return { farm, root, first: farm.jobs[0] as InitialisationJob };
  }

  it.each([
    [
      'metadata of an earlier join in the folder of a part',
      ({ first }: { first: InitialisationJob }) =>
        writeFileSync(join(first.data, 'postdata_metadata.json.joined'), 'older'),
      'joined-before',
    ],
    ['a file', ({ farm }: { farm: HalfMade }) => writeFileSync(farm.into, 'a file'), 'into-not-empty'],
    [
      'a link that leads nowhere',
      ({ farm }: { farm: HalfMade }) => symlinkSync('/nowhere/at/all', farm.into),
      'into-not-empty',
    ],
  ] as const)('is found before anything is moved: %s', async (_, put, code) => {
    const scene = await complete();
    put(scene);
    const before = treeOf(scene.root);
    await expect(join_(scene.farm)).rejects.toMatchObject({ code, exitCode: 5 });
    expect(treeOf(scene.root)).toEqual(before);
  });

  it.each([
    [
      'a link to the folder of a part',
      ({ farm, first }: { farm: HalfMade; first: InitialisationJob }) => symlinkSync(first.data, farm.into),
    ],
    [
      'hard links to files of a part',
      ({ farm, first }: { farm: HalfMade; first: InitialisationJob }) => {
        mkdirSync(farm.into);
        linkSync(join(first.data, 'postdata_0.bin'), join(farm.into, 'postdata_0.bin'));
      },
    ],
  ] as const)('is no place to join in, and said of the jobs: %s', async (_, put) => {
    const scene = await complete();
    put(scene);
    const before = treeOf(scene.root);
    expect(await join_(scene.farm)).toEqual([]);
    expect(treeOf(scene.root)).toEqual(before);
    const { project } = await loadProject(scene.farm.context);
    const looks = await lookAtJobs(scene.farm.context, project);
    expect(looks.map(({ state }) => state.kind)).toEqual(['refused', 'complete']);
  });

  it('keeps no other identity from being joined', async () => {
    const { farm, root, first } = await complete();
    const other = makeIdentity();
    const yaml = join(farm.directory, 'smesh.yaml');
    writeFileSync(join(farm.identities, 'post-0003.key.pending'), other.keyFile, { mode: 0o600 });
    const into = join(root, 'disk2/post-0003');
    const jobs = farm.jobs.map((job, index) => ({
      ...job,
      ...{ id: other.smesherId as never, name: `post-0003-init-${index}`, identity: 'post-0003', into },
      data: `${into}.part-${index}`,
    }));
    writeFileSync(yaml, addJobs(readFileSync(yaml, 'utf8'), { gpu: 'nvidia' }, jobs));
    for (const { data } of jobs) mkdirSync(data);
    for (const job of jobs) await carryOutJob(postcli, farm, job);
    writeFileSync(join(first.data, 'postdata_metadata.json.joined'), 'older');
    const unfit: string[] = [];
    const { project } = await loadProject(farm.context);
    const finished = await joinComplete(farm.context, project, (id, { code }) => unfit.push(`${id} ${code}`));
    expect(unfit).toEqual([`${first.id} joined-before`]);
    expect(finished).toEqual([{ id: other.smesherId, name: 'post-0003', data: into }]);
    const error = new SmeshError('joined-before', 5, 'in the way', { hint: 'move it' });
    expect(withWhole(error, finished)).toMatchObject({
      ...{ code: 'joined-before', exitCode: 5, hint: 'move it' },
      details: [`post-0003: the data in ${into} is whole. Take it in: smesh-compose add ${into}`],
    });
  });

  it('is a container that knows the folder by another path', async () => {
    const { farm, root, first } = await complete();
    const yaml = join(farm.directory, 'smesh.yaml');
    symlinkSync(join(root, 'disk2'), join(root, 'link'));
    writeFileSync(
      yaml,
      readFileSync(yaml, 'utf8').replaceAll(`${join(root, 'disk2')}/`, `${join(root, 'link')}/`),
    );
    const mounts = [{ kind: 'bind', source: first.data, target: '/post', writable: true } as const];
    const { context } = surroundings(farm.directory, { containers: [observed('other', { mounts })] });
    expect(await join_({ ...farm, context })).toEqual([]);
    expect(existsSync(farm.into)).toBe(false);
    const finished = await join_(farm);
    const whole = [{ kind: 'bind', source: farm.into, target: '/post', writable: true } as const];
    const still = surroundings(farm.directory, { containers: [observed('other', { mounts: whole })] });
    await expect(takeIn(still.context, finished, { dryRun: false })).rejects.toMatchObject({
      code: 'job-at-work',
    });
  });
});

describe('taking in', () => {
  async function whole(root: string): Promise<HalfMade> {
    const farm = await makeHalfMade(root, 1);
    for (const job of farm.jobs) await carryOutJob(postcli, farm, job);
    return farm;
  }

  it('renames the key, puts the identity into smesh.yaml and its job out, in one plan after a backup', async () => {
    const root = tempFolder('take-in');
    const farm = await whole(root);
    const finished = await join_(farm);
    const before = treeOf(root);
    expect(await takeIn(farm.context, finished, { dryRun: true })).toBe(0);
    expect(treeOf(root)).toEqual(before);
    expect(await takeIn(farm.context, finished, { dryRun: false })).toBe(0);
    const { project, text } = await loadProject(farm.context);
    expect(project.identities.map(({ name, id, data }) => ({ name, id, data }))[1]).toEqual({
      name: 'post-0002',
      id: farm.made.smesherId,
      data: farm.into,
    });
    expect(project.initialisation?.jobs).toEqual([]);
    expect(text).toContain('# Jobs that make PoST data');
    const keys = readdirSync(farm.identities).filter((name) => name.includes('.key'));
    expect(keys.sort()).toEqual(['post-0001.key', 'post-0002.key']);
    const key = join(farm.identities, 'post-0002.key');
    expect([readFileSync(key, 'utf8'), statSync(key).mode & 0o777]).toEqual([farm.made.keyFile, 0o600]);
    expect(existsSync(join(farm.identities, 'post-0002.lease'))).toBe(true);
    expect(readFileSync(join(farm.directory, 'compose.yaml'), 'utf8')).not.toContain('post-0002-init');
    expect(readdirSync(farm.backups)).toEqual([expect.stringMatching(/-keys\.smesh-backup\.age$/)]);
    expect(farm.said.results.join('\n')).toContain('smesh-compose up');
    const after = treeOf(root);
    expect(await takeIn(farm.context, finished, { dryRun: false })).toBe(0);
    expect(treeOf(root)).toEqual(after);
  });

  it('refuses while its container runs, and where another node reads the same key', async () => {
    const root = tempFolder('take-in');
    const farm = await whole(root);
    const finished = await join_(farm);
    const other = join(root, 'other/identities');
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, 'by-hand.key'), farm.made.keyFile);
    const mount = { kind: 'bind', target: '/data', writable: true } as const;
    const before = treeOf(root);
    const writing = observed('post-0002-init', { mounts: [{ ...mount, source: farm.into }] });
    const node = observed('node', {
      id: 'other',
      project: 'other',
      labels: { 'io.smesh-compose.role': 'node' },
      mounts: [{ ...mount, source: join(root, 'other') }],
    });
    for (const [container, code] of [
      [writing, 'job-at-work'],
      [node, 'identity-twice'],
    ] as const) {
      const { context } = surroundings(farm.directory, { containers: [container] });
      await expect(takeIn(context, finished, { dryRun: false })).rejects.toMatchObject({ code, exitCode: 5 });
      expect(treeOf(root)).toEqual(before);
    }
  });

  it('is refused in a copy of the folder, whose other keys are held where it was copied from', async () => {
    const root = tempFolder('take-in');
    const farm = await whole(root);
    const finished = await join_(farm);
    const copy = join(root, 'copy');
    cpSync(farm.directory, copy, { recursive: true });
    const before = treeOf(copy);
    await expect(takeIn(surroundings(copy).context, finished, { dryRun: false })).rejects.toMatchObject({
      code: 'lease-elsewhere',
      exitCode: 5,
      message: expect.stringContaining(farm.directory),
    });
    expect(treeOf(copy)).toEqual(before);
    // At its own place, and in one that was moved, it is.
    rmSync(copy, { recursive: true });
    renameSync(farm.directory, copy);
    expect(await takeIn(surroundings(copy).context, finished, { dryRun: false })).toBe(0);
  });

  it('is never done with data that is not whole, by nobody', async () => {
    const root = tempFolder('take-in');
    const farm = await makeHalfMade(root, 1);
    const [job] = farm.jobs as [InitialisationJob];
    await carryOutJob(postcli, farm, job);
    writeFileSync(join(job.data, 'postdata_7.bin'), Buffer.alloc(16));
    const finished = [{ id: job.id, name: 'post-0002', data: job.data }];
    expect(await join_(farm)).toEqual([]);
    await expect(takeIn(farm.context, finished, { dryRun: false })).rejects.toMatchObject({
      code: 'no-identities',
      details: [expect.stringContaining('incomplete')],
    });
    // Nor by an edit of smesh.yaml.
    const path = join(farm.directory, 'smesh.yaml');
    const text = readFileSync(path, 'utf8').replace(/init:\n[\s\S]*$/, '');
    writeFileSync(
      path,
      text.replace(
        /identities:\n/,
        `identities:\n  - {id: '${job.id}', name: post-0002, data: ${job.data}}\n`,
      ),
    );
    const { planGenerate } = await import('../../../src/usecases/generate.ts');
    const { project } = await loadProject(farm.context);
    await expect(
      planGenerate(farm.context, { project, keyPlaces: [], repairKeys: false, force: false }),
    ).rejects.toMatchObject({ code: 'data-not-complete', exitCode: 5 });
    expect(existsSync(join(farm.identities, 'post-0002.key.pending'))).toBe(true);
    await writeFileSync(join(job.data, 'postdata_7.bin'), Buffer.alloc(FILE_BYTES));
    const plan = await planGenerate(farm.context, {
      project,
      keyPlaces: [],
      repairKeys: false,
      force: false,
    });
    await runJournaled(farm.context.ports, {
      directory: farm.directory,
      command: 'generate',
      at: 0,
      steps: plan.steps,
    });
    expect(readdirSync(farm.identities).filter((name) => name.includes('.key'))).toEqual([
      'post-0001.key',
      'post-0002.key',
    ]);
  });
});
