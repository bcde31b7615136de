import { describe, expect, it } from 'vitest';
import type { Act, Excuse } from '../../chaos/support/acts.ts';
import { type ChaosRecord, judge } from '../../chaos/support/judge.ts';
import type { LedgerEntry } from '../../chaos/support/ledger.ts';
import { NetworkTimes } from '../../chaos/support/network.ts';

const GENESIS = 1_000_000_000;
const times = new NetworkTimes(GENESIS);
const ID = 'ab'.repeat(32);
/** Of epoch 1, in which everything here happens. */
const OPENS = times.gapOpens(1);

type Line = readonly [at: number, event: string, fields?: Partial<LedgerEntry>];

function ledger(boot: string, ...lines: readonly Line[]): LedgerEntry[] {
  return lines.map(([at, event, fields]) => ({ at, boot, event, ...fields }));
}

/** A node that is up since genesis, and for which identity 1 has registered in time. */
const NODE = ledger(
  'n1',
  [GENESIS, 'started'],
  [GENESIS + 2000, 'ready'],
  [times.windowOpens(0), 'registered', { id: ID, round: 0, poet: 'p' }],
);

const PUBLISHED: Line = [OPENS + 10_000, 'published', { id: ID, epoch: 1 }];

function act(begin: number, more: Partial<Act> = {}): Act {
  return {
    ...{ number: 1, by: 'tool', command: 'smesh-compose stop post-0001', forced: false },
    ...{ targets: ['post-0001'], begin, end: begin + 1000, exit: 0, states: new Map() },
    ...more,
  };
}

interface Case {
  readonly prover?: readonly LedgerEntry[];
  readonly node?: readonly LedgerEntry[];
  readonly acts?: readonly Act[];
  readonly excuses?: readonly Excuse[];
  readonly deaths?: ReadonlyMap<string, readonly number[]>;
}

function judgeCase({ prover = [], node = [...NODE, ...ledger('n1', PUBLISHED)], ...rest }: Case) {
  const record: ChaosRecord = {
    times,
    identities: new Map([['post-0001', ID]]),
    ledgers: new Map([
      ['node', node],
      ['post-0001', prover],
    ]),
    deaths: rest.deaths ?? new Map(),
    acts: rest.acts ?? [],
    excuses: rest.excuses ?? [],
    until: times.epochStart(2) + 1,
  };
  return judge(record);
}

const kinds = (found: Case) => judgeCase(found).faults.map(({ kind }) => kind);

const PROVES: readonly Line[] = [
  [GENESIS, 'started'],
  [OPENS + 100, 'asked'],
  [OPENS + 150, 'k2pow'],
  [OPENS + 2000, 'reading'],
  [OPENS + 5000, 'done'],
];

