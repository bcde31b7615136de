import { describe, expect, it } from 'vitest';
import type { Level } from '../../../src/domain/verification/check.ts';
import { type IdentityEvidence, known, notLearnt } from '../../../src/domain/verification/facts.ts';
import { type Verification, verify } from '../../../src/domain/verification/judge.ts';
import {
  AFTER_GAP,
  atx,
  BEFORE_GAP,
  EPOCH,
  eligibilities,
  FIRST_LAYER,
  IN_GAP,
  identity,
  node,
  OTHER,
  POETS,
  project,
  published,
  registrations,
  reward,
  SMESHER,
  waitingForRound,
} from './evidence.ts';

function only({ identities }: Verification) {
  const [found] = identities;
  if (found === undefined) throw new Error('nobody was verified');
  return found;
}

function codesAt(level: Level, verification: Verification): string[] {
  const all = [...verification.project, ...verification.identities.flatMap(({ checks }) => checks)];
  return all.filter((check) => check.level === level).map(({ code }) => code);
}

function prospects(verification: Verification): string[] {
  return only(verification).outlooks.map(({ prospect }) => prospect);
}

function words(verification: Verification): string[] {
  return only(verification).outlooks.map((outlook) => outlook.words);
}

describe('an identity with nothing wrong', () => {
  it('before the gap earns, waits for its round, and registers later', () => {
    const verification = verify(project(BEFORE_GAP), [identity()]);
    expect(verification).toMatchObject({ epoch: 87, verdict: 'right' });
    expect(codesAt('warning', verification)).toEqual([]);
    expect(codesAt('unknown', verification)).toEqual([]);
    expect(words(verification)).toEqual([
      'earns in epoch 87, and was paid for 1 layer: 477,618,397 smidge',
      'will earn in epoch 88 if it proves between 2026-11-22 20:00 UTC and 2026-11-27 08:00 UTC',
      'can earn in epoch 89 if it publishes and registers by 2026-11-23 08:00 UTC',
    ]);
    const found = only(verification).checks.find(({ subject }) => subject === 'atx');
    expect(found?.evidence).toContain('weight 335,916: 36 units × 9,331 ticks');
  });

  it('in the gap proves, and has the deadline in its sentence', () => {
    const proving = identity({
      wanted: 'proving',
      state: {
        wants: 'a-proof',
        activity: { kind: 'reading', position: 5, doneAt: IN_GAP + 3_600_000 },
        held: false,
      },
      rows: known({
        post: true,
        challenge: { publishEpoch: EPOCH, hasPoetProof: true },
        registrations: registrations(EPOCH - 1),
      }),
    });
    const verification = verify(project(IN_GAP), [proving]);
    expect(verification.verdict).toBe('right');
    expect(prospects(verification)).toEqual(['earns', 'on-track', 'on-track']);
    expect(words(verification)[1]).toBe('will earn in epoch 88 if its proof is done by 2026-11-27 08:00 UTC');
  });

  it('after the gap has published and is registered', () => {
    const verification = verify(project(AFTER_GAP), [published()]);
    expect(verification.verdict).toBe('right');
    expect(words(verification).slice(1)).toEqual([
      'will earn in epoch 88: its ATX is out',
      'can earn in epoch 89: it is registered for round 87',
    ]);
  });

  it('that is new waits for its first round without a word of loss', () => {
    const fresh = identity({
      atxs: known([]),
      rewards: known([]),
      events: known([]),
      rows: known({ post: true, registrations: [] }),
    });
    const before = verify(project(BEFORE_GAP), [fresh]);
    expect(before.verdict).toBe('right');
    expect(prospects(before)).toEqual(['none', 'none', 'on-track']);
    const after = verify(project(AFTER_GAP), [fresh]);
    expect(after.verdict).toBe('right');
    expect(prospects(after)).toEqual(['none', 'none', 'none']);
    expect(words(after)[2]).toBe('will earn nothing in epoch 89: it is new, and its first round is 88');
  });

  it('that published its very first ATX in this epoch has not lost this one', () => {
    const first = published({ atxs: known([atx(EPOCH)]), rewards: known([]), events: known([]) });
    const verification = verify(project(AFTER_GAP), [first]);
    expect(verification.verdict).toBe('right');
    expect(prospects(verification)).toEqual(['none', 'earns', 'on-track']);
  });
});

