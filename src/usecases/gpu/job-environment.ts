import { passthroughOf } from '../../domain/compose/passthrough.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import { COMPOSE_OVERRIDES } from '../../ports/compose.ts';
import type { Context } from '../context.ts';

/**
 * Environment of jobs as Compose resolves it, where the user's compose.override.yaml may have added to it: filters and
 * capabilities in it decide what postcli is offered. Empty where there is no override or no job, or Compose cannot read it.
 */
export async function jobEnvironment(
  context: Context,
  project: Project,
): Promise<Readonly<Record<string, string>>> {
  const { directory } = context;
  const { files } = context.ports;
  const jobs = project.initialisation?.jobs ?? [];
  const there = await Promise.all(
    ['compose.yaml', ...COMPOSE_OVERRIDES].map((name) => files.exists(`${directory}/${name}`)),
  );
  const [hasProject, ...overrides] = there;
  if (hasProject !== true || !overrides.includes(true) || jobs.length === 0) return {};
  try {
    const compose = await context.ports.compose();
    const { services } = await compose.config({ name: project.name, directory, profiles: ['init'] });
    const environments = jobs.map(({ name }) => {
      const service = services[name];
      return service === undefined ? {} : passthroughOf({ image: '', ...service }).environment;
    });
    return Object.assign({}, ...environments) as Readonly<Record<string, string>>;
  } catch (error) {
    // A look at cards is no place to complain of it: every other command does.
    if (error instanceof SmeshError && error.exitCode !== ExitCode.cancelled) return {};
    throw error;
  }
}
