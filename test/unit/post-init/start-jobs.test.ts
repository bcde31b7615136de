import { describe, expect, it } from 'vitest';
import { initialisationService } from '../../../src/domain/compose/init-jobs.ts';
import type { ObservedContainer } from '../../../src/domain/compose/observed.ts';
import type { InitialisationJob } from '../../../src/domain/project/types.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { type StartedJob, startJobs } from '../../../src/usecases/post-init/start-jobs.ts';
import { exampleId } from '../../fixtures/example-projects.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { contextFor } from '../backup/support/farm.ts';
import { makeJob, projectWith } from './support/jobs.ts';

/* What is in the engine and in compose.yaml when a job's turn comes; its files were judged a while before. */

interface Scene {
  /** The job as compose.yaml has it now; `undefined`: not any more. */
  readonly emitted?: InitialisationJob | undefined;
  readonly containers?: readonly Partial<ObservedContainer>[];
}

async function start(scene: (job: InitialisationJob) => Scene) {
  const directory = tempFolder('start-jobs');
  const job = makeJob(directory);
  const project = projectWith(directory, [job]);
  const { initialisation, network } = project;
  if (initialisation === undefined) throw new Error('no settings');
  const { emitted, containers = [] } = scene(job);
  const acts: string[] = [];
  const made = { id: 'new', service: job.name, labels: labelled(job.id) };
  const facts = { directory, user: '1000:1000', fragment: '', groups: [], index: 0 };
  const services =
    emitted === undefined
      ? {}
      : { [job.name]: initialisationService(emitted, initialisation, network, facts) };
  const { context } = contextFor(directory, {});
  const ports = {
    ...context.ports,
    compose: async () => ({
      config: async () => ({ name: project.name, services }),
      create: async () => void acts.push('create'),
    }),
    docker: async () => ({
      containers: async () =>
        [...containers, ...(acts.includes('create') ? [made] : [])].map((one) => ({
          ...{ labels: {}, state: 'created', service: job.name, project: project.name, oneOff: false },
          ...one,
        })),
      start: async (id: string) => void acts.push(`start ${id}`),
    }),
  };
  const started: Promise<readonly StartedJob[]> = startJobs(
    { ...context, ports } as unknown as Context,
    project,
    [job.name],
  );
  return { started, acts };
}

const labelled = (id: string) => ({
  'io.smesh-compose.role': 'initialisation',
  'io.smesh-compose.smesher-id': id,
});

describe('a job whose turn has come', () => {
  it('is made by Compose and started', async () => {
    const { started, acts } = await start((job) => ({ emitted: job }));
    expect(await started).toMatchObject([{ containerId: 'new' }]);
    expect(acts).toEqual(['create', 'start new']);
  });

  it.each<[string, Partial<InitialisationJob>, RegExp]>([
    ['with fewer units', { units: 3 }, /-numUnits is 3 and was 4/],
    ['in other files', { maxFileSize: 2048 }, /-maxFileSize is 2048 and was 1024/],
    ['for another identity', { id: exampleId(8) }, /-id is/],
    ['as a part', { fromFile: 1 }, /-fromFile is 1 and was not set/],
    ['to another place', { data: '/mnt/other' }, /writes to \/mnt\/other/],
  ])('is not started %s than its files were judged for', async (_, change, words) => {
    const { started, acts } = await start((job) => ({ emitted: { ...job, ...change } }));
    await expect(started).rejects.toMatchObject({
      code: 'job-changed',
      message: expect.stringMatching(words),
    });
    expect(acts).toEqual([]);
  });

  it('is not started when compose.yaml has it no more', async () => {
    const { started, acts } = await start(() => ({ emitted: undefined }));
    await expect(started).rejects.toMatchObject({ code: 'job-changed' });
    expect(acts).toEqual([]);
  });

  it('is left as it is when another command has started it meanwhile', async () => {
    const { started, acts } = await start((job) => ({
      emitted: job,
      containers: [{ id: 'theirs', state: 'running', labels: labelled(job.id) }],
    }));
    expect(await started).toMatchObject([{ containerId: 'theirs' }]);
    expect(acts).toEqual([]);
  });

  it('does not take the place of one of another folder with the same project name', async () => {
    const { started, acts } = await start((job) => ({
      emitted: job,
      containers: [
        {
          ...{ id: 'foreign', state: 'running' },
          labels: { ...labelled(exampleId(7)), 'com.docker.compose.project.working_dir': '/srv/other' },
        },
      ],
    }));
    await expect(started).rejects.toMatchObject({
      code: 'foreign-job',
      message: expect.stringContaining('/srv/other'),
    });
    expect(acts).toEqual([]);
  });
});
