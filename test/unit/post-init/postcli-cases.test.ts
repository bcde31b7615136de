import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { JOB_HARDENING } from '../../../src/domain/compose/hardening.ts';
import { CPU_PROVIDER, initialisationCommand } from '../../../src/domain/compose/init-jobs.ts';
import { parseProviders, saysNoOpenCl } from '../../../src/domain/gpu/providers.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { standaloneNetwork } from '../../../src/domain/node/networks.ts';
import { readMetadata } from '../../../src/domain/post/metadata.ts';
import { explainEnd } from '../../../src/domain/post-init/explain-end.ts';
import { jobFiles } from '../../../src/domain/post-init/job-files.ts';
import type { JobState } from '../../../src/domain/post-init/job-state.ts';
import { judgeJob } from '../../../src/domain/post-init/judge-job.ts';
import { filesToCheck, keyHinders } from '../../../src/domain/post-verify/files-to-check.ts';
import { nonceNeed } from '../../../src/domain/post-verify/nonce-search.ts';
import { readVerifyEnd } from '../../../src/domain/post-verify/postcli-said.ts';
import { scryptNOf } from '../../../src/domain/post-verify/scrypt-n.ts';
import { parseProject } from '../../../src/domain/project/parse.ts';
import type { InitialisationJob, InitialisationSettings } from '../../../src/domain/project/types.ts';
import { lookAtFolder } from '../../../src/usecases/post-init/look-at-folder.ts';
import { bundleStandIn, recordings, removeScratch, scratch, start } from '../../contract/run-stand-in.ts';
import { makePoetKey } from '../../helpers/keys.ts';
import { scanFolders } from '../scanner/scan-folder.ts';

interface Recorded {
  readonly case: string;
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly metadata_after: Readonly<Record<string, unknown>> | null;
}

const ID = parseSmesherId('62834bf0416acba2db340c38f81e04595228266a014bcfb06cd6ffea70a8f031') as SmesherId;
const OTHER_ID = parseSmesherId(
  '8dd53ad1933c83e3e02b2824a8200ed3aff5bbe901284c1812be7f4f9439bc23',
) as SmesherId;
const ATX = 'c0ac7edf3561d5a4e8a66e5fd18357dcaa9274559236864c451cbf89d3cfeb8a';
const NETWORK = standaloneNetwork({
  genesisTime: '2030-01-01T00:00:00Z',
  poetPrivateKey: makePoetKey(),
  post: { labelsPerUnit: 256, minUnits: 1, maxUnits: 4, scrypt: { n: 16, r: 1, p: 1 } },
});
const ON_CPU: InitialisationSettings = { image: 'postcli', gpu: 'cpu', devices: [], jobs: [] };

let bundle = '';
let whole = '';

beforeAll(async () => {
  bundle = await bundleStandIn('postcli');
  whole = join(scratch(), 'whole');
  await run(job(whole));
});
afterAll(removeScratch);

/** 2 units of 256 labels in files of 2 KiB, as all that was recorded. */
function job(data: string, more: Partial<InitialisationJob> = {}): InitialisationJob {
  return { id: ID, name: 'post-0001-init', data, units: 2, commitmentAtx: ATX, maxFileSize: 2048, ...more };
}

const commandOf = (one: InitialisationJob) => initialisationCommand(one, ON_CPU, NETWORK);

/** Runs the very command line that the job's service has, on the directory that would be mounted. */
function run(one: InitialisationJob, env: NodeJS.ProcessEnv = {}) {
  const words = commandOf(one).map((word) => (word === '/post' ? one.data : word));
  return start(bundle, words, { SIM_OPENCL_WAIT_MS: '10', ...env }).ended;
}

async function judge(one: InitialisationJob, readOnly = false): Promise<JobState> {
  return judgeJob(one, NETWORK, { data: await lookAtFolder(nodeFiles, one.data), readOnly });
}

/** A copy of the whole set, and what happened to it. */
function copy(change: (dir: string) => void = () => {}): string {
  const dir = join(scratch(), 'd');
  cpSync(whole, dir, { recursive: true });
  change(dir);
  return dir;
}

const bytesIn = (dir: string) =>
  Object.fromEntries(
    readdirSync(dir).map((name) => [name, readFileSync(join(dir, name)).toString('base64')]),
  );

