import type { DetectedGpu } from './detect.ts';
import { shownCard } from './detect.ts';
import { splitModel } from './providers.ts';
import type { CardVendor, InsideProvider, JoinedGpu } from './report.ts';
import { vendorOfProvider } from './vendor.ts';

/** A provider with the vendor whose passthrough showed it. */
export interface SeenProvider {
  readonly askedFor: CardVendor | 'cpu';
  readonly provider: InsideProvider;
}

export interface JoinedCard {
  readonly host?: DetectedGpu;
  readonly inside?: InsideProvider;
  readonly isLeftOut?: true;
}

/** `NVIDIA GeForce RTX 3090`, `Intel(R) Arc(TM) A770 Graphics`: without what one side says and the other does not. */
function essence(name: string): string {
  return name
    .toLowerCase()
    .replace(/\((?:r|tm)\)|\[0x[0-9a-f]+\]/g, ' ')
    .replace(/\b(?:nvidia|corporation|advanced micro devices|amd|ati|intel|graphics|inc)\b/g, ' ')
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();
}

/** How well a card and a device of OpenCL go together: by name, by one being part of the other, else not by name. */
function likeness(card: DetectedGpu, device: string): number {
  // gfx1030:xnack- is the same card.
  if (card.target !== undefined && device.split(':')[0] === card.target) return 3;
  const [a, b] = [essence(card.name), essence(device)];
  if (a === '' || b === '') return 0;
  if (a === b) return 3;
  return a.includes(b) || b.includes(a) ? 2 : 0;
}

/**
 * Cards of the host beside what is offered inside: by vendor, then by name, and what is left over in the order of both
 * lists, which is that of the bus. Equal cards cannot be told apart, and need not be: each job has its own.
 *
 * @param isHandedIn whether the container got a card
 */
export function joinCards(
  cards: readonly DetectedGpu[],
  seen: readonly SeenProvider[],
  isHandedIn: (card: DetectedGpu) => boolean = () => true,
): readonly JoinedCard[] {
  const offers = seen
    .filter(({ provider }) => provider.kind === 'gpu')
    .map(({ askedFor, provider }) => {
      const { platform, device } = splitModel(provider.model);
      return { provider, device, vendor: vendorOfProvider(platform, device) ?? askedFor };
    });
  const partner = new Map<DetectedGpu, InsideProvider>();
  const taken = new Set<InsideProvider>();
  // 0 last: nothing but the vendor and the order is in common.
  for (const least of [3, 2, 0]) {
    for (const card of cards) {
      if (partner.has(card) || !isHandedIn(card)) continue;
      const offer = offers.find(
        ({ provider, vendor, device }) =>
          !taken.has(provider) && vendor === card.vendor && likeness(card, device) >= least,
      );
      if (offer === undefined) continue;
      partner.set(card, offer.provider);
      taken.add(offer.provider);
    }
  }
  const alone = offers
    .filter(({ provider }) => !taken.has(provider))
    .map(({ provider }) => ({ inside: provider }));
  const processors = seen.filter(({ provider }) => provider.kind === 'cpu').slice(0, 1);
  return [
    ...cards.map((host) => {
      const inside = partner.get(host);
      if (!isHandedIn(host)) return { host, isLeftOut: true as const };
      return inside === undefined ? { host } : { host, inside };
    }),
    ...alone,
    ...processors.map(({ provider }) => ({ inside: provider })),
  ];
}

export function shownJoin({ host, inside, isLeftOut }: JoinedCard): JoinedGpu {
  return {
    ...(isLeftOut === undefined ? {} : { isLeftOut }),
    ...(host === undefined ? {} : { host: shownCard(host) }),
    ...(inside === undefined ? {} : { inside }),
  };
}