describe('the judge of a chaos run', () => {
  it('finds nothing where a prover has handed its proof over before it is stopped', () => {
    const prover = ledger('a', ...PROVES, [OPENS + 7000, 'handed-over'], [OPENS + 7500, 'terminated']);
    const verdict = judgeCase({ prover, acts: [act(OPENS + 7000)] });
    expect(verdict.faults).toEqual([]);
    expect(verdict.proofs).toBe(1);
    expect(verdict.lost).toEqual({ forced: 0, other: 0, tool: 0, photoFinish: 0 });
  });

  describe.each([
    ['while it does k2pow', 1],
    ['while it reads', 3],
    ['with a proof that nobody has fetched', 5],
  ])('a prover that is stopped %s', (_, known) => {
    const last = PROVES[known - 1]?.[0] ?? 0;
    const end = Math.max(last, OPENS + 2000) + 500;
    const prover = ledger('a', ...PROVES.slice(0, Math.max(known, 2)), [end, 'terminated']);

    it('is a fault of the tool', () => {
      expect(kinds({ prover, acts: [act(end - 200)] })).toEqual(['proof-lost']);
    });

    it('is none with --force, and none of the tool when somebody else did it', () => {
      expect(judgeCase({ prover, acts: [act(end - 200, { forced: true })] })).toMatchObject({
        faults: [],
        lost: { forced: 1, tool: 0 },
      });
      expect(judgeCase({ prover, acts: [act(end - 200, { by: 'other' })] })).toMatchObject({
        faults: [],
        lost: { other: 1, tool: 0 },
      });
    });
  });

  it('knows of a SIGKILL by the engine, and of a life that ended unseen by the next one', () => {
    const open = ledger('a', ...PROVES.slice(0, 4));
    const again = ledger('b', [OPENS + 9000, 'started']);
    const acts = [act(OPENS + 3000), act(OPENS + 8000, { by: 'other', number: 2 })];
    const deaths = new Map([['post-0001', [OPENS + 3500]]]);
    expect(kinds({ prover: [...open, ...again], acts, deaths })).toEqual(['proof-lost']);
    expect(kinds({ prover: [...open, ...again], acts })).toEqual([]);
  });

  it('gives a loss to the act that goes on, not to one that has begun and ended within it', () => {
    const prover = ledger('a', ...PROVES.slice(0, 4), [OPENS + 9000, 'terminated']);
    const long = act(OPENS + 3000, { end: OPENS + 10_000 });
    const within = act(OPENS + 5000, { by: 'other', number: 2, end: OPENS + 5100 });
    expect(kinds({ prover, acts: [long, within] })).toEqual(['proof-lost']);
  });

  it('blames no command for what happens while its program is still being loaded', () => {
    const killed = ledger('a', ...PROVES.slice(0, 4), [OPENS + 4000, 'terminated']);
    const kill = act(OPENS + 3900, { by: 'other', end: OPENS + 3990 });
    expect(kinds({ prover: killed, acts: [kill, act(OPENS + 3995, { number: 2 })] })).toEqual([]);
    expect(kinds({ prover: killed, acts: [kill, act(OPENS + 3899, { number: 2 })] })).toEqual(['proof-lost']);
  });

  it('gives what a killed command has left behind to that command', () => {
    const prover = ledger('a', ...PROVES.slice(0, 4), [OPENS + 4500, 'terminated']);
    expect(kinds({ prover, acts: [act(OPENS + 3000, { end: OPENS + 3200, exit: null })] })).toEqual([
      'proof-lost',
    ]);
  });

  it('does not blame anybody for a proof that was asked for within the stop', () => {
    const prover = ledger('a', [GENESIS, 'started'], [OPENS + 100, 'asked'], [OPENS + 600, 'terminated']);
    const verdict = judgeCase({ prover, acts: [act(OPENS - 500)] });
    expect(verdict.faults).toEqual([]);
    expect(verdict.lost.photoFinish).toBe(1);
  });

  describe('an idle prover that is stopped', () => {
    const prover = ledger('a', [GENESIS, 'started'], [OPENS + 8000, 'terminated']);
    const wants = (since: number) => [...NODE, ...ledger('n1', [since, 'wants', { id: ID }], PUBLISHED)];

    it('while the node has wanted its proof for long is a fault; for a moment it is not', () => {
      const acts = [act(OPENS + 7500)];
      expect(kinds({ prover, acts, node: wants(OPENS) })).toEqual(['stopped-while-wanted']);
      expect(kinds({ prover, acts, node: wants(OPENS + 7000) })).toEqual([]);
    });

    it('is none once the node wants nothing any more, or is down', () => {
      const acts = [act(OPENS + 7500)];
      const nothing = ledger('n1', [OPENS + 5000, 'wants-nothing', { id: ID }]);
      expect(kinds({ prover, acts, node: [...wants(OPENS).slice(0, -1), ...nothing] })).not.toContain(
        'stopped-while-wanted',
      );
      const down = ledger('n1', [OPENS + 5000, 'terminated']);
      const other = act(OPENS + 4900, { by: 'other', end: OPENS + 5000 });
      const stopped = { prover, acts: [other, ...acts], node: [...wants(OPENS).slice(0, -1), ...down] };
      expect(kinds(stopped)).toEqual([]);
    });

    it('right after a start of the node is a fault, whatever the node says', () => {
      const again = ledger('n2', [OPENS + 1000, 'started'], [OPENS + 3000, 'ready'], PUBLISHED);
      const node = [...NODE, ...ledger('n1', [OPENS, 'terminated']), ...again];
      const restart = act(OPENS - 100, { by: 'other', end: OPENS + 200 });
      expect(kinds({ prover, node, acts: [restart, act(OPENS + 7500)] })).toEqual([
        'stopped-on-a-fresh-node',
      ]);
    });
  });

  it('calls it a fault when the tool stops the node before everybody has published', () => {
    const node = [...NODE, ...ledger('n1', [OPENS + 8000, 'terminated'])];
    expect(kinds({ node, acts: [act(OPENS + 7900)] })).toEqual(['node-stopped-in-the-gap']);
    expect(kinds({ node, acts: [act(OPENS + 7900, { by: 'other' })] })).toEqual([]);
    const late = ledger('n1', PUBLISHED, [OPENS + 11_000, 'terminated']);
    expect(kinds({ node: [...NODE, ...late], acts: [act(OPENS + 10_900)] })).toEqual([]);
  });

  it('sees who ran twice, registered twice or published twice', () => {
    const second = ledger('b', [OPENS + 1000, 'started']);
    const first = ledger('a', [GENESIS, 'started'], [OPENS + 3000, 'terminated']);
    expect(kinds({ prover: [...first, ...second], acts: [act(OPENS, { by: 'other' })] })).toContain(
      'two-at-once',
    );
    const again = ledger('n1', [OPENS - 5000, 'registered', { id: ID, round: 0, poet: 'p' }]);
    expect(kinds({ node: [...NODE, ...again, ...ledger('n1', PUBLISHED)] })).toEqual(['registered-twice']);
    expect(kinds({ node: [...NODE, ...ledger('n1', PUBLISHED, PUBLISHED)] })).toEqual(['published-twice']);
  });

  describe('an identity that has registered and publishes nothing', () => {
    it('is a fault when it was left alone', () => {
      expect(kinds({ node: NODE })).toEqual(['not-published']);
      expect(judgeCase({}).epochs).toMatchObject({ required: 1, published: 1 });
    });

    it('is none when it was stopped on purpose, or the node was down for too long', () => {
      const excuses = [{ service: 'post-0001', from: OPENS - 1000, to: OPENS + 20_000, why: 'stopped' }];
      expect(judgeCase({ node: NODE, excuses })).toMatchObject({
        faults: [],
        epochs: { required: 0, excused: { disturbed: 1 } },
      });
      const short = [{ service: 'post-0001', from: OPENS - 1000, to: OPENS + 5000, why: 'restarted' }];
      expect(kinds({ node: NODE, excuses: short })).toEqual(['not-published']);
      const down = ledger('n1', [OPENS + 1000, 'terminated']);
      expect(kinds({ node: [...NODE, ...down], acts: [act(OPENS, { by: 'other' })] })).toEqual([]);
    });

    it('is none when it had not registered, or was busy with a proof of before', () => {
      const unregistered = NODE.filter(({ event }) => event !== 'registered');
      expect(judgeCase({ node: unregistered }).epochs.excused.unregistered).toBe(1);
      const prover = ledger('a', [GENESIS, 'started'], [OPENS - 3000, 'asked']);
      expect(judgeCase({ node: NODE, prover }).epochs.excused.late).toBe(1);
    });
  });
});
