import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import { lossHeadline, momentStyle } from '../../ui/stop-price.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import { lookAtProvers, unsafeOf } from '../lifecycle/look-at-provers.ts';
import { blockedToJson, lossOf } from '../lifecycle/refuse.ts';
import type { BenchDisk } from './disks-of-project.ts';

/**
 * A second reader takes from a proof more than half of its disk's speed (operators.md d.5), and would itself be measured
 * too slow. Refuses while anything proves, or may prove, on one of these disks (exit 5); when the engine cannot be asked
 * its own error says so.
 */
export async function refuseBusyDisks(
  context: Context,
  project: Project,
  disks: readonly BenchDisk[],
): Promise<void> {
  const docker = await context.ports.docker();
  await docker.engine();
  const looks = await lookAtProvers(context, project, await docker.containers({ project: project.name }));
  const onDisk = new Map(
    disks.flatMap(({ disk, places }) =>
      places.flatMap(({ identity }) => (identity === undefined ? [] : [[identity.name, disk] as const])),
    ),
  );
  const busy = unsafeOf(looks, onDisk.keys());
  if (busy.length === 0) return;
  const losses = busy.map(lossOf);
  const names = [...new Set(busy.flatMap(({ service }) => onDisk.get(service) ?? []))];
  const style = momentStyle(looks.timeline, looks.at, (at) => context.clock.localOffsetMinutes(at));
  const free = disks.filter(({ disk }) => !names.includes(disk));
  throw new SmeshError(
    'disk-busy',
    ExitCode.refused,
    `Refused: on ${enumerate(names)} somebody proves or may prove; a second reader makes both slow. Nothing was read.`,
    {
      details: losses.map(lossHeadline),
      hint: [
        ...(free.length === 0
          ? []
          : [
              `The others:    smesh-compose bench disk ${free.flatMap(({ places }) => places.map((place) => place.identity?.name ?? place.path)).join(' ')}`,
            ]),
        'Do it anyway:  smesh-compose bench disk --force',
      ].join('\n'),
      facts: { ...blockedToJson({ losses }), disks: names, at: new Date(style.now).toISOString() },
    },
  );
}
