import type Docker from 'dockerode';
import * as z from 'zod';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { ContainerFilter, DockerPort, EngineFacts, ImageFacts } from '../../ports/docker.ts';
import { ask, get, openClient } from './client.ts';
import { setCpuQuota } from './cpu-quota.ts';
import type { EngineEndpoint } from './endpoint.ts';
import { containerGone, engineError, statusOf } from './engine-errors.ts';
import { parseEngine } from './engine-facts.ts';
import { followEvents, labelFilters } from './events.ts';
import { execInContainer } from './exec.ts';
import { runHelperContainer, sweepHelpers } from './helper.ts';
import { parseEnvironment, parseInspect } from './inspect.ts';
import { readLog } from './logs.ts';

/** More questions at once only queue up inside the engine. */
const PARALLEL_INSPECTS = 16;

/** A node may take a minute to close its databases; the engine kills after the grace period, whatever it is. */
const STOP_TIMEOUT_MS = 16 * 60_000;

const START_TIMEOUT_MS = 2 * 60_000;

type Cancellable = (options: { readonly abortSignal: AbortSignal }) => Promise<unknown>;

/** DockerPort on dockerode. */
export async function createDocker(endpoint: EngineEndpoint): Promise<DockerPort> {
  return new DockerAdapter(endpoint.host, await openClient(endpoint));
}

class DockerAdapter implements DockerPort {
  readonly endpoint: string;
  readonly #docker: Docker;
  /** Once per command is enough, before its first helper. */
  #swept: Promise<void> | undefined;

  constructor(endpoint: string, docker: Docker) {
    this.endpoint = endpoint;
    this.#docker = docker;
  }

