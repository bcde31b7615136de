import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { suiteTempFolder } from '../helpers/temp.ts';
import { until } from './support/lifecycle.ts';
import { LoopProcess } from './support/loop-process.ts';
import { docker } from './support/project.ts';
import {
  describeProofs,
  type Interval,
  k2powTogether,
  lostProofs,
  outside,
  type ProofHistory,
  proofsTogether,
  readersTogether,
  unpublished,
  unregistered,
  workedAhead,
} from './support/schedule-judge.ts';
import { moversTogether } from './support/schedule-positions.ts';
import { ScheduleRig } from './support/schedule-rig.ts';
import { actMs, simulatedMakespan } from './support/simulated-rig.ts';

/*
 * Twelve identities on four disks over a whole epoch, one story: the initial proofs with nobody in the way, which the
 * simulator has to foretell, and then a gap in which everything happens at once. `test/engine/support/schedule-rig.ts`
 * says what a disk is here.
 */

const folder = suiteTempFolder('schedule');

/** k2pow in many small groups: where it is over sooner than a hold can come the schedule does not work ahead. */
const TIMES = { groups: 60, groupMs: 200, readMs: 10_000, prepareMs: 300 };
/** In the gap everything is quicker; k2pow still takes three looks, or no hold could come in time. */
const GAP_K2POW_TIMES = 0.25;
const GAP_READ_TIMES = 0.5;
const K2POW_SLOTS = 5;
/** Eight proofs of 2.3 GiB. */
const MEMORY_GIB = 19;
const PROOFS = 8;
const LOOK_SECONDS = 1;

/** Seconds after genesis: the gap opens at 91 and closes at 180; who has proved registers from 120 on. */
const EPOCH = 94;
const PHASE_SHIFT = 86;
const CYCLE_GAP = 89;
const GRACE = 60;
const GENESIS_IN = 5;

/** A hold is set by the schedule after a look, and felt by a prover within its next step. */
const FELT_MS = 400;
/** Slots change hands by one act after the other. */
const HANDED_OVER_MS = 2000;
/** In which a schedule that has just begun, or after somebody else started everything, has all under its budgets. */
const SETTLES_MS = 8000;

let rig: ScheduleRig;
const loops: LoopProcess[] = [];

beforeAll(async () => {
  const disks = ['d1', 'd2', 'd3', 'd4'];
  const bytesPerSecond = `${(2048 / TIMES.readMs).toFixed(4)}kB/s`;
  rig = await ScheduleRig.make({
    folder,
    disks,
    perDisk: 3,
    times: TIMES,
    layerSeconds: 2,
    genesisInSeconds: GENESIS_IN,
    layersPerEpoch: EPOCH / 2,
    poet: {
      phaseShift: `${PHASE_SHIFT}s`,
      cycleGap: `${CYCLE_GAP}s`,
      gracePeriod: `${GRACE}s`,
      positioningAtxTimeout: '1s',
    },
    defaults: { randomx: 'fast' },
    schedule: {
      k2pow: K2POW_SLOTS,
      memory: `${MEMORY_GIB}g`,
      every: `${LOOK_SECONDS}s`,
      rates: {
        // Two units a group, with one thread of all.
        k2pow: (2 / TIMES.groupMs) * 1000 * availableParallelism(),
        disks: Object.fromEntries(disks.map((disk) => [disk, bytesPerSecond])),
      },
    },
  });
  rig.latePoet([0]);
  await rig.startNode();
  rig.poll();
  startLoop();
});

afterAll(async () => {
  await loops.at(-1)?.end('SIGTERM');
  await rig?.close();
});

function startLoop(): void {
  loops.push(new LoopProcess(folder));
}

const done = (proofs: readonly ProofHistory[]) => proofs.filter(({ end }) => end === 'handed-over');

/** What the budgets say of these proofs; memory, which nobody can take back, only where it is asked for. */
function excesses(proofs: readonly ProofHistory[], allowed: readonly Interval[], memory: boolean) {
  const found = [
    ...readersTogether(proofs, FELT_MS),
    ...moversTogether(rig.samples, rig.disks, rig.crawl, HANDED_OVER_MS),
    ...k2powTogether(proofs, K2POW_SLOTS, HANDED_OVER_MS),
    ...(memory ? proofsTogether(proofs, PROOFS, 0) : []),
  ];
  return outside(found, allowed);
}

const startsOf = (since: number) =>
  rig.engine.filter(({ at, action, service }) => at >= since && action === 'start' && service !== 'node');

