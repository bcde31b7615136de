import { LABEL } from '../compose/labels.ts';
import { type DoctorFinding, finding } from './finding.ts';
import { several } from './words.ts';

export interface SeenContainer {
  readonly name: string;
  readonly image: string;
  readonly running: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** Programs that replace containers by newer images on their own, with the label by which a container opts out. */
const UPDATERS = [
  { name: 'Watchtower', image: /(^|\/)watchtower(:|@|$)/, optOut: LABEL.watchtower },
  { name: "What's Up Docker", image: /(^|\/)(whats-up-docker|wud)(:|@|$)/, optOut: LABEL.wud },
  { name: 'Ouroboros', image: /(^|\/)ouroboros(:|@|$)/, optOut: 'com.ouroboros.enable' },
] as const;

/** Decides whether somebody else on the engine may swap images under running proofs. */
export function judgeUpdaters(
  own: readonly SeenContainer[],
  others: readonly SeenContainer[],
): readonly DoctorFinding[] {
  const found = UPDATERS.flatMap(({ name, image, optOut }): DoctorFinding[] => {
    const updater = others.find((container) => container.running && image.test(container.image));
    if (updater === undefined) return [];
    const exposed = own.filter(({ labels }) => labels[optOut]?.toLowerCase() !== 'false');
    const evidence = `container ${updater.name} (${updater.image})`;
    if (exposed.length === 0) {
      return [
        finding('updater-opted-out', {
          subject: updater.name,
          message: `${name} updates containers on this engine; those of this project opt out by label`,
          evidence: `${evidence}; ${own.length} containers carry ${optOut}=false`,
          measured: { containers: own.length },
        }),
      ];
    }
    return [
      finding('updater-active', {
        subject: several(exposed.map((container) => container.name)),
        message: `${name} replaces containers when it finds a newer image, and would take these while they prove`,
        evidence: `${evidence}; ${exposed.length} of ${own.length} containers lack ${optOut}=false`,
        measured: { exposed: exposed.length, containers: own.length },
        remedy: Object.values<string>(LABEL).includes(optOut)
          ? 'smesh-compose up   gives them the label that keeps it away (is it taken out in the override file?)'
          : `Stop ${updater.name}, or give the services the label ${optOut}: "false" in compose.override.yaml`,
      }),
    ];
  });
  if (found.length > 0) return found;
  return [
    finding('updaters-ok', {
      message: 'Nobody else updates these containers',
      evidence: `${others.length} other containers on this engine`,
      measured: { others: others.length },
    }),
  ];
}
