import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Context } from '../context.ts';
import type { PreparedUp } from './prepare.ts';

/** Services that this run creates and whose image is not on the engine yet. */
function servicesWithoutImage({ plan, observation }: PreparedUp): readonly string[] {
  const missing = new Set(
    observation.desired.filter(({ imageId }) => imageId === undefined).map(({ name }) => name),
  );
  return plan.steps.flatMap((step) =>
    (step.kind === 'create-service' || step.kind === 'recreate-service') && missing.has(step.service)
      ? [step.service]
      : [],
  );
}

/**
 * Brings the images that are missing before anything is made, so that a name that nobody has leaves nothing half made,
 * and the look at the data from inside a container is not skipped on a first start. Answers whether any came.
 */
export async function pullMissingImages(context: Context, prepared: PreparedUp): Promise<boolean> {
  const services = servicesWithoutImage(prepared);
  if (services.length === 0) return false;
  const images = imagesOf(prepared, services);
  context.out.note(`Pulling ${images.join(', ')}`);
  const compose = await context.ports.compose();
  const area = context.out.live();
  // One service per image is enough: fifty of the same would ask fifty times.
  const asked = images.flatMap((image) => services.find((name) => imageOf(prepared, name) === image) ?? []);
  try {
    await compose.pull(prepared.observation.composeProject, asked, {
      signal: context.signal,
      onProgress: ({ name, status }) => area.update([`${name}  ${status}`]),
    });
  } catch (error) {
    if (!(error instanceof SmeshError) || error.exitCode !== ExitCode.environment) throw error;
    throw new SmeshError(
      'image-missing',
      ExitCode.environment,
      `Not all images can be had: ${images.join(', ')}`,
      {
        details: [error.message, ...error.details],
        hint: 'No container was made or changed. Is there a way to the registry, and are the names in smesh.yaml right? (image under node and defaults)',
        cause: error,
      },
    );
  } finally {
    area.done();
  }
  return true;
}

function imagesOf(prepared: PreparedUp, services: readonly string[]): readonly string[] {
  return [...new Set(services.flatMap((name) => imageOf(prepared, name) ?? []))];
}

function imageOf({ observation }: PreparedUp, service: string): string | undefined {
  return observation.desired.find(({ name }) => name === service)?.image;
}
