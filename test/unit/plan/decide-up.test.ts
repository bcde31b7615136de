import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LABEL } from '../../../src/domain/compose/labels.ts';
import type { ContainerState } from '../../../src/domain/compose/observed.ts';
import { CONTAINER_STATES } from '../../../src/domain/compose/observed.ts';
import { decideUp, type UpFacts } from '../../../src/domain/plan/decide-up.ts';
import type { ContainerStep, Plan } from '../../../src/domain/plan/steps.ts';
import type { StopRisk } from '../../../src/domain/proving/stop-risk.ts';
import { desired, observed, upFacts } from './observed.ts';

const PROVING: StopRisk = {
  safe: false,
  loses: 'work',
  why: 'is proving: 41 % read',
  proving: true,
  fraction: 0.41,
};
const IDLE: StopRisk = { safe: true, why: 'is idle' };

function stepOf(plan: Plan, service: string): ContainerStep | undefined {
  return plan.steps.find((step): step is ContainerStep => 'service' in step && step.service === service);
}

function decide(facts: Partial<UpFacts>, force = false, services?: readonly string[]): Plan {
  return decideUp(upFacts(facts), { force, ...(services === undefined ? {} : { services }) });
}

describe('decideUp: what is there and what is not', () => {
  it('creates everything at first, the node before the provers', () => {
    const plan = decide({ desired: [desired('post-0001'), desired('post-0002'), desired('node')] });
    expect(plan.steps.map((step) => step.kind)).toEqual([
      'create-service',
      'create-service',
      'create-service',
    ]);
    expect(plan.steps[0]).toMatchObject({ service: 'node' });
    expect(plan.headline).toBe('First start of the node and 2 post-services:');
  });

  it('says which image it will have to pull', () => {
    const { imageId: _, ...withoutImage } = desired('node', { image: 'spacemeshos/go-spacemesh:v1.7.6' });
    const plan = decide({ desired: [withoutImage] });
    expect(stepOf(plan, 'node')).toMatchObject({
      kind: 'create-service',
      why: 'pulls spacemeshos/go-spacemesh:v1.7.6',
    });
  });

  it('keeps what runs as defined and says what it does', () => {
    const plan = decide({
      desired: [desired('node'), desired('post-0001')],
      containers: [observed('node'), observed('post-0001')],
      stopRisks: new Map([['post-0001', PROVING]]),
    });
    expect(stepOf(plan, 'node')).toEqual({ kind: 'keep-service', service: 'node' });
    expect(stepOf(plan, 'post-0001')).toEqual({
      kind: 'keep-service',
      service: 'post-0001',
      note: 'is proving: 41 % read',
    });
    expect(plan.headline).toBe('Everything runs as smesh.yaml wants it:');
  });

  it('starts without recreating what is stopped and unchanged', () => {
    const plan = decide({
      desired: [desired('post-0001')],
      containers: [observed('post-0001', { state: 'exited', exitCode: 137, oomKilled: true })],
    });
    expect(stepOf(plan, 'post-0001')).toEqual({
      kind: 'start-service',
      service: 'post-0001',
      why: 'was killed: the host ran out of memory',
    });
  });

  it('leaves to a schedule whom it keeps down, unless they are named', () => {
    const facts = {
      desired: [desired('post-0001'), desired('post-0002')],
      containers: [
        observed('post-0001', { state: 'exited', exitCode: 143 }),
        observed('post-0002', { state: 'exited', exitCode: 143 }),
      ],
      schedule: { runs: true, keptDown: new Set(['post-0001']) },
    };
    const plan = decide(facts);
    expect(stepOf(plan, 'post-0001')).toMatchObject({
      kind: 'keep-service',
      note: 'is left to the schedule',
    });
    expect(stepOf(plan, 'post-0002')?.kind).toBe('start-service');
    expect(stepOf(decide(facts, false, ['post-0001']), 'post-0001')?.kind).toBe('start-service');
  });

  it('leaves a paused container to whoever paused it', () => {
    const plan = decide({
      desired: [desired('post-0001')],
      containers: [observed('post-0001', { state: 'paused' })],
    });
    expect(stepOf(plan, 'post-0001')).toMatchObject({
      kind: 'hold-back',
      next: 'docker unpause test-post-0001-1',
    });
  });

  it('touches only the services asked for, and then no removed identity', () => {
    const plan = decide(
      {
        desired: [desired('node'), desired('post-0001'), desired('post-0002')],
        containers: [observed('post-0009')],
        removed: ['post-0009'],
      },
      false,
      ['post-0002'],
    );
    expect(plan.steps).toHaveLength(1);
    expect(stepOf(plan, 'post-0002')?.kind).toBe('create-service');
  });
});