describe('what costs rewards', () => {
  const cases: readonly [string, number, Partial<IdentityEvidence>, string][] = [
    ['a missed epoch', BEFORE_GAP, { atxs: known([atx(EPOCH - 2)]) }, 'no-atx'],
    [
      'no challenge for this epoch',
      BEFORE_GAP,
      { rows: known({ post: true, registrations: [] }) },
      'no-proof-due',
    ],
    [
      'a round that began without it',
      AFTER_GAP,
      { rows: known({ post: true, registrations: [] }) },
      'not-registered',
    ],
    ['no key', BEFORE_GAP, { key: { kind: 'absent' }, listed: 'no', wanted: 'unlisted' }, 'key-absent'],
    ['a key that came after the start', BEFORE_GAP, { listed: 'no', wanted: 'unlisted' }, 'not-known'],
    ['data of another', BEFORE_GAP, { dataHere: { kind: 'of-another', smesher: OTHER } }, 'data-of-another'],
    ['data that are away', BEFORE_GAP, { dataHere: { kind: 'absent' } }, 'data-away'],
    [
      'broken metadata',
      BEFORE_GAP,
      { dataHere: { kind: 'malformed', why: 'NumUnits is missing' } },
      'data-malformed',
    ],
    [
      'a wanted service that is down',
      IN_GAP,
      {
        wanted: 'proving',
        state: { wants: 'a-proof', activity: { kind: 'down', reason: 'stopped' }, held: false },
      },
      'service-down',
    ],
    [
      'a proof that fails',
      IN_GAP,
      {
        wanted: 'proving',
        state: { wants: 'a-proof', activity: { kind: 'failed', reason: 'x', stuck: true }, held: false },
      },
      'proof-failed',
    ],
    [
      'idle for more than two minutes while wanted',
      IN_GAP,
      {
        wanted: 'proving',
        state: {
          wants: 'a-proof',
          activity: { kind: 'not-connected', reason: 'wanted for 3 min' },
          held: false,
        },
      },
      'half-open',
    ],
    [
      'missed by the node, connected by its own word',
      IN_GAP,
      {
        wanted: 'proving',
        state: { wants: 'a-proof', activity: { kind: 'about-to-prove' }, held: false },
        connection: {
          service: { kind: 'connected', since: IN_GAP - 600_000 },
          missedByNodeAt: IN_GAP - 15_000,
        },
      },
      'half-open',
    ],
    [
      'not connected while wanted',
      IN_GAP,
      {
        wanted: 'proving',
        state: { wants: 'a-proof', activity: { kind: 'about-to-prove' }, held: false },
        connection: { service: { kind: 'lost', reason: 'connection refused' } },
      },
      'not-connected',
    ],
    [
      'a proof that will be done after the epoch',
      AFTER_GAP,
      {
        wanted: 'proving',
        rows: known({
          post: true,
          challenge: { publishEpoch: EPOCH, hasPoetProof: true },
          registrations: [],
        }),
        state: {
          wants: 'a-proof',
          activity: { kind: 'reading', position: 1, doneAt: Date.parse('2026-11-28T00:00:00Z') },
          held: false,
        },
      },
      'too-late',
    ],
    [
      'a first proof that will be done too late to register, as status says',
      IN_GAP,
      {
        wanted: 'proving',
        atxs: known([]),
        rewards: known([]),
        events: known([]),
        rows: known('none'),
        state: {
          wants: 'a-proof',
          activity: { kind: 'reading', position: 1, doneAt: Date.parse('2026-11-23T12:00:00Z') },
          held: false,
        },
      },
      'late',
    ],
    ['a proof that was not done when the round began', AFTER_GAP, {}, 'proof-too-late'],
    ['three eligible layers without a reward', AFTER_GAP, unpaidIn(3), 'unpaid'],
    ['a conviction', BEFORE_GAP, { malfeasance: known({ smesher: SMESHER, type: 1 }) }, 'cancelled'],
    [
      'a conviction that only the event tells',
      BEFORE_GAP,
      {
        malfeasance: notLearnt('no answer in time'),
        events: known([
          { at: 1, failed: false, help: '', kind: 'malfeasance', smesher: SMESHER, what: 'MALFEASANCE_ATX' },
        ]),
      },
      'cancelled',
    ],
  ];

  function unpaidIn(layers: number): Partial<IdentityEvidence> {
    const over = Array.from({ length: layers }, (_, index) => FIRST_LAYER + 10 * index);
    return { rewards: known([]), events: known([eligibilities(EPOCH, [...over, FIRST_LAYER + 4000])]) };
  }

  it.each(cases)('%s', (_, now, changes, code) => {
    const verification = verify(project(now), [identity(changes)]);
    expect(codesAt('costs-rewards', verification)).toContain(code);
    expect(verification.verdict).toBe('costs-rewards');
  });

  it('is told once: no second complaint about what follows from the first', () => {
    const cancelled = identity({
      ...unpaidIn(5),
      malfeasance: known({ smesher: SMESHER, type: 2 }),
      atxs: known([atx(EPOCH - 1)]),
    });
    const verification = verify(project(AFTER_GAP), [cancelled]);
    expect(codesAt('costs-rewards', verification)).toEqual(['cancelled']);
    expect(prospects(verification)).toEqual(['lost', 'lost', 'lost']);
    const check = only(verification).checks.find(({ code }) => code === 'cancelled');
    expect(check?.evidence).toContain('proved against it: two ballots in one layer');
    const keyless = identity({ key: { kind: 'absent' }, listed: 'no', wanted: 'unlisted' });
    expect(codesAt('costs-rewards', verify(project(BEFORE_GAP), [keyless]))).toEqual(['key-absent']);
  });

  it('is not what one or two unlucky layers are', () => {
    for (const count of [1, 2]) {
      const verification = verify(project(AFTER_GAP), [published(unpaidIn(count))]);
      expect(codesAt('warning', verification)).toEqual(['unpaid']);
      expect(verification.verdict).toBe('right');
    }
  });

  it('tells a new identity that was ready for the round and is not in it', () => {
    const ready = identity({
      atxs: known([]),
      rewards: known([]),
      rows: known({ post: true, registrations: [] }),
      events: known([waitingForRound(EPOCH)]),
    });
    const verification = verify(project(AFTER_GAP), [ready]);
    expect(codesAt('costs-rewards', verification)).toEqual(['not-registered']);
    expect(prospects(verification)).toEqual(['none', 'none', 'lost']);
  });

  it.each([
    ['that does not run', node({ container: 'not-running' }), 'node-down'],
    ['that is not there', node({ container: 'absent' }), 'node-absent'],
    ['that is long up and not synced', node({ synced: false }), 'not-synced'],
    ['without an account', node({ coinbase: '' }), 'no-coinbase'],
  ])('a node %s', (_, broken, code) => {
    const verification = verify(project(IN_GAP, { node: broken }), [
      identity({ wanted: 'unknown', listed: 'unknown' }),
    ]);
    expect(codesAt('costs-rewards', verification)).toContain(code);
    expect(prospects(verification)[2]).toBe('at-risk');
  });
});

