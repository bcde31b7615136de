import { CPU_PROVIDER } from '../compose/init-jobs.ts';
import type { CardVendor, GpuReport, JoinedGpu } from '../gpu/report.ts';
import type { Card } from './plan-jobs.ts';

export const PROCESSOR: Card = { label: 'the processor' };

/** A card that postcli is offered inside a container, or, where nobody could look inside, one of the host. */
export interface UsableCard extends Card {
  readonly vendor: CardVendor;
  /** Every word that `--device` may call it by. */
  readonly devices: readonly string[];
  /** Its number inside, all cards visible; `--provider`. */
  readonly inside?: number;
}

/**
 * The cards that jobs can have, by name (scenario S26). One alone needs no device: a job then sees all there is, also when
 * its index changes after a reboot.
 *
 * @param blind nobody can look inside a container, and that is accepted: what the host has counts
 */
export function usableCards(report: GpuReport, blind: boolean): readonly UsableCard[] {
  const usable = report.joined.flatMap((joined) => {
    const card = usableCard(joined, report, blind);
    return card === undefined ? [] : [card];
  });
  return usable.map((card) => {
    const alone = usable.filter(({ vendor }) => vendor === card.vendor).length === 1;
    if (!alone) return card;
    const { device: _device, provider: _provider, ...rest } = card;
    return rest;
  });
}

function usableCard({ host, inside }: JoinedGpu, report: GpuReport, blind: boolean): UsableCard | undefined {
  if (inside?.kind === 'cpu' || inside?.id === CPU_PROVIDER) return undefined;
  const vendor = host?.vendor ?? vendorOfLook(report, inside?.id);
  if (vendor === undefined) return undefined;
  if (inside === undefined && !blind && !notAskedYet(report, vendor)) return undefined;
  const device = host?.device;
  return {
    vendor,
    label: host?.name ?? inside?.model ?? 'a card without a name',
    devices: [device, host?.uuid].filter((word) => word !== undefined),
    ...(inside === undefined ? {} : { inside: inside.id }),
    ...(device === undefined ? (inside === undefined ? {} : { provider: inside.id }) : { device }),
  };
}

/** A provider that no card of the host was found for: whose passthrough it came through is known all the same. */
function vendorOfLook(report: GpuReport, id: number | undefined): CardVendor | undefined {
  const look = report.looks.find(
    (one) =>
      one.kind === 'asked' && one.providers.some((provider) => provider.id === id && provider.kind === 'gpu'),
  );
  return look?.vendor === undefined || look.vendor === 'cpu' ? undefined : look.vendor;
}

/** The image that would be asked is not here yet: it comes with the first job, and what it is offered is seen then. */
export function notAskedYet({ looks }: GpuReport, vendor: CardVendor): boolean {
  const look = looks.find((one) => one.vendor === vendor);
  return look?.kind === 'not-asked' && look.image !== undefined;
}

/** Those of `init.devices`. All where none of them is there: that is said when smesh.yaml is judged. */
export function amongListed(usable: readonly UsableCard[], listed: readonly string[]): readonly UsableCard[] {
  const some = usable.flatMap((card) => {
    const word = listed.find((one) => card.devices.includes(one));
    return word === undefined ? [] : [card.device === undefined ? card : { ...card, device: word }];
  });
  return some.length > 0 ? some : usable;
}
