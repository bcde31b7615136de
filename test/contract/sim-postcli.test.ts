import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeIdentity } from '../helpers/keys.ts';
import {
  bundleStandIn,
  type Outcome,
  recordings,
  removeScratch,
  scratch,
  start,
  until,
  withoutRecordings,
} from './run-stand-in.ts';

type Metadata = Record<string, unknown>;

interface Recorded {
  readonly case: string;
  readonly args: readonly string[] | string;
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly files_after: Readonly<Record<string, number>>;
  readonly metadata_after: Metadata | null;
}

/** What happened to the directory before a case that goes on in the one that the case before left. */
type SetUp = (dir: string) => void;
const asItWas: SetUp = () => {};

const SET_UPS: Readonly<Record<string, SetUp>> = {
  'again, same flags (resume of a complete set)': asItWas,
  verify: asItWas,
  'verify without -scryptN': asItWas,
  'verify at 100 % after one label of file 1 was overwritten (offset 96)': (dir) =>
    overwrite(join(dir, 'postdata_1.bin'), 96),
  'the same, only file 0': asItWas,
  'smaller numUnits': asItWas,
  'larger numUnits': asItWas,
  'other id': asItWas,
  'other commitment': asItWas,
  'other maxFileSize': asItWas,
  'other labelsPerUnit': asItWas,
  'resume with a file missing in the middle': (dir) => rmSync(join(dir, 'postdata_1.bin')),
  'resume with a short file (1000 bytes, not a multiple of 16)': (dir) =>
    truncateSync(join(dir, 'postdata_2.bin'), 1000),
  'resume with a surplus file': (dir) => writeFileSync(join(dir, 'postdata_9.bin'), Buffer.alloc(2048)),
  'searchForNonce after the nonce was removed': (dir) => removeNonce(dir),
  'resume without nonce in metadata': (dir) => removeNonce(dir),
  'verify with identity.key of another identity': (dir) => writeFileSync(join(dir, 'identity.key'), newKey()),
};

/** Signals while initialising 2 units of 200,000 labels in files of 1 MiB: `args` says it in words. */
const SIGNALS: Readonly<Record<string, NodeJS.Signals>> = {
  'SIGINT while initialising': 'SIGINT',
  'SIGTERM while initialising': 'SIGTERM',
  'SIGKILL while initialising': 'SIGKILL',
};

const ID = '62834bf0416acba2db340c38f81e04595228266a014bcfb06cd6ffea70a8f031';
const ATX = 'c0ac7edf3561d5a4e8a66e5fd18357dcaa9274559236864c451cbf89d3cfeb8a';

const recorded: readonly Recorded[] =
  recordings === undefined ? [] : JSON.parse(readFileSync(join(recordings, 'postcli.json'), 'utf8')).cases;

let bundle = '';

beforeAll(async () => {
  bundle = await bundleStandIn('postcli');
});
afterAll(removeScratch);

describe.skipIf(recordings === undefined)(
  `postcli stand-in against the recordings (${withoutRecordings})`,
  () => {
    let root = '';

    it('knows every set-up that the recordings need', () => {
      expect(recorded).toHaveLength(39);
      const names = recorded.map((one) => one.case);
      for (const name of [...Object.keys(SET_UPS), ...Object.keys(SIGNALS)]) expect(names).toContain(name);
    });

    // One after the other: a case may go on where the one before ended.
    it.each(recorded.map((one) => [one.case, one] as const))('%s', async (name, one) => {
      const setUp = SET_UPS[name];
      if (setUp === undefined) root = scratch();
      const dir = join(root, dataFolder(one));
      setUp?.(dir);
      const before = metadataOf(dir);
      const outcome = await play(one, root);
      expect(exitOf(outcome)).toBe(one.exit);
      expect(filesOf(dir)).toEqual(withoutMetadataSize(one.files_after));
      expectMetadata(metadataOf(dir), one.metadata_after, before);
      expect(sayings(outcome.stderr, root)).toEqual(sayings(one.stderr, '/x'));
      if (!name.includes('printConfig')) {
        expect(steps(outcome.stdout, root, name)).toEqual(steps(one.stdout, '/x', name));
      } else {
        expect(spew(outcome.stdout, root)).toEqual(spew(one.stdout, '/x'));
      }
    });
  },
);

/** The folder of a case: `d`, or `d2` for the second half of a split. */
function dataFolder(one: Recorded): string {
  if (typeof one.args === 'string') return 'd';
  const at = one.args.indexOf('-datadir');
  return (one.args[at + 1] ?? '/x/d').replace('/x/', '');
}

