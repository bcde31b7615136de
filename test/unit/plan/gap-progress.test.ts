import { describe, expect, it } from 'vitest';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { type GapSources, gapProgress } from '../../../src/domain/plan/gap-progress.ts';

const ID = parseSmesherId('ab'.repeat(32)) as SmesherId;
const OTHER = parseSmesherId('cd'.repeat(32)) as SmesherId;
const EPOCH = 7;

function atx(publishEpoch: number, smesher = ID) {
  return { atx: 'a', smesher, publishEpoch, coinbase: 'sm1', units: 4 };
}

function registered(roundId: string) {
  return {
    kind: 'registered-in-poet',
    smesher: ID,
    url: 'http://p',
    roundId,
    at: 0,
    failed: false,
    help: '',
  } as const;
}

const quiet: GapSources = { epoch: EPOCH, loaded: [ID], atxs: [], states: [], events: [], rows: new Map() };

function progress(changes: Partial<GapSources>) {
  return gapProgress(ID, 'post-0001', { ...quiet, ...changes });
}

describe('gapProgress', () => {
  it('an identity that has never smeshed, or that the node has not loaded, takes no part', () => {
    expect(progress({}).takesPart).toBe(false);
    expect(progress({ loaded: [OTHER], atxs: [atx(6)] }).takesPart).toBe(false);
  });

  it('takes part by an ATX, a challenge or a wanted proof', () => {
    expect(progress({ atxs: [atx(6)] })).toMatchObject({ takesPart: true, published: false });
    const rows = new Map([[ID, { post: true, challengeEpoch: EPOCH, registeredRounds: [] }]]);
    expect(progress({ rows }).takesPart).toBe(true);
    expect(progress({ states: [{ smesher: ID, state: 'proving', keyFile: 'a.key' }] }).takesPart).toBe(true);
    expect(progress({ atxs: [atx(7, OTHER)] }).takesPart).toBe(false);
  });

  it('has published with the ATX of this gap, and registered with the round behind it', () => {
    const done = progress({ atxs: [atx(6), atx(7)], events: [registered('7')] });
    expect(done).toMatchObject({ takesPart: true, published: true, registered: true });
    const stored = new Map([[ID, { post: true, challengeEpoch: 8, registeredRounds: ['7'] }]]);
    expect(progress({ atxs: [atx(7)], rows: stored }).registered).toBe(true);
    // The registration of the round that has just ended is none for the next.
    const old = new Map([[ID, { post: true, challengeEpoch: 7, registeredRounds: ['6'] }]]);
    expect(progress({ atxs: [atx(7)], rows: old, events: [registered('6')] }).registered).toBe(false);
  });

  it('what could not be learnt is unknown, never done', () => {
    const { atxs: _, ...withoutAtxs } = quiet;
    expect(gapProgress(ID, 'post-0001', withoutAtxs)).toMatchObject({
      takesPart: 'unknown',
      published: 'unknown',
    });
    const { rows: __, ...withoutRows } = quiet;
    expect(gapProgress(ID, 'post-0001', withoutRows)).toMatchObject({
      takesPart: 'unknown',
      registered: 'unknown',
    });
    expect(gapProgress(ID, 'post-0001', { epoch: EPOCH })).toEqual({
      name: 'post-0001',
      takesPart: 'unknown',
      publishes: 'unknown',
      published: 'unknown',
      registered: 'unknown',
    });
  });

  it('somebody new takes part from the initial proof on, with nothing to publish', () => {
    const made = new Map([[ID, { post: true, registeredRounds: [] }]]);
    expect(progress({ rows: made })).toMatchObject({
      takesPart: true,
      publishes: false,
      published: false,
      registered: false,
    });
    // In the window: the challenge is for the epoch after, the registration may still fail.
    const challenged = new Map([[ID, { post: true, challengeEpoch: EPOCH + 1, registeredRounds: [] }]]);
    expect(progress({ rows: challenged })).toMatchObject({ takesPart: true, registered: false });
    const done = new Map([[ID, { post: true, challengeEpoch: EPOCH + 1, registeredRounds: ['7'] }]]);
    expect(progress({ rows: done })).toMatchObject({ takesPart: true, registered: true });
  });
});
