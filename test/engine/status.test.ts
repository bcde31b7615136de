import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { keys, startCli } from '../helpers/pty.ts';
import type { CliRun } from '../helpers/run-cli.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { keepContainerLogs } from '../helpers/transcripts.ts';
import { docker, TestProject } from './support/project.ts';

const folder = suiteTempFolder('status');
let project: TestProject;

interface Row {
  readonly smesher: string;
  readonly wants: string;
  readonly dataSeen: string;
  readonly units: number | null;
  readonly service: {
    readonly state: string;
    readonly words: string;
    readonly held: boolean;
    readonly fraction: number | null;
    readonly groups: number | null;
    readonly reason: string | null;
  };
}

interface Status {
  readonly exitCode: number;
  readonly engineAnswers: boolean;
  readonly node: { readonly version: string | null; readonly certainty: string };
  readonly rows: Readonly<Record<string, Row>>;
  readonly findings: Readonly<Record<string, readonly string[]>>;
}

function parse(text: string): Status {
  const document = JSON.parse(text);
  return {
    ...document,
    rows: Object.fromEntries(document.identities.map((row: { name: string }) => [row.name, row])),
    findings: Object.fromEntries(
      document.findings.map(({ code, services }: { code: string; services: string[] }) => [code, services]),
    ),
  };
}

async function status(env: Record<string, string> = {}): Promise<{ run: CliRun; seen: Status }> {
  const run = await project.smesh(['status', '--json'], { env });
  const seen = parse(run.stdout);
  expect(run.code).toBe(seen.exitCode);
  return { run, seen };
}

async function waitFor(what: string, holds: (seen: Status) => boolean): Promise<Status> {
  for (let tries = 0; tries < 60; tries += 1) {
    const { seen } = await status();
    if (holds(seen)) return seen;
    await sleep(300);
  }
  throw new Error(`not within the time: ${what}\n${(await project.smesh(['status'])).stdout}`);
}

/** Makes a prover of the stand-in slow in one phase, without touching what `generate` wrote. */
function slowDown(knobs: Readonly<Record<string, Record<string, string>>>): void {
  const services = Object.fromEntries(
    Object.entries(knobs).map(([service, environment]) => [service, { environment }]),
  );
  writeFileSync(join(folder, 'compose.override.yaml'), stringify({ services }));
}

const SLOW_READING = { SIM_READ_MS: '600000', SIM_K2POW_MS_PER_UNIT_GROUP: '10' };

beforeAll(async () => {
  project = await TestProject.make(folder, 5);
  const generated = await project.smesh(['generate', '--yes']);
  expect(generated.code, generated.stderr).toBe(0);
  slowDown({
    'post-0001': SLOW_READING,
    'post-0002': SLOW_READING,
    'post-0003': SLOW_READING,
    'post-0004': { SIM_K2POW_MS_PER_UNIT_GROUP: '600000' },
    'post-0005': { SIM_DATASET_MS: '10' },
  });
});

afterAll(async () => {
  await keepContainerLogs(project.name);
  await project.cleanUp();
});

