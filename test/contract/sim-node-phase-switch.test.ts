import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { lastingPort } from './poet-process.ts';
import { bundlePrograms, Network, type Programs, type Rows } from './poet-rig.ts';
import { type Running, recordings, removeScratch, until, withoutRecordings } from './run-stand-in.ts';
import { makeKey } from './sim-node-support.ts';

interface Step {
  readonly step: string;
  readonly state?: 'running 0' | 'exited 1';
  readonly log?: readonly string[];
  readonly rows: Rows;
}

const file = join(recordings ?? '', 'phase-switch.json');
const recorded: { readonly run_1: readonly Step[]; readonly run_2: readonly Step[] } | undefined =
  recordings !== undefined && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;

/** A round of 12 seconds, a gap of 14, of which the last 7 are for registering. */
const clock = { epoch: 26, phaseShift: 14, cycleGap: 14, grace: 7 };

/** What differs from run to run: moments, identities, the port, and the number of the first recorded round. */
class Translation {
  readonly #ids: readonly string[];
  readonly #firstRound: number;
  readonly #port: number;

  constructor(network: Network, steps: readonly Step[], firstRound: number, port: number) {
    const recordedIds = [...new Set(steps.flatMap(({ rows }) => rows.challenge.map(([id]) => id)))].sort();
    const own = network.keys.map(({ id }) => id.toString('hex').slice(0, 6).toUpperCase()).sort();
    if (recordedIds.length !== own.length) throw new Error('another number of identities than recorded');
    this.#ids = own;
    this.#recordedIds = recordedIds;
    this.#firstRound = firstRound;
    this.#port = port;
  }

  readonly #recordedIds: readonly string[];

