import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import {
  type ImageReference,
  parseImageReference,
  pinned,
  shortReference,
} from '../../domain/upgrade/image-reference.ts';
import { parseRelease, type Release } from '../../domain/upgrade/release.ts';
import { printable } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import type { ImageUse } from './check.ts';

const VERSION_TIMEOUT_MS = 60_000;

/** How each program is asked for its version (spacemesh.md §1.1, §3.1). */
const ASKS: Readonly<Record<ImageUse, readonly string[]>> = {
  node: ['version'],
  'post-service': ['--version'],
};

/** An image that is on the engine now, and runs. */
export interface ReadyImage {
  /** With its digest, where a registry knows one. */
  readonly reference: ImageReference;
  readonly isPinned: boolean;
  /** As the program itself says. */
  readonly release?: Release;
}

/**
 * Brings an image onto the engine, finds its digest, and lets its program say its version. Touches no container. Exit 4
 * where it cannot be had or does not run: better now than in the place of one that does.
 */
export async function makeReady(
  context: Context,
  project: Project,
  use: ImageUse,
  wanted: ImageReference,
): Promise<ReadyImage> {
  await pull(context, project, wanted);
  const docker = await context.ports.docker();
  const facts = await docker.image(wanted.text);
  if (facts === undefined) throw notToBeHad(wanted, []);
  const reference = pinned(wanted, facts.digests);
  if (reference === undefined) {
    context.out.warn(
      `${shortReference(wanted)} was built here and is in no registry: it has no digest to pin. Whoever builds it anew changes it for node and post-services at their next recreation.`,
    );
  }
  const release = await askVersion(context, use, wanted);
  return {
    reference: reference ?? wanted,
    isPinned: reference !== undefined,
    ...(release === undefined ? {} : { release }),
  };
}

/** Compose reads files, so it is given one that has nothing but this image. */
async function pull(context: Context, project: Project, wanted: ImageReference): Promise<void> {
  const { files, system } = context.ports;
  const folder = context.env['TMPDIR'] || '/tmp';
  const path = `${folder}/smesh-compose-${system.pid}-${context.clock.now()}-pull.yaml`;
  await files.writeNew(path, JSON.stringify({ services: { image: { image: wanted.text } } }), {
    mode: 0o600,
  });
  const area = context.out.live();
  try {
    const compose = await context.ports.compose();
    context.out.note(`Pulling ${shortReference(wanted)}`);
    await compose.pull({ name: project.name, directory: context.directory, files: [path] }, ['image'], {
      signal: context.signal,
      onProgress: ({ status }) => area.update([`${shortReference(wanted)}  ${status}`]),
    });
  } catch (error) {
    if (!(error instanceof SmeshError) || error.exitCode !== ExitCode.environment) throw error;
    const docker = await context.ports.docker();
    if ((await docker.image(wanted.text)) === undefined)
      throw notToBeHad(wanted, [error.message, ...error.details]);
    context.out.warn(
      `${shortReference(wanted)} cannot be pulled; the image of that name that is here is used.`,
    );
  } finally {
    area.done();
    await files.removeOwn(path);
  }
}

function notToBeHad(wanted: ImageReference, details: readonly string[]): SmeshError {
  return new SmeshError(
    'image-missing',
    ExitCode.environment,
    `${shortReference(wanted)} cannot be had. Nothing was changed.`,
    {
      details,
      hint: 'Is there a way to the registry, and is the tag right? Which there are: smesh-compose upgrade --check',
    },
  );
}

async function askVersion(
  context: Context,
  use: ImageUse,
  wanted: ImageReference,
): Promise<Release | undefined> {
  const docker = await context.ports.docker();
  const result = await docker.runHelper({
    image: wanted.text,
    command: ASKS[use],
    keepEntrypoint: true,
    mounts: [],
    timeoutMs: VERSION_TIMEOUT_MS,
  });
  if (result.kind === 'ended' && result.exitCode === 0) {
    const words = `${result.stdout} ${result.stderr}`.split(/\s+/);
    return words.map(parseRelease).find((release) => release !== undefined);
  }
  const why =
    result.kind === 'not-started'
      ? result.reason
      : result.kind === 'timed-out'
        ? 'it does not answer'
        : `exit ${result.exitCode}: ${`${result.stderr}${result.stdout}`.trim().split('\n').at(-1) ?? ''}`;
  throw new SmeshError(
    'image-does-not-run',
    ExitCode.environment,
    `${shortReference(wanted)} does not even say its version. Nothing was changed.`,
    { details: [printable(why)], hint: 'Take another release: smesh-compose upgrade --check' },
  );
}

/**
 * The name under which an image that is in use can be named again later. Its tag may have been moved by a pull: then only
 * its digest leads back to it. `undefined`: nothing does.
 */
export async function wayBack(
  context: Context,
  written: string,
  imageIdBefore: string | undefined,
): Promise<string | undefined> {
  const docker = await context.ports.docker();
  const now = await docker.image(written);
  if (imageIdBefore === undefined || now?.id === imageIdBefore) return written;
  const before = await docker.image(imageIdBefore);
  const reference = parseImageReference(written);
  return before === undefined || reference === undefined
    ? undefined
    : pinned(reference, before.digests)?.text;
}
