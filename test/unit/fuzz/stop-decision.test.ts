import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_PROOF_LOG } from '../../../src/domain/proving/proof-log.ts';
import type { NodeSnapshot } from '../../../src/ports/node-api.ts';
import { judgeProver, type Seen, type World } from '../../../src/usecases/lifecycle/judge-look.ts';
import { FUZZ_TIMEOUT_MS, fuzz, runsOf } from './support/fuzz.ts';
import { readTruth } from './support/stop-raw.ts';
import {
  EVERYTHING,
  evidences,
  LAYER,
  MINUTE,
  rowOf,
  type StopTruth,
  TABLE,
  truths,
} from './support/stop-truth.ts';

interface Look {
  readonly world: World;
  readonly seen: Seen;
}

const isSafe = ({ world, seen }: Look): boolean => judgeProver(world, seen).risk.safe;

const AWAY = { ok: false, error: { kind: 'timeout', message: 'Deadline exceeded' } } as const;

const withSnapshot = (look: Look, change: (snapshot: NodeSnapshot) => Partial<NodeSnapshot>): Look => {
  const { snapshot } = look.world;
  if (snapshot === undefined) return look;
  return { ...look, world: { ...look.world, snapshot: { ...snapshot, ...change(snapshot) } } };
};
const withSeen = (look: Look, change: Partial<Seen>): Look => ({
  ...look,
  seen: { ...look.seen, ...change },
});

/** Each takes one piece of what is known away. */
const LOSSES: Readonly<Record<string, (look: Look) => Look>> = {
  'the service was not asked': (look) => withSeen(look, { status: undefined }),
  'the service is silent': (look) => withSeen(look, { status: { kind: 'no-answer' } }),
  'no way to the service': (look) => withSeen(look, { status: { kind: 'unreachable', reason: 'x' } }),
  'nonsense from the service': (look) => withSeen(look, { status: { kind: 'malformed', reason: 'x' } }),
  'the log was not read': (look) => withSeen(look, { log: undefined }),
  'the log is empty': (look) =>
    look.seen.log === undefined ? look : withSeen(look, { log: EMPTY_PROOF_LOG }),
  'nobody has watched': (look) => withSeen(look, { unchangedMs: 0 }),
  'the size of the data is not known': (look) => withSeen(look, { dataBytes: undefined }),
  'the start of the prover is not known': (look) => {
    const { startedAt: _, ...container } = look.seen.container;
    return withSeen(look, { container });
  },
  'the start of the node is not known': (look) => {
    if (look.world.node === undefined) return look;
    const { startedAt: _, ...node } = look.world.node;
    return { ...look, world: { ...look.world, node } };
  },
  'the node does not answer': (look) =>
    look.world.node?.state === 'running' ? { ...look, world: { ...look.world, snapshot: undefined } } : look,
  'no word of what it wants': (look) => withSnapshot(look, () => ({ postStates: AWAY })),
  'its lines of what it wants are missing': (look) =>
    withSnapshot(look, ({ postStates }) =>
      postStates.ok
        ? {
            postStates: {
              ok: true,
              value: postStates.value.filter(({ keyFile }) => keyFile !== 'post01.key'),
            },
          }
        : {},
    ),
  'no word of whether it is synced': (look) => withSnapshot(look, () => ({ status: AWAY })),
  'no word of whom it smeshes with': (look) => withSnapshot(look, () => ({ smesherIds: AWAY })),
  'no events': (look) => withSnapshot(look, () => ({ events: AWAY })),
  'no event is remembered': (look) => withSnapshot(look, () => ({ events: { ok: true, value: [] } })),
};

describe('from answers to the decision to stop (operators.md §d.6)', () => {
  it('is never safe where the table says no, whatever is known of it', { timeout: FUZZ_TIMEOUT_MS }, () => {
    const rows = new Map<string, number>();
    let safe = 0;
    fc.assert(
      fc.property(truths, evidences, (truth, evidence) => {
        const { row, stop } = rowOf(truth);
        rows.set(row, (rows.get(row) ?? 0) + 1);
        const { risk } = judgeProver(...lookOf(readTruth(truth, evidence)));
        if (!risk.safe) return;
        safe += 1;
        expect(stop, `${row}: ${risk.why}`).toBe(true);
      }),
      fuzz(3000),
    );
    expect(safe).toBeGreaterThan(runsOf(3000) / 20);
    // Rows that no run has met would be tested by nobody; a rare one may be left out by chance.
    expect(TABLE.filter(({ row }) => !rows.has(row)).length).toBeLessThanOrEqual(2);
  });

  it('is safe where the table says yes and all of it can be seen', { timeout: FUZZ_TIMEOUT_MS }, () => {
    const isClear = ({ node, nodeUpFor, saidFor, wantedFor }: StopTruth) =>
      // The table counts from the sync, the tool from the start; log times are whole seconds.
      (node === 'down' || nodeUpFor > 2 * LAYER + 2 * MINUTE) &&
      ![2 * MINUTE, 2 * LAYER].some((limit) => Math.abs(Math.min(saidFor, wantedFor) - limit) < 2000);
    const clear = truths.filter((truth) => isClear(truth) && rowOf(truth).stop);
    let count = 0;
    fc.assert(
      fc.property(clear, (truth) => {
        const { risk } = judgeProver(...lookOf(readTruth(truth, EVERYTHING)));
        count += 1;
        expect(risk.safe, `${rowOf(truth).row}: ${risk.why}`).toBe(true);
      }),
      fuzz(800),
    );
    expect(count).toBeGreaterThanOrEqual(runsOf(800));
  });

  it('does not become safe by what is not known', { timeout: FUZZ_TIMEOUT_MS }, () => {
    const losses = fc.subarray(Object.keys(LOSSES), { minLength: 1, maxLength: 3 });
    let unsafe = 0;
    fc.assert(
      fc.property(truths, evidences, losses, (truth, evidence, lost) => {
        const before = readTruth(truth, evidence);
        if (isSafe(before)) return;
        unsafe += 1;
        const after = lost.reduce<Look>((look, name) => LOSSES[name]?.(look) ?? look, before);
        expect(isSafe(after), `${rowOf(truth).row}; ${lost.join('; ')}`).toBe(false);
      }),
      fuzz(3000),
    );
    expect(unsafe).toBeGreaterThan(runsOf(3000) / 3);
  });
});

function lookOf({ world, seen }: Look): readonly [World, Seen] {
  return [world, seen];
}
