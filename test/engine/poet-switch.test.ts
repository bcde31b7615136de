import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNodeApi } from '../../src/adapters/node-api/index.ts';
import { createLocalDatabase } from '../../src/adapters/sqlite/index.ts';
import { parseSmesherId } from '../../src/domain/identity/smesher-id.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { logOf, plain, turnKnobs, until } from './support/lifecycle.ts';
import { type ExternalPoet, ExternalPoets, type Rhythm } from './support/poets.ts';
import { docker, TestProject } from './support/project.ts';

const EPOCH = 40;

/** The gap opens 6 s into the epoch, and the round begins 30 s into it. */
const USUAL: Rhythm = { phaseShift: 30, cycleGap: 24 };
/** A short gap: from the start of its round until the proof is asked for no more there is time to break and to cure. */
const LATE: Rhythm = { phaseShift: 34, cycleGap: 18 };
const EARLY: Rhythm = { phaseShift: 4, cycleGap: 24 };

const QUICK = {
  SIM_POETS: 'external',
  SIM_START_DELAY_MS: '300',
  SIM_SYNC_DELAY_MS: '200',
  SIM_LINGER_MS: '1000',
};
const SOON = ['--start-time', '1s'];

let poets: ExternalPoets;

beforeAll(async () => {
  poets = await ExternalPoets.prepare();
});

afterAll(async () => {
  await poets.stop();
});

/** A network with a clock of seconds, its node and two identities. */
class Farm {
  readonly project: TestProject;
  readonly folder: string;
  readonly poets = new Map<string, ExternalPoet>();
  readonly grace: number;

  private constructor(project: TestProject, grace: number) {
    this.project = project;
    this.folder = project.folder;
    this.grace = grace;
  }

  static async make(name: string, rhythm: Rhythm, grace = 4): Promise<Farm> {
    const project = await TestProject.make(suiteTempFolder(name), 2, 1, 2);
    const farm = new Farm(project, grace);
    const first = await farm.addPoet('usual', rhythm);
    project.change({
      layersPerEpoch: EPOCH,
      externalPoets: true,
      poet: {
        servers: [{ address: first.address, pubkey: first.pubkey }],
        phaseShift: `${rhythm.phaseShift}s`,
        cycleGap: `${rhythm.cycleGap}s`,
        gracePeriod: `${grace}s`,
        positioningAtxTimeout: '1s',
        retryDelay: '1s',
        retryMax: 1,
      },
    });
    turnKnobs(project, { node: QUICK });
    return farm;
  }

  async addPoet(name: string, rhythm: Rhythm): Promise<ExternalPoet> {
    const poet = await poets.start(this.project, EPOCH, rhythm);
    this.poets.set(name, poet);
    const { address, phaseShift, cycleGap } = poet;
    writeFileSync(
      join(this.folder, `${name}.yaml`),
      `servers:\n  - address: ${address}\nphaseShift: ${phaseShift}s\ncycleGap: ${cycleGap}s\n`,
    );
    return poet;
  }

  /** Seconds into an epoch. */
  async at(epoch: number, seconds: number): Promise<void> {
    await sleep(Math.max(0, this.project.genesis + (epoch * EPOCH + seconds) * 1000 - Date.now()));
  }

  get time(): string {
    const seconds = (Date.now() - this.project.genesis) / 1000;
    return `epoch ${Math.floor(seconds / EPOCH)} +${(seconds % EPOCH).toFixed(1)}`;
  }

  get smeshYaml(): string {
    return readFileSync(join(this.folder, 'smesh.yaml'), 'utf8');
  }

  async rows(): Promise<readonly { id: string; epoch?: number; at: readonly string[]; post: boolean }[]> {
    const read = await createLocalDatabase().read(join(this.folder, 'node-data/local.sql'));
    if (read.kind !== 'read') throw new Error(JSON.stringify(read));
    return read.identities.map(({ smesherId, challenge, registrations, post }) => ({
      id: smesherId,
      post,
      at: registrations.map(({ address, roundId }) => `${address} ${roundId}`),
      ...(challenge === undefined ? {} : { epoch: challenge.publishEpoch }),
    }));
  }