const alarmed = (code: string, name: string) =>
  loops
    .flatMap(({ lines }) => lines)
    .some((line) => line['kind'] === 'alarm' && line['code'] === code && line['name'] === name);

/** Why it waits, by the last look. */
function waits(name: string): string | undefined {
  const look = loops.at(-1)?.lines.findLast(({ kind }) => kind === 'tick');
  const waiting = (look?.['waiting'] ?? []) as readonly { readonly name: string; readonly why: string }[];
  return waiting.find((one) => one.name === name)?.why;
}

const untilTrue = (what: string, holds: () => boolean, timeoutMs = 60_000) =>
  until(
    what,
    async () => holds(),
    (is) => is,
    timeoutMs,
  );

describe('initial proofs, with nobody in the way', () => {
  it('S36: a second schedule is refused', async () => {
    await untilTrue('the first looks', () => (loops[0]?.lines.length ?? 0) > 0);
    const second = await rig.project.smesh(['run', '--once', '--json']);
    expect(second.code, second.stderr).toBe(75);
    expect(JSON.parse(second.stdout)).toMatchObject({ error: { code: 'schedule-busy' } });
  });

  it('S28, S29: all twelve, one reader per disk, k2pow of the next ahead and held', async () => {
    await untilTrue('everybody has proved', () => done(rig.proofs()).length === 12, 100_000);
    const proofs = rig.proofs();
    expect(excesses(proofs, [], true), describeProofs(proofs)).toEqual([]);
    expect(lostProofs(proofs)).toEqual([]);
    expect(proofs).toHaveLength(12);
    expect(workedAhead(proofs, TIMES.groups).length, describeProofs(proofs)).toBeGreaterThanOrEqual(3);
  });

  it('takes as long as the simulator says, within 15 %', () => {
    const budgets = {
      k2powSlots: K2POW_SLOTS,
      memoryBytes: MEMORY_GIB * 2 ** 30,
      lookEveryMs: LOOK_SECONDS * 1000,
    };
    const simulated = simulatedMakespan(rig.disks, TIMES, budgets, actMs(loops[0]?.lines ?? []));
    const ends = done(rig.proofs()).map(({ whole }) => whole.to);
    const took = Math.max(...ends) - rig.firstStart();
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    console.info(`twelve proofs took ${seconds(took)}, simulated ${seconds(simulated)}`);
    expect(took / simulated).toBeGreaterThan(0.85);
    expect(took / simulated).toBeLessThan(1.15);
  });
});

