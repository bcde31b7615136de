import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { suiteTempFolder } from '../helpers/temp.ts';
import { startTimeServer, type TimeServer } from '../helpers/time-server.ts';
import { keepContainerLogs } from '../helpers/transcripts.ts';
import { docker, PROVER_IMAGE, TestProject } from './support/project.ts';

interface Found {
  readonly code: string;
  readonly severity: string;
  readonly subject: string | null;
  readonly message: string;
  readonly evidence: string;
  readonly measured: Readonly<Record<string, unknown>>;
}

const folder = suiteTempFolder('doctor');
const override = join(folder, 'compose.override.yaml');
let project: TestProject;
let clock: TimeServer;

async function doctor() {
  const run = await project.smesh(['doctor', '--json', '--ntp', clock.address]);
  const document = JSON.parse(run.stdout) as {
    exitCode: number;
    findings: Found[];
    counts: { error: number };
  };
  expect(run.code).toBe(document.exitCode);
  const of = (code: string) => document.findings.filter((found) => found.code === code);
  return { code: run.code, document, of, codes: document.findings.map(({ code }) => code) };
}

function overrideWith(services: object): void {
  writeFileSync(override, stringify({ services }));
}

beforeAll(async () => {
  clock = await startTimeServer();
  project = await TestProject.make(folder, 2);
  const generated = await project.smesh(['generate', '--yes']);
  expect(generated.code, generated.stderr).toBe(0);
  await project.compose('up', '-d', '--wait');
});

beforeEach(() => rmSync(override, { force: true }));

afterAll(async () => {
  await clock.close();
  await keepContainerLogs(project.name);
  await project.cleanUp();
});

