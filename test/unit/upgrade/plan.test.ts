import { describe, expect, it } from 'vitest';
import type { ObservedContainer } from '../../../src/domain/compose/observed.ts';
import type { SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import type { NodeEvent } from '../../../src/domain/node/events.ts';
import type { NodeChange } from '../../../src/domain/plan/node-change.ts';
import type { Project } from '../../../src/domain/project/types.ts';
import type { StopRisk } from '../../../src/domain/proving/stop-risk.ts';
import { parseImageReference } from '../../../src/domain/upgrade/image-reference.ts';
import type { NodeSnapshot } from '../../../src/ports/node-api.ts';
import { renderPlan } from '../../../src/ui/plan.ts';
import type { ProverLooks } from '../../../src/usecases/lifecycle/look-at-provers.ts';
import type { Change } from '../../../src/usecases/upgrade/choose.ts';
import type { Standing } from '../../../src/usecases/upgrade/look.ts';
import { nodeWaits, planUpgrade } from '../../../src/usecases/upgrade/plan.ts';
import { observed } from '../plan/observed.ts';

const ID = 'a1'.repeat(32) as SmesherId;
const LAYER = 300_000;

const project = {
  identities: ['post-0001', 'post-0002', 'post-0003'].map((name) => ({
    name,
    id: name === 'post-0001' ? ID : name,
  })),
  network: { genesisTime: new Date(0).toISOString(), layerSeconds: LAYER / 1000, layersPerEpoch: 4032 },
} as unknown as Project;

function image(text: string) {
  const reference = parseImageReference(text);
  if (reference === undefined) throw new Error(text);
  return reference;
}

const changes: readonly Change[] = [
  { use: 'node', from: [image('a/node:v1.7.6')], to: image('a/node:v1.7.7') },
  { use: 'post-service', from: [image('a/post:v0.8.5')], to: image('a/post:v0.8.6') },
];

function container(service: string, more: Partial<ObservedContainer> = {}): ObservedContainer {
  const role = service === 'node' ? 'node' : 'prover';
  return observed(service, {
    image: role === 'node' ? 'a/node:v1.7.6' : 'a/post:v0.8.5',
    labels: { 'io.smesh-compose.role': role },
    ...more,
  });
}

function eligibleIn(layer: number): NodeSnapshot {
  const event: NodeEvent = {
    ...{
      kind: 'eligibilities',
      smesher: ID,
      epoch: 1,
      atx: 'aa',
      activeSetSize: 1,
      layers: [{ layer, count: 1 }],
    },
    ...{ at: 0, failed: false, help: '' },
  };
  return { events: { ok: true, value: [event] } } as unknown as NodeSnapshot;
}

const WORKS: StopRisk = { safe: false, loses: 'work', why: 'is proving: 41 % read', proving: true };

function looksOf(
  risks: Record<string, StopRisk>,
  nodeChange: NodeChange = { kind: 'free' },
  at = 0,
): ProverLooks {
  const provers = new Map(Object.entries(risks).map(([service, risk]) => [service, { service, risk }]));
  return { at, provers, nodeChange } as unknown as ProverLooks;
}

function render(standing: Partial<Standing>, looks: ProverLooks, force = false): string {
  const whole = { own: [], databases: { fresh: false }, ...standing } as Standing;
  return renderPlan(planUpgrade(project, whole, looks, changes, force), { columns: 200, color: false });
}

describe('S41: what an upgrade will do', () => {
  const own = [
    container('post-0001'),
    container('post-0002'),
    container('post-0003', { state: 'exited' }),
    container('node'),
  ];
  const [, , , node] = own;
  const risks = { 'post-0001': { safe: true, why: 'is idle' }, 'post-0002': WORKS } as const;

  it('idle ones, the node, then who proves; who is down stays down', () => {
    const text = render({ own, ...(node === undefined ? {} : { node }) }, looksOf(risks));
    expect(text.split('\n').map((line) => line.trim().replace(/\s+/g, ' ').slice(0, 70))).toEqual([
      'Upgrade of the node to a/node:v1.7.7 and 3 post-services to a/post:v0.',
      '~ recreate post-0001 v0.8.5 → v0.8.6. Costs nothing: it is idle',
      '~ recreate node v1.7.6 → v1.7.7; must be healthy, in sync and found by',
      '! postpone post-0002 v0.8.5 → v0.8.6; but it is proving: 41 % read',
      '→ waits for it: smesh-compose upgrade --wait (--force: now, its work i',
      '= keep post-0003 same containers',
      '! look at post-0003 is down: v0.8.5 → v0.8.6 by smesh-compose up, not ',
    ]);
  });

  it('a prover that nobody has looked at is not touched; --force touches all, and says what it costs', () => {
    const unknown = looksOf({ 'post-0001': risks['post-0001'] });
    expect(render({ own }, unknown)).toMatch(/postpone +post-0002 .*cannot be asked what it does/);
    expect(render({ own }, looksOf(risks), true)).toMatch(
      /recreate +post-0002 .*Costs its work: it is proving: 41 %/,
    );
  });

  it('the node waits for the cycle gap, and for a layer in which one of ours is eligible', () => {
    const gap: NodeChange = {
      kind: 'waits',
      why: '1 identity has yet to publish',
      names: ['post-0001'],
      until: 9,
    };
    const waits = (looks: ProverLooks, snapshot?: NodeSnapshot, now = 10 * LAYER) =>
      nodeWaits(project, looks, snapshot, now);
    expect(waits(looksOf(risks, gap))).toMatchObject({ why: '1 identity has yet to publish' });
    expect(waits(looksOf(risks), eligibleIn(10))).toEqual({
      why: 'a proposal may be missed: post-0001 is eligible in layer 10',
      until: 11 * LAYER,
    });
    expect(waits(looksOf(risks), eligibleIn(12))).toBeUndefined();
    const text = render(
      { own, snapshot: eligibleIn(10), ...(node === undefined ? {} : { node }) },
      looksOf(risks, { kind: 'free' }, 10 * LAYER),
    );
    expect(text).toMatch(
      /postpone +node .*Waits: a proposal may be missed: post-0001 is eligible in layer 10/,
    );
  });
});
