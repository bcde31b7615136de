import type { WeighedAtx } from '../node/answers.ts';
import type { NodeEvent } from '../node/events.ts';
import type { IdentityEvidence, ProjectEvidence } from './facts.ts';
import { digits, type Journey, plural } from './journey.ts';

interface WeightFault {
  readonly code: 'fewer-units' | 'atx-other-coinbase' | 'slower-proof';
  /** Continues a sentence about the ATX. */
  readonly words: string;
  readonly next?: string;
}

interface Weighed {
  readonly evidence: readonly string[];
  /** What makes it earn less than it could, worst first. */
  readonly faults: readonly WeightFault[];
}

/**
 * Of what an ATX is made: units times the ticks of the PoET proof that was chosen among those downloaded for its round
 * (the one before its publish epoch, spacemesh.md §7.1, §7.2).
 */
export function weightOf(
  atx: WeighedAtx,
  { dataHere }: IdentityEvidence,
  { coinbase }: ProjectEvidence,
  { events }: Journey,
): Weighed {
  const { units, weight } = atx;
  const ticks = units > 0 && weight % BigInt(units) === 0n ? weight / BigInt(units) : undefined;
  const proofs = proofsOf(events, atx.publishEpoch - 1);
  const faults: WeightFault[] = [];
  if (atx.coinbase !== coinbase) {
    faults.push({
      code: 'atx-other-coinbase',
      words: `it pays another account than smesh.yaml names (${atx.coinbase})`,
    });
  }
  if (dataHere.kind === 'own' && dataHere.units > units) {
    faults.push({
      code: 'fewer-units',
      words: `it counts ${units} of its ${dataHere.units} units; the next ATX counts what was proved for it`,
    });
  }
  if (proofs.selected !== undefined && proofs.best !== undefined && proofs.best > proofs.selected) {
    faults.push({
      code: 'slower-proof',
      words: `it rests on a PoET proof with ${digits(proofs.selected)} ticks, and one with ${digits(proofs.best)} was there`,
      next: 'register at all PoETs: see whether one of them refuses this identity (smesh-compose logs node)',
    });
  }
  return {
    evidence: [
      `ATX ${atx.atx.slice(0, 8)}, published in epoch ${atx.publishEpoch}`,
      ticks === undefined
        ? `weight ${digits(weight)}, ${plural(units, 'unit')}`
        : `weight ${digits(weight)}: ${plural(units, 'unit')} × ${digits(ticks)} ticks`,
      ...proofs.lines,
    ],
    faults,
  };
}

function proofsOf(events: readonly NodeEvent[], round: number) {
  const id = String(round);
  const downloaded = events.flatMap((event) =>
    event.kind === 'poet-proof-downloaded' && event.roundId === id ? [event] : [],
  );
  const chosen = events.findLast((event) => event.kind === 'poet-proof-selected' && event.roundId === id);
  const selected = chosen?.kind === 'poet-proof-selected' ? chosen : undefined;
  const best = downloaded.reduce<bigint | undefined>(
    (most, { ticks }) => (most === undefined || ticks > most ? ticks : most),
    undefined,
  );
  return {
    ...(selected === undefined ? {} : { selected: selected.ticks }),
    ...(best === undefined ? {} : { best }),
    lines: [
      ...downloaded.map(({ url, ticks }) => `round ${id}, downloaded from ${url}: ${digits(ticks)} ticks`),
      ...(selected === undefined
        ? []
        : [`round ${id}, chosen: ${selected.url}, ${digits(selected.ticks)} ticks`]),
    ],
  };
}