describe('status on a real engine', () => {
  it('says what is missing before anything was started', async () => {
    const { run, seen } = await status();
    expect(run.code).toBe(6);
    expect(seen.findings['node-not-created']).toEqual([]);
    expect(seen.rows['post-0001']).toMatchObject({
      wants: 'unknown',
      dataSeen: 'present',
      units: 2,
      service: { state: 'not-created' },
    });
  });

  it('redraws in a terminal until Ctrl-C, with what needs attention above the table', async () => {
    const shown = startCli(['status', '--watch', '--interval', '500ms'], { cwd: folder });
    await shown.waitFor('! The node has no container yet');
    await shown.waitFor('post-0005');
    // Drawn again.
    await shown.waitFor('node  no container yet');
    shown.type(keys.ctrlC);
    expect((await shown.exit).code).toBe(0);
    for (const line of shown.text().split('\n')) expect(line.trimEnd().length).toBeLessThan(100);
  });

  it('tells each prover apart: reading, k2pow, paused, stopped, held', async () => {
    await project.compose('up', '-d', '--wait');
    const reads = ['post-0001', 'post-0002', 'post-0003'];
    const before = await waitFor('three read, one does k2pow', ({ rows }) => {
      const states = reads.map((name) => rows[name]?.service.state);
      return states.every((state) => state === 'reading') && rows['post-0004']?.service.state === 'k2pow';
    });
    for (const name of [...reads, 'post-0004']) expect(before.rows[name]?.wants).toBe('a-proof');
    expect(before.rows['post-0004']?.service).toMatchObject({ groups: 1, words: 'k2pow, group 1 of 1' });
    expect(before.rows['post-0001']?.service.words).toMatch(/^reading \d+ % {2}nonces 0–15$/);

    await docker('pause', await project.containerOf('post-0002'));
    await docker('stop', await project.containerOf('post-0003'));
    await docker('update', '--cpu-quota', '1000', await project.containerOf('post-0004'));
    const { run, seen } = await status();
    expect(run.code).toBe(6);
    expect(seen.rows['post-0001']?.service).toMatchObject({ state: 'reading', held: false });
    expect(seen.rows['post-0002']).toMatchObject({ wants: 'a-proof', service: { state: 'paused' } });
    expect(seen.rows['post-0003']).toMatchObject({
      wants: 'a-proof',
      service: { state: 'down', reason: 'stopped' },
    });
    expect(seen.rows['post-0004']?.service).toMatchObject({ state: 'k2pow', held: true });
    expect(seen.findings).toMatchObject({
      paused: ['post-0002'],
      'wanted-but-down': ['post-0003'],
      'held-without-schedule': ['post-0004'],
      'no-schedule': [],
    });
  });

  it('lets up release what a schedule that is gone has held', async () => {
    const up = await project.smesh(['up', 'post-0004', '--detach']);
    expect(up.stderr).toContain(
      '1 post-service had been held by a schedule that runs no more. It goes on now.',
    );
    const { seen } = await status();
    expect(seen.rows['post-0004']?.service).toMatchObject({ state: 'k2pow', held: false });
    expect(seen.findings['held-without-schedule']).toBeUndefined();
  });

  it('S21: names the identity whose disk is away', async () => {
    const disk = project.identities[2]?.disk ?? '';
    renameSync(disk, `${disk}.away`);
    try {
      const { seen } = await status();
      expect(seen.rows['post-0003']).toMatchObject({ dataSeen: 'absent', service: { state: 'down' } });
      expect(seen.findings).toMatchObject({ 'data-away': ['post-0003'] });
      expect(seen.findings).not.toHaveProperty('wanted-but-down');
    } finally {
      renameSync(`${disk}.away`, disk);
    }
  });

  it('S20: says what the node and the files say when Docker cannot be asked, exit 4', async () => {
    const { run, seen } = await status({ DOCKER_HOST: `unix://${folder}/no.sock` });
    expect(run.code).toBe(4);
    expect(seen.engineAnswers).toBe(false);
    expect(seen.node.version).toBe('v1.7.6');
    for (const row of Object.values(seen.rows)) {
      expect(row).toMatchObject({ dataSeen: 'present', units: 2, service: { state: 'unknown' } });
    }
    expect(seen.rows['post-0001']?.wants).toBe('a-proof');
  });

  it('keeps what the provers say when the node is down, and no longer claims what it wants', async () => {
    await docker('stop', await project.containerOf('node'));
    const { run, seen } = await status();
    expect(run.code).toBe(6);
    expect(seen.findings).toHaveProperty('node-down');
    for (const row of Object.values(seen.rows)) expect(row.wants).toBe('unknown');
    expect(seen.rows['post-0001']?.service.state).toBe('reading');
    expect(seen.rows['post-0002']?.service.state).toBe('paused');
    await docker('start', await project.containerOf('node'));
  });

  it('watches until Ctrl-C and then ends well', async () => {
    let interrupt: (signal: NodeJS.Signals) => void = () => {};
    const running = project.smesh(['status', '--watch', '--json', '--interval', '500ms'], {
      onStart: (kill) => {
        interrupt = kill;
      },
    });
    await sleep(6000);
    interrupt('SIGINT');
    const run = await running;
    expect(run.code).toBe(0);
    const looks = run.stdout.trim().split('\n').map(parse);
    expect(looks.length).toBeGreaterThan(1);
    for (const seen of looks) expect(seen.rows['post-0001']?.service.state).toBe('reading');
  });
});

describe('logs on a real engine', () => {
  const lines = (text: string) => (text === '' ? [] : text.trimEnd().split('\n'));

  it('puts the lines of several services in the order of time, stopped ones too', async () => {
    const run = await project.smesh(['logs', '--timestamps', 'post-0001', 'post-0003', 'node']);
    expect(run.code).toBe(0);
    const times = lines(run.stdout).map((line) => line.slice(13, 37));
    expect(times.length).toBeGreaterThan(20);
    expect(times).toEqual([...times].sort());
    const names = new Set(lines(run.stdout).map((line) => line.slice(0, 9).trim()));
    expect(names).toEqual(new Set(['post-0001', 'post-0003', 'node']));
  });

  it('finds a service by the first digits of its smesher ID, and tails each', async () => {
    const id = project.identities[0]?.smesherId ?? '';
    const run = await project.smesh(['logs', '--json', '--tail', '2', id.slice(0, 10)]);
    const parsed = lines(run.stdout).map((line) => JSON.parse(line));
    expect(parsed).toHaveLength(2);
    for (const line of parsed) expect(line).toMatchObject({ service: 'post-0001', smesher: id });
  });

  it.each([
    [['logs', 'post-9999'], 2, 'There is no service "post-9999"'],
    [['logs', '--tail', 'x'], 2, '--tail wants'],
    [['logs', '--since', 'yesterday'], 2, '--since wants'],
  ])('refuses %j', async (args, code, message) => {
    const run = await project.smesh(args);
    expect(run.code).toBe(code);
    expect(run.stderr).toContain(message);
  });

  it('follows over a restart and ends well with Ctrl-C', async () => {
    let interrupt: (signal: NodeJS.Signals) => void = () => {};
    const running = project.smesh(['logs', '--follow', '--tail', '0', 'post-0003', 'post-0005'], {
      onStart: (kill) => {
        interrupt = kill;
      },
    });
    await sleep(4000);
    await docker('start', await project.containerOf('post-0003'));
    await docker('restart', await project.containerOf('post-0005'));
    await sleep(4000);
    interrupt('SIGINT');
    const run = await running;
    expect(run.code).toBe(0);
    const starts = lines(run.stdout).filter((line) => line.includes('POST network parameters'));
    // Once each: a stream that is opened anew must not tell what it told before.
    expect(starts.map((line) => line.slice(0, 9)).sort()).toEqual(['post-0003', 'post-0005']);
  });
});
