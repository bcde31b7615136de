import { readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { SmeshError } from '../../domain/errors.ts';
import { isHeld } from '../../domain/proving/identity-state.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { scheduleIsRunning } from '../status/schedule-is-running.ts';

/**
 * Lets go on whom a schedule had held that runs no more: a CPU quota stays over restarts until somebody lifts it. Does
 * nothing while a schedule runs. Never rejects for an engine that refuses: it says so, and everything else goes on.
 *
 * @param own containers of the project
 * @param services whom it is about; empty: everybody
 */
export async function liftHolds(
  context: Context,
  own: readonly ObservedContainer[],
  services: readonly string[],
): Promise<void> {
  const held = own.filter(
    ({ host, labels, service }) =>
      readLabels(labels)?.role === 'prover' &&
      isHeld(host) &&
      (services.length === 0 || (service !== undefined && services.includes(service))),
  );
  if (held.length === 0) return;
  const orchestrator = own.find(({ service }) => service === 'orchestrator');
  const runs = await scheduleIsRunning(context.ports.files, context.directory, {
    ...(orchestrator === undefined ? {} : { orchestrator }),
  });
  if (runs === true) return;
  const docker = await context.ports.docker();
  let lifted = 0;
  for (const { id, name } of held) {
    try {
      await docker.setCpuQuota(id, 'none');
      lifted += 1;
    } catch (error) {
      if (!(error instanceof SmeshError)) throw error;
      // Gone meanwhile: Compose or somebody else has recreated it, and the new one has no quota.
      if (error.code !== 'container-gone') context.out.warn(`${name} stays held: ${error.message}`);
    }
  }
  if (lifted === 0) return;
  const them = lifted === 1 ? 'It goes' : 'They go';
  context.out.note(
    `${plural(lifted, 'post-service')} had been held by a schedule that runs no more. ${them} on now.`,
  );
}
