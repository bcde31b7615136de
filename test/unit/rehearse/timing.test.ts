import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { standaloneNetwork } from '../../../src/domain/node/networks.ts';
import { restartMargin } from '../../../src/domain/plan/node-change.ts';
import { epochClock, roundEnd, roundStart } from '../../../src/domain/poet/epochs.ts';
import { newProjectText } from '../../../src/domain/project/new-project.ts';
import { requireProject } from '../../../src/domain/project/parse.ts';
import {
  genesisTimeAt,
  nextRestartAt,
  rehearsalTiming,
  settleMs,
} from '../../../src/domain/rehearsal/timing.ts';

const network = (epochSeconds: number) => {
  const { layerSeconds, layersPerEpoch } = rehearsalTiming(epochSeconds);
  return {
    genesisTime: '2030-01-01T00:00:00Z',
    poetPrivateKey: Buffer.alloc(64, 7).toString('base64'),
    layerSeconds,
    layersPerEpoch,
  };
};

describe('the time of a rehearsal', () => {
  it('has the proportions in which the real programs ran: 180 s as 90 s of round and 90 s of gap', () => {
    expect(rehearsalTiming(180)).toEqual({
      epochSeconds: 180,
      layerSeconds: 6,
      layersPerEpoch: 30,
      poet: { phaseShift: 90, cycleGap: 90, gracePeriod: 30, positioningAtxTimeout: 18 },
    });
  });

  it('is accepted as a project for every epoch that the command takes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 3600 }), (seconds) => {
        const { poet, epochSeconds } = rehearsalTiming(seconds);
        const text = newProjectText({
          network: network(seconds),
          coinbase: 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg',
          poet,
          identities: [],
        });
        const { project } = requireProject(text, { directory: '/p' });
        expect(project.network.layerSeconds * project.network.layersPerEpoch).toBe(epochSeconds);
        // Whole layers: at most half a layer from what was asked for.
        expect(Math.abs(epochSeconds - seconds)).toBeLessThanOrEqual(6);
      }),
    );
  });

  it('rounds the genesis up to a whole second', () => {
    expect(genesisTimeAt(Date.UTC(2030, 0, 1, 0, 0, 0, 1))).toBe('2030-01-01T00:00:01Z');
    expect(genesisTimeAt(Date.UTC(2030, 0, 1))).toBe('2030-01-01T00:00:00Z');
  });
});

describe('the moment at which the node may restart', () => {
  it('lies in a round that has run for a while and does not end at once', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 3600 }),
        fc.integer({ min: 0, max: 20_000_000 }),
        (epochSeconds, offset) => {
          const timing = rehearsalTiming(epochSeconds);
          const clock = epochClock(standaloneNetwork(network(epochSeconds)), timing.poet);
          const settle = settleMs(timing);
          const now = clock.genesis + offset;
          const at = nextRestartAt(clock, now, settle);
          expect(at).toBeGreaterThanOrEqual(now);
          const round = Math.floor((at - roundStart(clock, 0)) / clock.epoch);
          expect(at - roundStart(clock, round)).toBeGreaterThanOrEqual(settle);
          expect(at).toBeLessThanOrEqual(roundEnd(clock, round) - settle);
          // Nor so near the gap that `up`, which looks a little later, would postpone it.
          expect(at).toBeLessThan(roundEnd(clock, round) - restartMargin(clock));
          // Never later than need be: within the epoch that follows.
          expect(at - now).toBeLessThanOrEqual(clock.epoch);
        },
      ),
    );
  });
});