function removeNonce(dir: string): void {
  const path = join(dir, 'postdata_metadata.json');
  const { Nonce: _nonce, NonceValue: _value, ...rest } = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify(rest));
}

/** The guard says no before postcli is started, in words that name the cost, and touches nothing. */
async function refused(one: InitialisationJob, code: string, words: RegExp, readOnly = false): Promise<void> {
  const before = bytesIn(one.data);
  const state = await judge(one, readOnly);
  expect(state).toMatchObject({ kind: 'refused', code });
  if (state.kind !== 'refused') return;
  expect(`${state.message}\n${state.hint}`).toMatch(words);
  expect(bytesIn(one.data)).toEqual(before);
}

/** The command of a job has a flag with this value, so that what was recorded without it cannot happen. */
function always(flag: string, value?: string): void {
  for (const more of [{}, { fromFile: 0, toFile: 1 }, { provider: 3 }]) {
    const words = commandOf(job('/d', more));
    expect(words).toContain(flag);
    if (value !== undefined) expect(words[words.indexOf(flag) + 1]).toBe(value);
  }
}

/** smesh.yaml with such a job is refused, with line and field. */
function yamlRefuses(field: string, value: string, words: RegExp): void {
  const fields = { id: ID, name: 'post-0001-init', data: '/d', units: 4, commitmentAtx: ATX, [field]: value };
  const lines = Object.entries(fields).map(
    ([name, text]) => `${name}: ${typeof text === 'number' ? text : `'${text}'`}`,
  );
  const yaml = `version: 1\nname: x\nnetwork: mainnet\ncoinbase: sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y\nidentities: []\ninit:\n  jobs:\n    - ${lines.join('\n      ')}\n`;
  const parsed = parseProject(yaml, { directory: '/srv' });
  const diagnostics = 'diagnostics' in parsed ? parsed.diagnostics : [];
  const fault = diagnostics.find(({ path }) => path?.includes(`jobs[0].${field}`));
  expect(fault?.message).toMatch(words);
  expect(fault?.line).toBeGreaterThan(7);
}

async function completes(one: InitialisationJob): Promise<void> {
  expect((await judge(one)).kind).toBe('complete');
  const before = bytesIn(one.data);
  await run(one);
  expect(bytesIn(one.data)).toEqual(before);
}

async function scanned(dir: string) {
  const [directory] = (await scanFolders([dir])).directories;
  if (directory === undefined) throw new Error(`nothing in ${dir}`);
  return directory;
}

