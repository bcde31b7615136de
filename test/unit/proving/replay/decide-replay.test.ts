import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { identityProgress } from '../../../../src/domain/proving/identity-progress.ts';
import type { ContainerFacts } from '../../../../src/domain/proving/identity-state.ts';
import { isHeld } from '../../../../src/domain/proving/identity-state.ts';
import { NO_MEMORY } from '../../../../src/domain/proving/stop-memory.ts';
import { decide } from '../../../../src/domain/schedule/decide.ts';
import type { Decision, ScheduleAct } from '../../../../src/domain/schedule/decision.ts';
import {
  NO_COURTESY,
  type ProverFacts,
  type ScheduleObservation,
} from '../../../../src/domain/schedule/observation.ts';
import {
  certaintyOf,
  idOf,
  type Seen,
  type World,
  wantedBy,
} from '../../../../src/usecases/lifecycle/judge-look.ts';
import { POLICY } from '../../schedule/support/facts.ts';
import { type Look, lookAt, type ReplayOptions, WAYS } from './recorded-look.ts';
import { storyOf } from './recorded-story.ts';
import { EPISODES, instantsOf, MAY_STOP, type Truth } from './recorded-timeline.ts';
import { recordedProject } from './world.ts';

const recordings = process.env.SMESH_RECORDINGS;

/** Whoever looks as the schedule does, and decides. */
type Decider = (observation: ScheduleObservation, now: number) => Decision;

const ours: Decider = (observation, now) => decide(observation, POLICY, now);

/** The same eyes, one of them shut. */
const blind =
  (change: (facts: ProverFacts) => Partial<ProverFacts>, more: Partial<ScheduleObservation> = {}): Decider =>
  (observation, now) =>
    ours(
      {
        ...observation,
        ...more,
        provers: observation.provers.map((facts) => ({ ...facts, ...change(facts) })),
      },
      now,
    );

/** Believes the node alone, and that as soon as it answers (operators.md §0.1). */
const ignoresStatus = blind(
  ({ container }) =>
    container.kind === 'present' && container.state === 'running' ? { service: { kind: 'idle' } } : {},
  { node: 'settled' },
);
const ignoresNode = blind(() => ({ wanted: 'idle' }), { node: 'settled' });
/** Those that have no right to their disk are stopped instead of held. */
const stopsInsteadOfHolding: Decider = (observation, now) => {
  const decision = ours(observation, now);
  const acts = decision.acts.map(
    (act): ScheduleAct => (act.kind === 'hold' ? { ...act, kind: 'stop' } : act),
  );
  return { ...decision, acts };
};

/** Each on its own disk, or all on one: then almost everything is over budget. */
type Disks = 'own' | 'one';

interface Deed {
  readonly where: string;
  readonly kind: ScheduleAct['kind'];
  readonly truth: Truth;
  /** False: since its process began it has said nothing but that it is idle, so no work is lost whatever ends it. */
  readonly hasBegun: boolean;
}

interface Outcome {
  readonly deeds: readonly Deed[];
  readonly unsafe: readonly Deed[];
  readonly instants: number;
}

function replay(decider: Decider, options: ReplayOptions, disks: Disks): Outcome {
  const deeds: Deed[] = [];
  let instants = 0;
  for (const episodes of EPISODES) {
    let memory = NO_MEMORY;
    let next = 0;
    const all = instantsOf(recordings ?? '', episodes);
    const project = recordedProject(all[0]?.provers.map(({ name }) => name) ?? []);
    const story = storyOf(recordings ?? '', all, episodes);
    const begun = new Set<string>();
    for (const instant of all) {
      const { watchEverySeconds: every } = options;
      for (const { name, said, truth } of instant.provers) {
        if (truth === 'restarted') begun.delete(name);
        else if (said !== 'Idle' && truth !== 'not there') begun.add(name);
      }
      if (every !== undefined && instant.t < next) continue;
      next = instant.t + (every ?? 0);
      const before = every === undefined ? NO_MEMORY : memory;
      const look = lookAt({ instant, episodes, options, project, before, story });
      memory = look.memory;
      instants += 1;
      const observation = observed(look, disks);
      for (const act of decider(observation, look.world.now).acts) {
        const truth = instant.provers.find(({ name }) => name === act.name)?.truth;
        if (truth === undefined) throw new Error(act.name);
        const where = `${episodes.file} ${act.name} at ${instant.t}`;
        deeds.push({ where, kind: act.kind, truth, hasBegun: begun.has(act.name) });
      }
    }
  }
  return { deeds, unsafe: deeds.filter(isUnsafe), instants };
}