describe('decideUp: recreating provers', () => {
  const changed = {
    desired: [desired('post-0001', { configHash: 'other' })],
    containers: [observed('post-0001')],
  };

  it('recreates an idle prover whose definition changed', () => {
    const plan = decide({ ...changed, stopRisks: new Map([['post-0001', IDLE]]) });
    expect(stepOf(plan, 'post-0001')).toEqual({
      kind: 'recreate-service',
      service: 'post-0001',
      why: 'its definition in compose.yaml has changed',
      cost: 'nothing: it is idle',
      running: true,
    });
  });

  it('postpones one that proves, naming how far it is and how to insist', () => {
    const step = stepOf(decide({ ...changed, stopRisks: new Map([['post-0001', PROVING]]) }), 'post-0001');
    expect(step).toMatchObject({ kind: 'postpone-service' });
    expect(JSON.stringify(step)).toContain('41 % read');
    expect(JSON.stringify(step)).toContain('smesh-compose up post-0001');
    expect(JSON.stringify(step)).toContain('--force');
  });

  it('counts one that cannot be asked as proving', () => {
    expect(stepOf(decide(changed), 'post-0001')?.kind).toBe('postpone-service');
  });

  it('recreates a proving one when forced, and names what is lost', () => {
    const step = stepOf(
      decide({ ...changed, stopRisks: new Map([['post-0001', PROVING]]) }, true),
      'post-0001',
    );
    expect(step).toMatchObject({
      kind: 'recreate-service',
      cost: 'its work: it is proving: 41 % read',
    });
  });

  it('recreates a stopped one without ado', () => {
    const plan = decide({
      ...changed,
      containers: [observed('post-0001', { state: 'exited', exitCode: 0 })],
    });
    expect(stepOf(plan, 'post-0001')).toMatchObject({
      kind: 'recreate-service',
      cost: 'nothing: it is not running',
      running: false,
    });
  });

  it('names a new image, and one that was pulled anew under the same name', () => {
    const newer = decide({
      desired: [desired('post-0001', { image: 'example/image:v2', imageId: 'sha256:two', configHash: 'x' })],
      containers: [observed('post-0001', { state: 'exited' })],
    });
    expect(stepOf(newer, 'post-0001')).toMatchObject({ why: 'image example/image:v1 → example/image:v2' });
    const rebuilt = decide({
      desired: [desired('post-0001', { imageId: 'sha256:two' })],
      containers: [observed('post-0001', { state: 'exited' })],
    });
    expect(stepOf(rebuilt, 'post-0001')).toMatchObject({
      why: 'example/image:v1 has been built or pulled anew',
    });
  });

  it('does not stop a prover because its image was deleted here', () => {
    const { imageId: _, ...withoutImage } = desired('post-0001');
    const plan = decide({ desired: [withoutImage], containers: [observed('post-0001')] });
    expect(stepOf(plan, 'post-0001')?.kind).toBe('keep-service');
  });

  it('says when another Compose made the container', () => {
    const labels = { 'com.docker.compose.image': 'sha256:one', 'com.docker.compose.version': '2.20.0' };
    const plan = decide({ ...changed, containers: [observed('post-0001', { state: 'exited', labels })] });
    expect(JSON.stringify(stepOf(plan, 'post-0001'))).toContain(
      'Compose 2.26.1 reads it otherwise than 2.20.0',
    );
  });
});

