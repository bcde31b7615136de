import { describe, expect, it } from 'vitest';
import { NO_MEMORY, remember, type StopLook, unchangedFor } from '../../../src/domain/proving/stop-memory.ts';

const look: StopLook = { container: 'c1', startedAt: 1000, wanted: 'proving', status: 'idle' };

/** What is remembered of c1 after looks at these times. */
function unchangedAfter(looks: readonly (readonly [at: number, look: StopLook])[]): number {
  let memory = NO_MEMORY;
  for (const [at, one] of looks) memory = remember(memory, [one], at);
  return unchangedFor(memory, 'c1');
}

describe('how long a prover has answered the same', () => {
  it('counts over looks that follow each other', () => {
    expect(unchangedAfter([[0, look]])).toBe(0);
    expect(
      unchangedAfter([
        [0, look],
        [20_000, look],
        [45_000, look],
      ]),
    ).toBe(45_000);
  });

  it('begins anew with another answer, another wish of the node, another life', () => {
    for (const changed of [
      { ...look, status: 'proving' },
      { ...look, wanted: 'idle' },
      { ...look, startedAt: 2000 },
    ] as const) {
      const looks = [
        [0, look],
        [10_000, changed],
        [20_000, look],
        [21_000, look],
      ] as const;
      expect(unchangedAfter(looks), JSON.stringify(changed)).toBe(1000);
    }
  });

  it('begins anew after a break in which a proof may have come and gone, and when the clock goes back', () => {
    expect(
      unchangedAfter([
        [0, look],
        [31_000, look],
      ]),
    ).toBe(0);
    expect(
      unchangedAfter([
        [50_000, look],
        [40_000, look],
      ]),
    ).toBe(0);
  });

  it('forgets whoever is gone', () => {
    const memory = remember(remember(remember(NO_MEMORY, [look], 0), [], 1000), [look], 2000);
    expect(unchangedFor(memory, 'c1')).toBe(0);
  });
});
