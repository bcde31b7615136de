import type { SimulatedIdentity, SimulationResult } from './record.ts';
import type { World } from './world.ts';

/** What has become of everybody, from what was recorded. */
export function resultOf(world: World, decisions: number, livelock: boolean): SimulationResult {
  const { record } = world;
  record.end(world.now);
  const identities = world.provers.map(({ plan, index }): SimulatedIdentity => {
    const { phase: _, heldSince: __, ...life } = record.life(index);
    return { id: plan.id, name: plan.name, disk: plan.disk, units: plan.units, ...life };
  });
  const makespanMs = makespanOf(identities);
  return {
    startedAt: world.farm.node.startsAt,
    endedAt: world.now,
    identities,
    ...(makespanMs === undefined ? {} : { makespanMs }),
    peakMemoryBytes: record.peakMemoryBytes,
    lost: record.lost,
    violations: record.violations,
    acts: record.acts,
    decisions,
    running: namesOf(world, ({ state }) => state === 'running'),
    held: namesOf(world, ({ hold }) => hold !== 'none'),
    livelock,
  };
}

function namesOf(world: World, chosen: (prover: World['provers'][number]) => boolean): string[] {
  return world.provers.filter(chosen).map(({ plan }) => plan.name);
}

function makespanOf(identities: readonly SimulatedIdentity[]): number | undefined {
  const wanted = identities.filter(({ wantedAt }) => wantedAt !== undefined);
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const { wantedAt, doneAt } of wanted) {
    if (wantedAt === undefined || doneAt === undefined) return undefined;
    from = Math.min(from, wantedAt);
    to = Math.max(to, doneAt);
  }
  return wanted.length === 0 ? undefined : to - from;
}