async function play(one: Recorded, root: string): Promise<Outcome> {
  const signal = SIGNALS[one.case];
  if (signal !== undefined) return interrupt(join(root, 'd'), signal);
  const args = (one.args as readonly string[]).map((arg) => arg.replace('/x/', `${root}/`));
  return start(bundle, args, { SIM_OPENCL_WAIT_MS: '50' }).ended;
}

/** Two units of 200,000 labels; the signal comes while the first file is computed, as when it was recorded. */
async function interrupt(dir: string, signal: NodeJS.Signals): Promise<Outcome> {
  const sizes = ['-numUnits', '2', '-labelsPerUnit', '200000', '-maxFileSize', '1048576'];
  const rest = ['-datadir', dir, '-provider', '4294967295', '-id', ID, '-commitmentAtxId', ATX, '-yes'];
  const running = start(bundle, [...sizes, ...rest], { SIM_LABELS_PER_SECOND: '60000' });
  await until('the first file is begun', () => running.stdout().includes('starting to write file'));
  await sleep(200);
  running.child.kill(signal);
  return running.ended;
}

/** As Python reports it: minus the number of the signal. */
function exitOf(outcome: Outcome): number | undefined {
  if (outcome.signal === 'SIGTERM') return -15;
  if (outcome.signal === 'SIGKILL') return -9;
  return outcome.exit;
}

/** Files and sizes. The metadata's size depends on the digits of the nonce and says nothing. */
function filesOf(dir: string): Record<string, number> {
  let names: readonly string[] = [];
  try {
    names = readdirSync(dir);
  } catch {
    // Nothing was made: the recording says `{}` for that, too.
  }
  return withoutMetadataSize(Object.fromEntries(names.map((name) => [name, statSync(join(dir, name)).size])));
}

function withoutMetadataSize(files: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(files).map(([name, size]) => [name, name.endsWith('.json') ? 1 : size]),
  );
}

function metadataOf(dir: string): Metadata | null {
  try {
    return JSON.parse(readFileSync(join(dir, 'postdata_metadata.json'), 'utf8')) as Metadata;
  } catch {
    return null;
  }
}

/** The same fields in the same order, and the same values where labels and chance decide nothing. */
function expectMetadata(actual: Metadata | null, wanted: Metadata | null, before: Metadata | null): void {
  expect(Object.keys(actual ?? {})).toEqual(Object.keys(wanted ?? {}));
  if (actual === null || wanted === null) return;
  const fixed = ({ NodeId: _id, Nonce: _nonce, NonceValue: _value, ...rest }: Metadata) => rest;
  expect(fixed(actual)).toEqual(fixed(wanted));
  if (before !== null) expect(actual['NodeId']).toBe(before['NodeId']);
}

/** stderr without times; a panic's stack and the usage text are the language's. */
function sayings(text: string, root: string): readonly string[] {
  return (
    text
      .replaceAll(/^(TIME|\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d) /gm, '')
      .replaceAll(`${root}/`, '/DIR/')
      .replace(/\n\ngoroutine[\s\S]*|\n\n… \(stack\)$/, '')
      .replace(/\n(Usage of postcli:[\s\S]*|\(usage\))$/, '')
      .replace(/public key from identity.key \([0-9a-f]{64}\)/, 'public key from identity.key (KEY)')
      // Labels are verified in an order of chance: with another N all are wrong, and any may be the first.
      .replace('file 0 contains invalid label at offset 16', 'file 0 contains invalid label at offset 0')
      .split('\n')
  );
}

/** stdout without times; which labels are good nonces depends on the labels, and on them what is logged of it. */
function steps(text: string, root: string, name: string): readonly string[] {
  return text
    .replaceAll(/^\S+Z\t/gm, '')
    .replaceAll(`${root}/`, '/DIR/')
    .replaceAll(/"nonce": \d+/g, '"nonce": N')
    .replaceAll(/"NonceValue": "[0-9a-f]{32}"/g, '"NonceValue": "V"')
    .replace(
      name === 'verify without -scryptN' ? /invalid label in file 0 at offset \d+/ : /(?!)/,
      'invalid label in file 0',
    )
    .split('\n')
    .filter((line) => !/found new best nonce|found nonce: updating/.test(line));
}

function spew(text: string, root: string): string {
  return text
    .replaceAll(/0x[0-9a-f]+/g, '0xADDRESS')
    .replace(/\(len=\d+\) "[^"]+"/, '(len) "/DIR/d"')
    .replaceAll(root, '/DIR');
}

