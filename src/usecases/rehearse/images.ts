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
export function ensureImages(context: Context, images: RehearsalImages): Promise<void> {
  const roles = ['node', 'post', 'postcli'] as const;
  return bringImages(
    context,
    roles.map((role) => ({ role, image: images[role], flag: FLAGS[role] })),
  );
}

/** An image that a command runs, and the option that names another one. */
export interface WantedImage {
  readonly role: string;
  readonly image: string;
  readonly flag: string;
}

/** Pulls what is not on the engine. Throws exit 4 naming the flags, 2 for a name that is none. */
export async function bringImages(context: Context, images: readonly WantedImage[]): Promise<void> {
  for (const { image, flag } of images) {
    const fault = inspectImage(image).find(({ severity }) => severity === 'error');
    if (fault !== undefined) {
      throw new SmeshError('bad-image', ExitCode.usage, `${flag} ${image}: ${fault.message}`, {
        hint: 'Nothing was changed.',
      });
    }
  }
  const docker = await context.ports.docker();
  await docker.engine();
  const missing: WantedImage[] = [];
  for (const wanted of images) {
    if ((await docker.image(wanted.image)) === undefined) missing.push(wanted);
  }
  if (missing.length > 0) await pullImages(context, missing);
}

/** By Compose, as `up` does it: with the user's registry settings and credentials. */
async function pullImages(context: Context, missing: readonly WantedImage[]): Promise<void> {
  const { files, system } = context.ports;
  const compose = await context.ports.compose();
  const folder = context.env['TMPDIR'] || '/tmp';
  const name = `smesh-compose-images-${system.pid}-${context.clock.now()}`;
  const path = `${folder}/${name}.yaml`;
  // JSON is YAML.
  const services = Object.fromEntries(missing.map(({ role, image }) => [role, { image }]));
  await files.writeNew(path, JSON.stringify({ services }), { mode: 0o600 });
  context.out.note(`Pulling ${missing.map(({ image }) => image).join(', ')}`);
  const live = context.out.live();
  try {
    await compose.pull(
      { name, directory: folder, files: [path] },
      missing.map(({ role }) => role),
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
      `${missing.length === 1 ? 'An image is' : 'Images are'} not on this engine and cannot be pulled: ${missing.map(({ image }) => image).join(', ')}`,
      {
        details: [error.message, ...error.details],
        hint: `Nothing was changed. Name images that are here: ${missing.map(({ flag }) => `${flag} IMAGE`).join(' ')}`,
        cause: error,
      },
    );
  } finally {
    live.done();
    await files.removeOwn(path);
  }
}
