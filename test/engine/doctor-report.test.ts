import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findLeaks, keyPieces } from '../../scripts/lib/private-keys.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { startTimeServer, type TimeServer } from '../helpers/time-server.ts';
import { docker, TestProject } from './support/project.ts';

const folder = suiteTempFolder('doctor-report');
/** Not the keys of the project: those that people paste into places where they do not belong. */
const seeds = Array.from({ length: 8 }, () => randomBytes(32));
const [inEnv = Buffer.alloc(0), inLog, inLog64, inEscapes, inYaml, inJson, inBytes, inPieces] = seeds;
let project: TestProject;
let clock: TimeServer;
let archive = '';

/** Texts that must not be anywhere in the archive. */
const SECRETS = {
  password: 'hunter2-hunter2',
  token: 'ghp_notarealtoken0123456789abcdefABCDEF',
  coinbase: 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg',
  ipv4: '203.0.113.77',
  ipv6: '2001:db8:77::1',
  peerHost: 'peer77.example.org',
  peer: '12D3KooWKzKpdWcrbFjwRdJWAsKzsFxHPfYHe3qvRVtU2wTNB8PM',
  user: 'frieda77',
  mail: 'frieda77@example.org',
  mac: '02:42:ac:77:00:02',
} as const;

function escaped(text: string): string {
  return [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
}

const hex = (seed: Buffer | undefined) => (seed ?? Buffer.alloc(0)).toString('hex');
const base64 = (seed: Buffer | undefined) => (seed ?? Buffer.alloc(0)).toString('base64');

/** What people and programs leave in logs. */
function plantedLines(): string[] {
  return [
    `INFO  importing key ${hex(inLog)} ok`,
    `{"level":"info","key":"${base64(inLog64)}","peer":"/ip4/${SECRETS.ipv4}/tcp/7513/p2p/${SECRETS.peer}"}`,
    `{"wrapped":"{\\"seed\\":\\"${escaped(hex(inEscapes))}\\"}"}`,
    `bytes [${[...(inBytes ?? [])].join(', ')}]`,
    `dial ${SECRETS.peerHost}:7513 failed, ${SECRETS.ipv6}, ${SECRETS.mac}, ask ${SECRETS.mail}`,
    `GET https://${SECRETS.user}:${SECRETS.password}@${SECRETS.peerHost}/hook?token=${SECRETS.token}`,
    `password: ${SECRETS.password}`,
    `coinbase ${SECRETS.coinbase} home /home/${SECRETS.user}/smesh`,
    // The project's own keys: they are known, and searched for once more.
    ...project.identities.flatMap(({ keyFile }) => [
      `own ${keyFile}`,
      `own ${keyFile.slice(0, 64).replace(/(.{7})/g, '$1 ~ ')}`,
      `own ${keyFile.slice(0, 14)}`,
      `${keyFile.slice(14, 30)}`,
    ]),
  ];
}

beforeAll(async () => {
  clock = await startTimeServer();
  project = await TestProject.make(folder, 2);
  const generated = await project.smesh(['generate', '--yes']);
  expect(generated.code, generated.stderr).toBe(0);
  writeFileSync(
    join(folder, 'compose.override.yaml'),
    [
      `# note to self: ${hex(inYaml)} ${SECRETS.password}`,
      'services:',
      '  post-0001:',
      '    environment:',
      `      WALLET_SEED: "${hex(inEnv)}"`,
      `      WALLET_B64: ${base64(inEnv)}`,
      `      GITHUB: ${SECRETS.token}`,
      `      PROXY: http://${SECRETS.user}:${SECRETS.password}@${SECRETS.ipv4}:3128`,
      '    labels:',
      `      note: "${escaped(hex(inJson)).slice(0, 120)}\\`,
      `        ${escaped(hex(inJson)).slice(120)}"`,
      `      home: /home/${SECRETS.user}/x`,
      '    extra_hosts:',
      `      - "${SECRETS.peerHost}:${SECRETS.ipv4}"`,
      '',
    ].join('\n'),
  );
  appendFileSync(join(folder, 'smesh.yaml'), `# ${hex(inPieces)} is my key, ${SECRETS.mail}\n`);
  await project.compose('up', '-d', '--wait');
  // A journal that cannot be read is named, not quoted.
  mkdirSync(join(folder, '.smesh/journal'), { recursive: true });
  writeFileSync(join(folder, '.smesh/journal/current.json'), `{"version":1,"x":"${hex(inPieces)}"`);
  const lines = plantedLines().join('\n');
  for (const service of ['node', 'post-0001']) {
    const container = await project.containerOf(service);
    await docker('exec', container, 'bash', '-c', 'printf "%s\\n" "$1" > /proc/1/fd/1', '_', lines);
  }
  const run = await project.smesh(
    ['doctor', 'report', '--out', 'r.tar.gz', '--json', '--ntp', clock.address],
    {
      env: { USER: SECRETS.user },
    },
  );
  expect(run.code, run.stderr).toBe(0);
  archive = JSON.parse(run.stdout).path;
  expect(archive).toBe(join(folder, 'r.tar.gz'));
  mkdirSync(join(folder, 'out'));
  execFileSync('tar', ['-xzf', archive, '-C', join(folder, 'out')]);
});

afterAll(async () => {
  await clock.close();
  // Not kept: its logs hold planted keys.
  await project.cleanUp();
});

/** Files of the unpacked archive. */
function unpacked(): { readonly path: string; readonly text: string }[] {
  const root = join(folder, 'out/smesh-report');
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(root, path)).isFile())
    .map((path) => ({ path, text: readFileSync(join(root, path), 'latin1') }));
}