describe('doctor on a real engine', () => {
  it('says that a healthy project is healthy, and ends with 0', async () => {
    const { code, document, codes } = await doctor();
    expect(document.findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(code).toBe(0);
    for (const area of [
      'compose',
      'project',
      'clock',
      'disks',
      'memory',
      'ports',
      'images',
      'keys',
      'files',
    ]) {
      expect(codes, area).toContain(`${area}-ok`);
    }
    const shown = await project.smesh(['doctor', '--ntp', clock.address]);
    expect(shown.code).toBe(0);
    expect(shown.stdout).not.toMatch(/^error/m);
  });

  it('S21: sees a disk that is away, an empty mount point, and one that hangs, and ends by itself', async () => {
    const [first, second] = project.identities;
    if (first === undefined || second === undefined) throw new Error('two identities');
    renameSync(first.disk, `${first.disk}.away`);
    renameSync(second.data, `${second.data}.away`);
    mkdirSync(second.data);
    try {
      const { code, of } = await doctor();
      expect(code).toBe(3);
      expect(of('disk-missing')[0]).toMatchObject({ subject: 'post-0001', severity: 'error' });
      expect(of('disk-empty')[0]).toMatchObject({ subject: 'post-0002', severity: 'error' });
      // Whoever opens it hangs, as on a share whose server is gone.
      execFileSync('mkfifo', [join(second.data, 'postdata_metadata.json')]);
      const hanging = await doctor();
      expect(hanging.of('disk-unreadable')[0]).toMatchObject({ subject: 'post-0002', severity: 'error' });
      expect(hanging.of('check-unknown')).toHaveLength(1);
      expect(hanging.codes).toContain('keys-ok');
    } finally {
      rmSync(second.data, { recursive: true });
      renameSync(`${second.data}.away`, second.data);
      renameSync(`${first.disk}.away`, first.disk);
    }
  });

  it('S8: sees keys that others can read, that are missing, and a stray local.key', async () => {
    const identities = join(folder, 'node-data/identities');
    const key = join(identities, 'post-0001.key');
    chmodSync(key, 0o644);
    renameSync(join(identities, 'post-0002.key'), join(identities, 'local.key'));
    try {
      const { code, of } = await doctor();
      expect(code).toBe(3);
      expect(of('key-mode')[0]?.evidence).toContain('0644');
      expect(of('key-local')[0]?.severity).toBe('error');
      renameSync(join(identities, 'local.key'), join(folder, 'away.key'));
      expect((await doctor()).of('key-missing')[0]?.subject).toBe('post-0002');
      renameSync(join(folder, 'away.key'), join(identities, 'local.key'));
    } finally {
      renameSync(join(identities, 'local.key'), join(identities, 'post-0002.key'));
      chmodSync(key, 0o600);
    }
  });

  it('S24: sees broken and moving images that an override brings, and what works against provers', async () => {
    overrideWith({
      'post-0001': { image: 'spacemeshos/post-service:v0.8.1', restart: 'always' },
      'post-0002': { image: 'spacemeshos/post-service:latest', depends_on: ['node'] },
    });
    const { code, of, codes } = await doctor();
    expect(code).toBe(3);
    expect(
      of('image-broken')
        .map(({ subject }) => subject)
        .sort(),
    ).toEqual(['post-0001', 'post-0002']);
    expect(of('image-combination')[0]?.message).toContain('2 versions');
    // What runs is what the project said before.
    expect(of('image-differs').flatMap(({ evidence }) => evidence)[0]).toContain(`container ${PROVER_IMAGE}`);
    expect(of('override-restart-always')[0]?.subject).toBe('post-0001');
    expect(of('override-depends-on')[0]?.subject).toBe('post-0002');
    expect(codes).toContain('override-image');
  });

  it("S19: sees a private port that is open to others, wanted and running, and a port in somebody else's hands", async () => {
    const { privateApi, p2p } = project.ports;
    overrideWith({ node: { ports: [`0.0.0.0:${privateApi + 1}:9093`] } });
    expect((await doctor()).of('port-private-exposed')[0]?.severity).toBe('error');
    await project.compose('up', '-d', 'node');
    rmSync(override);
    const running = (await doctor()).of('port-private-exposed');
    expect(running.map(({ measured }) => measured)).toEqual([{ port: privateApi + 1, containerPort: 9093 }]);
    await project.compose('stop', 'node');
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(p2p, '0.0.0.0', resolve));
    try {
      const { code, of } = await doctor();
      expect(code).toBe(3);
      expect(of('port-taken')[0]?.message).toContain(`Port ${p2p}`);
      expect(of('port-taken')[0]?.message).toContain(`pid ${process.pid}`);
    } finally {
      await new Promise((resolve) => squatter.close(resolve));
      await project.compose('up', '-d', '--wait');
    }
  });

  it('sees generated files that somebody changed, or that are old', async () => {
    const compose = join(folder, 'compose.yaml');
    const before = execFileSync('cat', [compose], { encoding: 'utf8' });
    writeFileSync(compose, before.replace('oom_score_adj: 500', 'oom_score_adj: 400'));
    try {
      const { code, of } = await doctor();
      expect(code).toBe(0);
      expect(of('files-edited')[0]).toMatchObject({ severity: 'warning', subject: 'compose.yaml' });
    } finally {
      writeFileSync(compose, before);
    }
    project.set({ nodeConfig: { logging: { app: 'debug' } } });
    expect((await doctor()).of('files-outdated')[0]?.subject).toContain('node/config.json');
    project.set({ nodeConfig: {} });
  });

  it("hears the node complain that its peers' clocks differ", async () => {
    expect((await doctor()).of('clock-peers-complain')).toEqual([]);
    const node = await project.containerOf('node');
    const line =
      '2026-11-21T03:00:00.000+0000\tWARN\tnode.timesync\tpeers offset is larger than max allowed clock difference\t{"round": 4, "offset": "12.5s", "max_offset": "10s"}';
    await docker('exec', node, 'bash', '-c', `printf '%s\\n' '${line}' > /proc/1/fd/1`);
    let seen: Found[] = [];
    for (let tries = 0; tries < 20 && seen.length === 0; tries += 1) {
      seen = (await doctor()).of('clock-peers-complain');
      if (seen.length === 0) await sleep(200);
    }
    // Another clock says that this one is right, so it is for somebody to look at, and no alarm.
    expect(seen[0]).toMatchObject({ severity: 'warning', measured: { count: 1, lastOffset: '12.5s' } });
  });

  it('S30: sees a program that would swap images, and whether the project keeps it away', async () => {
    const image = `smt-doctor-${process.pid}/watchtower:1`;
    const name = `smt-doctor-watchtower-${process.pid}`;
    await docker('tag', PROVER_IMAGE, image);
    try {
      await docker('run', '-d', '--name', name, '--entrypoint', 'sleep', image, '600');
      const { of } = await doctor();
      expect(of('updater-opted-out')[0]).toMatchObject({ severity: 'info', subject: name });
      expect(of('updater-active')).toEqual([]);
      overrideWith({ 'post-0002': { labels: { 'com.centurylinklabs.watchtower.enable': 'true' } } });
      await project.compose('up', '-d', '--wait');
      const after = await doctor();
      expect(after.of('updater-active')[0]?.measured).toEqual({ exposed: 1, containers: 3 });
    } finally {
      await docker('rm', '-f', name);
      await docker('rmi', image);
    }
  });
});
