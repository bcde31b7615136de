import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { suiteTempFolder } from '../helpers/temp.ts';
import { docker, TestProject } from './support/project.ts';

const folder = suiteTempFolder('up-proving');
let project: TestProject;

beforeAll(async () => {
  project = await TestProject.make(folder, 1);
  project.openGap();
  // The stand-in's k2pow takes minutes: it proves for as long as the test looks at it.
  const slow = 'services:\n  post-0001:\n    environment: {SIM_K2POW_MS_PER_UNIT_GROUP: "120000"}\n';
  writeFileSync(join(folder, 'compose.override.yaml'), slow);
  const run = await project.smesh(['up']);
  expect(run.code, run.stdout + run.stderr).toBe(0);
  await waitForProof();
});

afterAll(async () => {
  await project.cleanUp();
});

async function waitForProof(): Promise<void> {
  const id = await project.containerOf('post-0001');
  for (let tries = 0; tries < 60; tries += 1) {
    if ((await docker('logs', id, '--tail', '50')).includes('calculating proof of work')) return;
    const text = await docker('exec', id, 'bash', '-c', STATUS).catch(() => '');
    if (text.includes('Proving')) return;
    await sleep(500);
  }
  throw new Error('post-0001 did not begin to prove');
}

const STATUS =
  'exec 3<>/dev/tcp/127.0.0.1/50051; printf "GET /status HTTP/1.0\\r\\n\\r\\n" >&3; while read -r -t 2 line <&3; do echo "$line"; done; echo "$line"';

const plain = (text: string) => text.replace(/\s+/g, ' ');

describe('while an identity proves in the cycle gap', () => {
  it('S17: an added identity gets its prover now; the node waits, and up says for whom', async () => {
    const before = await project.lives();
    const added = project.addIdentity();
    project.write();
    const plan = await project.smesh(['plan']);
    expect(plan.code, plan.stderr).toBe(0);
    expect(plain(plan.stdout)).toMatch(
      /! postpone node .*its set of keys has changed: .*no proof is lost. Waits: 1 identity has yet to register.*--force: now/,
    );
    const run = await project.smesh(['up']);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(run.stdout).toMatch(/node later: /);
    const after = await project.lives();
    expect(after['node']).toBe(before['node']);
    expect(after['post-0001']).toBe(before['post-0001']);
    expect(after[added.name]).toContain('running');
  });

  it('a prover that proves is not recreated for a changed definition', async () => {
    const before = await project.lives();
    const file = join(folder, 'smesh.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('nonces: 16', 'nonces: 32'));
    const run = await project.smesh(['up']);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    expect(plain(run.stdout)).toMatch(/post-0001 later: its definition .* is proving: k2pow/);
    expect(plain(run.stdout)).toContain('smesh-compose up post-0001 --wait (--force: now, its work is lost)');
    expect((await project.lives())['post-0001']).toBe(before['post-0001']);
  });

  it('down refuses and names what would be lost', async () => {
    const run = await project.smesh(['down']);
    expect(run.code, run.stdout).toBe(5);
    expect(run.stderr).toMatch(/post-0001 \([0-9a-f]{8}\) is proving: k2pow.* of work\n/);
    expect((await project.lives())['post-0001']).toContain('running');
  });

  it('--force does it all at once, and has said what it costs', async () => {
    const before = await project.lives();
    const plan = await project.smesh(['plan', '--force']);
    expect(plain(plan.stdout)).toMatch(/~ recreate post-0001 .*Costs its work: it is proving/);
    const run = await project.smesh(['up', '--force']);
    expect(run.code, run.stdout + run.stderr).toBe(0);
    const after = await project.lives();
    for (const service of ['node', 'post-0001']) {
      expect(after[service]).not.toBe(before[service]);
      expect(after[service]).toContain('running');
    }
  });
});
