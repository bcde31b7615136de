import { describe, expect, it } from 'vitest';
import { defaultPoet, MAINNET } from '../../../../src/domain/node/networks.ts';
import { epochClock } from '../../../../src/domain/poet/epochs.ts';
import { decideCancel } from '../../../../src/domain/poet/switch/cancel.ts';
import type { Stage } from '../../../../src/domain/poet/switch/stages.ts';

const HOUR = 3600;
const from = epochClock(MAINNET, defaultPoet(MAINNET));
const to = epochClock(MAINNET, { phaseShift: 288 * HOUR, cycleGap: 24 * HOUR, gracePeriod: HOUR });
const at = (time: string) => Date.parse(time);
const published: Stage = { kind: 'published', epoch: 14 };
const cancel = (now: string, busy: readonly string[] = [], rhythms = { from, to }) =>
  decideCancel(
    {
      identities: [{ smesher: 'ab'.repeat(32) as never, name: 'post-1', stage: published }],
      busy,
      rhythms,
      leadMs: 180_000,
    },
    at(now),
  );

describe('the way back from a change that is written', () => {
  it('costs nothing before the former PoETs begin their round, and an epoch afterwards', () => {
    expect(cancel('2024-02-05T01:00Z')).toMatchObject({ kind: 'back', outcome: { lostEpochs: [] } });
    // Their round 14 began on Monday at 8:00; nobody registers with the later ones before Wednesday.
    expect(cancel('2024-02-06T12:00Z')).toMatchObject({ kind: 'back', outcome: { lostEpochs: [16] } });
    expect(cancel('2024-02-06T12:00Z', [], { from: to, to: from })).toMatchObject({
      outcome: { lostEpochs: [] },
    });
  });

  it('is closed where registration opens before the node is up, and for who is registered', () => {
    expect(cancel('2024-02-05T06:58Z').kind).toBe('late');
    expect(cancel('2024-02-07T06:58Z').kind).toBe('late');
    expect(cancel('2024-02-05T01:00Z', ['post-1'])).toEqual({ kind: 'registered', names: ['post-1'] });
  });
});
