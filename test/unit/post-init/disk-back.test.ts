import { mkdirSync, renameSync } from 'node:fs';
import { expect, it } from 'vitest';
import { initialisationService } from '../../../src/domain/compose/init-jobs.ts';
import type { ObservedContainer } from '../../../src/domain/compose/observed.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { JobEvents } from '../../../src/usecases/post-init/job-events.ts';
import { JobRunner } from '../../../src/usecases/post-init/job-runner.ts';
import { freshMemory } from '../../../src/usecases/post-init/runner-memory.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { contextFor } from '../backup/support/farm.ts';
import { lookingContext, makeJob, projectWith, UNIT, writeFiles, writeMetadata } from './support/jobs.ts';

it('a job whose disk goes away in the middle is gone on with when it is back', async () => {
  const directory = tempFolder('disk-back');
  const job = makeJob(directory);
  const project = projectWith(directory, [job]);
  const { initialisation: settings, network } = project;
  if (settings === undefined) throw new Error('no settings');
  mkdirSync(job.data);
  writeMetadata(job);
  writeFiles(job.data, { 0: UNIT });

  let now = Date.now();
  let state = 'running';
  const acts: string[] = [];
  const { context } = contextFor(directory, {});
  const looking = lookingContext(directory);
  const facts = { directory, user: '1000:1000', fragment: '', groups: [], index: 0 };
  const services = { [job.name]: initialisationService(job, settings, network, facts) };
  const container = () => ({
    ...{ id: 'a', name: 'a', service: job.name, oneOff: false, oomKilled: false, exitCode: 0, startedAt: 1 },
    ...{ state, labels: services[job.name]?.labels, finishedAt: now },
  });
  const docker = {
    engine: async () => ({}),
    containers: async () => [container() as unknown as ObservedContainer],
    logs: async function* () {
      yield { at: now, text: 'cli: initialization error: open /post/postdata_1.bin: no such device' };
    },
    start: async () => void acts.push('start'),
  };
  const compose = {
    config: async () => ({ name: project.name, services }),
    create: async () => void acts.push('create'),
  };
  const surroundings = {
    ...context,
    clock: { ...looking.clock, now: () => now },
    ports: {
      ...{ ...context.ports, ...looking.ports },
      ...{ docker: async () => docker, compose: async () => compose },
    },
  } as unknown as Context;
  const runner = new JobRunner(surroundings, project, settings, new JobEvents(surroundings), {
    ...{ chosen: new Set([job.name]), duringGap: true, memory: freshMemory() },
  });

  await runner.turn();
  expect((await runner.reports())[0]?.place.kind).toBe('runs');

  renameSync(job.data, `${job.data}.away`);
  state = 'exited';
  expect(await runner.turn()).toEqual([expect.stringMatching(/is not there: is its disk mounted/)]);
  now += 60_000;
  expect(await runner.turn()).toEqual([]);
  expect((await runner.reports())[0]).toMatchObject({ place: { kind: 'stuck' }, end: { code: 'away' } });
  expect(acts).toEqual([]);

  renameSync(`${job.data}.away`, job.data);
  now += 60_000;
  expect(await runner.turn()).toEqual([expect.stringMatching(/post-0009-init: resumes on/)]);
  expect(acts).toEqual(['create', 'start']);
});