function overwrite(path: string, offset: number): void {
  const bytes = readFileSync(path);
  bytes.fill(0xff, offset, offset + 16);
  writeFileSync(path, bytes);
}

function removeNonce(dir: string): void {
  const { Nonce: _nonce, NonceValue: _value, LastPosition: _last, ...rest } = metadataOf(dir) ?? {};
  writeFileSync(join(dir, 'postdata_metadata.json'), JSON.stringify(rest, null, '\t'));
}

function newKey(): string {
  return makeIdentity().keyFile;
}

describe('postcli stand-in', () => {
  const flags = [
    '-provider',
    '4294967295',
    '-labelsPerUnit',
    '256',
    '-scryptN',
    '16',
    '-maxFileSize',
    '2048',
  ];
  const init = (dir: string, ...more: string[]) =>
    start(bundle, [...flags, '-datadir', dir, '-commitmentAtxId', ATX, '-yes', ...more]).ended;

  it('makes a key that a node accepts: 0600, 128 hex characters, both halves of one pair', async () => {
    const dir = join(scratch(), 'd');
    await init(dir, '-numUnits', '2');
    const path = join(dir, 'identity.key');
    const key = readFileSync(path, 'latin1');
    expect(key).toMatch(/^[0-9a-f]{128}$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dir, 'postdata_0.bin')).mode & 0o777).toBe(0o600);
    expect(metadataOf(dir)?.['NodeId']).toBe(Buffer.from(key.slice(64), 'hex').toString('base64'));
    expect((await start(bundle, ['-datadir', dir, '-verify', '-scryptN', '16']).ended).exit).toBe(0);
  });

  it('names the smallest label as nonce, also across ranges made apart', async () => {
    const root = scratch();
    const [whole, first, second] = ['whole', 'first', 'second'].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ];
    await init(whole, '-numUnits', '2', '-id', ID);
    await init(first, '-numUnits', '2', '-id', ID, '-toFile', '1');
    await init(second, '-numUnits', '2', '-id', ID, '-fromFile', '2');
    const labels = [0, 1, 2, 3].flatMap((index) => {
      const bytes = readFileSync(join(whole, `postdata_${index}.bin`));
      return Array.from({ length: 128 }, (_, at) => bytes.subarray(at * 16, at * 16 + 16).toString('hex'));
    });
    const smallest = [...labels].sort()[0] ?? '';
    expect(metadataOf(whole)).toMatchObject({ NonceValue: smallest, Nonce: labels.indexOf(smallest) });
    const values = [first, second].map((dir) => metadataOf(dir)?.['NonceValue']).filter(Boolean);
    expect(values.sort()[0]).toBe(smallest);
    cpSync(join(second, 'postdata_3.bin'), join(first, 'postdata_3.bin'));
    expect(readFileSync(join(first, 'postdata_3.bin'))).toEqual(readFileSync(join(whole, 'postdata_3.bin')));
  });

  it('goes on after SIGINT where it stopped, and ends with the same data', async () => {
    const root = scratch();
    const [cut, whole] = [join(root, 'd'), join(root, 'whole')];
    const args = ['-numUnits', '2', '-id', ID];
    const slow = { SIM_LABELS_PER_SECOND: '640', SIM_BATCH_LABELS: '32' };
    const running = start(
      bundle,
      [...flags, '-datadir', cut, '-commitmentAtxId', ATX, '-yes', ...args],
      slow,
    );
    await until('a batch is written', () => (filesOf(cut)['postdata_0.bin'] ?? 0) > 0);
    running.child.kill('SIGINT');
    expect((await running.ended).exit).toBe(1);
    expect((filesOf(cut)['postdata_0.bin'] ?? 0) % 16).toBe(0);
    expect(filesOf(cut)['postdata_3.bin']).toBeUndefined();
    await init(cut, ...args);
    await init(whole, ...args);
    for (const name of readdirSync(whole)) {
      expect(readFileSync(join(cut, name))).toEqual(readFileSync(join(whole, name)));
    }
  });

  it('offers GPUs when told so, the CPU last', async () => {
    const outcome = await start(bundle, ['-printProviders'], { SIM_GPUS: 'NVIDIA CUDA/RTX' }).ended;
    expect(outcome.exit).toBe(0);
    expect(outcome.stdout).toMatch(/ID: \(uint32\) 0,[\s\S]+\[GPU\] NVIDIA CUDA\/RTX[\s\S]+4294967295/);
  });
});
