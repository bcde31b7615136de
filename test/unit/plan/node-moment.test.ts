import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import type { NodeEvent } from '../../../src/domain/node/events.ts';
import { eligibleLayers, judgeMoment, nodeAwayMs } from '../../../src/domain/plan/node-moment.ts';

const MINUTE = 60_000;
/** Mainnet's layers of five minutes: a restart of three fits into one. */
const clock = { genesis: 0, layerMs: 5 * MINUTE, layersPerEpoch: 4032 };
const ID = 'a1'.repeat(32) as SmesherId;

function eligible(...layers: number[]) {
  const events: NodeEvent[] = [
    {
      kind: 'eligibilities',
      smesher: ID,
      epoch: 1,
      atx: 'aa',
      activeSetSize: 10,
      layers: layers.map((layer) => ({ layer, count: 1 })),
      at: 0,
      failed: false,
      help: '',
    },
  ];
  return eligibleLayers(events);
}

const at = (layer: number, minutes = 0) => layer * clock.layerMs + minutes * MINUTE;

describe('S41: the moment for the node', () => {
  it('is free where nobody is eligible while it is away', () => {
    expect(judgeMoment(eligibleLayers([]), clock, at(100))).toEqual({ kind: 'free' });
    expect(judgeMoment(eligible(99, 101), clock, at(100, 1))).toEqual({ kind: 'free' });
  });

  it('waits for the end of an eligible layer, and for the end of one that begins meanwhile', () => {
    const waits = (layer: number, freeLayer: number) => ({
      kind: 'waits',
      until: at(freeLayer),
      freeLayer,
      missed: [{ layer, smeshers: [ID] }],
    });
    expect(judgeMoment(eligible(100), clock, at(100))).toEqual(waits(100, 101));
    expect(judgeMoment(eligible(100), clock, at(100, 4.9))).toEqual(waits(100, 101));
    expect(judgeMoment(eligible(101), clock, at(100, 2.5))).toEqual(waits(101, 102));
    expect(judgeMoment(eligible(100, 101, 103), clock, at(100))).toMatchObject({ until: at(102) });
  });

  it('says so where no moment is free', () => {
    const all = Array.from({ length: 40 }, (_, index) => 100 + index);
    expect(judgeMoment(eligible(...all), clock, at(100))).toEqual({
      kind: 'crowded',
      missed: [{ layer: 100, smeshers: [ID] }],
    });
  });

  it('names all that would be missed by who is away for longer', () => {
    expect(judgeMoment(eligible(101), clock, at(100), 5 * MINUTE)).toMatchObject({
      missed: [{ layer: 101 }],
      freeLayer: 102,
    });
    expect(judgeMoment(eligible(100, 101, 103), clock, at(100), 5 * MINUTE)).toMatchObject({
      missed: [{ layer: 100 }, { layer: 101 }],
      freeLayer: 104,
    });
  });

  it('offers no layer of an epoch that has not been told yet', () => {
    const short = { ...clock, layersPerEpoch: 10 };
    expect(judgeMoment(eligible(107, 108), short, at(107))).toMatchObject({ kind: 'waits', freeLayer: 109 });
    expect(judgeMoment(eligible(108, 109), short, at(108))).toMatchObject({ kind: 'crowded' });
    expect(judgeMoment(eligible(108, 109, 111), short, at(108))).toMatchObject({
      kind: 'waits',
      freeLayer: 110,
    });
  });

  it('what it waits for is free then', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 95, max: 140 }), { maxLength: 30 }),
        fc.integer({ min: 100, max: 110 }),
        fc.integer({ min: 0, max: 299_999 }),
        fc.constantFrom(20_000, 6000, 5 * MINUTE),
        (layers, layer, offset, layerMs) => {
          const scaled = { genesis: 7, layerMs, layersPerEpoch: 4032 };
          const now = 7 + layer * layerMs + (offset % layerMs);
          const moment = judgeMoment(eligible(...layers), scaled, now);
          if (moment.kind === 'waits') {
            expect(moment.until).toBeGreaterThan(now);
            expect(judgeMoment(eligible(...layers), scaled, moment.until)).toEqual({ kind: 'free' });
          }
          if (moment.kind === 'free') {
            for (let time = now; time <= now + nodeAwayMs(scaled); time += layerMs / 4) {
              expect(layers).not.toContain(Math.floor((time - 7) / layerMs));
            }
          }
        },
      ),
    );
  });
});