/** A recording goes on whatever is decided, so each act is judged by what was true when it was decided on. */
function isUnsafe({ kind, truth, hasBegun }: Deed): boolean {
  switch (kind) {
    case 'stop':
      return MAY_STOP[truth] === false && (truth !== 'handover' || hasBegun);
    case 'restart':
      return MAY_STOP[truth] === false;
    case 'start':
      return truth !== 'down';
    case 'release':
      // Nobody was held.
      return true;
    case 'hold':
      return false;
  }
}

function observed({ world, seen }: Look, disks: Disks): ScheduleObservation {
  return {
    at: world.now,
    layerMs: world.project.network.layerSeconds * 1000,
    timeline: world.timeline,
    node: certaintyOf(world),
    provers: world.project.identities.flatMap(({ name }) => {
      const one = seen.get(name);
      return one === undefined ? [] : [factsOf(world, one, disks)];
    }),
  };
}

function factsOf(world: World, seen: Seen, disks: Disks): ProverFacts {
  const { container, service: name, status, log, dataBytes, unchangedMs } = seen;
  const id = idOf(container, world.project);
  if (id === undefined) throw new Error(name);
  const { snapshot, timeline } = world;
  const events = snapshot?.events.ok ? snapshot.events.value : undefined;
  return {
    id,
    name,
    disk: disks === 'one' ? 'sda' : name,
    settings: { nonces: 128, threads: 1, randomx: 'fast', tellsGroups: false },
    units: 2,
    data: 'present',
    container: containerFacts(container),
    containerId: container.id,
    wanted: wantedBy(snapshot, id),
    unchangedMs,
    courtesy: NO_COURTESY,
    progress: identityProgress(
      { smesher: id, ...(events === undefined ? {} : { events }) },
      timeline.deadlines.epoch,
    ),
    ...(dataBytes === undefined ? {} : { dataBytes }),
    ...(status === undefined ? {} : { service: status }),
    ...(log === undefined ? {} : { log }),
  };
}

function containerFacts(container: Seen['container']): ContainerFacts {
  const { state, startedAt, finishedAt, exitCode, host } = container;
  return {
    kind: 'present',
    state,
    held: isHeld(host),
    oomKilled: false,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
    ...(exitCode === undefined || state === 'running' ? {} : { exitCode }),
  };
}

const DISKS: readonly Disks[] = ['own', 'one'];
const BARE: ReplayOptions = { withEvidence: false, pauseUnseen: false };
const WATCHED: ReplayOptions = { watchEverySeconds: 1, withEvidence: true, pauseUnseen: false };

const count = ({ deeds }: Outcome, kind: ScheduleAct['kind'], truth?: Truth) =>
  deeds.filter((deed) => deed.kind === kind && (truth === undefined || deed.truth === truth)).length;

describe.skipIf(recordings === undefined)(
  'recorded timelines through the schedule (SMESH_RECORDINGS)',
  { timeout: 60_000 },
  () => {
    it('S31: it never does anything unsafe, looking once or watching, on one disk or on several', () => {
      let instants = 0;
      for (const disks of DISKS) {
        for (const options of WAYS) {
          const outcome = replay(ours, options, disks);
          instants += outcome.instants;
          expect(outcome.unsafe.slice(0, 5), `${disks} ${JSON.stringify(options)}`).toEqual([]);
        }
      }
      expect(instants).toBeGreaterThan(4000);
    });

    it('and does something: idle ones are stopped, wanted ones started, a second reader held', () => {
      const own = replay(ours, WATCHED, 'own');
      expect(count(own, 'stop', 'rest')).toBeGreaterThan(100);
      const one = replay(ours, WATCHED, 'one');
      expect(count(one, 'hold', 'proving')).toBeGreaterThan(20);
      console.info(
        `acts: ${['start', 'stop', 'hold', 'restart']
          .map((kind) => `${kind} ${count(one, kind as ScheduleAct['kind'])}`)
          .join(', ')}`,
      );
    });

    it.each([
      { mutant: 'ignores /status', decider: ignoresStatus, truth: 'proving', disks: 'own' },
      { mutant: 'ignores the node', decider: ignoresNode, truth: 'handover', disks: 'own' },
      {
        mutant: 'stops instead of holding',
        decider: stopsInsteadOfHolding,
        truth: 'proving',
        disks: 'one',
      },
    ] as const)('one that $mutant is found out', ({ decider, truth, disks }) => {
      const { unsafe } = replay(decider, BARE, disks);
      expect(unsafe.filter((deed) => deed.truth === truth).length).toBeGreaterThan(0);
    });
  },
);