  /** Publish epochs of the ATXs that the node knows. */
  async published(): Promise<readonly number[]> {
    const { publicApi, privateApi } = this.project.ports;
    const { activations } = await createNodeApi().snapshot(
      { publicApi: `127.0.0.1:${publicApi}`, privateApi: `127.0.0.1:${privateApi}` },
      {
        timeoutMs: 3000,
        withoutEvents: true,
        activationsOf: this.project.identities.flatMap(({ smesherId }) => parseSmesherId(smesherId) ?? []),
      },
    );
    if (!activations.ok) throw new Error(activations.error.message);
    return activations.value.map(({ publishEpoch }) => publishEpoch).sort();
  }

  /** Container and start of each post-service: a proof is in it. */
  async provers(): Promise<Record<string, string>> {
    const { node: _, ...rest } = await this.project.lives();
    return rest;
  }

  async cleanUp(): Promise<void> {
    await this.project.cleanUp();
  }

  smesh(...args: string[]) {
    return this.project.smesh(args);
  }
}

const recordOf = (farm: Farm) => existsSync(join(farm.folder, '.smesh/poet-switch.json'));

async function nodeState(farm: Farm): Promise<string> {
  const id = await farm.project.containerOf('node');
  return id === '' ? 'absent' : docker('inspect', '-f', '{{.State.Status}} {{.RestartCount}}', id);
}

/** Runs the tool and ends it with SIGKILL as soon as something is so. */
async function killedWhen(farm: Farm, args: readonly string[], holds: () => Promise<boolean>): Promise<void> {
  let kill: (signal: NodeJS.Signals) => void = () => {};
  const run = farm.project.smesh(args, {
    onStart: (killer) => {
      kill = killer;
    },
  });
  await until('the moment to kill it', holds, (so) => so, 60_000);
  kill('SIGKILL');
  expect((await run).signal).toBe('SIGKILL');
}

/** What a person does who knows no window: another list, and the node made anew at once. */
async function editByHand(farm: Farm, to: ExternalPoet): Promise<void> {
  const present = farm.smeshYaml;
  const servers = / {2}servers:\n(?: {4}.*\n)+/;
  const text = present
    .replace(servers, `  servers:\n    - address: ${to.address}\n      pubkey: ${to.pubkey}\n`)
    .replace(/phaseShift: .*/, `phaseShift: ${to.phaseShift}s`)
    .replace(/cycleGap: .*/, `cycleGap: ${to.cycleGap}s`);
  writeFileSync(join(farm.folder, 'smesh.yaml'), text);
  const refused = await farm.smesh('up', '--dry-run');
  expect(refused.code, refused.stdout + refused.stderr).toBe(5);
  expect(plain(refused.stderr)).toContain('the node would end at every start');
  const run = await farm.smesh('up', '--force');
  expect([0, 6], run.stdout + run.stderr).toContain(run.code);
  await until(
    'the node ends again and again',
    () => nodeState(farm),
    (state) => / [1-9]/.test(state),
    30_000,
  );
}

