import { describe, expect, it } from 'vitest';
import { readProofLog } from '../../../src/domain/proving/proof-log.ts';
import { type Measurement, measure, type Watch } from '../../../src/domain/schedule/measure.ts';
import type { ProverFacts } from '../../../src/domain/schedule/observation.ts';
import { GIB, IN_GAP, observation, prover } from './support/facts.ts';

const HASHES = { hashesPerUnitGroup: 4687.5, cores: 16 };
const up = (held = false): ProverFacts['container'] => ({
  ...{ kind: 'present', state: 'running', oomKilled: false },
  held,
});

const reading = (position: number, held = false, start = 0): Partial<ProverFacts> => ({
  container: up(held),
  service: { kind: 'proving', nonces: { start, end: start + 128 }, position },
});
const done: Partial<ProverFacts> = { container: up(), service: { kind: 'done-proving' } };

/** All that is measured over looks, twenty seconds apart unless told. */
function over(looks: readonly (readonly ProverFacts[])[], everyMs = 20_000): readonly Measurement[] {
  let watch: Watch = new Map();
  return looks.flatMap((provers, index) => {
    const look = measure(watch, observation(provers, { at: IN_GAP + index * everyMs }), HASHES);
    watch = look.watch;
    return look.measured;
  });
}

const one = (more: Partial<ProverFacts>) => [prover(1, 'sda', more)];

describe('the speed of a disk', () => {
  const looks = [1, 2, 3, 4, 5, 6].map((step) => one(reading(step * 4 * GIB)));

  it('is that of a pass from its first look to its last', () => {
    expect(over([...looks, one(done)])).toEqual([
      { kind: 'disk', disk: 'sda', bytesPerSecond: (20 * GIB) / 100 },
    ]);
    // The next pass ends this one, too.
    expect(over([...looks, one(reading(GIB, false, 128))])).toHaveLength(1);
  });

  it('is not told by what was held, short, far apart, or shared with another reader of the disk', () => {
    expect(over([...looks.slice(0, 3), one(reading(14 * GIB, true)), ...looks.slice(3), one(done)])).toEqual(
      [],
    );
    expect(over([...looks.slice(0, 2), one(done)])).toEqual([]);
    expect(over([...looks, one(done)], 300_000)).toEqual([]);
    const shared = looks.map((provers) => [...provers, prover(2, 'sda', reading(GIB))]);
    expect(over([...shared, one(done)])).toEqual([]);
    const beside = looks.map((provers) => [...provers, prover(2, 'sdb', reading(GIB))]);
    expect(over([...beside, one(done)])).toHaveLength(1);
  });
});

describe('the speed of k2pow', () => {
  const at = (seconds: number) => new Date(IN_GAP + seconds * 1000).toISOString().replace('.000', '');
  const begun = `[${at(0)} INFO  post::prove] calculating proof of work for nonces 0..128`;
  const over240 = [begun, `[${at(240)} INFO  post::prove] finished k2pow in 240s`];
  const hashing = (lines: readonly string[], more: Partial<ProverFacts> = {}) =>
    one({
      ...{ container: up(), service: { kind: 'proving', nonces: { start: 0, end: 128 }, position: 0 } },
      log: readProofLog(lines),
      ...more,
    });
  const looks = (more: Partial<ProverFacts> = {}) => [
    ...Array.from({ length: 12 }, () => hashing([begun], more)),
    hashing(over240, more),
  ];

  it('is the hashes that were to be expected by the time that the log tells', () => {
    expect(over(looks())).toEqual([{ kind: 'k2pow', hashesPerSecond: (8 * 36 * 4687.5) / 240 }]);
    const half = { settings: { ...prover(1, '').settings, threads: 8 } };
    expect(over(looks(half))).toEqual([{ kind: 'k2pow', hashesPerSecond: (8 * 36 * 4687.5) / 120 }]);
  });

  it('is not told by light mode, by k2pow elsewhere, or by two at a time', () => {
    const settings = prover(1, '').settings;
    expect(over(looks({ settings: { ...settings, randomx: 'light' } }))).toEqual([]);
    expect(over(looks({ settings: { ...settings, remoteK2pow: 'http://k' } }))).toEqual([]);
    const other = { ...hashing([begun])[0], id: prover(2, '').id } as ProverFacts;
    expect(over(looks().map((provers) => [...provers, other]))).toEqual([]);
  });
});
