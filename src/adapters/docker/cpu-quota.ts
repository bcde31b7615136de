import type Docker from 'dockerode';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { CpuQuota, DockerPort } from '../../ports/docker.ts';
import { ask } from './client.ts';
import { containerGone, engineMessage, statusOf } from './engine-errors.ts';

interface Engine {
  readonly endpoint: string;
  readonly docker: Docker;
  readonly port: Pick<DockerPort, 'inspect' | 'engine'>;
}

/** Lifts it. 0 would leave it as it is (spacemesh.md §14.6). */
const LIFT = -1;

/** See DockerPort.setCpuQuota. The engine's OK is not enough: what it keeps of it is read back. */
export async function setCpuQuota(
  engine: Engine,
  container: string,
  quota: CpuQuota | 'none',
): Promise<void> {
  const wanted =
    quota === 'none' ? { CpuQuota: LIFT } : { CpuQuota: quota.quotaUs, CpuPeriod: quota.periodUs };
  const refused = await ask(engine.endpoint, `set the CPU quota of ${container}`, (abortSignal) =>
    engine.docker
      .getContainer(container)
      .update({ ...wanted, abortSignal })
      .then(
        () => undefined,
        (error: unknown) => {
          if (statusOf(error) === 404) throw containerGone(container);
          if (statusOf(error) === undefined) throw error;
          return engineMessage(error);
        },
      ),
  );
  if (refused !== undefined) throw await quotaRefused(engine, container, quota, refused);
  const after = await engine.port.inspect(container);
  if (after === undefined) throw containerGone(container);
  const { cpuQuota, cpuPeriod } = after.host;
  const holds = quota === 'none' ? cpuQuota <= 0 : cpuQuota === quota.quotaUs && cpuPeriod === quota.periodUs;
  if (holds) return;
  throw await quotaRefused(engine, container, quota, `it keeps ${cpuQuota} of ${cpuPeriod} µs`);
}

async function quotaRefused(
  { port }: Engine,
  container: string,
  quota: CpuQuota | 'none',
  words: string,
): Promise<SmeshError> {
  // One that has just ended, or is being removed, is refused too: that says nothing of the engine.
  const state = (await port.inspect(container).catch(() => undefined))?.state;
  const lives = state === 'running' || state === 'created' || state === 'paused';
  if (quota !== 'none' && !lives) return containerGone(container);
  const facts = await port.engine().catch(() => undefined);
  const engine = facts === undefined ? '' : ` (Docker ${facts.version}, cgroup v${facts.cgroupVersion})`;
  const what = quota === 'none' ? 'lift the CPU quota' : 'set a CPU quota';
  const rootless =
    facts?.rootless === true
      ? 'A rootless engine needs the cpu controller delegated to its user (systemd, cgroup v2).'
      : 'Does the kernel have CPU quotas (CONFIG_CFS_BANDWIDTH)? docker info says what is missing.';
  return new SmeshError(
    'quota-refused',
    ExitCode.environment,
    `The engine${engine} cannot ${what} of ${container}: ${words}.`,
    { hint: rootless },
  );
}
