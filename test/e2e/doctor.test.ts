import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { makeIdentity } from '../helpers/keys.ts';
import { type PoetOptions, type PoetServer, startPoet } from '../helpers/poet-server.ts';
import { type CliOptions, runCli } from '../helpers/run-cli.ts';
import { tempFolder } from '../helpers/temp.ts';
import { startTimeServer, type TimeServer } from '../helpers/time-server.ts';

const COINBASE = 'stest1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqql50dsa';

interface Found {
  readonly code: string;
  readonly severity: string;
  readonly area: string;
  readonly subject: string | null;
  readonly evidence: string;
  readonly measured: Readonly<Record<string, unknown>>;
  readonly remedy: string | null;
}

let exact: TimeServer;

beforeAll(async () => {
  exact = await startTimeServer();
});

afterAll(() => exact.close());

async function doctor(args: readonly string[], options: CliOptions = {}) {
  const run = await runCli(['doctor', '--json', ...args], { timeout: 60_000, ...options });
  const document = JSON.parse(run.stdout) as { exitCode: number; project: unknown; findings: Found[] };
  expect(run.code).toBe(document.exitCode);
  const of = (code: string) => document.findings.filter((found) => found.code === code);
  return { run, document, of, codes: document.findings.map(({ code }) => code) };
}

/** A testnet project whose data is not there; nothing of it is ever started. */
function project(poets: readonly Pick<PoetServer, 'address' | 'pubkey'>[], changes: object = {}): string {
  const folder = tempFolder('doctor');
  const { smesherId } = makeIdentity();
  mkdirSync(join(folder, 'post'));
  const document = {
    version: 1,
    name: `smt-doctor-${process.pid}`,
    network: 'testnet',
    coinbase: COINBASE,
    poet: { servers: poets.map(({ address, pubkey }) => ({ address, pubkey })) },
    identities: [{ id: smesherId, name: 'post-0001', data: join(folder, 'post') }],
    ...changes,
  };
  writeFileSync(join(folder, 'smesh.yaml'), stringify(document));
  return folder;
}

describe('outside a project', () => {
  it('looks at host, engine and clock, and ends with 0', async () => {
    const { run, document, codes } = await doctor(['--ntp', exact.address], { cwd: tempFolder('nowhere') });
    expect(run.code).toBe(0);
    expect(document.project).toBeNull();
    expect(codes).toContain('project-none');
    expect(codes).toContain('clock-ok');
    expect(codes).toContain('compose-ok');
    expect(run.stderr).toBe('');
  });

  it('refuses what it does not know (exit 2)', async () => {
    for (const args of [
      ['doctor', 'who'],
      ['doctor', '--ntp', 'http://x'],
      ['doctor', '--out', 'x'],
    ]) {
      expect((await runCli(args, { cwd: tempFolder('nowhere') })).code, args.join(' ')).toBe(2);
    }
  });

  it('S20: without an engine it ends with 4 and prints the rest', async () => {
    const env = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };
    const { run, of, codes } = await doctor(['--ntp', exact.address], { cwd: tempFolder('nowhere'), env });
    expect(run.code).toBe(4);
    expect(of('engine-unusable')[0]).toMatchObject({
      severity: 'error',
      measured: { reason: 'engine-down' },
    });
    expect(codes).toContain('clock-ok');
    expect(codes.some((code) => code.startsWith('host-'))).toBe(true);
  });

  it('S20: without the docker command it ends with 4 and prints the rest', async () => {
    const empty = tempFolder('path');
    symlinkSync(process.execPath, join(empty, 'node'));
    const { run, of, codes } = await doctor(['--ntp', exact.address], {
      cwd: tempFolder('nowhere'),
      env: { PATH: empty },
    });
    expect(run.code).toBe(4);
    expect(of('compose-unusable')[0]?.measured).toEqual({ reason: 'docker-cli-missing' });
    expect(codes).toContain('clock-ok');
  });
});

describe('the clock', () => {
  it('is compared with a real time server; a wrong one makes an error', async () => {
    const skewed = await startTimeServer({ skewMs: 61_000 });
    try {
      const { run, of } = await doctor(['--ntp', skewed.address], { cwd: tempFolder('nowhere') });
      expect(run.code).toBe(3);
      const offset = Number(of('clock-off')[0]?.measured['offsetMs']);
      expect(Math.abs(offset - 61_000)).toBeLessThan(500);
    } finally {
      await skewed.close();
    }
  });

  it('goes by the majority of servers, and is not held up by silent ones', async () => {
    const servers = await Promise.all([
      startTimeServer(),
      startTimeServer({ skewMs: -3_600_000 }),
      startTimeServer({ silent: true }),
    ]);
    try {
      const args = [exact.address, ...servers.map(({ address }) => address)].flatMap((address) => [
        '--ntp',
        address,
      ]);
      const { run, of, codes } = await doctor([...args, '--timeout', '1s'], { cwd: tempFolder('nowhere') });
      expect(run.code).toBe(0);
      expect(codes).toContain('clock-ok');
      expect(of('clock-sources-disagree').map(({ subject }) => subject)).toEqual([servers[1]?.address]);
    } finally {
      await Promise.all(servers.map((server) => server.close()));
    }
  });

  it('is unknown, and no fault, where nobody answers', async () => {
    const silent = await startTimeServer({ silent: true });
    try {
      const { run, of } = await doctor(['--ntp', silent.address, '--timeout', '500ms'], {
        cwd: tempFolder('nowhere'),
      });
      expect(run.code).toBe(0);
      expect(of('clock-unknown')[0]).toMatchObject({ severity: 'info' });
      expect(of('clock-unknown')[0]?.evidence).toContain('no answer within 0.5 s');
    } finally {
      await silent.close();
    }
  });
});