  async engine(): Promise<EngineFacts> {
    // Both take options, which @types/dockerode does not know.
    const cancellable = this.#docker as unknown as Record<'version' | 'info', Cancellable>;
    const [version, info] = await this.#ask('ask the engine about itself', (abortSignal) =>
      Promise.all([cancellable.version({ abortSignal }), cancellable.info({ abortSignal })]),
    );
    return this.#read('engine', () => parseEngine(version, info));
  }

  async containers(filter: ContainerFilter = {}): Promise<readonly ObservedContainer[]> {
    const listed = await this.#ask('list the containers', (abortSignal) =>
      this.#docker.listContainers({ all: true, filters: { label: [...labelFilters(filter)] }, abortSignal }),
    );
    const found: (ObservedContainer | undefined)[] = new Array(listed.length);
    const queue = listed.map((container, index) => ({ id: container.Id, index }));
    const work = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        found[next.index] = await this.inspect(next.id);
      }
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL_INSPECTS, listed.length) }, work));
    return found.filter((container) => container !== undefined);
  }

  async inspect(container: string): Promise<ObservedContainer | undefined> {
    const answer = await this.#askFor(`inspect ${container}`, (abortSignal) =>
      this.#docker.getContainer(container).inspect({ abortSignal }),
    );
    return answer === undefined ? undefined : this.#read('inspect', () => parseInspect(answer));
  }

  async environment(container: string): Promise<Readonly<Record<string, string>>> {
    const answer = await this.#askFor(`inspect ${container}`, (abortSignal) =>
      this.#docker.getContainer(container).inspect({ abortSignal }),
    );
    return answer === undefined ? {} : this.#read('inspect', () => parseEnvironment(answer));
  }

  async image(reference: string): Promise<ImageFacts | undefined> {
    const answer = await this.#askFor(`inspect the image ${reference}`, (abortSignal) =>
      get(this.#docker, `/images/${reference}/json`, { signal: abortSignal }),
    );
    return answer === undefined ? undefined : this.#read('image', () => parseImage(answer));
  }

  async start(container: string): Promise<'started' | 'already-running'> {
    return this.#change(`start ${container}`, container, START_TIMEOUT_MS, (abortSignal) =>
      this.#docker.getContainer(container).start({ abortSignal }),
    ).then((changed) => (changed ? 'started' : 'already-running'));
  }

  async stop(container: string): Promise<'stopped' | 'already-stopped'> {
    // No `t`: the container's own stop_grace_period counts.
    return this.#change(`stop ${container}`, container, STOP_TIMEOUT_MS, (abortSignal) =>
      this.#docker.getContainer(container).stop({ abortSignal }),
    ).then((changed) => (changed ? 'stopped' : 'already-stopped'));
  }

  async restart(container: string): Promise<void> {
    await this.#change(`restart ${container}`, container, STOP_TIMEOUT_MS, (abortSignal) =>
      this.#docker.getContainer(container).restart({ abortSignal }),
    );
  }

  setCpuQuota: DockerPort['setCpuQuota'] = (container, quota) =>
    setCpuQuota({ endpoint: this.endpoint, docker: this.#docker, port: this }, container, quota);

  exec: DockerPort['exec'] = async (container, command, options) => {
    try {
      return await execInContainer(this.#docker, container, command, options);
    } catch (error) {
      if (statusOf(error) === 404) throw containerGone(container);
      throw engineError(this.endpoint, `run a command in ${container}`, error);
    }
  };

  runHelper: DockerPort['runHelper'] = async (helper) => {
    // What others left behind must not keep a check from being made.
    this.#swept ??= sweepHelpers(this.#docker, Date.now()).catch(() => undefined);
    await this.#swept;
    try {
      return await runHelperContainer(this.#docker, helper);
    } catch (error) {
      if (helper.signal?.aborted === true) throw error;
      throw engineError(this.endpoint, 'run a check in a container', error);
    }
  };

  events: DockerPort['events'] = (filter, signal) => followEvents(this.#docker, filter, signal);

  logs: DockerPort['logs'] = (container, options) => readLog(this.endpoint, this.#docker, container, options);

  #ask<T>(doing: string, call: (signal: AbortSignal) => Promise<T>, timeoutMs?: number): Promise<T> {
    return ask(this.endpoint, doing, call, timeoutMs);
  }

  /** `undefined` for what is not there. */
  #askFor<T>(doing: string, call: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    return this.#ask<T | undefined>(doing, (signal) =>
      call(signal).catch((error: unknown) => {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }),
    );
  }

  /** False when the engine says that nothing had to be changed: 304 is an error to docker-modem. */
  #change(
    doing: string,
    container: string,
    timeoutMs: number,
    call: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<boolean> {
    return this.#ask(
      doing,
      (signal) =>
        call(signal).then(
          () => true,
          (error: unknown) => {
            if (statusOf(error) === 304) return false;
            if (statusOf(error) === 404 && /no such container/i.test(String((error as Error).message))) {
              throw containerGone(container);
            }
            throw error;
          },
        ),
      timeoutMs,
    );
  }

  /** An answer of the wrong shape is the engine's fault (or a proxy's), not a crash of ours. */
  #read<T>(what: string, parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error;
      const issue = error.issues[0];
      throw new SmeshError(
        'engine-malformed',
        ExitCode.environment,
        `What answers at ${this.endpoint} does not speak as a Docker engine does (${what}: ${issue?.path.join('.')} ${issue?.message}).`,
        { hint: 'Is DOCKER_HOST right? Podman and other engines are not supported.', cause: error },
      );
    }
  }
}

const imageSchema = z.object({
  Id: z.string(),
  RepoTags: z.array(z.string()).nullish(),
  RepoDigests: z.array(z.string()).nullish(),
  Created: z.string().nullish(),
  Architecture: z.string(),
  Size: z.number(),
  Config: z
    .object({ User: z.string().nullish(), Labels: z.record(z.string(), z.string()).nullish() })
    .nullish(),
});

function parseImage(answer: unknown): ImageFacts {
  const image = imageSchema.parse(answer);
  return {
    id: image.Id,
    tags: image.RepoTags ?? [],
    digests: image.RepoDigests ?? [],
    createdAt: Date.parse(image.Created ?? '') || 0,
    architecture: image.Architecture,
    sizeBytes: image.Size,
    user: image.Config?.User ?? '',
    labels: image.Config?.Labels ?? {},
  };
}