function everything(): string {
  return unpacked()
    .map(({ path, text }) => `${path}\n${text}`)
    .join('\n');
}

describe('doctor report', () => {
  it('is there for its owner alone and holds what helps', () => {
    expect(statSync(archive).mode & 0o777).toBe(0o600);
    const paths = unpacked().map(({ path }) => path);
    for (const wanted of [
      ...['README.txt', 'doctor.json', 'versions.json', 'status.json', 'events.json', 'containers.json'],
      ...['files/smesh.yaml', 'files/compose.yaml', 'files/compose.override.yaml', 'files/node/config.json'],
      ...['logs/node.log', 'logs/post-0001.log', 'logs/post-0002.log', 'journal.json', 'local-sql.json'],
    ]) {
      expect(paths).toContain(wanted);
    }
    expect(paths.filter((path) => /\.(key|bin|sql)$/.test(path))).toEqual([]);
  });

  it('holds no piece of any key, however it is spelled', () => {
    const text = everything();
    const own = project.identities.map(({ keyFile }) => keyFile.slice(0, 64));
    const pieces = keyPieces([...seeds.map((seed) => seed.toString('hex')), ...own]);
    expect(findLeaks(text, pieces)).toEqual([]);
    // The same again without whatever stands between the digits.
    const squeezed = text.toLowerCase().replace(/[^0-9a-f\n]/g, '');
    for (const half of [...seeds.map((seed) => seed.toString('hex')), ...own]) {
      for (let at = 0; at + 16 <= half.length; at += 1) {
        expect(squeezed.includes(half.slice(at, at + 16)), `piece at ${at}`).toBe(false);
      }
    }
    for (const seed of seeds) {
      for (const spelled of [seed.toString('base64'), seed.toString('base64url')]) {
        expect(text).not.toContain(spelled.slice(0, 20));
        expect(text).not.toContain(spelled.slice(20, 40));
      }
      expect(text).not.toContain([...seed].slice(4, 12).join(', '));
    }
  });

  it('holds no account, address, name, password or identity', () => {
    const text = everything();
    for (const [what, secret] of Object.entries(SECRETS)) expect(text.includes(secret), what).toBe(false);
    for (const { smesherId } of project.identities) {
      expect(text).not.toContain(smesherId);
      expect(text).not.toContain(smesherId.slice(0, 8));
      expect(text).not.toContain(Buffer.from(smesherId, 'hex').toString('base64'));
    }
    const [, poetKey = ''] =
      /poetPrivateKey: (\S+)/.exec(readFileSync(join(folder, 'smesh.yaml'), 'utf8')) ?? [];
    expect(poetKey).toHaveLength(88);
    for (const at of [0, 20, 40, 60]) expect(text).not.toContain(poetKey.slice(at, at + 20));
  });

  it('can still be read: identities keep one name throughout, and what helps is there', () => {
    const file = (path: string) => readFileSync(join(folder, 'out/smesh-report', path), 'utf8');
    expect(file('files/smesh.yaml')).toContain('id: "[smesher-2]"');
    expect(file('containers.json')).toContain('"io.smesh-compose.smesher-id": "[smesher-2]"');
    expect(file('status.json')).toContain('"smesher": "[smesher-2]"');
    expect(file('logs/post-0002.log')).toContain('POST proving settings');
    expect(file('logs/node.log')).toContain('app started');
    expect(file('files/compose.override.yaml')).toContain('WALLET_SEED: "[blanked]"');
    expect(JSON.parse(file('local-sql.json')).rows).toHaveProperty('poet_registration');
    expect(JSON.parse(file('doctor.json'))).toMatchObject({ schemaVersion: 1 });
    expect(file('README.txt')).toContain('Look through it before you send it');
  });

  it('replaces no file, and says what is in it and where', async () => {
    const again = await project.smesh(['doctor', 'report', '--out', 'r.tar.gz', '--ntp', clock.address]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('is there already');
    const shown = await project.smesh(['doctor', 'report', '--ntp', clock.address, '--lines', '1']);
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(/^Written: \S+smesh-report-\d{8}-\d{6}\.tar\.gz \(/);
    expect(shown.stdout).toContain('Look through it before you send it:');
  });
});

describe('doctor report without an engine', () => {
  it('S20: has the rest, and says what is not in it', async () => {
    const run = await project.smesh(
      ['doctor', 'report', '--json', '--out', 'none.tar.gz', '--ntp', clock.address],
      {
        env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' },
      },
    );
    expect(run.code).toBe(0);
    const { files, missing } = JSON.parse(run.stdout) as {
      files: { path: string }[];
      missing: { what: string }[];
    };
    expect(files.map(({ path }) => path)).toContain('doctor.json');
    expect(missing.map(({ what }) => what)).toContain('logs');
  });
});
