import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HostPort } from '../../../src/ports/host.ts';
import { lookAtJobs } from '../../../src/usecases/post-init/look-at-jobs.ts';
import { noteBytes } from '../../../src/usecases/post-init/note-bytes.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { contextFor } from '../backup/support/farm.ts';
import { lookingContext, makeJob, projectWith, UNIT, writeFiles, writeMetadata } from './support/jobs.ts';

/* A directory that is empty at a later look: the mount point of a disk that is away, or one that nobody has begun. */

function place() {
  const directory = tempFolder('emptied');
  const job = makeJob(directory);
  mkdirSync(job.data);
  let mountPoint = '/mnt/d5';
  const host: Partial<HostPort> = {
    place: async () => ({ mountPoint, readOnly: false }) as Awaited<ReturnType<HostPort['place']>>,
  };
  const looking = lookingContext(directory, host);
  const { context } = contextFor(directory, {});
  const noting = { ...looking, ports: { ...context.ports, ...looking.ports } };
  const project = projectWith(directory, [job]);
  const look = () => lookAtJobs(looking, project);
  return {
    ...{ directory, job, look },
    unmount: () => {
      mountPoint = '/';
    },
    note: async (begun: readonly string[] = []) => noteBytes(noting, await look(), new Set(begun)),
  };
}

describe('an empty directory', () => {
  it('is not begun anew where there was data', async () => {
    const { directory, job, look, note } = place();
    writeMetadata(job);
    writeFiles(job.data, { 0: UNIT });
    await note();
    rmSync(job.data, { recursive: true });
    mkdirSync(job.data);
    const away = {
      kind: 'away',
      why: expect.stringMatching(/had 1024 bytes of data before: is its disk mounted/),
    };
    expect((await look())[0]?.state).toMatchObject(away);
    // No later look forgets it.
    await note();
    expect((await look())[0]?.state).toMatchObject(away);
    rmSync(join(directory, '.smesh/initialisation.json'));
    expect((await look())[0]?.state.kind).toBe('not-begun');
  });

  it('is not begun anew below another mount point than it was begun on, though nobody watched it being written', async () => {
    const { job, look, note, unmount } = place();
    await note([job.name]);
    expect((await look())[0]?.state.kind).toBe('not-begun');
    unmount();
    expect((await look())[0]?.state).toMatchObject({
      kind: 'away',
      why: expect.stringMatching(/was begun on \/mnt\/d5, and is on \/ now: is its disk mounted/),
    });
  });

  it('that nobody has begun leaves no record', async () => {
    const { directory, note, look, unmount } = place();
    await note();
    expect(() => readFileSync(join(directory, '.smesh/initialisation.json'))).toThrow('ENOENT');
    unmount();
    expect((await look())[0]?.state.kind).toBe('not-begun');
  });
});
