import { OPERATOR_PORT } from '../../domain/compose/hardening.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { flagValue } from '../../domain/compose/who-serves.ts';
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
      port: operatorPort(container),
      ...(ip === undefined ? {} : { ip }),
    };
    return [container.id, await postApi.status(target, timeoutMs)] as const;
  });
  return new Map(await Promise.all(answers));
}

/** Of ours it is always the same; one that was adopted and not yet recreated may answer elsewhere. */
function operatorPort({ command }: ObservedContainer): number {
  const port = /:(\d{1,5})$/.exec(flagValue(command, ['--operator-address']) ?? '')?.[1];
  return port === undefined ? OPERATOR_PORT : Number(port);
}