describe('the gap, with everybody in the way', () => {
  const allowed: Interval[] = [];
  let since: number;
  /** From here on there is no schedule until the next begins. */
  let left: number;

  const settlesFrom = (from: number) => allowed.push({ from, to: Date.now() + SETTLES_MS });

  /** As nobody can catch: it ends wherever it is, and another one comes. */
  async function killLoop(): Promise<void> {
    const from = Date.now();
    expect(await loops.at(-1)?.end('SIGKILL')).toBeNull();
    startLoop();
    settlesFrom(from);
  }

  const reads = (service: string) =>
    rig.proofs(since).some((proof) => proof.service === service && proof.reading.length > 0);

  it('S27: the PoET is late: nobody is started before the node wants it, whatever the clock says', async () => {
    const opens = rig.project.genesis + (EPOCH + PHASE_SHIFT - CYCLE_GAP) * 1000;
    const lives = () => rig.project.lives();
    await until('all that rest are stopped', lives, (found) =>
      Object.entries(found).every(([name, life]) => name === 'node' || life.endsWith('exited')),
    );
    for (const service of rig.services) rig.misfortune(service, { k2powTimes: GAP_K2POW_TIMES });
    for (const disk of new Set(rig.disks.values())) rig.slow(disk, GAP_READ_TIMES);
    rig.misfortune('post-0004', { k2powTimes: GAP_K2POW_TIMES, fails: true });
    rig.misfortune('post-0006', { k2powTimes: GAP_K2POW_TIMES, firstInvalid: true });
    rig.moveData('post-0002', 'away');
    await sleep(Math.max(opens + 3000 - Date.now(), 0));
    expect(startsOf(opens - 3000)).toEqual([]);
    since = Date.now();
    rig.latePoet([]);
    await untilTrue('somebody is started', () => startsOf(since).length > 0);
    expect(rig.wanted().length).toBeGreaterThan(0);
  });

  it('S30: restarted while it proves, it begins anew and is told of; stopped by a person, it stays stopped', async () => {
    const restarts = async () => {
      await untilTrue('post-0003 reads', () => reads('post-0003'));
      const from = Date.now();
      await docker('restart', '-t', '1', await rig.project.containerOf('post-0003'));
      // Between its end and its new start its place is free, and the schedule may have given it to the next.
      settlesFrom(from);
    };
    const stops = async () => {
      await untilTrue('post-0001 reads', () => reads('post-0001'));
      await docker('stop', '-t', '1', await rig.project.containerOf('post-0001'));
    };
    await Promise.all([restarts(), stops()]);
    await untilTrue('the loss is told', () => alarmed('work-lost', 'post-0003'));
    await untilTrue('it is told who waits for a person', () => waits('post-0001') === 'stopped-by-person');
  });

  it('S33: a stuck proof is restarted once, and the second time it is an alarm', async () => {
    await untilTrue('it is told', () => alarmed('stuck', 'post-0004'));
    const acts = loops
      .flatMap(({ lines }) => lines)
      .filter(({ kind, act }) => kind === 'act' && act === 'restart');
    expect(acts.map(({ name }) => name)).toEqual(['post-0004']);
    rig.misfortune('post-0004', { k2powTimes: GAP_K2POW_TIMES });
    const from = Date.now();
    await docker('restart', '-t', '1', await rig.project.containerOf('post-0004'));
    settlesFrom(from);
  });

  it('S32: an invalid proof is made once more', async () => {
    const own = () => rig.proofs(since).filter(({ service }) => service === 'post-0006');
    await untilTrue('it is made again', () => own().length > 1);
    expect(own()[0]?.end).toBe('invalid');
  });

  it('a disk that is away keeps only its own from proving', async () => {
    await untilTrue('it is told', () => alarmed('data-away', 'post-0002'));
    expect(startsOf(since).some(({ service }) => service === 'post-0002')).toBe(false);
    rig.moveData('post-0002', 'back');
  });

  it('SIGTERM leaves all provers as they are', async () => {
    left = Date.now();
    expect(await loops.at(-1)?.end('SIGTERM')).toBe(0);
    const after = await rig.project.lives();
    const working = rig.proofs(since).filter(({ end }) => end === 'open');
    expect(working.length).toBeGreaterThan(2);
    for (const { service } of working) expect(after[service], service).toMatch(/ running$/);
    await sleep(1000);
    expect(await rig.project.lives()).toEqual(after);
  });

  it('S31, S35: docker compose up in between, three kills, a restart of the node: nothing is lost', async () => {
    // What is left is to last until the last kill.
    for (const disk of new Set(rig.disks.values())) rig.slow(disk, 1.5);
    startLoop();
    await rig.project.compose('up', '-d');
    settlesFrom(left);
    await sleep(SETTLES_MS + 2000);
    const atWork = () => rig.proofs(since).filter(({ end }) => end === 'open').length;
    expect(atWork()).toBeGreaterThan(2);
    await killLoop();
    await sleep(3000);
    expect(atWork()).toBeGreaterThan(1);
    const restarted = Date.now();
    await Promise.all([docker('restart', await rig.project.containerOf('node')), killLoop()]);
    await sleep(3000);
    expect(atWork()).toBeGreaterThan(0);
    await killLoop();
    const missing = () => unpublished(rig.ledger('node'), rig.ids, 1);
    await untilTrue('everybody has published', () => missing().length === 0, 80_000);
    const proofs = rig.proofs(since);
    const lost = lostProofs(proofs).map(({ service }) => service);
    expect(lost.toSorted(), describeProofs(proofs)).toEqual(['post-0001', 'post-0003']);
    expect(excesses(proofs, allowed, false), describeProofs(proofs)).toEqual([]);
    expect(startsOf(left).filter(({ service }) => service === 'post-0001')).toHaveLength(1);
    // Nobody proved twice, but for who gave its proof to a node that was ending (spacemesh.md §3.2).
    const given = done(proofs).filter(
      ({ whole }) => whole.to < restarted - 1000 || whole.to > restarted + 5000,
    );
    expect(given.map(({ service }) => service).toSorted()).toEqual(
      rig.services.filter((service) => given.some((proof) => proof.service === service)),
    );
  });

  it('everybody is registered for the next round', async () => {
    await untilTrue('everybody is', () => unregistered(rig.ledger('node'), rig.ids, 1).length === 0);
  });
});
