import { describe, expect, it } from 'vitest';
import { parseSmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { defaultPoet, MAINNET } from '../../../src/domain/node/networks.ts';
import { epochClock, epochTimeline } from '../../../src/domain/poet/epochs.ts';
import { EMPTY_PROOF_LOG } from '../../../src/domain/proving/proof-log.ts';
import { missesByStop, type PriceFacts, priceOfStop } from '../../../src/domain/proving/stop-price.ts';
import { lossConsequences, lossHeadline, momentStyle } from '../../../src/ui/stop-price.ts';

const HOUR = 3_600_000;
// Gap of publish epoch 87: Sun 22 Nov 20:00 to Mon 23 Nov 08:00 (operators.md §d.2).
const NOW = Date.parse('2026-11-22T23:12:00Z');
const clock = epochClock(MAINNET, defaultPoet(MAINNET));

function price(changes: Partial<PriceFacts> = {}) {
  return priceOfStop({
    now: NOW,
    timeline: epochTimeline(clock, changes.now ?? NOW),
    progress: { due: 'yes', initialProof: 'yes', published: 'no' },
    log: { ...EMPTY_PROOF_LOG, proofSince: NOW - 2 * HOUR },
    doneAt: NOW + 2 * HOUR,
    ...changes,
  });
}

describe('priceOfStop', () => {
  it('in the gap: what was worked, both ends, and the registration', () => {
    expect(price()).toEqual({
      workedMs: 2 * HOUR,
      doneAt: NOW + 2 * HOUR,
      againAt: NOW + 4 * HOUR,
      deadline: { kind: 'register', at: Date.parse('2026-11-23T08:00:00Z'), epoch: 89 },
    });
  });

  it('after the gap: late is not lost, the epoch after is', () => {
    const now = Date.parse('2026-11-23T09:00:00Z');
    expect(price({ now }).deadline).toEqual({
      kind: 'publish',
      at: Date.parse('2026-11-27T08:00:00Z'),
      epoch: 88,
    });
  });

  it('a first proof is needed to register at all', () => {
    expect(price({ progress: { due: 'no', initialProof: 'no', published: 'no' } }).deadline).toEqual({
      kind: 'initial',
      at: Date.parse('2026-11-23T08:00:00Z'),
      epoch: 89,
    });
  });

  it('makes up nothing that was not seen', () => {
    const unseen = priceOfStop({
      now: NOW,
      timeline: epochTimeline(clock, NOW),
      progress: { due: 'unknown', initialProof: 'unknown', published: 'unknown' },
    });
    expect(Object.keys(unseen)).toEqual(['deadline']);
    expect(missesByStop(unseen)).toBeUndefined();
  });

  it('knows when a new start would be too late', () => {
    expect(missesByStop(price())).toBe(false);
    expect(missesByStop(price({ doneAt: NOW + 7 * HOUR }))).toBe(true);
    // It is late either way.
    expect(missesByStop(price({ doneAt: NOW + 10 * HOUR }))).toBe(false);
  });

  it('says it in words', () => {
    const smesherId = parseSmesherId('8dd53ad1'.repeat(8));
    const style = momentStyle(epochTimeline(clock, NOW), NOW, () => 60);
    const loss = {
      service: 'post-0002',
      why: 'is proving: 41 % read',
      loses: 'work' as const,
      price: price({ doneAt: NOW + 7 * HOUR }),
      ...(smesherId === undefined ? {} : { smesherId }),
    };
    expect(lossHeadline(loss)).toBe('post-0002 (8dd53ad1) is proving: 41 % read, 2 h of work');
    expect(lossConsequences(loss, style)).toEqual([
      'left alone it is done about Mon 06:12; begun anew at once, about Mon 08:12',
      'published and registered later than Mon 08:00 UTC (09:00 here), it earns nothing in epoch 89: begun anew it would be too late',
    ]);
    const late = { ...loss, price: price({ doneAt: NOW + 10 * HOUR }) };
    expect(lossConsequences(late, style)[1]).toMatch(/in epoch 89: it is too late for that either way$/);
    expect(lossConsequences({ ...loss, loses: 'doubt' }, style)[1]).toMatch(
      /^if it has a proof to make: published/,
    );
  });
});
