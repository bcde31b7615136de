import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EpochClock } from '../../../../src/domain/poet/epochs.ts';
import { seededRandom } from '../../../../src/domain/simulation/random.ts';
import { Killed, runTool, type Settings, World } from './world.ts';

const EPOCH = 1000;
const LEAD = 24;

const clockOf = (phaseShift: number, cycleGap: number): EpochClock => ({
  genesis: 0,
  epoch: EPOCH,
  layer: 10,
  phaseShift,
  cycleGap,
  gracePeriod: 12,
});

interface Scene {
  readonly from: Settings;
  readonly to: Settings;
  readonly smeshers: number;
  readonly begins: number;
  readonly seed: number;
  readonly agrees: boolean;
}

const settings = fc
  .record({ phaseShift: fc.integer({ min: 150, max: 950 }), cycleGap: fc.integer({ min: 120, max: 500 }) })
  .map(({ phaseShift, cycleGap }) => clockOf(phaseShift, cycleGap));

const scenes: fc.Arbitrary<Scene> = fc
  .record({
    from: settings,
    to: settings,
    same: fc.boolean(),
    smeshers: fc.integer({ min: 1, max: 4 }),
    begins: fc.integer({ min: 3 * EPOCH, max: 4 * EPOCH }),
    seed: fc.integer({ min: 1, max: 2 ** 31 }),
    kept: fc.boolean(),
    agrees: fc.boolean(),
  })
  .map(({ from, to, same, kept, ...rest }) => ({
    ...rest,
    from: { clock: from, addresses: ['http://a', 'http://b'] },
    // A server has one rhythm: only among the same rounds can one stay in the list.
    to: same
      ? { clock: from, addresses: kept ? ['http://b', 'http://c'] : ['http://c'] }
      : { clock: to, addresses: ['http://c', 'http://d'] },
  }));

function makeWorld({ from, to, smeshers, begins, seed, agrees }: Scene): {
  world: World;
  random: () => number;
} {
  const random = seededRandom(seed);
  const world = new World({ from, to, smeshers, leadMs: LEAD, startMs: 10, random, agrees }, 0);
  world.pass(begins);
  return { world, random };
}

/**
 * Everybody goes on publishing; what is missing was said before.
 *
 * @param wasDown a node that nobody starts again for long misses what it misses
 */
function check(world: World, scene: Scene, end: string, wasDown = false): void {
  expect(world.faults).toEqual([]);
  // Who does not agree to lose an epoch, and publishes too late for less in every gap, keeps what there was.
  if (!scene.agrees && end === 'late') expect(world.written).toBe('present');
  else expect(end).toBe('done');
  expect(world.node).toMatchObject({ up: true, failing: false, runs: end === 'late' ? 'present' : 'target' });
  if (wasDown) return;
  const lost = world.record?.promised.lost ?? 0;
  world.pass(4 * EPOCH);
  expect(world.faults).toEqual([]);
  expect(world.node.failing).toBe(false);
  for (const { published } of world.smeshers) {
    const first = published[0] ?? 0;
    const missing = (published.at(-1) ?? 0) - first + 1 - published.length;
    expect(
      missing,
      `lost ${missing} of ${published.join(' ')}, promised ${lost}; ${JSON.stringify(scene)}`,
    ).toBeLessThanOrEqual(lost);
  }
}

describe('a change of PoETs at any moment, with identities in any stage', () => {
  it('ends with the new ones, loses what was said and nothing else, and no node ends in it', () => {
    fc.assert(
      fc.property(scenes, (scene) => {
        const { world, random } = makeWorld(scene);
        const end = runTool(world, () => {}, world.now + 6 * EPOCH, random);
        check(world, scene, end);
      }),
      { numRuns: 80 },
    );
  });

  it('killed at every point and run again it ends the same', () => {
    fc.assert(
      fc.property(scenes, fc.boolean(), fc.constantFrom(2, 300), (scene, otherCommand, pause) => {
        let moments = 0;
        const count = () => {
          moments += 1;
        };
        const whole = makeWorld(scene);
        runTool(whole.world, count, whole.world.now + 6 * EPOCH, whole.random);
        for (let kill = 1; kill <= moments; kill += 1) {
          const { world, random } = makeWorld(scene);
          const until = world.now + 7 * EPOCH;
          let passed = 0;
          const moment = () => {
            passed += 1;
            if (passed === kill) throw new Killed();
          };
          expect(() => runTool(world, moment, until, random)).toThrow(Killed);
          // Whatever command comes next starts a node that was stopped for this.
          if (otherCommand && !world.node.up && world.record?.nodeRan === true) world.startNode();
          world.pass(pause);
          const end = runTool(world, () => {}, until, random);
          check(world, scene, end, pause > 100 && !otherCommand);
        }
      }),
      { numRuns: 12 },
    );
  });
});