async function interruptedBy(signal: NodeJS.Signals): Promise<void> {
  const dir = join(scratch(), 'd');
  const one = job(dir);
  mkdirSync(dir);
  const words = commandOf(one).map((word) => (word === '/post' ? dir : word));
  const running = start(bundle, words, { SIM_LABELS_PER_SECOND: '600', SIM_BATCH_LABELS: '32' });
  for (let at = 0; at < 500 && !running.stdout().includes('fileIndex": 1'); at += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  running.child.kill(signal);
  await running.ended;
  expect((await judge(one)).kind).toBe('unfinished');
  await run(one);
  expect(bytesIn(dir)).toEqual(bytesIn(whole));
}

type Answer =
  /** The tool copes with it; what it does is shown. */
  | { readonly handled: string; check(recorded: Recorded): Promise<void> | void }
  /** The tool does not let it come to that; with the words. */
  | { readonly refused: string; check(recorded: Recorded): Promise<void> | void };

const ANSWERS: Readonly<Record<string, Answer>> = {
  'fresh, no id: generates identity.key': {
    handled: 'a job always has -id: the key is made and backed up by the tool, never by postcli',
    check: async () => {
      always('-id', ID);
      expect(readdirSync(whole)).not.toContain('identity.key');
    },
  },
  'again, same flags (resume of a complete set)': {
    handled: 'judged complete by its files; run again nothing changes',
    check: () => completes(job(copy())),
  },
  verify: {
    handled: 'right labels are right by exit code and by its own words',
    check: (recorded) => {
      expect(readVerifyEnd({ ...recorded, exitCode: recorded.exit })).toEqual({ kind: 'valid' });
      // Another program that ends with 0 has checked nothing.
      expect(readVerifyEnd({ exitCode: 0, stdout: 'hello', stderr: '' }).kind).toBe('failed');
    },
  },
  'verify without -scryptN': {
    refused: 'labels are checked with the N of their network, or not at all',
    check: () => {
      const reading = readMetadata(readFileSync(join(whole, 'postdata_metadata.json'), 'utf8'));
      if (reading.kind !== 'read') throw new Error('unreadable');
      expect(scryptNOf(reading.metadata, NETWORK)).toEqual({ kind: 'known', n: 16 });
      expect(scryptNOf(reading.metadata, undefined)).toMatchObject({ kind: 'unknown' });
      const mainnet = { ...reading.metadata, labelsPerUnit: 2 ** 32, units: 4 };
      expect(scryptNOf(mainnet, undefined)).toEqual({ kind: 'known', n: 8192 });
      // Data of another network than the project's: its N says nothing of them.
      expect(scryptNOf({ ...mainnet, labelsPerUnit: 300 }, NETWORK)).toMatchObject({ kind: 'unknown' });
    },
  },
  'verify at 100 % after one label of file 1 was overwritten (offset 96)': {
    handled: 'post verify names file and offset, exit 3',
    check: (recorded) =>
      expect(readVerifyEnd({ ...recorded, exitCode: recorded.exit })).toEqual({
        kind: 'invalid',
        file: 1,
        offset: 96,
      }),
  },
  'the same, only file 0': {
    handled: 'post verify --from-file 0 --to-file 0',
    check: (recorded) =>
      expect(readVerifyEnd({ ...recorded, exitCode: recorded.exit })).toEqual({ kind: 'valid' }),
  },
  'fresh with id': {
    handled: 'not begun before, complete after it',
    check: async () => {
      const one = job(scratch());
      expect((await judge(one)).kind).toBe('not-begun');
      await run(one);
      await completes(one);
    },
  },
  'smaller numUnits': {
    refused: 'postcli would delete the labels of the others without asking',
    check: () =>
      refused(job(copy(), { units: 1 }), 'fewer-units', /would delete .*without asking[\s\S]*units: 2/),
  },
  'fresh 1 unit': {
    handled: 'complete',
    check: async () => {
      const one = job(scratch(), { units: 1 });
      await run(one);
      await completes(one);
    },
  },
  'larger numUnits': {
    refused: 'data cannot be grown',
    check: () => refused(job(copy(), { units: 3 }), 'more-units', /data cannot be grown/),
  },
  'other id': {
    refused: 'data of another identity',
    check: () =>
      refused(job(copy(), { id: OTHER_ID }), 'other-identity', /holds data of identity 62834bf0.*8dd53ad1/),
  },
  'other commitment': {
    refused: 'their labels do not belong together',
    check: () =>
      refused(job(copy(), { commitmentAtx: '0'.repeat(64) }), 'other-commitment', /do not belong together/),
  },
  'other maxFileSize': {
    refused: 'files of another size',
    check: () =>
      refused(
        job(copy(), { maxFileSize: 4096 }),
        'other-file-size',
        /files of 2048 bytes[\s\S]*maxFileSize: 2048/,
      ),
  },
  'other labelsPerUnit': {
    refused: 'of another network',
    check: () => {
      const dir = copy();
      const path = join(dir, 'postdata_metadata.json');
      writeFileSync(path, readFileSync(path, 'utf8').replace('"LabelsPerUnit": 256', '"LabelsPerUnit": 512'));
      return refused(job(dir), 'other-labels-per-unit', /512 labels per unit; standalone has 256/);
    },
  },
  'range 0-1 (fromFile,toFile)': {
    handled: 'a part is complete with the files of its range, with or without a nonce',
    check: async () => {
      const one = job(scratch(), { fromFile: 0, toFile: 1 });
      await run(one);
      await completes(one);
      removeNonce(one.data);
      expect((await judge(one)).kind).toBe('complete');
    },
  },
  'range 2-3': {
    handled: 'the other part; files of the first one in its directory are refused',
    check: async () => {
      const one = job(scratch(), { fromFile: 2, toFile: 3 });
      await run(one);
      await completes(one);
      await refused(job(copy(), { fromFile: 2, toFile: 3 }), 'files-outside-range', /files 0, 1/);
    },
  },
  'range without id': { refused: 'a job always has -id', check: () => always('-id', ID) },
  'no commitmentAtxId on a fresh directory': {
    refused: 'a job always has -commitmentAtxId; smesh.yaml without one is no project',
    check: () => {
      always('-commitmentAtxId', ATX);
      yamlRefuses('commitmentAtx', '', /64 hex digits/);
    },
  },
  'no provider': { refused: 'a job always has -provider', check: () => always('-provider') },
  'provider 7 (does not exist)': {
    handled: 'exit 0 deceives nobody: the files say that nothing was begun, the words say why',
    check: async (recorded) => {
      expect(recorded.exit).toBe(0);
      const one = job(scratch(), { provider: 7 });
      const outcome = await run(one);
      expect(outcome.exit).toBe(0);
      const state = await judge(one);
      expect(state.kind).toBe('not-begun');
      const facts = {
        job: one,
        gpu: 'nvidia',
        card: 'GPU 7',
        state,
        endedBy: 'itself',
        oomKilled: false,
      } as const;
      for (const { stdout, stderr } of [recorded, outcome]) {
        const { code, retry } = explainEnd({
          ...facts,
          said: [...stdout.split('\n'), ...stderr.split('\n')],
        });
        expect(['no-opencl', 'no-provider']).toContain(code);
        expect(retry).toBe('never');
      }
    },
  },
  'no numUnits': { refused: 'a job always has -numUnits', check: () => always('-numUnits', '2') },
  'without -yes, no input': {
    refused: 'a job always has -yes, and the guards ask instead',
    check: () => always('-yes'),
  },
  'bad id': { refused: 'smesh.yaml', check: () => yamlRefuses('id', 'zz', /64 hex/) },
  'id too short': { refused: 'smesh.yaml', check: () => yamlRefuses('id', ID.slice(0, 60), /64 hex/) },
  'unknown flag': {
    refused: 'no job has a flag that postcli does not know',
    check: async () => {
      for (const more of [{}, { fromFile: 1, toFile: 2, provider: CPU_PROVIDER }]) {
        const outcome = await run(job(scratch(), more));
        expect(outcome.stderr).not.toContain('flag provided but not defined');
        expect(outcome.stderr).toContain('cli: initialization completed');
      }
    },
  },
  'read-only directory': {
    refused: 'a disk that is mounted read-only takes no label',
    check: async () => {
      const dir = copy((one) => rmSync(join(one, 'postdata_3.bin')));
      await refused(job(dir), 'read-only', /mounted read-only/, true);
    },
  },
  printNumFiles: {
    handled: 'counted by itself, and alike',
    check: (recorded) => expect(recorded.stderr).toContain(` ${jobFiles(job('/d'), NETWORK).count}\n`),
  },
  'printProviders, no OpenCL': {
    handled: 'gpu list: no platform inside the container',
    check: async (recorded) => {
      expect(saysNoOpenCl(recorded.stderr)).toBe(true);
      expect(parseProviders(recorded.stdout)).toEqual([]);
      const with1 = await start(bundle, ['-printProviders'], { SIM_GPUS: 'NVIDIA CUDA/RTX' }).ended;
      expect(parseProviders(with1.stdout).map(({ id, kind }) => [id, kind])).toEqual([
        [0, 'gpu'],
        [CPU_PROVIDER, 'cpu'],
      ]);
    },
  },
  printConfig: {
    handled: 'not needed: what would be done is in smesh.yaml and in the plan',
    check: () => expect(commandOf(job('/d'))).not.toContain('-printConfig'),
  },
  'fresh for damage': { handled: 'complete', check: () => completes(job(copy())) },
  'resume with a file missing in the middle': {
    handled: 'unfinished; the same flags write it again, to the same bytes',
    check: async () => {
      const one = job(copy((dir) => rmSync(join(dir, 'postdata_1.bin'))));
      expect((await judge(one)).kind).toBe('unfinished');
      await run(one);
      expect(bytesIn(one.data)).toEqual(bytesIn(whole));
      expect((await scanned(copy((dir) => rmSync(join(dir, 'postdata_1.bin'))))).verdict).toBe('damaged');
    },
  },
  'resume with a short file (1000 bytes, not a multiple of 16)': {
    refused: 'not before it is cut to a multiple of 16: then the same flags give the same bytes',
    check: async () => {
      const one = job(copy((dir) => truncateSync(join(dir, 'postdata_2.bin'), 1000)));
      const state = await judge(one);
      const path = join(one.data, 'postdata_2.bin');
      expect(state).toMatchObject({ kind: 'odd-size', files: [{ path, size: 1000, cutTo: 992 }] });
      truncateSync(path, 992);
      expect((await judge(one)).kind).toBe('unfinished');
      await run(one);
      expect(bytesIn(one.data)).toEqual(bytesIn(whole));
      // What postcli makes of it by itself is recognised, too.
      const spoilt = job(copy((dir) => truncateSync(join(dir, 'postdata_2.bin'), 1000)));
      expect((await run(spoilt)).exit).toBe(0);
      expect(statSync(join(spoilt.data, 'postdata_2.bin')).size).toBe(2056);
      await refused(spoilt, 'file-too-long', /labels in it are misplaced/);
    },
  },
  'resume with a surplus file': {
    refused: 'postcli would delete it without asking',
    check: () =>
      refused(
        job(copy((dir) => writeFileSync(join(dir, 'postdata_9.bin'), Buffer.alloc(2048)))),
        'surplus-files',
        /file 9 beyond the 4 .*would delete them without asking/,
      ),
  },
  'searchForNonce after the nonce was removed': {
    handled: 'only complete data are searched: a file of a wrong size is said, and nothing is written',
    check: async (recorded) => {
      expect(recorded.stderr).toContain('file appears truncated');
      const long = copy((dir) => {
        removeNonce(dir);
        truncateSync(join(dir, 'postdata_2.bin'), 2056);
      });
      expect(nonceNeed(await scanned(long))).toMatchObject({
        kind: 'not-possible',
        why: 'its data are not complete',
      });
      expect(nonceNeed(await scanned(copy(removeNonce)))).toMatchObject({ kind: 'search' });
    },
  },
  'resume without nonce in metadata': {
    handled: 'complete files without a nonce are not complete: it is searched for',
    check: async () => {
      const one = job(copy(removeNonce));
      expect(await judge(one)).toMatchObject({ kind: 'needs-nonce', searching: false });
      expect((await scanned(one.data)).next).toContain('post verify --search-nonce');
    },
  },
  'verify with identity.key of another identity': {
    handled: 'the key is compared first; its labels are left alone until it is away',
    check: async (recorded) => {
      expect(readVerifyEnd({ ...recorded, exitCode: recorded.exit })).toMatchObject({
        kind: 'failed',
        reason: expect.stringContaining('does not match public key from identity.key'),
      });
      const foreign = await start(bundle, [
        '-datadir',
        join(scratch(), 'k'),
        '-numUnits',
        '4',
        '-provider',
        '0',
        '-yes',
      ]).ended;
      expect(foreign.exit).toBe(2);
      const dir = copy();
      const other = scratch();
      await start(bundle, ['-datadir', other, '-numUnits', '4', '-provider', '0', '-yes']).ended;
      cpSync(join(other, 'identity.key'), join(dir, 'identity.key'));
      const directory = await scanned(dir);
      expect(directory.verdict).toBe('key-mismatch');
      expect(keyHinders(directory)).toBe(true);
      expect(filesToCheck(directory)).toEqual({ from: 0, to: 3 });
    },
  },
  'SIGINT while initialising': {
    handled: 'what Compose stops a job with; unfinished, and gone on with to the same bytes',
    check: async () => {
      expect(JOB_HARDENING).toMatchObject({ stop_signal: 'SIGINT', stop_grace_period: '15m' });
      await interruptedBy('SIGINT');
    },
  },
  'SIGTERM while initialising': {
    handled: 'unfinished, and gone on with to the same bytes',
    check: () => interruptedBy('SIGTERM'),
  },
  'SIGKILL while initialising': {
    handled: 'unfinished, and gone on with to the same bytes',
    check: () => interruptedBy('SIGKILL'),
  },
};

const cases: readonly Recorded[] =
  recordings === undefined ? [] : JSON.parse(readFileSync(join(recordings, 'postcli.json'), 'utf8')).cases;

describe.skipIf(recordings === undefined)(
  'what the tool does about each recorded case of postcli (skipped without SMESH_RECORDINGS)',
  () => {
    it('has an answer to every case, and none to what was never seen', () => {
      expect(Object.keys(ANSWERS).sort()).toEqual(cases.map((one) => one.case).sort());
    });

    it.each(
      cases.map((one) => {
        const answer = ANSWERS[one.case];
        const words =
          answer === undefined
            ? 'nothing'
            : 'handled' in answer
              ? answer.handled
              : `refused: ${answer.refused}`;
        return [one.case, words, one, answer] as const;
      }),
    )('%s → %s', async (_name, _words, one, answer) => {
      await answer?.check(one);
    });
  },
);
