import { isUp } from '../../domain/compose/container-role.ts';
import { SmeshError } from '../../domain/errors.ts';
import type { Context } from '../context.ts';
import { loadProject } from '../load-project.ts';
import { removeServices } from '../up/execute.ts';
import { isJobContainer, jobFilter } from './job-containers.ts';

/**
 * Removes containers of jobs that smesh.yaml no longer has and that have ended: to plain Compose they would be orphans, of
 * which it warns each time. Their data is not touched. One that cannot be removed now harms nobody. The caller holds the
 * project's lock.
 */
export async function removeFormerJobs(context: Context): Promise<void> {
  const { project } = await loadProject(context);
  const known = new Set((project.initialisation?.jobs ?? []).map(({ name }) => name));
  try {
    const docker = await context.ports.docker();
    const jobs = (await docker.containers(jobFilter(project))).filter(isJobContainer);
    const former = jobs.flatMap((one) =>
      one.service === undefined || known.has(one.service) || isUp(one) ? [] : [one.service],
    );
    if (former.length === 0) return;
    await removeServices(context, { name: project.name, directory: context.directory }, [...new Set(former)]);
  } catch (error) {
    if (!(error instanceof SmeshError) || context.signal.aborted) throw error;
    context.out.warn(`Containers of jobs that are done are left behind: ${error.message}`);
  }
}
