import { isUp } from '../../domain/compose/container-role.ts';
import { SmeshError } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import type { StatusFinding } from '../../domain/proving/status-report.ts';
import type { Context } from '../context.ts';
import { jobContainers, jobFilter } from './job-containers.ts';

/** What `status` says of data that is being made; it looks at no file, and `undefined` without jobs or without an engine. */
export async function jobsNote(context: Context, project: Project): Promise<StatusFinding | undefined> {
  const jobs = project.initialisation?.jobs ?? [];
  if (jobs.length === 0) return undefined;
  try {
    const docker = await context.ports.docker();
    const containers = jobContainers(project, await docker.containers(jobFilter(project)));
    const running = [...containers].flatMap(([name, container]) => (isUp(container) ? [name] : []));
    return {
      code: 'initialisation',
      severity: 'notice',
      smeshers: [],
      services: running.length > 0 ? running : jobs.map(({ name }) => name),
      message: running.length > 0 ? 'makes PoST data' : 'is to make PoST data and does not run',
      next:
        running.length > 0
          ? 'smesh-compose post status'
          : 'smesh-compose post status   smesh-compose post init --resume',
    };
  } catch (error) {
    if (error instanceof SmeshError) return undefined;
    throw error;
  }
}
