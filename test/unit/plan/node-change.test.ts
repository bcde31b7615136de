import { describe, expect, it } from 'vitest';
import { type GapProgress, judgeNodeChange, restartMargin } from '../../../src/domain/plan/node-change.ts';

const gap = { epoch: 7, opens: 1000, closes: 2000 };
const MARGIN = 100;

function identity(changes: Partial<GapProgress> = {}): GapProgress {
  return {
    name: 'post-0001',
    takesPart: true,
    publishes: true,
    published: true,
    registered: true,
    ...changes,
  };
}

describe('judgeNodeChange', () => {
  it('is free before the gap is near and after it closed', () => {
    const owes = [identity({ published: false, registered: false })];
    expect(judgeNodeChange(gap, 899, owes, MARGIN).kind).toBe('free');
    expect(judgeNodeChange(gap, 2000, owes, MARGIN).kind).toBe('free');
  });

  it('waits from its opening until everybody has published and registered', () => {
    expect(judgeNodeChange(gap, 1000, [identity({ published: false, registered: false })], MARGIN)).toEqual({
      kind: 'waits',
      why: '1 identity has yet to publish',
      names: ['post-0001'],
      until: 2000,
    });
    expect(judgeNodeChange(gap, 1999, [identity({ registered: false }), identity()], MARGIN)).toMatchObject({
      why: '1 identity has yet to register',
    });
    expect(judgeNodeChange(gap, 1500, [identity(), identity()], MARGIN).kind).toBe('free');
  });

  it('waits for the first registration of somebody who has nothing to publish', () => {
    const fresh = identity({ publishes: false, published: false, registered: false });
    expect(judgeNodeChange(gap, 1999, [fresh], MARGIN)).toMatchObject({
      kind: 'waits',
      why: '1 identity has yet to register',
    });
    expect(judgeNodeChange(gap, 1999, [{ ...fresh, registered: true }], MARGIN).kind).toBe('free');
  });

  it('counts what could not be learnt as not done', () => {
    expect(judgeNodeChange(gap, 1500, [identity({ registered: 'unknown' })], MARGIN)).toMatchObject({
      why: '1 identity has yet to register (or it could not be learnt)',
    });
    expect(
      judgeNodeChange(gap, 1500, [identity({ takesPart: 'unknown', published: 'unknown' })], MARGIN).kind,
    ).toBe('waits');
  });

  it('does not wait for identities that take no part in this gap', () => {
    const fresh = identity({ takesPart: false, published: false, registered: false });
    expect(judgeNodeChange(gap, 1500, [fresh], MARGIN).kind).toBe('free');
  });

  it('waits when the gap opens before the node would be back, and says when that is', () => {
    const owes = [identity({ published: false, registered: false })];
    const minute = 60_000;
    const far = { epoch: 7, opens: 100 * minute, closes: 200 * minute };
    const at = (now: number) => judgeNodeChange(far, now * minute, owes, 30 * minute);
    expect(at(69.9).kind).toBe('free');
    expect(at(70)).toEqual({
      kind: 'waits',
      why: 'the cycle gap opens in 30 min, 1 identity has yet to publish',
      names: ['post-0001'],
      until: 200 * minute,
    });
    expect(at(99.5)).toMatchObject({ why: expect.stringContaining('opens in 30 s') });
    expect(at(100)).toMatchObject({ why: '1 identity has yet to publish' });
    const noPart = [identity({ takesPart: false, published: false, registered: false })];
    expect(judgeNodeChange(far, 80 * minute, noPart, 30 * minute).kind).toBe('free');
  });
});

describe('restartMargin', () => {
  it('is half an hour on mainnet and a twentieth of short epochs', () => {
    expect(restartMargin({ epoch: 14 * 24 * 3_600_000 })).toBe(30 * 60_000);
    expect(restartMargin({ epoch: 180_000 })).toBe(9000);
  });
});
