import type { FoundProgram } from '../../domain/adopt/found.ts';
import { programOfContainer } from '../../domain/adopt/from-container.ts';
import { HELPER_ROLE, LABEL, readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { DockerPort } from '../../ports/docker.ts';
import type { Context } from '../context.ts';

/** The engine's containers, or why they could not be seen: files can be adopted without them. */
export interface EngineLook {
  /** None of this tool's own. */
  readonly containers: readonly ObservedContainer[];
  /** Absent: it answered. */
  readonly unseen?: SmeshError;
  program(container: ObservedContainer): Promise<FoundProgram>;
  /** `name@sha256:…` of the image a container runs. */
  digestOf(container: ObservedContainer): Promise<string | undefined>;
}

export async function lookAtEngine(context: Context): Promise<EngineLook> {
  try {
    const docker = await context.ports.docker();
    const all = await docker.containers();
    const digestOf = (container: ObservedContainer) => findDigest(docker, container);
    return {
      containers: all.filter(
        ({ labels, oneOff }) =>
          !oneOff && labels[LABEL.role] !== HELPER_ROLE && readLabels(labels) === undefined,
      ),
      digestOf,
      program: async (container) =>
        programOfContainer(container, await docker.environment(container.id), await digestOf(container)),
    };
  } catch (error) {
    if (!(error instanceof SmeshError) || error.exitCode !== ExitCode.environment || context.signal.aborted)
      throw error;
    return {
      containers: [],
      unseen: error,
      digestOf: async () => undefined,
      program: async () => {
        throw error;
      },
    };
  }
}

/** Of the image by its ID: its tag may have moved since. One of a registry has digests, one built here has none. */
async function findDigest(
  docker: DockerPort,
  { image, imageId }: ObservedContainer,
): Promise<string | undefined> {
  const facts = await docker.image(imageId);
  const name = image.split('@')[0]?.replace(/:[^/:]*$/, '') ?? '';
  return facts?.digests.find((digest) => digest.startsWith(`${name}@`)) ?? facts?.digests[0];
}
