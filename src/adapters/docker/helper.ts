import type Docker from 'dockerode';
import { HELPER_ROLE, LABEL } from '../../domain/compose/labels.ts';
import type { Passthrough } from '../../domain/compose/passthrough.ts';
import type { HelperContainer, HelperMount, HelperResult } from '../../ports/docker.ts';
import { listenForExit } from './client.ts';
import { engineMessage, statusOf } from './engine-errors.ts';
import { collectOutput } from './exec.ts';

/** Never one of Compose's labels: Compose would take the helper for an orphan and remove it (engineering.md §4.2). */
const HELPER_LABELS = { [LABEL.role]: HELPER_ROLE };

/** Time for the engine to make and start a container, beside the time that its command may take. */
const START_MS = 20_000;

const MOST_PROCESSES = 64;
const MEMORY_BYTES = 256 * 1024 * 1024;

/** No helper is made and not started for that long by anybody who still lives. */
const LEFT_BEHIND_MS = 10 * 60_000;

/**
 * Removes helpers that nobody will ever start: whoever made them was killed before the start, and AutoRemove only removes
 * what has run. Ones that run are left to end.
 *
 * @param now milliseconds since 1970
 */
export async function sweepHelpers(docker: Docker, now: number): Promise<void> {
  const filters = { label: [`${LABEL.role}=${HELPER_ROLE}`], status: ['created', 'exited', 'dead'] };
  const abortSignal = AbortSignal.timeout(START_MS);
  const helpers = await docker.listContainers({ all: true, filters, abortSignal });
  const left = helpers.filter(({ Created: seconds }) => now - seconds * 1000 > LEFT_BEHIND_MS);
  // Not forced: one that somebody has started since then is none of these.
  await Promise.allSettled(left.map(({ Id }) => docker.getContainer(Id).remove({ abortSignal })));
}

/** See DockerPort.runHelper. */
export async function runHelperContainer(docker: Docker, helper: HelperContainer): Promise<HelperResult> {
  let container: Docker.Container | undefined;
  let started = false;
  const setUp = AbortSignal.timeout(START_MS);
  try {
    container = await docker.createContainer(createOptions(helper, setUp));
    helper.signal?.throwIfAborted();
    const timeUp = AbortSignal.timeout(START_MS + helper.timeoutMs);
    const running = helper.signal === undefined ? timeUp : AbortSignal.any([timeUp, helper.signal]);
    const stream = await container.attach({ stream: true, stdout: true, stderr: true, abortSignal: running });
    const output = collectOutput(stream, helper.maxOutputBytes, helper.onOutput);
    // Awaited below, unless something fails before.
    output.catch(() => undefined);
    // Asked before the start: AutoRemove may leave nothing to ask afterwards.
    const { exitCode: ended } = await listenForExit(docker, container.id, running);
    await container.start({ abortSignal: setUp });
    started = true;
    const exitCode = await withinTime(ended, helper.timeoutMs);
    if (exitCode === undefined) {
      await remove(container);
      const { stdout, stderr } = await output;
      return { kind: 'timed-out', stdout, stderr };
    }
    return { kind: 'ended', exitCode, ...(await output) };
  } catch (error) {
    if (helper.signal?.aborted === true) {
      // One that hangs on a dead disk cannot be ended by anybody: who has given it up does not wait for it.
      await container
        ?.remove({ force: true, abortSignal: AbortSignal.timeout(START_MS) })
        .catch(() => undefined);
      throw helper.signal.reason;
    }
    if (container !== undefined) await remove(container);
    const status = statusOf(error);
    // 400: a mount source is missing; 404: the image is; both at start when the command is.
    if (!started && status !== undefined) return { kind: 'not-started', reason: engineMessage(error) };
    throw error;
  }
}

function createOptions(helper: HelperContainer, signal: AbortSignal): Docker.ContainerCreateOptions {
  const body: Docker.ContainerCreateOptions = {
    Image: helper.image,
    ...(helper.keepEntrypoint ? { Cmd: [...helper.command] } : { Entrypoint: [...helper.command], Cmd: [] }),
    Labels: HELPER_LABELS,
    ...(helper.user === undefined ? {} : { User: helper.user }),
    NetworkDisabled: true,
    Healthcheck: { Test: ['NONE'] },
    ...(helper.passthrough === undefined ? {} : { Env: environmentOf(helper.passthrough) }),
    HostConfig: {
      AutoRemove: true,
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      ...(helper.keepEntrypoint || helper.passthrough !== undefined
        ? { Tmpfs: { '/tmp': 'rw,mode=1777' } }
        : {}),
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Memory: helper.memoryBytes ?? MEMORY_BYTES,
      PidsLimit: helper.mostProcesses ?? MOST_PROCESSES,
      LogConfig: { Type: 'none', Config: {} },
      Mounts: [...helper.mounts, ...(helper.passthrough?.mounts ?? [])].map((mount: HelperMount) => ({
        Type: 'bind' as const,
        Source: mount.source,
        Target: mount.target,
        ReadOnly: !(mount.writable ?? false),
      })),
      ...(helper.passthrough === undefined ? {} : deviceOptions(helper.passthrough)),
    },
  };
  // Without `_query` docker-modem would repeat the whole body in the URL (engineering.md §3.4).
  const split = { _query: {}, _body: body, abortSignal: signal };
  return split as unknown as Docker.ContainerCreateOptions;
}

function environmentOf({ environment }: Passthrough): string[] {
  return Object.entries(environment).map(([name, value]) => `${name}=${value}`);
}

/** As Compose hands a job's devices to the engine. */
function deviceOptions({ devices, deviceRequests, groups }: Passthrough): Docker.HostConfig {
  return {
    Devices: devices.map((path) => ({
      PathOnHost: path,
      PathInContainer: path,
      CgroupPermissions: 'rwm',
    })),
    DeviceRequests: deviceRequests.map(({ driver, count, ids, capabilities }) => ({
      Driver: driver,
      ...(ids === undefined ? { Count: count ?? -1 } : { DeviceIDs: [...ids] }),
      Capabilities: [[...capabilities]],
    })),
    GroupAdd: groups.map(String),
  };
}

async function withinTime<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, undefined);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Already gone or on its way out are fine: AutoRemove may have been faster. */
async function remove(container: Docker.Container): Promise<void> {
  await container.remove({ force: true }).catch((error: unknown) => {
    if (statusOf(error) !== 404 && statusOf(error) !== 409) throw error;
  });
}
