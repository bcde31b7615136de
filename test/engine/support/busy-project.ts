import { turnKnobs, until, untilLogged, wantedOf } from './lifecycle.ts';
import { POSTCLI_IMAGE, TestProject } from './project.ts';

const FOR_EVER = '900000';

/**
 * A project outside of the cycle gap, in which post-0001 reads, post-0002 does k2pow, post-0003 is idle and, where it is
 * wanted, post-0004 builds its dataset: all of them for as long as anybody looks at them. `stubborn` is somebody's own
 * service, which does not care for a SIGTERM: a stop of it takes its time.
 */
export async function startBusyProject(folder: string, dataset: boolean): Promise<TestProject> {
  const project = await TestProject.make(folder, 3, 30);
  if (dataset) project.addIdentity({ randomx: 'fast' });
  project.write();
  turnKnobs(
    project,
    {
      'post-0001': { SIM_K2POW_MS_PER_UNIT_GROUP: '10', SIM_READ_MS: FOR_EVER, SIM_READ_FRACTION: '1' },
      'post-0002': { SIM_K2POW_MS_PER_UNIT_GROUP: FOR_EVER },
      'post-0003': { SIM_K2POW_MS_PER_UNIT_GROUP: '10', SIM_READ_MS: '10' },
      ...(dataset ? { 'post-0004': { SIM_DATASET_MS: FOR_EVER } } : {}),
    },
    {
      stubborn: {
        // With the image of a post-service it would count as one, whatever runs in it.
        image: POSTCLI_IMAGE,
        entrypoint: ['bash', '-c', 'trap "echo told to end" TERM; while :; do sleep 0.2; done'],
        command: [],
        stop_grace_period: '60s',
        restart: 'no',
      },
    },
  );
  const run = await project.smesh(['up', '--detach']);
  if (run.code !== 0) throw new Error(`up ended with ${run.code}\n${run.stdout}${run.stderr}`);
  await untilLogged(project, 'post-0001', /Reading file/);
  await untilLogged(project, 'post-0002', /calculating proof of work for nonce group 0/);
  await untilLogged(project, 'post-0003', /proof is valid/);
  if (dataset) await untilLogged(project, 'post-0004', /starting proof generation/);
  await until('only post-0003 is done', () => wantedOf(project), onlyThirdIsDone);
  return project;
}

function onlyThirdIsDone(wanted: Readonly<Record<string, string>>): boolean {
  const states = Object.entries(wanted);
  return (
    states.length > 0 && states.every(([name, state]) => (state === 'proving') === (name !== 'post-0003'))
  );
}
