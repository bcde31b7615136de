import { describe, expect, it } from 'vitest';
import type { LedgerEntry } from '../../chaos/support/ledger.ts';
import {
  excess,
  k2powTogether,
  lostProofs,
  outside,
  proofsOf,
  proofsTogether,
  readersTogether,
  unpublished,
  unregistered,
  without,
  workedAhead,
} from '../../engine/support/schedule-judge.ts';
import { moversTogether } from '../../engine/support/schedule-positions.ts';

/** `1000 asked, 1200 k2pow, …` of one life. */
function ledger(text: string, boot = 'b1'): LedgerEntry[] {
  return text.split(', ').map((part) => {
    const [at = '', event = ''] = part.split(' ');
    return { at: Number(at), boot, event };
  });
}

const prover = (service: string, disk: string, text: string, deaths: number[] = []) =>
  proofsOf({ service, disk }, ledger(text), deaths);

const first = prover(
  'a',
  'd1',
  '0 started, 100 asked, 200 k2pow, 300 group, 400 group, 500 reading, 5000 done, 5500 handed-over',
);
const ahead = prover(
  'b',
  'd1',
  '900 started, 1000 asked, 1100 k2pow, 1500 group, 1600 held, 5200 lifted, 5300 group, 5400 reading, 9000 done, 9100 handed-over',
);
/** The same without the hold. */
const rude = prover(
  'b',
  'd1',
  '900 started, 1000 asked, 1100 k2pow, 1500 group, 1600 group, 1700 reading, 9000 done, 9100 handed-over',
);

describe('proofs from a ledger', () => {
  it('have their phases, and end as they did', () => {
    expect(first).toEqual([
      {
        service: 'a',
        disk: 'd1',
        whole: { from: 100, to: 5500 },
        foundAt: 5000,
        k2pow: [{ from: 200, to: 500 }],
        reading: [{ from: 500, to: 5000 }],
        held: [],
        groups: [300, 400],
        end: 'handed-over',
      },
    ]);
  });

  it('are read again in a second pass', () => {
    const [proof] = prover('a', 'd1', '1 asked, 2 k2pow, 4 reading, 8 k2pow, 9 reading, 12 done, 13 invalid');
    expect(proof).toMatchObject({
      k2pow: [
        { from: 2, to: 4 },
        { from: 8, to: 9 },
      ],
      reading: [
        { from: 4, to: 8 },
        { from: 9, to: 12 },
      ],
      end: 'invalid',
    });
  });

  it('are lost with their process, whoever ended it, and open while it lives', () => {
    const killed = prover('a', 'd1', '0 started, 10 asked, 20 k2pow, 30 reading', [70]);
    expect(killed).toMatchObject([{ end: 'lost', whole: { to: 70 }, reading: [{ from: 30, to: 70 }] }]);
    const stopped = prover('a', 'd1', '0 started, 10 asked, 20 k2pow, 50 terminated');
    expect(stopped).toMatchObject([{ end: 'lost', whole: { to: 50 } }]);
    expect(lostProofs([...first, ...killed])).toEqual([{ service: 'a', at: 70, workedMs: 60 }]);
    expect(lostProofs(prover('a', 'd1', '0 started, 10 asked', [20]))).toEqual([]);
    expect(lostProofs(prover('a', 'd1', '0 started, 10 asked, 12 k2pow', [20]))).toHaveLength(1);
    expect(prover('a', 'd1', '0 started, 10 asked, 20 k2pow')).toMatchObject([{ end: 'open' }]);
    const waited = prover('a', 'd1', '0 started, 10 asked, 20 k2pow, 30 reading, 40 done', [60]);
    expect(lostProofs(waited)).toHaveLength(1);
    expect(lostProofs(prover('a', 'd1', '0 started, 5 asked, 6 done, 7 handed-over', [60]))).toEqual([]);
  });

  it('are those of each life', () => {
    const entries = [...ledger('0 started, 10 asked, 20 k2pow'), ...ledger('90 started, 95 asked', 'b2')];
    const proofs = proofsOf({ service: 'a', disk: 'd1' }, entries, []);
    expect(proofs.map(({ end, whole }) => [end, whole.to])).toEqual([
      ['lost', 90],
      ['open', Number.POSITIVE_INFINITY],
    ]);
  });
});

