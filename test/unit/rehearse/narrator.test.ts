import { describe, expect, it } from 'vitest';
import type { SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import type { NodeEvent, NodeEventDetails } from '../../../src/domain/node/events.ts';
import type { EpochClock } from '../../../src/domain/poet/epochs.ts';
import { momentsBetween, Narrator } from '../../../src/usecases/rehearse/narrator.ts';

const a = 'a'.repeat(64) as SmesherId;
const b = 'b'.repeat(64) as SmesherId;
const c = 'c'.repeat(64) as SmesherId;

const names = new Map([
  [a, 'post-0001'],
  [b, 'post-0002'],
  [c, 'post-0003'],
]);

const event = (details: NodeEventDetails, failed = false): NodeEvent => ({
  at: 0,
  failed,
  help: 'Node failed PoST execution.',
  ...details,
});
const started = (smesher: SmesherId, challenge: string) => event({ kind: 'post-start', smesher, challenge });

describe('what a rehearsal tells', () => {
  it('says alike events of all identities in one line, at once when everybody is in it', () => {
    const narrator = new Narrator(names);
    for (const id of [a, b]) narrator.hear(started(id, '00'.repeat(32)), 0);
    expect(narrator.flush(0)).toEqual([]);
    narrator.hear(started(c, '00'.repeat(32)), 100);
    expect(narrator.flush(100)).toEqual(['all 3 identities are asked for their initial proofs']);
    expect(narrator.flush(10_000)).toEqual([]);
  });

  it('waits a moment for the others and then names those that are there', () => {
    const narrator = new Narrator(names);
    narrator.hear(started(b, 'ab'.repeat(32)), 0);
    narrator.hear(started(a, 'ab'.repeat(32)), 500);
    expect(narrator.flush(1000)).toEqual([]);
    expect(narrator.flush(2000)).toEqual(['post-0001, post-0002 are asked to prove their data']);
  });

  it('counts those who have reached what everybody has to reach', () => {
    const narrator = new Narrator(names);
    const registered = (smesher: SmesherId) =>
      event({ kind: 'registered-in-poet', smesher, url: 'http://127.0.0.1:10010', roundId: '1' });
    narrator.hear(registered(a), 0);
    expect(narrator.flush(2000)).toEqual(['post-0001 is registered with the PoET for round 1 (1 of 3)']);
    narrator.hear(registered(b), 3000);
    narrator.hear(registered(c), 3000);
    expect(narrator.flush(5000)).toEqual([
      'post-0002, post-0003 are registered with the PoET for round 1 (3 of 3)',
    ]);
  });

  it('counts against those who were asked, not against who came later', () => {
    const narrator = new Narrator(names);
    const challenge = 'ab'.repeat(32);
    for (const id of [a, b]) narrator.hear(started(id, challenge), 0);
    narrator.flush(2000);
    narrator.hear(event({ kind: 'post-complete', smesher: b, challenge }), 3000);
    expect(narrator.flush(5000)).toEqual(['post-0002 has proved its data (1 of 2)']);
    narrator.hear(event({ kind: 'post-complete', smesher: a, challenge }), 6000);
    expect(narrator.flush(8000)).toEqual(['post-0001 has proved its data (2 of 2)']);
  });

  it('tells a failure in the words of the node, and nothing of other people’s identities', () => {
    const narrator = new Narrator(new Map([[a, 'post-0001']]));
    narrator.hear(event({ kind: 'post-complete', smesher: a, challenge: '' }, true), 0);
    narrator.hear(started(b, '00'), 0);
    expect(narrator.flush(0, true)).toEqual(['post-0001 FAILED to prove: Node failed PoST execution.']);
  });

  it('tells in which epoch a published ATX earns', () => {
    const narrator = new Narrator(new Map([[a, 'post-0001']]));
    const published = {
      kind: 'atx-published',
      smesher: a,
      current: 1,
      target: 2,
      atx: 'ff',
      until: 0,
    } as const;
    narrator.hear(event(published), 0);
    expect(narrator.flush(0)).toEqual(['post-0001 has published its ATX: it earns in epoch 2']);
  });
});

describe('the moments of the epoch', () => {
  const clock: EpochClock = {
    genesis: 1_000_000,
    epoch: 60_000,
    layer: 6000,
    phaseShift: 30_000,
    cycleGap: 30_000,
    gracePeriod: 10_000,
  };

  it('each come once, however often one looks', () => {
    const at: number[] = [];
    for (let now = 990_000; now < 1_200_000; now += 700) {
      at.push(...momentsBetween(clock, now - 700, now).map((moment) => moment.at));
    }
    expect(at).toEqual([1_000_000, 1_030_000, 1_060_000, 1_090_000, 1_120_000, 1_150_000, 1_180_000]);
  });

  it('begin with the genesis, which has no cycle gap before it', () => {
    const [genesis, round, gap] = momentsBetween(clock, 0, 1_060_000);
    expect(genesis?.text).toContain('genesis');
    expect(round?.text).toMatch(/^round 0/);
    expect(gap?.text).toMatch(/^cycle gap 1 opens for 30 s/);
  });
});
