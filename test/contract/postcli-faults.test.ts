import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { bundleStandIn, type Outcome, removeScratch, scratch, start, until } from './run-stand-in.ts';

const ID = '62834bf0416acba2db340c38f81e04595228266a014bcfb06cd6ffea70a8f031';
const ATX = 'c0ac7edf3561d5a4e8a66e5fd18357dcaa9274559236864c451cbf89d3cfeb8a';
const GPUS = { SIM_GPUS: 'CUDA/Good,CUDA/Bad' };
/** 768 labels in six files, in batches of 32. */
const SHAPE = ['-numUnits', '3', '-labelsPerUnit', '256', '-scryptN', '16', '-maxFileSize', '2048', '-yes'];
const BATCHES = { SIM_BATCH_LABELS: '32' };

let bundle = '';
let whole = '';

beforeAll(async () => {
  bundle = await bundleStandIn('postcli');
  whole = join(scratch(), 'whole');
  expect((await make(whole).ended).exit).toBe(0);
});
afterAll(removeScratch);

function make(dir: string, more: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const flags = ['-datadir', dir, '-id', ID, '-commitmentAtxId', ATX, ...SHAPE];
  const provider = more.includes('-provider') ? [] : ['-provider', '4294967295'];
  return start(bundle, [...flags, ...provider, ...more], { ...BATCHES, ...env });
}

function verify(dir: string): Promise<Outcome> {
  return start(bundle, ['-datadir', dir, '-verify', '-fraction', '100', '-scryptN', '16']).ended;
}

const namesOf = (dir: string) =>
  readdirSync(dir).filter((name) => /^postdata_(\d+\.bin|metadata\.json)$/.test(name));

function expectSameData(dir: string, names = namesOf(whole)): void {
  expect(namesOf(dir).sort()).toEqual(namesOf(whole).sort());
  for (const name of names) {
    expect(readFileSync(join(dir, name)).equals(readFileSync(join(whole, name))), name).toBe(true);
  }
}