describe('two readers of one disk', () => {
  it('are found, unless one of them is held or reads another disk', () => {
    expect(readersTogether([...first, ...ahead], 0)).toEqual([]);
    expect(readersTogether([...first, ...rude], 0)).toEqual([
      { what: 'd1', names: ['a', 'b'], from: 1700, to: 5000 },
    ]);
    const elsewhere = rude.map((proof) => ({ ...proof, disk: 'd2' }));
    expect(readersTogether([...first, ...elsewhere], 0)).toEqual([]);
  });

  it('are forgiven for as long as a hold needs to be felt, and no longer', () => {
    const short = prover('b', 'd1', '1000 asked, 1100 k2pow, 1700 reading, 1900 held');
    expect(readersTogether([...first, ...short], 250)).toEqual([]);
    expect(readersTogether([...first, ...short], 150)).toHaveLength(1);
  });

  it('are found by their positions, crawling ones left out', () => {
    const disks = new Map([
      ['a', 'd1'],
      ['b', 'd1'],
      ['c', 'd2'],
    ]);
    const steps = (service: string, bytes: number) =>
      [0, 500, 1000, 1500].map((at, index) => ({ at, service, pass: 0, position: (index + 1) * bytes }));
    expect(
      moversTogether([...steps('a', 100), ...steps('b', 1), ...steps('c', 100)], disks, 0.02, 0),
    ).toEqual([]);
    expect(moversTogether([...steps('a', 100), ...steps('b', 100)], disks, 0.02, 0)).toMatchObject([
      { what: 'd1', names: ['a', 'b'], from: 0, to: 1500 },
    ]);
  });
});

describe('budgets', () => {
  it('of k2pow count those that are not held', () => {
    const third = prover('c', 'd2', '1150 asked, 1160 k2pow, 3000 reading');
    expect(k2powTogether([...ahead, ...third], 1, 0)).toEqual([
      { what: 'k2pow', names: ['b', 'c'], from: 1160, to: 1600 },
    ]);
    expect(k2powTogether([...ahead, ...third], 2, 0)).toEqual([]);
  });

  it('of memory count the held ones, too', () => {
    expect(proofsTogether([...first, ...ahead], 1, 0)).toMatchObject([{ from: 1000, to: 5000 }]);
  });

  it('are exceeded as long as somebody else’s starts allow', () => {
    const found = excess(
      'x',
      [
        { name: 'a', from: 0, to: 10 },
        { name: 'b', from: 5, to: 9 },
      ],
      1,
      0,
    );
    expect(outside(found, [{ from: 4, to: 10 }])).toEqual([]);
    expect(outside(found, [{ from: 6, to: 10 }])).toHaveLength(1);
    const joined = [
      { from: 7, to: 10 },
      { from: 4, to: 8 },
    ];
    expect(outside(found, joined)).toEqual([]);
    expect(
      outside(
        found,
        [joined[0], { from: 4, to: 6 }].flatMap((one) => one ?? []),
      ),
    ).toHaveLength(1);
  });

  it('cut pieces out of intervals', () => {
    expect(
      without(
        [{ from: 0, to: 10 }],
        [
          { from: 2, to: 4 },
          { from: 8, to: 20 },
        ],
      ),
    ).toEqual([
      { from: 0, to: 2 },
      { from: 4, to: 8 },
    ]);
  });
});

describe('k2pow ahead', () => {
  it('is one that was held while another read, and read nothing before it was released', () => {
    expect(workedAhead([...first, ...ahead], 2).map(({ service }) => service)).toEqual(['b']);
    expect(workedAhead([...first, ...rude], 2)).toEqual([]);
    expect(workedAhead(ahead, 2)).toEqual([]);
    expect(workedAhead([...first, ...ahead], 4)).toEqual([]);
  });
});

it('who has published and registered is told by the node', () => {
  const node: LedgerEntry[] = [
    { at: 1, boot: 'n', event: 'published', id: 'aa', epoch: 1 },
    { at: 2, boot: 'n', event: 'registered', id: 'aa', round: 1 },
    { at: 3, boot: 'n', event: 'published', id: 'bb', epoch: 2 },
  ];
  const ids = new Map([
    ['a', 'aa'],
    ['b', 'bb'],
  ]);
  expect(unpublished(node, ids, 1)).toEqual(['b']);
  expect(unregistered(node, ids, 1)).toEqual(['b']);
});