describe('PoET servers', () => {
  async function judged(...options: (PoetOptions | 'dead')[]) {
    const started: PoetServer[] = [];
    const servers = await Promise.all(
      options.map(async (one) => {
        const server = await startPoet(one === 'dead' ? {} : one);
        if (one === 'dead') await server.close();
        else started.push(server);
        return server;
      }),
    );
    try {
      const found = await doctor(['--ntp', exact.address, '--timeout', '1500ms'], { cwd: project(servers) });
      return { ...found, servers };
    } finally {
      await Promise.all(started.map((server) => server.close()));
    }
  }

  it('that fit are fine', async () => {
    const { of } = await judged({}, {});
    expect(of('poet-ok')[0]?.measured).toMatchObject({ servers: 2 });
  });

  it('that do not fit, lie, hang, are dead or no PoETs are told apart', async () => {
    const { run, of, servers } = await judged(
      {},
      { phaseShift: 24 * 3600 },
      { cycleGap: 3600 },
      { liesAboutKey: true },
      { hangs: true },
      'dead',
      { body: '<html>hello</html>' },
      { body: `"${'x'.repeat(300_000)}"` },
    );
    expect(run.code).toBe(3);
    const subjects = (code: string) => of(code).map(({ subject }) => subject);
    const at = (...indexes: number[]) => indexes.map((index) => servers[index]?.address);
    expect(subjects('poet-phase-shift')).toEqual(at(1));
    expect(of('poet-phase-shift')[0]?.evidence).toBe('server 24 h, project 12 h');
    expect(subjects('poet-cycle-gap')).toEqual(at(2));
    expect(subjects('poet-key')).toEqual(at(3));
    expect(subjects('poet-unreachable')).toEqual(at(4, 5));
    expect(of('poet-unreachable').map(({ evidence }) => evidence)).toEqual([
      'no answer within 1.5 s',
      'connection refused',
    ]);
    expect(subjects('poet-malformed')).toEqual(at(6, 7));
    expect(of('poet-ok')).toEqual([]);
  });

  it('are too few when there is one, or one in two spellings', async () => {
    expect((await judged({})).codes).toContain('poet-single');
    const server = await startPoet();
    try {
      const twice = [server, { address: `${server.address}/`, pubkey: server.pubkey }];
      const { codes } = await doctor(['--ntp', exact.address], { cwd: project(twice) });
      expect(codes).toContain('poet-duplicate');
      expect(codes).toContain('poet-single');
    } finally {
      await server.close();
    }
  });

  it('give a clock where no time server answers', async () => {
    const silent = await startTimeServer({ silent: true });
    const poets = await Promise.all([startPoet({ skewMs: 120_000 }), startPoet({ skewMs: 120_000 })]);
    try {
      const { of } = await doctor(['--ntp', silent.address, '--timeout', '1s'], { cwd: project(poets) });
      expect(Math.abs(Number(of('clock-off')[0]?.measured['offsetMs']) - 120_000)).toBeLessThan(2500);
    } finally {
      await Promise.all([silent, ...poets].map((server) => server.close()));
    }
  });
});

describe('a project that cannot be read', () => {
  it('S24: names the broken image, and prints the rest', async () => {
    const cwd = project([{ address: 'http://127.0.0.1:9', pubkey: Buffer.alloc(32, 7).toString('base64') }], {
      defaults: { image: 'spacemeshos/post-service:v0.8.1' },
    });
    const { run, of, codes } = await doctor(['--ntp', exact.address], { cwd });
    expect(run.code).toBe(3);
    expect(of('image-broken')[0]).toMatchObject({ severity: 'error', subject: 'defaults.image' });
    expect(codes).toContain('clock-ok');
  });

  it('says where smesh.yaml is wrong, in a terminal too', async () => {
    const cwd = tempFolder('broken');
    writeFileSync(join(cwd, 'smesh.yaml'), 'version: 1\nnetwork: [\n');
    const { of } = await doctor(['--ntp', exact.address], { cwd });
    expect(of('project-invalid')[0]?.evidence).toMatch(/^smesh\.yaml:\d+/);
    const shown = await runCli(['doctor', '--ntp', exact.address], { cwd });
    expect(shown.code).toBe(3);
    expect(shown.stdout).toMatch(/^error {4}project /m);
  });
});
