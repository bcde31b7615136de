import { COMPOSE_OVERRIDES } from '../ports/compose.ts';
import type { Context } from './context.ts';

/** A service of which the override has only some settings is none without ours: Compose refuses the whole project. */
export async function warnOfOverride(context: Context, services: readonly string[]): Promise<void> {
  for (const name of COMPOSE_OVERRIDES) {
    const text = await context.ports.files.readTextIfPresent(`${context.directory}/${name}`);
    const lines = text?.split('\n') ?? [];
    for (const service of services) {
      const line = lines.findIndex((one) => one.trimStart().startsWith(`${service}:`)) + 1;
      if (line === 0) continue;
      context.out.warn(
        `${name}:${line} still has ${service}, which smesh.yaml no longer has. Take it out there: until then Docker Compose refuses the whole project.`,
      );
    }
  }
}