/** The same seed gives the same kills; it stands in the name of a failed test. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const metadataOf = (dir: string) =>
  JSON.parse(readFileSync(join(dir, 'postdata_metadata.json'), 'utf8')) as { NonceValue?: string };

describe('initialisation by the stand-in, interrupted', () => {
  it.each([1, 7, 42])('ends at the same bytes wherever signals come (seed %i)', async (seed) => {
    const random = seeded(seed);
    const dir = join(scratch(), 'cut');
    const signals = ['SIGINT', 'SIGTERM', 'SIGKILL'] as const;
    let cuts = 0;
    for (let completed = false; !completed; ) {
      // After a while it is let go to its end.
      const pace = cuts < 8 ? { SIM_LABELS_PER_SECOND: '2000' } : {};
      const running = make(dir, [], pace);
      const [wait, which] = [random() * 150, Math.floor(random() * 3)];
      await until(
        'it has begun',
        () => running.stdout().includes('file layout') || running.child.exitCode !== null,
      );
      if (cuts < 8) await sleep(wait);
      const cut = cuts < 8 && running.child.kill(signals[which]);
      const outcome = await running.ended;
      completed = /initialization completed/.test(outcome.stderr);
      for (const name of readdirSync(dir)) {
        if (name.endsWith('.bin')) expect(statSync(join(dir, name)).size % 16).toBe(0);
      }
      if (cut && !completed) cuts += 1;
    }
    expect(cuts).toBeGreaterThan(2);
    expectSameData(dir);
  });

  it('gives the single run when two ranges are put together, each interrupted once', async () => {
    const root = scratch();
    const parts = [
      { dir: join(root, 'part-1'), range: ['-toFile', '2'] },
      { dir: join(root, 'part-2'), range: ['-fromFile', '3'] },
    ];
    await Promise.all(
      parts.map(async ({ dir, range }) => {
        const first = make(dir, range, { SIM_LABELS_PER_SECOND: '1500' });
        await until('a batch is written', () => /"startPosition": \d+/.test(first.stdout()));
        await sleep(120);
        first.child.kill('SIGKILL');
        await first.ended;
        expect((await make(dir, range).ended).exit).toBe(0);
      }),
    );
    const joined = join(root, 'joined');
    mkdirSync(joined);
    for (const { dir } of parts) {
      for (const name of readdirSync(dir).filter((one) => one.endsWith('.bin'))) {
        renameSync(join(dir, name), join(joined, name));
      }
    }
    const [best] = parts
      .filter(({ dir }) => metadataOf(dir).NonceValue !== undefined)
      .sort((a, b) => ((metadataOf(a.dir).NonceValue ?? '') < (metadataOf(b.dir).NonceValue ?? '') ? -1 : 1));
    copyFileSync(join(best?.dir ?? '', 'postdata_metadata.json'), join(joined, 'postdata_metadata.json'));
    expectSameData(joined);
  });
});

describe('providers of the stand-in that die, hang and lie', () => {
  const bad = (dir: string, env: NodeJS.ProcessEnv) => make(dir, ['-provider', '1'], { ...GPUS, ...env });

  it('dies in mid-range: exit 0, whole batches, and another provider goes on', async () => {
    const dir = join(scratch(), 'd');
    const outcome = await bad(dir, { SIM_DIE_AT_LABEL: '300' }).ended;
    expect(outcome.exit).toBe(0);
    expect(outcome.stderr).toContain('cli: initialization error failed to compute labels');
    expect(namesOf(dir).sort()).toEqual([
      'postdata_0.bin',
      'postdata_1.bin',
      'postdata_2.bin',
      'postdata_metadata.json',
    ]);
    expect(statSync(join(dir, 'postdata_2.bin')).size).toBe(32 * 16);
    expect((await make(dir, ['-provider', '0'], GPUS).ended).exit).toBe(0);
    expectSameData(dir);
  });

  it('dies once, when told so, and is well the next time', async () => {
    const dir = join(scratch(), 'd');
    const knobs = { SIM_DIE_AT_LABEL: '300', SIM_FAULT_ONCE: '../fault' };
    expect((await bad(dir, knobs).ended).stderr).toContain('initialization error');
    expect((await bad(dir, knobs).ended).stderr).toContain('initialization completed');
    expectSameData(dir);
  });

  it('hangs in mid-range: SIGINT does not reach it, what is written stays', async () => {
    const dir = join(scratch(), 'd');
    const running = bad(dir, { SIM_HANG_AT_LABEL: '300' });
    await until(
      'it hangs',
      () => statSync(join(dir, 'postdata_2.bin'), { throwIfNoEntry: false })?.size === 512,
    );
    running.child.kill('SIGINT');
    await sleep(200);
    expect(running.child.exitCode).toBe(null);
    running.child.kill('SIGKILL');
    await running.ended;
    await make(dir).ended;
    expectSameData(dir);
  });

  it('lies, and is found out by the reference label of the batch: exit 0, nothing wrong is written', async () => {
    const dir = join(scratch(), 'd');
    const outcome = await bad(dir, { SIM_LIE_FROM_LABEL: '300' }).ended;
    expect(outcome.exit).toBe(0);
    expect(outcome.stderr).toMatch(
      /initialization error reference label mismatch at 319 with commitment [0-9a-f]{64}: expected [0-9a-f]{32}, actual [0-9a-f]{32}/,
    );
    await make(dir).ended;
    expectSameData(dir);
  });

  it('lies in the middle of a batch, and only a check of the labels finds it', async () => {
    const dir = join(scratch(), 'd');
    const outcome = await bad(dir, { SIM_WRONG_LABELS: '300,301' }).ended;
    expect(outcome.stderr).toContain('cli: initialization completed');
    const { stderr, exit } = await verify(dir);
    expect(exit).toBe(1);
    expect(stderr).toContain(`file 2 contains invalid label at offset ${(300 - 256) * 16}`);
    rmSync(join(dir, 'postdata_2.bin'));
    await make(dir).ended;
    expectSameData(dir);
    expect((await verify(dir)).exit).toBe(0);
  });

  it('offers no card whose device it may not open', async () => {
    const offered = (env: NodeJS.ProcessEnv) => start(bundle, ['-printProviders'], { ...GPUS, ...env }).ended;
    expect((await offered({ SIM_GPU_NODES: '/dev/null' })).stdout).toContain('[GPU] CUDA/Good');
    const none = await offered({ SIM_GPU_NODES: '/dev/null,/dev/no-such-card' });
    expect(none.exit).toBe(0);
    expect(none.stdout).not.toContain('GPU');
    const dir = join(scratch(), 'd');
    const outcome = await bad(dir, { SIM_GPU_NODES: '/dev/no-such-card' }).ended;
    expect(outcome.stderr).toContain('initializing scrypter: invalid provider ID');
  });

  it('tells a full disk in the words of the system, exit 0, and goes on when there is room', async () => {
    const disk = join(scratch(), 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12k,mode=0777', 'tmpfs', disk]);
    onTestFinished(() => void execFileSync('umount', [disk]));
    const dir = join(disk, 'd');
    const outcome = await make(dir).ended;
    expect(outcome.exit).toBe(0);
    expect(outcome.stderr).toMatch(
      /cli: initialization error write \S+postdata_\d\.bin: no space left on device/,
    );
    execFileSync('mount', ['-o', 'remount,size=256k', disk]);
    expect((await make(dir).ended).stderr).toContain('initialization completed');
    expectSameData(
      dir,
      namesOf(whole).filter((name) => name.endsWith('.bin')),
    );
    // A nonce that was found while nothing could be written is forgotten, and its label is there: a search brings it back.
    const search = ['-searchForNonce', '-datadir', dir, '-scryptN', '16'];
    expect((await start(bundle, search).ended).exit).toBe(0);
    expectSameData(dir);
  });
});