describe('S39: a change of PoETs', () => {
  it.concurrent('default to later: refused too early, killed twice, done in the window; by hand too late, and cured', async () => {
    const farm = await Farm.make('poet-switch-late', USUAL);
    try {
      const late = await farm.addPoet('late', LATE);
      const usual = farm.poets.get('usual') as ExternalPoet;
      const up = await farm.smesh('up');
      expect(up.code, up.stdout + up.stderr).toBe(0);

      await farm.at(0, 31);
      const registered = await farm.rows();
      expect(registered.map(({ at }) => at)).toEqual([[`${usual.address} 0`], [`${usual.address} 0`]]);
      // Together: neither changes anything, and the round is over soon.
      const [early, dry] = await Promise.all([
        farm.smesh('poet', 'switch', '--to', 'late.yaml', ...SOON),
        farm.smesh('poet', 'switch', '--to', 'late.yaml', ...SOON, '--dry-run', '--json'),
      ]);
      expect(early.code, early.stderr).toBe(5);
      expect(plain(early.stderr)).toContain(
        'round 0 is running, and only the present PoETs will have its proof',
      );
      expect(recordOf(farm)).toBe(false);
      expect(dry.code).toBe(5);
      expect(JSON.parse(dry.stdout)).toMatchObject({
        cost: { lostEpochs: [] },
        next: {
          round: 1,
          publishEpoch: 2,
          roundStarts: new Date(farm.project.genesis + 74_000).toISOString(),
        },
        identities: [{ kind: 'round-runs' }, { kind: 'round-runs' }],
      });

      const wait = ['poet', 'switch', '--to', 'late.yaml', ...SOON, '--wait'];
      await killedWhen(farm, wait, async () => recordOf(farm));
      const [status, plan] = await Promise.all([farm.smesh('status'), farm.smesh('plan')]);
      expect(plain(status.stdout)).toContain('PoETs are to be changed to late.yaml in the next window');
      expect(plain(plan.stderr)).toContain('PoETs are to be changed to late.yaml');
      const cancelled = await farm.smesh('poet', 'switch', '--cancel');
      expect(cancelled.code, cancelled.stderr).toBe(0);
      expect(recordOf(farm)).toBe(false);
      const before = farm.smeshYaml;
      await killedWhen(farm, wait, async () => (await nodeState(farm)).startsWith('exited'));
      expect(farm.smeshYaml).toBe(before);
      const provers = await farm.provers();

      const done = await farm.smesh('poet', 'switch', ...SOON, '--wait', '--json');
      expect(done.code, done.stdout + done.stderr).toBe(0);
      expect(JSON.parse(done.stdout)).toMatchObject({
        outcome: 'registered',
        missed: [],
        to: { phaseShiftSeconds: 34 },
      });
      expect((await farm.rows()).map(({ at, post }) => ({ at, post }))).toEqual([
        { at: [`${late.address} 1`], post: true },
        { at: [`${late.address} 1`], post: true },
      ]);
      expect(await farm.published()).toEqual([1, 1]);
      expect(await farm.provers()).toEqual(provers);
      expect(recordOf(farm)).toBe(false);
      const again = await farm.smesh('poet', 'switch', '--to', 'late.yaml', ...SOON, '--dry-run');
      expect(again.stdout).toContain('Nothing to change');
      const after = before
        .replace(usual.address, late.address)
        .replace(usual.pubkey, late.pubkey)
        .replace('phaseShift: 30s', 'phaseShift: 34s')
        .replace('cycleGap: 24s', 'cycleGap: 18s');
      expect(farm.smeshYaml).toBe(after);

      await farm.at(1, 35);
      await editByHand(farm, usual);
      const shown = await farm.smesh('poet', 'recover', '--dry-run');
      expect(shown.code, shown.stderr).toBe(0);
      expect(plain(shown.stdout)).toContain(`${late.address} comes back into the list`);
      const cured = await farm.smesh('poet', 'recover');
      expect(cured.code, cured.stdout + cured.stderr).toBe(0);
      expect(cured.stdout).toContain('Nothing is lost');
      expect(farm.smeshYaml).toContain('phaseShift: 34s');
      // The first ATX through the new PoET.
      await until(
        'both publish epoch 2',
        () => farm.published(),
        (epochs) => epochs.join() === '1,1,2,2',
        40_000,
      );
    } finally {
      await farm.cleanUp();
    }
  }, 180_000);

  it.concurrent('a node that starts so slowly that the round begins meanwhile gets the address back, and loses nothing', async () => {
    const farm = await Farm.make('poet-switch-slow', USUAL, 14);
    try {
      const usual = farm.poets.get('usual') as ExternalPoet;
      const slash = `${usual.address}/`;
      writeFileSync(
        join(farm.folder, 'slash.yaml'),
        `servers:\n  - address: ${slash}\nphaseShift: 30s\ncycleGap: 24s\n`,
      );
      expect((await farm.smesh('up')).code).toBe(0);
      const registered = await until(
        'both are registered',
        () => farm.rows(),
        (rows) => rows.filter(({ at }) => at.length > 0).length === 2,
        50_000,
      );
      // The first one, unless the machine was too slow for it.
      const wanted = registered.map(({ epoch }) => epoch).join();
      turnKnobs(farm.project, { node: { ...QUICK, SIM_START_DELAY_MS: '14000' } });
      const switching = farm.smesh('poet', 'switch', '--to', 'slash.yaml', ...SOON);
      await until(
        'the slow one runs',
        async () => farm.smeshYaml.includes(slash) && (await nodeState(farm)),
        (state) => String(state).startsWith('running'),
        40_000,
      );
      turnKnobs(farm.project, { node: QUICK });
      const run = await switching;
      expect(run.code, run.stdout + run.stderr).toBe(6);
      expect(plain(run.stderr)).toContain('The round began before the node was up again');
      expect(plain(run.stdout)).toContain('The node runs again and nothing is lost');
      expect(farm.smeshYaml).toContain(`- address: ${usual.address}\n`);
      expect(await logOf(farm.project, 'node')).not.toContain('FATAL');
      await until(
        `both publish epochs ${wanted}`,
        () => farm.published(),
        (epochs) => epochs.join() === wanted,
        60_000,
      );
    } finally {
      await farm.cleanUp();
    }
  }, 180_000);

  it.concurrent('default to earlier: an epoch is named and agreed to; registrations are given up on request', async () => {
    const farm = await Farm.make('poet-switch-early', USUAL);
    try {
      const early = await farm.addPoet('early', EARLY);
      const second = await farm.addPoet('second', EARLY);
      expect((await farm.smesh('up')).code).toBe(0);
      await until(
        'both publish epoch 1',
        () => farm.published(),
        (epochs) => epochs.join() === '1,1',
        70_000,
      );
      const unagreed = await farm.smesh('poet', 'switch', '--to', 'early.yaml', ...SOON);
      expect(unagreed.code, unagreed.stderr).toBe(2);
      expect(plain(unagreed.stderr)).toContain('Costs the rewards of epoch 3');
      expect(recordOf(farm)).toBe(false);
      await killedWhen(farm, ['poet', 'switch', '--to', 'early.yaml', ...SOON, '--yes'], async () =>
        farm.smeshYaml.includes(early.address),
      );
      const run = await farm.smesh('poet', 'switch', ...SOON);
      expect(run.code, run.stdout + run.stderr).toBe(0);
      expect(plain(run.stdout)).toContain('The node runs with the new PoETs');
      await farm.at(2, 4.2);
      expect((await farm.rows()).map(({ at }) => at)).toEqual([
        [`${early.address} 2`],
        [`${early.address} 2`],
      ]);

      await editByHand(farm, second);
      const cured = await farm.smesh('poet', 'recover', '--delete-registrations', '--yes', '--json');
      expect(cured.code, cured.stdout + cured.stderr).toBe(0);
      expect(JSON.parse(cured.stdout)).toMatchObject({ outcome: 'recovered', deleted: 2 });
      const rows = await until(
        'the node clears its challenges',
        () => farm.rows(),
        (all) => all.every(({ epoch }) => epoch === undefined),
        20_000,
      );
      expect(rows.map(({ at, post }) => ({ at, post }))).toEqual([
        { at: [], post: true },
        { at: [], post: true },
      ]);
    } finally {
      await farm.cleanUp();
    }
  }, 180_000);
});
