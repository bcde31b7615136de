import { execFileSync } from 'node:child_process';
import { chownSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleStandIn, removeScratch, start } from '../contract/run-stand-in.ts';
import { suiteTempFolder, tempFolder } from '../helpers/temp.ts';
import { plain } from './support/lifecycle.ts';
import { docker, OWNER, POSTCLI_IMAGE, type ProjectIdentity, TestProject } from './support/project.ts';

const ATX = 'c0ac7edf3561d5a4e8a66e5fd18357dcaa9274559236864c451cbf89d3cfeb8a';
const SLOW_IMAGE = `smesh-test/postcli-slow:${process.pid}`;
const MS_PER_FILE = 700;

const folder = suiteTempFolder('post-verify');
let project: TestProject;
let postcli = '';
const [first, second, third] = [0, 1, 2];

/** Two on one disk and one on another; no node and no prover run. */
beforeAll(async () => {
  postcli = await bundleStandIn('postcli');
  project = await TestProject.make(folder, 0);
  for (const disk of ['d1', 'd1', 'd2']) project.addIdentity({ disk });
  project.write();
  await Promise.all(project.identities.map(makeData));
  // Throw-away containers get no environment: what slows them down is in the image.
  const made = await docker('create', POSTCLI_IMAGE);
  await docker('commit', '--change', `ENV SIM_VERIFY_MS_PER_FILE=${MS_PER_FILE}`, made, SLOW_IMAGE);
  await docker('rm', made);
});

afterAll(async () => {
  removeScratch();
  await project.cleanUp();
  await docker('rmi', SLOW_IMAGE);
});

/** The very postcli that checks afterwards, so that its labels are right for it. */
async function runPostcli(data: string, flags: readonly string[]): Promise<void> {
  const user = `${OWNER.uid}:${OWNER.gid}`;
  const inside = flags.map((word) => (word === data ? '/post' : word));
  await docker(
    'run',
    '--rm',
    '--network',
    'none',
    '--user',
    user,
    '-v',
    `${data}:/post`,
    POSTCLI_IMAGE,
    ...inside,
  );
}

/** Labels that are right, in two files, instead of the random bytes of the other suites. */
async function makeData({ data, smesherId, keyFile }: ProjectIdentity): Promise<void> {
  const sizes = ['-numUnits', '2', '-labelsPerUnit', '64', '-maxFileSize', '1024'];
  // Of a few thousand sets one has no label that is small enough for a VRF nonce.
  for (const commitment of [ATX, '11'.repeat(32)]) {
    for (const name of readdirSync(data)) rmSync(join(data, name));
    const flags = ['-provider', '4294967295', '-id', smesherId, '-commitmentAtxId', commitment, '-yes'];
    await runPostcli(data, ['-datadir', data, ...sizes, ...flags]);
    if (readFileSync(join(data, 'postdata_metadata.json'), 'utf8').includes('NonceValue')) break;
  }
  writeFileSync(join(data, 'identity.key'), keyFile, { mode: 0o600 });
  chownSync(join(data, 'identity.key'), OWNER.uid, OWNER.gid);
}

const identity = (index: number): ProjectIdentity => {
  const found = project.identities[index];
  if (found === undefined) throw new Error(`no identity ${index}`);
  return found;
};

const verify = (args: readonly string[], image = POSTCLI_IMAGE) =>
  project.smesh(['post', 'verify', '--postcli-image', image, ...args]);

interface Check {
  readonly source: string;
  readonly command: string;
  readonly writable: boolean;
  readonly user: string;
}

/** The checks that go on now. */
async function checksAtWork(): Promise<Check[]> {
  const ids = await docker('ps', '-q', '--filter', `ancestor=${SLOW_IMAGE}`);
  if (ids === '') return [];
  const format =
    '{{range .Mounts}}{{if eq .Destination "/post"}}{{.Source}} {{.RW}}{{end}}{{end}} {{.Config.User}} {{join .Config.Cmd " "}}';
  // One may end between the two questions.
  const lines = await docker('inspect', '--format', format, ...ids.split('\n')).catch(() => '');
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [source = '', writable, user = '', ...command] = line.split(' ');
      return { source, writable: writable === 'true', user, command: command.join(' ') };
    });
}