describe('decideUp: the node', () => {
  const changed = { desired: [desired('node', { configHash: 'other' })], containers: [observed('node')] };
  const gap = {
    kind: 'waits',
    why: '7 identities have yet to register',
    names: ['post-0001'],
    until: 1,
  } as const;

  it('prices the proposals that a recreation misses, and does it all the same', () => {
    const missedProposals = 'a proposal may be missed: post-0001 is eligible in layer 7';
    expect(stepOf(decide({ ...changed, missedProposals }), 'node')).toMatchObject({
      kind: 'recreate-service',
      cost: `about 3 min; no proof is lost; ${missedProposals}`,
    });
  });

  it('recreates the node outside the gap: no proof is lost by it', () => {
    expect(stepOf(decide(changed), 'node')).toMatchObject({
      kind: 'recreate-service',
      cost: 'about 3 min; no proof is lost',
    });
  });

  it('names changed keys and a changed configuration, which the node reads only at its start', () => {
    const labels = { [LABEL.identities]: 'a', [LABEL.config]: 'b' };
    const node = observed('node', { labels: { ...observed('node').labels, ...labels } });
    const why = (changes: Record<string, string>) =>
      stepOf(
        decide({
          desired: [desired('node', { configHash: 'other', labels: { ...labels, ...changes } })],
          containers: [node],
        }),
        'node',
      );
    expect(why({ [LABEL.identities]: 'c' })).toMatchObject({ why: 'its set of keys has changed' });
    expect(why({ [LABEL.config]: 'c' })).toMatchObject({ why: 'node/config.json has changed' });
  });

  it('S17: leaves the node alone in the gap until all have registered, and says who waits', () => {
    const step = stepOf(decide({ ...changed, nodeChange: gap }), 'node');
    expect(step).toMatchObject({ kind: 'postpone-service', next: expect.stringContaining('--force') });
    expect(JSON.stringify(step)).toContain('7 identities have yet to register');
  });

  it('recreates it in the gap when forced, or when it does not run anyway', () => {
    expect(stepOf(decide({ ...changed, nodeChange: gap }, true), 'node')?.kind).toBe('recreate-service');
    const down = {
      ...changed,
      containers: [observed('node', { state: 'exited', exitCode: 1 })],
      nodeChange: gap,
    };
    expect(stepOf(decide(down), 'node')?.kind).toBe('recreate-service');
    const looping = { ...changed, containers: [observed('node', { state: 'restarting' })], nodeChange: gap };
    expect(stepOf(decide(looping), 'node')?.kind).toBe('recreate-service');
  });

  it('S17: two identities added: new provers and the node, the others untouched', () => {
    const plan = decide({
      desired: [desired('node', { configHash: 'other' }), desired('post-0001'), desired('post-0002')],
      containers: [observed('node'), observed('post-0001')],
      stopRisks: new Map([['post-0001', PROVING]]),
    });
    expect(plan.headline).toBe('1 identity added, so:');
    expect(plan.steps.map((step) => step.kind)).toEqual([
      'recreate-service',
      'keep-service',
      'create-service',
    ]);
  });
});

