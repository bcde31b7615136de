import { OPERATOR_PORT } from '../../domain/compose/hardening.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import type { ServiceStatus } from '../../domain/proving/service-status.ts';
import type { Ports } from '../../ports/index.ts';

/** `GET /status` of all that run, at once, by container id; whoever does not run is not asked and not in the answer. */
export async function askServices(
  ports: Pick<Ports, 'postApi'>,
  containers: readonly ObservedContainer[],
  timeoutMs: number,
): Promise<ReadonlyMap<string, ServiceStatus>> {
  const running = containers.filter(({ state }) => state === 'running');
  if (running.length === 0) return new Map();
  const postApi = await ports.postApi();
  const answers = running.map(async (container) => {
    const ip = container.addresses.find((address) => address.ip !== undefined)?.ip;
    const target = {
      containerId: container.id,
      port: OPERATOR_PORT,
      ...(ip === undefined ? {} : { ip }),
    };
    return [container.id, await postApi.status(target, timeoutMs)] as const;
  });
  return new Map(await Promise.all(answers));
}