describe('what is worth a look and costs nothing yet', () => {
  it.each<[string, number, IdentityEvidence, string]>([
    [
      'a stopped service that nobody wants',
      BEFORE_GAP,
      identity({ state: { wants: 'nothing', activity: { kind: 'down', reason: 'stopped' }, held: false } }),
      'service-down',
    ],
    [
      'labels that post verify found wrong',
      BEFORE_GAP,
      identity({ labels: { at: 0, fraction: 0.2, wrongIn: [12] } }),
      'data-labels-wrong',
    ],
    [
      'an ATX with fewer units than the data',
      BEFORE_GAP,
      identity({ dataHere: { kind: 'own', units: 40 } }),
      'fewer-units',
    ],
    [
      'an ATX that pays somebody else',
      BEFORE_GAP,
      identity({ atxs: known([atx(EPOCH - 1, { coinbase: 'sm1other' })]) }),
      'atx-other-coinbase',
    ],
    [
      'rewards on another account',
      BEFORE_GAP,
      identity({ rewards: known([reward(FIRST_LAYER, 'sm1other')]) }),
      'paid-elsewhere',
    ],
    [
      'no slot in this epoch',
      BEFORE_GAP,
      identity({ rewards: known([]), events: known([eligibilities(EPOCH, [])]) }),
      'no-slots',
    ],
    [
      'one PoET of two',
      AFTER_GAP,
      published({
        rows: known({
          post: true,
          challenge: { publishEpoch: EPOCH + 1, hasPoetProof: false },
          registrations: registrations(EPOCH, POETS.slice(0, 1)),
        }),
      }),
      'registered-partly',
    ],
    [
      'only a PoET that is no longer listed',
      AFTER_GAP,
      published({
        rows: known({
          post: true,
          challenge: { publishEpoch: EPOCH + 1, hasPoetProof: false },
          registrations: registrations(EPOCH, ['https://old']),
        }),
      }),
      'registered-elsewhere',
    ],
    [
      'a lost connection while nothing is wanted',
      BEFORE_GAP,
      identity({ connection: { service: { kind: 'lost', reason: 'refused' } } }),
      'not-connected',
    ],
    ['a PoET proof that is two hours late', IN_GAP, identity(), 'poet-proof-late'],
  ])('%s', (_, now, evidence, code) => {
    const verification = verify(project(now), [evidence]);
    expect(codesAt('warning', verification)).toContain(code);
    expect(codesAt('costs-rewards', verification)).toEqual([]);
    expect(verification.verdict).toBe('right');
  });

  it('a slower PoET proof was chosen than was there', () => {
    const proof = { at: 1, failed: false, help: '', roundId: String(EPOCH - 2) };
    const events = known([
      { ...proof, kind: 'poet-proof-downloaded', url: 'a', ticks: 9500n },
      { ...proof, kind: 'poet-proof-downloaded', url: 'b', ticks: 9331n },
      { ...proof, kind: 'poet-proof-selected', smesher: SMESHER, url: 'b', ticks: 9331n },
    ] as const);
    const verification = verify(project(BEFORE_GAP), [identity({ events })]);
    const check = only(verification).checks.find(({ subject }) => subject === 'atx');
    expect(check).toMatchObject({ level: 'warning', code: 'slower-proof' });
    expect(check?.evidence).toEqual([
      'ATX 00000000, published in epoch 86',
      'weight 335,916: 36 units × 9,331 ticks',
      'round 85, downloaded from a: 9,500 ticks',
      'round 85, downloaded from b: 9,331 ticks',
      'round 85, chosen: b, 9,331 ticks',
    ]);
  });

  it('a key of somebody else in the folder of the node, and another account', () => {
    const strangers = known([{ file: 'old.key', smesher: OTHER }]);
    const verification = verify(project(BEFORE_GAP, { strangers, node: node({ coinbase: 'sm1other' }) }), [
      identity(),
    ]);
    expect(codesAt('warning', verification)).toEqual(['other-coinbase', 'key-not-in-project']);
    expect(verification.project[2]?.evidence).toEqual(['cdcdcdcd  old.key']);
  });
});

