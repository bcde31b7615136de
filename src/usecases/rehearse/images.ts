import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { inspectImage } from '../../domain/node/images.ts';
import type { Context } from '../context.ts';

export interface RehearsalImages {
  readonly node: string;
  readonly post: string;
  readonly postcli: string;
}

const FLAGS: Readonly<Record<keyof RehearsalImages, string>> = {
  node: '--node-image',
  post: '--post-image',
  postcli: '--postcli-image',
};

/** Sees to it that all three images are on the engine; pulls those that are not. Throws exit 4 naming the flags. */
export async function ensureImages(context: Context, images: RehearsalImages): Promise<void> {
  for (const [role, image] of entriesOf(images)) {
    const fault = inspectImage(image).find(({ severity }) => severity === 'error');
    if (fault !== undefined) {
      throw new SmeshError('bad-image', ExitCode.usage, `${FLAGS[role]} ${image}: ${fault.message}`, {
        hint: 'Nothing was changed.',
      });
    }
  }
  const docker = await context.ports.docker();
  await docker.engine();
  const missing: [keyof RehearsalImages, string][] = [];
  for (const entry of entriesOf(images)) {
    if ((await docker.image(entry[1])) === undefined) missing.push(entry);
  }
  if (missing.length > 0) await pullImages(context, missing);
}

function entriesOf(images: RehearsalImages): [keyof RehearsalImages, string][] {
  return [
    ['node', images.node],
    ['post', images.post],
    ['postcli', images.postcli],
  ];
}

/** By Compose, as `up` does it: with the user's registry settings and credentials. */
async function pullImages(
  context: Context,
  missing: readonly [keyof RehearsalImages, string][],
): Promise<void> {
  const { files, system } = context.ports;
  const compose = await context.ports.compose();
  const folder = context.env['TMPDIR'] || '/tmp';
  const name = `smesh-compose-images-${system.pid}-${context.clock.now()}`;
  const path = `${folder}/${name}.yaml`;
  // JSON is YAML.
  const services = Object.fromEntries(missing.map(([role, image]) => [role, { image }]));
  await files.writeNew(path, JSON.stringify({ services }), { mode: 0o600 });
  context.out.note(`Pulling ${missing.map(([, image]) => image).join(', ')}`);
  const live = context.out.live();
  try {
    await compose.pull(
      { name, directory: folder, files: [path] },
      missing.map(([role]) => role),
      {
        signal: context.signal,
        onProgress: ({ name: image, status }) => live.update([`   ${image}: ${status.toLowerCase()}`]),
      },
    );
  } catch (error) {
    if (!(error instanceof SmeshError) || error.code === 'cancelled') throw error;
    throw new SmeshError(
      'images-missing',
      ExitCode.environment,
      `${missing.length === 1 ? 'An image is' : 'Images are'} not on this engine and cannot be pulled: ${missing.map(([, image]) => image).join(', ')}`,
      {
        details: [error.message, ...error.details],
        hint: `Nothing was changed. Name images that are here: ${missing.map(([role]) => `${FLAGS[role]} IMAGE`).join(' ')}`,
        cause: error,
      },
    );
  } finally {
    live.done();
    await files.removeOwn(path);
  }
}
