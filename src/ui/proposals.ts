import { type MomentStyle, momentHere } from './moments.ts';
import { enumerate } from './text.ts';
import { formatCount, plural } from './units.ts';

/** What it costs to take the node away now: layers in which identities of ours may propose. */
export interface MissedProposals {
  /** Never empty; `at` is when the layer begins, milliseconds since 1970. */
  readonly layers: readonly {
    readonly layer: number;
    readonly at: number;
    readonly services: readonly string[];
  }[];
  /** From when on nobody is eligible while a node restarts; absent where no such moment is known. */
  readonly free?: { readonly at: number; readonly layer: number };
}

/** `a proposal may be missed: post-0001 is eligible in layer 353,559` */
export function missedWords({ layers }: MissedProposals): string {
  const services = [...new Set(layers.flatMap((one) => one.services))];
  const all = layers.map(({ layer }) => formatCount(layer));
  const numbers = all.length === 2 ? all.join(' and ') : enumerate(all);
  const who = services.length <= 3 ? enumerate(services) : plural(services.length, 'identity', 'identities');
  const proposals = services.length === 1 && layers.length === 1 ? 'a proposal' : 'proposals';
  return `${proposals} may be missed: ${who} ${services.length === 1 ? 'is' : 'are'} eligible in ${layers.length === 1 ? 'layer' : 'layers'} ${numbers}`;
}

/** `free from Mon 14:35 UTC, layer 353,561, on` */
export function freeWords({ free }: MissedProposals, style: MomentStyle): string {
  return free === undefined
    ? 'no moment soon is known in which nobody is'
    : `free from ${momentHere(free.at, style)}, layer ${formatCount(free.layer)}, on`;
}

/** Both in one. */
export function proposalsCost(missed: MissedProposals, style: MomentStyle): string {
  return `${missedWords(missed)}; ${freeWords(missed, style)}`;
}

/** For `--json`: times as ISO 8601; `null` where nothing would be missed. */
export function proposalsToJson(missed: MissedProposals | undefined): unknown {
  if (missed === undefined) return null;
  const { layers, free } = missed;
  const iso = (at: number) => new Date(at).toISOString();
  return {
    layers: layers.map(({ layer, at, services }) => ({ layer, at: iso(at), services })),
    freeFrom: free === undefined ? null : { layer: free.layer, at: iso(free.at) },
  };
}