const bytesOf = ({ data }: ProjectIdentity) =>
  readdirSync(data)
    .sort()
    .map((name) => [
      name,
      readFileSync(join(data, name)).toString('hex'),
      statSync(join(data, name)).mtimeMs,
    ]);

describe('post verify', () => {
  it('finds right labels right, one reader per disk, in containers that can write nothing', async () => {
    const before = project.identities.map(bytesOf);
    let ended = false;
    const run = verify(['--fraction', '100', '--json'], SLOW_IMAGE).finally(() => {
      ended = true;
    });
    const seen: Check[][] = [];
    while (!ended) {
      seen.push(await checksAtWork());
      await sleep(50);
    }
    const { code, stdout, stderr } = await run;
    expect(code, stderr).toBe(0);
    const { places } = JSON.parse(stdout);
    expect(places).toHaveLength(3);
    for (const { structure, labels } of places) {
      expect(structure).toBe('ready');
      expect(labels).toEqual({ checked: true, files: '0-1', wrong: [] });
    }
    const all = seen.flat();
    expect(new Set(all.map(({ source }) => source))).toEqual(
      new Set(project.identities.map(({ data }) => data)),
    );
    const onFirstDisk = [identity(first).data, identity(second).data];
    for (const checks of seen) {
      expect(checks.filter(({ source }) => onFirstDisk.includes(source)).length).toBeLessThan(2);
    }
    expect(seen.some((checks) => checks.length === 2)).toBe(true);
    for (const { writable, user, command } of all) {
      expect(writable).toBe(false);
      expect(user).toBe(`${OWNER.uid}:${OWNER.gid}`);
      expect(command).toContain('-scryptN 8192');
    }
    expect(project.identities.map(bytesOf)).toEqual(before);
  });

  it('starts nothing in a dry run, and says what it would', async () => {
    const { code, stdout } = await verify(['--dry-run', '--fraction', '5'], SLOW_IMAGE);
    expect(code).toBe(0);
    expect(plain(stdout)).toContain('5 % of files 0–1 would be, with scrypt N 8192');
    expect(await checksAtWork()).toEqual([]);
  });

  it('ends its containers with Ctrl-C, and loses nothing', async () => {
    let kill: ((signal: NodeJS.Signals) => void) | undefined;
    const run = project.smesh(['post', 'verify', '--postcli-image', SLOW_IMAGE], {
      onStart: (send) => {
        kill = send;
      },
    });
    while ((await checksAtWork()).length < 2) await sleep(50);
    kill?.('SIGINT');
    const { code, stdout } = await run;
    expect(code).toBe(130);
    expect(await checksAtWork()).toEqual([]);
    expect(stdout).toContain('Go on later with: smesh-compose post verify post-0002');
  });

  it('S32: names file and offset of an overwritten label, what it means, and how its file is written again', async () => {
    const { data, name, smesherId } = identity(second);
    const path = join(data, 'postdata_1.bin');
    const right = readFileSync(path);
    const wrong = Buffer.from(right);
    wrong.fill(0xff, 96, 112);
    writeFileSync(path, wrong);
    const run = await verify(['--fraction', '100', name]);
    expect(run.code).toBe(3);
    expect(plain(run.stdout)).toContain('file 1 (postdata_1.bin): at offset 96');
    expect(run.stdout).toContain('A proof that meets a wrong label is invalid');
    const typed = run.stdout.split('\n').map((line) => line.trim());
    expect(typed).toContain(`mv -n ${path} ${path}.wrong`);
    // Served data are no job of `post init`: postcli writes that file alone. What is typed is what makes it right again.
    const redo = typed.find((line) => line.startsWith('postcli '))?.split(' ') ?? [];
    expect(redo.join(' ')).toContain(`-datadir ${data} -id ${smesherId}`);
    expect(readFileSync(path).equals(wrong)).toBe(true);
    const others = await verify(['--fraction', '100', '--to-file', '0', name]);
    expect(others.code, others.stdout).toBe(0);

    const last = await project.smesh(['post', 'verify', '--last', '--json']);
    expect(last.code).toBe(3);
    const remembered = JSON.parse(last.stdout).places.map(
      (place: { last: { wrong: unknown } }) => place.last?.wrong,
    );
    expect(remembered).toEqual([[], [{ file: 1, offset: 96 }], []]);

    renameSync(path, `${path}.wrong`);
    const beside = readdirSync(data).filter((one) => /_0\.bin$|metadata\.json$/.test(one));
    const untouched = beside.map((one) => readFileSync(join(data, one)).toString('hex'));
    const flags = redo.slice(1).map((word, at) => (redo[at] === '-provider' ? '4294967295' : word));
    await runPostcli(data, flags);
    expect(readFileSync(path).equals(right)).toBe(true);
    expect(beside.map((one) => readFileSync(join(data, one)).toString('hex'))).toEqual(untouched);
    expect((await verify(['--fraction', '100', name])).code).toBe(0);
    expect((await project.smesh(['post', 'verify', '--last'])).code).toBe(0);
  });

  it('checks no label where scrypt N is not known: all would look wrong', async () => {
    const data = join(tempFolder('foreign'), 'd');
    const sizes = ['-numUnits', '1', '-labelsPerUnit', '300', '-scryptN', '16', '-maxFileSize', '4800'];
    await start(postcli, [
      '-datadir',
      data,
      ...sizes,
      '-provider',
      '4294967295',
      '-commitmentAtxId',
      ATX,
      '-yes',
    ]).ended;
    const run = await verify([data], SLOW_IMAGE);
    expect(run.code).toBe(6);
    expect(run.stdout).toContain('with a wrong scrypt N every label would look invalid');
    expect(run.stdout).toContain('--scrypt-n N');
    expect(run.stdout).not.toContain('mv -n');
  });

  it('searches complete data for the nonce that is missing, keeps the metadata as they were, and finds the same', async () => {
    const { data, name } = identity(third);
    const path = join(data, 'postdata_metadata.json');
    const whole = JSON.parse(readFileSync(path, 'utf8'));
    const { Nonce: _nonce, NonceValue: _value, ...rest } = whole;
    writeFileSync(path, JSON.stringify(rest));
    const without = readFileSync(path, 'utf8');
    const scan = await project.smesh(['scan', data]);
    expect(plain(scan.stdout).replaceAll(/\s+/g, ' ')).toContain(`smesh-compose post verify --search-nonce`);
    const run = await verify(['--search-nonce', name, '--json']);
    expect(run.code, run.stderr).toBe(0);
    const [found] = JSON.parse(run.stdout).places;
    expect(found).toMatchObject({ outcome: 'found', nonce: `${whole.Nonce}` });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(whole);
    expect(readFileSync(found.copy, 'utf8')).toBe(without);
    expect(statSync(path).uid).toBe(OWNER.uid);
    const again = await verify(['--search-nonce', name, '--json']);
    expect(JSON.parse(again.stdout).places[0]).toMatchObject({ outcome: 'has-one', copy: null });
    // A card that computed zeros found the smallest label of all.
    writeFileSync(path, JSON.stringify({ ...whole, Nonce: 5, NonceValue: '00'.repeat(16) }));
    chownSync(path, OWNER.uid, OWNER.gid);
    expect((await verify(['--search-nonce', '--again', name])).code).toBe(0);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(whole);
    rmSync(join(data, 'postdata_1.bin'));
    writeFileSync(path, without);
    const half = await verify(['--search-nonce', name]);
    expect(half.code).toBe(3);
    expect(half.stdout).toContain('its data are not complete');
    expect(readFileSync(path, 'utf8')).toBe(without);
  });

  it('refuses in the cycle gap, says when it is possible, and looks at the structure all the same', async () => {
    project.openGap();
    const run = await verify([], SLOW_IMAGE);
    expect(run.code).toBe(5);
    expect(plain(run.stderr)).toMatch(
      /^Refused: the cycle gap (is open|opens in .*), and .*the disks are for proofs/m,
    );
    expect(plain(run.stderr)).toMatch(/possible from .*UTC/);
    expect(run.stdout).toContain('STRUCTURE');
    const structure = await project.smesh(['post', 'verify', '--structure', identity(first).name]);
    expect(structure.code, structure.stdout).toBe(0);
    const images = execFileSync('docker', ['ps', '-aq', '--filter', `ancestor=${SLOW_IMAGE}`], {
      encoding: 'utf8',
    });
    expect(images.trim()).toBe('');
  });
});
