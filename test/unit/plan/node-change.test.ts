import { describe, expect, it } from 'vitest';
import { type GapProgress, judgeNodeChange } from '../../../src/domain/plan/node-change.ts';

const gap = { epoch: 7, opens: 1000, closes: 2000 };

function identity(changes: Partial<GapProgress> = {}): GapProgress {
  return { name: 'post-0001', takesPart: true, published: true, registered: true, ...changes };
}

describe('judgeNodeChange', () => {
  it('is free before the gap opens and after it closed', () => {
    const owes = [identity({ published: false, registered: false })];
    expect(judgeNodeChange(gap, 999, owes).kind).toBe('free');
    expect(judgeNodeChange(gap, 2000, owes).kind).toBe('free');
  });

  it('waits from its opening until everybody has published and registered', () => {
    expect(judgeNodeChange(gap, 1000, [identity({ published: false, registered: false })])).toEqual({
      kind: 'waits',
      why: '1 identity has yet to publish',
      names: ['post-0001'],
      until: 2000,
    });
    expect(judgeNodeChange(gap, 1999, [identity({ registered: false }), identity()])).toMatchObject({
      why: '1 identity has yet to register',
    });
    expect(judgeNodeChange(gap, 1500, [identity(), identity()]).kind).toBe('free');
  });

  it('counts what could not be learnt as not done', () => {
    expect(judgeNodeChange(gap, 1500, [identity({ registered: 'unknown' })])).toMatchObject({
      why: '1 identity has yet to register (or it could not be learnt)',
    });
    expect(judgeNodeChange(gap, 1500, [identity({ takesPart: 'unknown', published: 'unknown' })]).kind).toBe(
      'waits',
    );
  });

  it('does not wait for identities that take no part in this gap', () => {
    const fresh = identity({ takesPart: false, published: false, registered: false });
    expect(judgeNodeChange(gap, 1500, [fresh]).kind).toBe('free');
  });
});
