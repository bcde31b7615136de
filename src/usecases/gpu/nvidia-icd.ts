import type { Passthrough } from '../../domain/compose/passthrough.ts';
import type { Context } from '../context.ts';

const NAME = 'nvidia.icd';

/**
 * Lets `act` mount the entry for NVIDIA's OpenCL also where `init/nvidia.icd` is not generated yet: as a file of its own,
 * which goes afterwards.
 */
export async function withIcd<T>(
  context: Context,
  passthrough: Passthrough,
  act: (mounted: Passthrough) => Promise<T>,
): Promise<T> {
  const { files, system } = context.ports;
  const wanted = passthrough.mounts.find(({ target }) => target.endsWith(`/${NAME}`));
  if (wanted === undefined || (await files.exists(wanted.source))) return act(passthrough);
  const templates = await context.ports.templates();
  const folder = context.env['TMPDIR'] || '/tmp';
  const path = `${folder}/smesh-compose-${system.pid}-${context.clock.now()}-${NAME}`;
  // The user of a job reads it, whoever that is.
  await files.writeNew(path, await templates.render(NAME, { image: '' }), { mode: 0o644 });
  try {
    const mounts = passthrough.mounts.map((mount) => (mount === wanted ? { ...mount, source: path } : mount));
    return await act({ ...passthrough, mounts });
  } finally {
    await files.removeOwn(path);
  }
}