describe('unknown', () => {
  const why = 'no answer in time';
  const silent = notLearnt(why);

  it('is never shown as right, whichever source is silent', () => {
    const sources: readonly (readonly [keyof IdentityEvidence, string])[] = [
      ['key', 'key-unknown'],
      ['dataHere', 'data-unknown'],
      ['malfeasance', 'standing-unknown'],
      ['rewards', 'rewards-unknown'],
    ];
    for (const [source, code] of sources) {
      const verification = verify(project(BEFORE_GAP), [identity({ [source]: silent })]);
      expect(codesAt('unknown', verification)).toEqual([code]);
    }
  });

  it('of everything is the answer when neither node nor engine nor files say anything', () => {
    const verification = verify(
      project(BEFORE_GAP, {
        node: { certainty: 'unknown', container: 'unknown', engineFault: 'engine-down' },
        strangers: silent,
      }),
      [
        identity({
          key: silent,
          dataHere: silent,
          listed: 'unknown',
          wanted: 'unknown',
          state: {
            wants: 'unknown',
            activity: { kind: 'unknown', reason: 'the engine cannot be asked' },
            held: false,
          },
          connection: { service: { kind: 'unseen' } },
          rows: silent,
          atxs: silent,
          events: silent,
          rewards: silent,
          malfeasance: silent,
        }),
      ],
    );
    expect(verification.verdict).toBe('unknown');
    const levels = [...verification.project, ...only(verification).checks].map(({ level }) => level);
    expect(levels).not.toContain('ok');
    expect(levels).not.toContain('costs-rewards');
    expect(prospects(verification)).toEqual(['unknown', 'unknown', 'unknown']);
  });

  it('whether it is cancelled takes the certainty from every promise', () => {
    const verification = verify(project(AFTER_GAP), [published({ malfeasance: silent })]);
    expect(prospects(verification)).toEqual(['unknown', 'unknown', 'unknown']);
    expect(verification.verdict).toBe('unknown');
  });

  it('layers that the node has forgotten are neither right nor lost', () => {
    const verification = verify(project(AFTER_GAP), [published({ events: known([]), rewards: known([]) })]);
    expect(codesAt('unknown', verification)).toEqual(['eligibility-unknown']);
    expect(prospects(verification)[0]).toBe('earns');
    expect(verification.verdict).toBe('right');
  });

  it('is what no database leaves of registration, unless the events tell', () => {
    const blind = published({ rows: silent });
    expect(prospects(verify(project(AFTER_GAP), [blind]))).toEqual(['earns', 'earns', 'unknown']);
    const told = published({
      rows: silent,
      events: known([
        {
          at: 1,
          failed: false,
          help: '',
          kind: 'registered-in-poet',
          smesher: SMESHER,
          url: POETS[0] ?? '',
          roundId: '87',
        },
      ]),
    });
    expect(prospects(verify(project(AFTER_GAP), [told]))[2]).toBe('on-track');
  });

  it('a service that does not answer is no obstacle and no promise', () => {
    const state = { wants: 'a-proof', activity: { kind: 'silent' }, held: false } as const;
    const verification = verify(project(IN_GAP), [identity({ state, wanted: 'proving' })]);
    expect(codesAt('unknown', verification)).toEqual(['service-unknown', 'connection-unknown']);
  });
});