  #own(id: string): string {
    return this.#ids[this.#recordedIds.indexOf(id)] ?? `no ${id}`;
  }

  address(recordedAddress: string): string {
    return recordedAddress.replaceAll(':10010', `:${this.#port}`);
  }

  /** The recorded rows with the identities, round numbers and port of this run. */
  rows({ challenge, poet_registration, nipost, post }: Rows): Rows {
    return {
      challenge: challenge.map(([id, epoch]) => [this.#own(id), epoch - this.#firstRound] as const),
      poet_registration: poet_registration.map(
        ([id, address, round]) =>
          [this.#own(id), this.address(address), String(Number(round) - this.#firstRound)] as const,
      ),
      nipost,
      post,
    };
  }

  /** A recorded line, without what is another one in every run; which identity comes first is chance. */
  recordedLine(line: string): string {
    return comparable(this.address(line))
      .replace(
        /("publish epoch": )(\d+)/,
        (_, key: string, epoch: string) => `${key}${Number(epoch) - this.#firstRound}`,
      )
      .replace(
        /("round": ")(\d+)/,
        (_, key: string, round: string) => `${key}${Number(round) - this.#firstRound}`,
      );
  }
}

function comparable(line: string): string {
  return line
    .replace(/^\S+\t(?=(INFO|WARN|ERROR|FATAL)\t)/, '')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replace(/\d{4}-\d\d-\d\d [\d:.]+ \+0000 UTC/g, 'TIME')
    .replace(/m=\+[\d.]+/, 'm=+UPTIME')
    .replace(/("smesherID": )"[0-9a-f]{6}"/, '$1"ID"');
}

const old = 'http://127.0.0.1:10010';
const other = 'http://localhost:10010';

const suite = `node stand-in: a changed PoET address at every recorded moment (${withoutRecordings})`;

describe.skipIf(recorded === undefined).concurrent(suite, () => {
  let programs: Programs;
  beforeAll(async () => {
    programs = await bundlePrograms();
  });
  afterAll(removeScratch);

  /** One recorded run: its steps are played in order, none may be left out. */
  async function playing(run: readonly Step[], firstRound: number, identities: number) {
    const network = await Network.make(programs, clock, identities, 3);
    const port = await lastingPort();
    const inside = makeKey();
    const translation = new Translation(network, run, firstRound, port);
    const steps = [...run];
    const startOn = (address: string): Running =>
      network.startNode([{ address: translation.address(address), pubkey: inside.id.toString('base64') }], {
        inside,
      });

    /** The next step, which must be the one that is named, against what there is now or will be in a moment. */
    async function expectStep(name: string, node?: Running): Promise<void> {
      const step = steps.shift();
      if (step?.step !== name) throw new Error(`the recording goes on with: ${step?.step}`);
      if (step.state === 'exited 1') {
        await until(`${name}: it ends`, () => node?.child.exitCode != null, 5000);
        if (node?.child.exitCode !== 1) throw new Error(`${name}: exit ${node?.child.exitCode}`);
      }
      const missing = () => {
        const seen = node?.stdout().split('\n').map(comparable) ?? [];
        return (step.log ?? [])
          .map((line) => translation.recordedLine(line))
          .filter((line) => !seen.includes(line));
      };
      const wanted = JSON.stringify(translation.rows(step.rows));
      const faults = () => [
        ...missing().map((line) => `no line: ${line}`),
        ...(JSON.stringify(network.rows()) === wanted
          ? []
          : [`rows ${JSON.stringify(network.rows())}, recorded ${wanted}`]),
        ...(step.state === 'running 0' && node?.child.exitCode !== null ? ['the node has ended'] : []),
      ];
      await until(`${name}`, () => faults().length === 0, step.state === 'exited 1' ? 500 : 2000).catch(
        () => {
          throw new Error(`${name}: ${faults().join('\n')}\n${node?.stdout() ?? ''}`);
        },
      );
    }
    return { network, startOn, expectStep, left: () => steps.map(({ step }) => step) };
  }

  it('run 1: too late, the rows deleted, the window, a late registration', async ({ expect }) => {
    const { network, startOn, expectStep, left } = await playing(recorded?.run_1 ?? [], 5, 3);
    let node = startOn(old);
    await network.startProvers();
    await until('the registrations', () => network.rows().poet_registration.length === 3, 15_000);
    await network.at(network.round(0, 0.2));
    await network.stopNode();
    node = startOn(other);
    await expectStep('too late: round running, only old registrations', node);
    node = startOn(other);
    await until('the second start ends, too', () => node.child.exitCode !== null);
    expect(node.child.exitCode).toBe(1);
    network.deleteRegistrations();
    node = startOn(other);
    await network.up();
    await expectStep('after deleting poet_registration', node);
    await network.at(network.round(1, -3));
    await expectStep('just before next round', node);
    await network.at(network.round(1, 0.5));
    await expectStep('next round running', node);
    await until('the ATXs', () => network.atxs().length === 3, 20_000);
    await expectStep('after round end', node);
    await network.stopNode();
    node = startOn(old);
    await network.up();
    await expectStep('in the window: published, not yet registered', node);
    await until('registered', () => network.rows().poet_registration.length === 3, 10_000);
    await expectStep('registered before round start', node);
    await network.at(network.round(2, 0.5));
    await expectStep('round running after late double registration', node);
    expect(left()).toEqual([]);
  }, 120_000);

  it('run 2: registered twice before the round, too late, the old address put back', async ({ expect }) => {
    const { network, startOn, expectStep, left } = await playing(recorded?.run_2 ?? [], 0, 2);
    let node = startOn(old);
    await network.startProvers();
    await until('the registrations', () => network.rows().poet_registration.length === 2, 15_000);
    await expectStep('registered with the old list, 37 s before the round');
    await network.stopNode();
    node = startOn(other);
    await network.up();
    await until('both', () => network.rows().poet_registration.length === 4, 5000);
    await expectStep('restarted with the new list, before the round starts', node);
    expect(Date.now()).toBeLessThan(network.round(0));
    await network.at(network.round(0, 0.5));
    await expectStep('round running');
    await until('the ATXs', () => network.atxs().length === 2, 20_000);
    await expectStep('after round end');
    await network.at(network.round(1, 0.2));
    await expectStep('round 1 running, registered at');
    await network.stopNode();
    node = startOn(old);
    await expectStep('too late', node);
    node = startOn(other);
    await network.up();
    await expectStep('the earlier address back in the list', node);
    await until('the ATXs of the next epoch', () => network.atxs().length === 4, 20_000);
    expect(network.atxs().map(({ epoch }) => epoch)).toEqual([1, 1, 2, 2]);
    await expectStep('after the end of round 1');
    expect(left()).toEqual([]);
  }, 120_000);
});
