import { COMPOSE_PATH } from '../../domain/compose/generate.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';

/** The node's image has merge-nodes in it; before a first start it may not be on the engine yet. */
export async function bringNodeImage(context: Context, project: Project): Promise<void> {
  const docker = await context.ports.docker();
  const { image } = project.node;
  if ((await docker.image(image)) !== undefined) return;
  const failed = (details: readonly string[]) =>
    new SmeshError(
      'image-missing',
      ExitCode.environment,
      `${image}, which has merge-nodes in it, is not on this engine and could not be had. Nothing was changed.`,
      { details, hint: `Bring it, then merge again: docker pull ${image}` },
    );
  if (!(await context.ports.files.exists(`${context.directory}/${COMPOSE_PATH}`))) throw failed([]);
  context.out.note(`Pulling ${image}`);
  const area = context.out.live();
  try {
    const compose = await context.ports.compose();
    await compose.pull({ name: project.name, directory: context.directory }, ['node'], {
      signal: context.signal,
      onProgress: ({ name, status }) => area.update([`${name}  ${status}`]),
    });
  } catch (error) {
    if (!(error instanceof SmeshError) || error.exitCode !== ExitCode.environment) throw error;
    throw failed([error.message, ...error.details]);
  } finally {
    area.done();
  }
}