describe('decideUp: disks and removed identities', () => {
  const away = { why: '/mnt/d3 is empty: its disk is not mounted', next: 'mount it' };

  it('S21: holds back a prover whose disk is away, created or not, and goes on with the others', () => {
    const plan = decide({
      desired: [desired('post-0001'), desired('post-0002'), desired('post-0003')],
      containers: [observed('post-0002', { state: 'exited' })],
      hindrances: new Map([
        ['post-0001', away],
        ['post-0002', away],
      ]),
    });
    expect(plan.steps.map((step) => step.kind)).toEqual(['hold-back', 'hold-back', 'create-service']);
    expect(stepOf(plan, 'post-0001')).toMatchObject(away);
  });

  it('S21: a running prover keeps its hold on a disk that is gone, even when forced', () => {
    const facts = { containers: [observed('post-0001')], hindrances: new Map([['post-0001', away]]) };
    expect(stepOf(decide({ ...facts, desired: [desired('post-0001')] }), 'post-0001')?.kind).toBe(
      'keep-service',
    );
    const changed = { ...facts, desired: [desired('post-0001', { configHash: 'other' })] };
    expect(stepOf(decide(changed, true), 'post-0001')?.kind).toBe('hold-back');
  });

  it('takes away what a job left that is done, but not where services are asked for by name', () => {
    const facts = {
      desired: [desired('node')],
      containers: [observed('node'), observed('post-0009-init', { state: 'exited' })],
      endedJobs: ['post-0009-init'],
    };
    expect(decide(facts).steps).toContainEqual(
      expect.objectContaining({ kind: 'remove-service', service: 'post-0009-init', cost: 'nothing' }),
    );
    expect(decide(facts, false, ['node']).steps.map(({ kind }) => kind)).not.toContain('remove-service');
  });

  it("removes a removed identity's prover once that is safe", () => {
    const facts = { desired: [desired('node')], removed: ['post-0009'] };
    const containers = [observed('node'), observed('post-0009')];
    const removed = (risk: StopRisk | undefined, force = false) =>
      stepOf(
        decide({ ...facts, containers, stopRisks: new Map(risk && [['post-0009', risk]]) }, force),
        'post-0009',
      )?.kind;
    expect(removed(IDLE)).toBe('remove-service');
    expect(removed(PROVING)).toBe('postpone-service');
    expect(removed(undefined)).toBe('postpone-service');
    expect(removed(PROVING, true)).toBe('remove-service');
    const stopped = [observed('node'), observed('post-0009', { state: 'exited' })];
    expect(stepOf(decide({ ...facts, containers: stopped }), 'post-0009')?.kind).toBe('remove-service');
  });
});

describe('decideUp: for any state of the world', () => {
  const state = fc.constantFrom<ContainerState>(...CONTAINER_STATES);
  const risk = fc.constantFrom<StopRisk | undefined>(PROVING, IDLE, undefined);
  const prover = fc.record({
    present: fc.boolean(),
    state,
    risk,
    changed: fc.boolean(),
    rebuilt: fc.boolean(),
    away: fc.boolean(),
    removed: fc.boolean(),
  });
  const world = fc.record({
    provers: fc.array(prover, { maxLength: 8 }),
    nodeChanged: fc.boolean(),
    nodeState: state,
    waits: fc.boolean(),
  });

  function build(value: typeof world extends fc.Arbitrary<infer T> ? T : never): UpFacts {
    const named = value.provers.map((one, index) => ({ ...one, name: `post-${index}` }));
    return upFacts({
      desired: [
        desired('node', value.nodeChanged ? { configHash: 'other' } : {}),
        ...named
          .filter((one) => !one.removed)
          .map((one) =>
            desired(one.name, {
              ...(one.changed ? { configHash: 'other' } : {}),
              ...(one.rebuilt ? { imageId: 'sha256:two' } : {}),
            }),
          ),
      ],
      containers: [
        observed('node', { state: value.nodeState }),
        ...named.filter((one) => one.present).map((one) => observed(one.name, { state: one.state })),
      ],
      removed: named.filter((one) => one.removed).map((one) => one.name),
      stopRisks: new Map(named.flatMap((one) => (one.risk === undefined ? [] : [[one.name, one.risk]]))),
      hindrances: new Map(
        named.filter((one) => one.away).map((one) => [one.name, { why: 'away', next: 'mount it' }]),
      ),
      nodeChange: value.waits
        ? { kind: 'waits', why: '1 identity has yet to publish', names: [], until: 0 }
        : { kind: 'free' },
    });
  }

  it('never stops a prover that proves or may prove, unless forced', () => {
    fc.assert(
      fc.property(world, (value) => {
        const facts = build(value);
        for (const step of decideUp(facts, { force: false }).steps) {
          if (step.kind !== 'recreate-service' && step.kind !== 'remove-service') continue;
          if (step.service === 'node') continue;
          const container = facts.containers.find((one) => one.service === step.service);
          const up = container?.state === 'running' || container?.state === 'paused';
          expect(up && facts.stopRisks.get(step.service)?.safe !== true).toBe(false);
        }
      }),
    );
  });

  it('never starts, creates or recreates a prover whose data are away, forced or not', () => {
    fc.assert(
      fc.property(world, fc.boolean(), (value, force) => {
        const facts = build(value);
        for (const step of decideUp(facts, { force }).steps) {
          if (!('service' in step) || !facts.hindrances.has(step.service)) continue;
          expect(['hold-back', 'keep-service', 'remove-service', 'postpone-service']).toContain(step.kind);
        }
      }),
    );
  });

  it('a change of the node changes no step of any prover', () => {
    fc.assert(
      fc.property(world, fc.boolean(), (value, force) => {
        const provers = (nodeChanged: boolean) =>
          decideUp(build({ ...value, nodeChanged }), { force }).steps.filter(
            (step) => 'service' in step && step.service !== 'node',
          );
        expect(provers(true)).toEqual(provers(false));
      }),
    );
  });

  it('never stops a running node while it waits for the gap, unless forced', () => {
    fc.assert(
      fc.property(world, (value) => {
        const facts = build({ ...value, waits: true, nodeState: 'running' });
        const step = stepOf(decideUp(facts, { force: false }), 'node');
        expect(step?.kind).not.toBe('recreate-service');
      }),
    );
  });

  it('says something about every service exactly once', () => {
    fc.assert(
      fc.property(world, fc.boolean(), (value, force) => {
        const facts = build(value);
        const services = decideUp(facts, { force }).steps.flatMap((step) =>
          'service' in step ? [step.service] : [],
        );
        expect(new Set(services).size).toBe(services.length);
        for (const service of facts.desired) expect(services).toContain(service.name);
      }),
    );
  });
});

