import { type DoctorFinding, finding } from './finding.ts';
import type { SeenContainer } from './updaters.ts';
import { several } from './words.ts';

/**
 * Programs that restart containers whose health is bad. `byLabel`: the label with which a container asks for it;
 * `mayTakeAll`: a setting that cannot be seen from here makes it take every container.
 */
const RESTARTERS = [
  { name: 'Autoheal', image: /(^|\/)(docker-)?autoheal(:|@|$)/, byLabel: 'autoheal', mayTakeAll: true },
  {
    name: 'deunhealth',
    image: /(^|\/)deunhealth(:|@|$)/,
    byLabel: 'deunhealth.restart.on.unhealthy',
    mayTakeAll: false,
  },
] as const;

/**
 * Decides whether somebody restarts post-services that do not answer for a while: one that builds its dataset, waits for
 * a slow disk or is held does not, and a restart throws its proof away.
 *
 * @param all containers of the engine, those of the project too: people put such a program beside what it watches
 */
export function judgeRestarters(
  own: readonly SeenContainer[],
  all: readonly SeenContainer[],
): readonly DoctorFinding[] {
  return RESTARTERS.flatMap(({ name, image, byLabel, mayTakeAll }): DoctorFinding[] => {
    const restarter = all.find((container) => container.running && image.test(container.image));
    if (restarter === undefined) return [];
    const watched = own.filter(({ labels }) => labels[byLabel]?.toLowerCase() === 'true');
    if (watched.length === 0 && !mayTakeAll) return [];
    const seen = `container ${restarter.name} (${restarter.image}); ${watched.length} of ${own.length} containers carry ${byLabel}=true`;
    return [
      finding('restarter-active', {
        subject: watched.length === 0 ? restarter.name : several(watched.map((container) => container.name)),
        message: `${name} restarts containers that are unhealthy: a post-service that is too busy to answer looks like that, and would lose its proof`,
        evidence:
          watched.length === 0 ? `${seen}; whether it is set to take all cannot be seen from here` : seen,
        measured: { watched: watched.length, containers: own.length },
        remedy:
          watched.length === 0
            ? `Make sure that it does not take all containers (AUTOHEAL_CONTAINER_LABEL=all), or stop ${restarter.name}`
            : `Take the label ${byLabel} out of compose.override.yaml, or stop ${restarter.name}`,
      }),
    ];
  });
}
