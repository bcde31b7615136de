import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasLetGo } from '../../../src/domain/identity/let-go.ts';
import { judgePlaces, type Place } from '../../../src/domain/identity/places.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';

const ids = ['ab', 'cd', 'ef'].map((byte) => parseSmesherId(byte.repeat(32)) as SmesherId);
const [id] = ids as [SmesherId];

const place = (changes: Partial<Place> = {}): Place => ({
  smesherId: id,
  by: 'key',
  use: 'serves',
  who: 'somebody',
  holder: 'own',
  runs: true,
  live: true,
  own: true,
  ...changes,
});
const judge = (places: readonly Place[], rest: { unseen?: string[]; closedLive?: boolean } = {}) =>
  judgePlaces(id, {
    places,
    unseen: rest.unseen ?? [],
    closed:
      rest.closedLive === undefined
        ? []
        : [{ path: '/x', who: 'x', live: rest.closedLive, stop: 'docker stop x' }],
  });

describe('judgePlaces', () => {
  it('counts holders, not places: the same node by its folder and by its container is one', () => {
    expect(judge([place(), place({ by: 'data' }), place({ path: '/elsewhere' })])).toBe('clean');
    expect(judge([place(), place({ holder: 'other' })])).toBe('twice');
    expect(judge([place({ by: 'data' }), place({ by: 'data', holder: 'other' })])).toBe('twice');
    // One has the key, the other proves for it: that is how it should be.
    expect(judge([place(), place({ by: 'data', holder: 'prover' })])).toBe('clean');
  });

  it('a second holder that is down is not clean, a copy that nobody reads is', () => {
    expect(judge([place(), place({ holder: 'other', runs: false, live: false })])).toBe('second-place');
    expect(judge([place(), place({ holder: 'file', use: 'lies', live: false, runs: false })])).toBe('clean');
  });

  it('what could not be seen keeps everybody from being clean', () => {
    expect(judge([place()], { unseen: ['Docker could not be asked'] })).toBe('unknown');
    expect(judge([place()], { closedLive: true })).toBe('unknown');
    expect(judge([place()], { closedLive: false })).toBe('clean');
  });

  it('is never clean when one ID is live at two holders, and never while something is unseen', () => {
    const anyPlace = fc.record({
      smesherId: fc.constantFrom(...ids),
      by: fc.constantFrom<Place['by']>('key', 'data'),
      use: fc.constantFrom<Place['use']>('serves', 'lies'),
      holder: fc.constantFrom('own', 'one', 'two'),
      runs: fc.boolean(),
      live: fc.boolean(),
      own: fc.boolean(),
      who: fc.constant('x'),
    });
    fc.assert(
      fc.property(
        fc.array(anyPlace, { maxLength: 8 }),
        fc.option(fc.boolean(), { nil: undefined }),
        fc.boolean(),
        (places, closedLive, hidden) => {
          const rest = { unseen: hidden ? ['x'] : [], ...(closedLive === undefined ? {} : { closedLive }) };
          const verdict = judge(places, rest);
          const clash = places.some((one) =>
            places.some(
              (two) =>
                [one, two].every((it) => it.smesherId === id && it.use === 'serves' && it.live) &&
                one.by === two.by &&
                one.holder !== two.holder,
            ),
          );
          expect(verdict === 'twice').toBe(clash);
          if (hidden || closedLive === true) expect(verdict).not.toBe('clean');
          if (hidden || closedLive === true) expect(verdict).not.toBe('second-place');
        },
      ),
    );
  });
});

describe('S40: hasLetGo', () => {
  const leaving = { state: 'leaving', leftAt: '2026-11-21T08:00:00.000Z' } as const;
  const at = Date.parse(leaving.leftAt);

  it('is true once the node was started after the key was taken away, or does not run', () => {
    expect(hasLetGo(leaving, [])).toBe(true);
    expect(hasLetGo(leaving, [{ startedAt: at + 1 }])).toBe(true);
    expect(hasLetGo({ state: 'released' }, [{ startedAt: 0 }])).toBe(true);
  });

  it('is false for a node that has read the key, for one of which nobody knows, and for a key that is held', () => {
    expect(hasLetGo(leaving, [{ startedAt: at }])).toBe(false);
    expect(hasLetGo(leaving, [{ startedAt: at + 1 }, { startedAt: at - 1 }])).toBe(false);
    expect(hasLetGo(leaving, [{}])).toBe(false);
    expect(hasLetGo({ state: 'leaving' }, [{ startedAt: at + 1 }])).toBe(false);
    expect(hasLetGo({ state: 'held' }, [])).toBe(false);
  });
});