describe("decideUp: services of the user's own that depend on ours", () => {
  const changedProver = {
    containers: [observed('node'), observed('post-0001', { configHash: 'old' })],
    stopRisks: new Map([['post-0001', PROVING]]),
  };
  const monitor = desired('monitor', { role: 'other', dependsOn: ['exporter'] });
  const exporter = desired('exporter', { role: 'other', dependsOn: ['post-0001'] });
  const all = [desired('node'), desired('post-0001'), exporter, monitor];

  it('wait with a prover that is changed and proves: Compose would recreate it along with them', () => {
    const plan = decide({ ...changedProver, desired: all });
    for (const service of ['post-0001', 'exporter', 'monitor'])
      expect(stepOf(plan, service)).toMatchObject({ kind: 'postpone-service' });
    expect(stepOf(plan, 'monitor')).toMatchObject({ why: expect.stringContaining('post-0001') });
  });

  it('do not take along a changed prover that nobody asked for, idle or not', () => {
    const stopRisks = new Map([['post-0001', IDLE]]);
    const plan = decide({ ...changedProver, stopRisks, desired: all }, false, ['monitor']);
    expect(plan.steps).toMatchObject([{ kind: 'postpone-service', service: 'monitor' }]);
  });

  it('are made with a prover that is recreated anyway, or has not changed', () => {
    const idle = decide({ ...changedProver, stopRisks: new Map([['post-0001', IDLE]]), desired: all });
    expect(stepOf(idle, 'monitor')?.kind).toBe('create-service');
    const unchanged = decide({ containers: [observed('node'), observed('post-0001')], desired: all });
    expect(stepOf(unchanged, 'monitor')?.kind).toBe('create-service');
  });
});

describe('describeChange', () => {
  it("does not take a distribution's build number for another Compose", () => {
    const labels = { 'com.docker.compose.version': '2.26.1' };
    const plan = decide({
      desired: [desired('node')],
      containers: [observed('node', { configHash: 'old', labels })],
      composeVersion: '2.26.1-4',
    });
    expect(stepOf(plan, 'node')).toMatchObject({ why: 'its definition in compose.yaml has changed' });
  });
});
