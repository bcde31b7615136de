import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import type { FilesPort } from '../../../src/ports/files.ts';
import { runJournaled } from '../../../src/usecases/journal.ts';
import { loadProject } from '../../../src/usecases/load-project.ts';
import { joinComplete } from '../../../src/usecases/post-init/finish-jobs.ts';
import { withProjectLock } from '../../../src/usecases/project-lock.ts';
import { bundleStandIn, removeScratch } from '../../contract/run-stand-in.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { carryOutJob, type HalfMade, makeHalfMade, surroundings } from './support/half-made.ts';

let postcli = '';
beforeAll(async () => {
  postcli = await bundleStandIn('postcli');
});
afterAll(removeScratch);

/** A disk on which that many renames still work; the fault of a sync names no path. */
function failing(code: string, after: number): FilesPort {
  let renames = 0;
  return {
    ...nodeFiles,
    moveOnDisk: async (from, to) => {
      renames += 1;
      if (renames > after) throw Object.assign(new Error(`${code}: fsync`), { code });
      await nodeFiles.moveOnDisk(from, to);
    },
  };
}

const on = (farm: HalfMade, files?: FilesPort) =>
  surroundings(farm.directory, files === undefined ? {} : { files });
const journalOf = (farm: HalfMade) => join(farm.directory, '.smesh/journal/current.json');

async function begunJoin(code: string): Promise<HalfMade> {
  const farm = await makeHalfMade(tempFolder('dead-disk'));
  for (const job of farm.jobs) await carryOutJob(postcli, farm, job);
  const { context } = on(farm, failing(code, 2));
  await expect(joinComplete(context, (await loadProject(context)).project)).rejects.toMatchObject({
    exitCode: 4,
    details: expect.arrayContaining([expect.stringContaining('stopped after 2 of')]),
  });
  expect(readdirSync(farm.into)).toHaveLength(2);
  return farm;
}

describe.each(['EIO', 'ENXIO'])('a disk that dies (%s) while parts are joined', (code) => {
  it('keeps nobody from starting and stopping what serves, and is named to all others', async () => {
    const farm = await begunJoin(code);
    const journal = readFileSync(journalOf(farm), 'utf8');
    for (const command of ['run', 'up', 'stop', 'restart', 'down']) {
      const { context, said } = on(farm, failing(code, 0));
      expect(await withProjectLock(context, command, async () => 'done', { startPending: false })).toBe(
        'done',
      );
      expect(said.warnings.join('\n')).toContain('goes on without that');
      // Its journal gives way to nothing.
      await expect(
        withProjectLock(
          context,
          command,
          () =>
            runJournaled(context.ports, {
              ...{ directory: farm.directory, command, at: 0 },
              steps: [{ kind: 'write-file', path: join(farm.directory, 'x'), content: '', what: 'x' }],
            }),
          { startPending: false },
        ),
      ).rejects.toMatchObject({ code: 'interrupted', exitCode: 5 });
      expect(readFileSync(journalOf(farm), 'utf8')).toBe(journal);
    }
    for (const command of ['add', 'remove', 'merge', 'post init', 'generate'])
      await expect(
        withProjectLock(on(farm, failing(code, 0)).context, command, async () => 'done'),
      ).rejects.toMatchObject({ exitCode: 4, hint: expect.stringContaining(`mv ${journalOf(farm)} `) });
    expect(existsSync(join(farm.directory, 'x'))).toBe(false);
  });

  it('is joined by the next command once it is back; and given up, the rest of the project goes on', async () => {
    const farm = await begunJoin(code);
    await withProjectLock(on(farm).context, 'generate', async () => undefined, { startPending: false });
    expect((await loadProject(farm.context)).project.initialisation?.jobs).toMatchObject([
      { name: 'post-0002-init', data: farm.into },
    ]);
    const other = await begunJoin(code);
    renameSync(journalOf(other), `${journalOf(other)}.given-up`);
    expect(await withProjectLock(on(other).context, 'remove', async () => 'done')).toBe('done');
  });
});
