import { execFile } from 'node:child_process';
import { appendFileSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ChaosEngine } from '../chaos/support/engine.ts';
import { type CliRun, requireBuiltCli } from '../helpers/run-cli.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { keepTranscript } from '../helpers/transcripts.ts';
import { plain, turnKnobs, until } from './support/lifecycle.ts';
import { NODE_IMAGE, OWNER, POSTCLI_IMAGE, PROVER_IMAGE, TestProject } from './support/project.ts';

const folder = suiteTempFolder('host-reboot');
let engine: ChaosEngine;
let project: TestProject;

/** An engine of its own, so that nobody else's containers go down with it; epochs of a minute, open gap at their start. */
beforeAll(async () => {
  engine = await ChaosEngine.start();
  await engine.load([NODE_IMAGE, PROVER_IMAGE, POSTCLI_IMAGE]);
  project = await TestProject.make(folder, 3, 3);
  project.openGap();
  const quick = { SIM_K2POW_MS_PER_UNIT_GROUP: '10', SIM_READ_MS: '4000', SIM_READ_FRACTION: '1' };
  addJob();
  turnKnobs(project, {
    ...Object.fromEntries(project.identities.map(({ name }) => [name, quick])),
    [JOB]: { SIM_LABELS_PER_SECOND: '8', SIM_BATCH_LABELS: '4' },
  });
  const run = await smesh('up', '--detach');
  expect(run.code, run.stdout + run.stderr).toBe(0);
});

afterAll(async () => {
  await engine.remove();
});

const JOB = 'post-0009-init';
const jobData = join(folder, 'post-0009');

/** Data of a further identity, which is made meanwhile. */
function addJob(): void {
  mkdirSync(jobData);
  chownSync(jobData, OWNER.uid, OWNER.gid);
  const job = `{name: ${JOB}, id: '${'9a'.repeat(32)}', data: ${jobData}, units: 2, commitmentAtx: '${'ab'.repeat(32)}'}`;
  appendFileSync(join(folder, 'smesh.yaml'), `init: {image: '${POSTCLI_IMAGE}', gpu: cpu, jobs: [${job}]}\n`);
}

/** The built program where the engine's published ports are. */
function smesh(...words: readonly string[]): Promise<CliRun> {
  const { program, args } = engine.inside(process.execPath, requireBuiltCli(), ...words);
  return new Promise((resolve) => {
    const options = { cwd: folder, env: engine.env, timeout: 120_000 };
    const child = execFile(program, args, options, (_, stdout, stderr) => {
      keepTranscript(`smesh-compose ${words.join(' ')} → ${child.exitCode}`, stdout + stderr);
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr });
    });
  });
}

interface Row {
  readonly name: string;
  readonly wants: string;
  readonly initialProof: string;
  readonly registered: string;
  readonly published: string;
  readonly service: { readonly state: string };
}

interface Status {
  readonly epoch: { readonly publishEpoch: number; readonly gap: { readonly open: boolean } };
  readonly rows: Readonly<Record<string, Row>>;
  readonly findings: readonly { readonly code: string; readonly services: readonly string[] }[];
}

async function status(): Promise<Status> {
  const document = JSON.parse((await smesh('status', '--json')).stdout);
  return {
    ...document,
    rows: Object.fromEntries(document.identities.map((row: Row) => [row.name, row])),
  };
}

async function stateOf(service: string): Promise<string> {
  const id = await engine.docker('ps', '-aq', '--filter', `label=com.docker.compose.service=${service}`);
  return engine.docker('inspect', '--format', '{{.State.Status}}', id);
}

it('S22: a reboot in the gap: who ran comes back, who was stopped stays down, and all goes on', async () => {
  const registered = ({ rows }: Status) => Object.values(rows).every((row) => row.registered === 'yes');
  await until('all have registered', status, registered, 100_000);
  const stop = await smesh('stop', 'post-0002', '--force');
  expect(stop.code, stop.stderr).toBe(0);
  const prove = ({ epoch, rows }: Status) =>
    epoch.gap.open &&
    epoch.publishEpoch === 1 &&
    ['post-0001', 'post-0003'].every((name) => rows[name]?.service.state === 'reading');
  await until('the others prove in the gap', status, prove, 100_000);

  const job = smesh('post', 'init', '--resume', '--during-gap');
  await until(
    'the job writes',
    async () => statSync(join(jobData, 'postdata_0.bin')).size,
    (size) => size > 0,
  );

  await engine.stopDaemon();
  await engine.startDaemon();

  for (const service of ['node', 'post-0001', 'post-0003']) {
    await until(
      `${service} is back`,
      () => stateOf(service),
      (state) => state === 'running',
    );
  }
  expect(await stateOf('post-0002')).toBe('exited');
  // Jobs have no restart policy: who watches starts it again, where it was.
  await until(
    'the job goes on',
    () => stateOf(JOB),
    (state) => state === 'running',
  );
  // Whatever the node says in its first seconds, nobody is stopped.
  for (const service of ['post-0001', 'post-0003']) {
    const refused = await smesh('stop', service);
    expect(refused.code, refused.stdout).toBe(5);
  }
  const wanted = await until('the node wants all three', status, ({ rows }) =>
    Object.values(rows).every((row) => row.wants === 'a-proof' || row.published === 'yes'),
  );
  const codes = wanted.findings.map(({ code, services }) => `${code} ${services.join(' ')}`);
  expect(codes).toContain('wanted-but-down post-0002');
  expect(await stateOf('post-0002')).toBe('exited');

  const up = await smesh('up', '--detach');
  expect(up.code, up.stdout + up.stderr).toBe(0);
  expect(plain(up.stderr)).toMatch(/start post-0002/);
  const done = ({ epoch, rows }: Status) =>
    epoch.publishEpoch > 1 || Object.values(rows).every((row) => row.published === 'yes');
  const end = await until('all have published', status, done, 100_000);
  // In the very epoch of the reboot.
  expect(end.epoch.publishEpoch).toBe(1);

  const made = await job;
  expect(made.code, made.stdout + made.stderr).toBe(0);
  expect(plain(made.stderr)).toMatch(
    /the engine was restarted, or the host was; it is started again\. .*resumes on CPU.*all labels are there/,
  );
});
