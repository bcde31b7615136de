import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { main } from '../../src/app.ts';
import { makePostDirectory } from '../helpers/post-data.ts';
import { cleanEnvironment } from '../helpers/run-cli.ts';
import { suiteTempFolder } from '../helpers/temp.ts';
import { keepTranscript } from '../helpers/transcripts.ts';
import { describeTree } from '../helpers/tree.ts';
import { bundleProgram } from './support/bundle.ts';
import { COINBASE, composeServices } from './support/project.ts';

/**
 * The state that a kill right after change n leaves is the one that a kill right before change n+1 leaves. So every
 * change is hit before it, every write also in its middle, and the last change also after it.
 */
interface CrashPoint {
  readonly at: number;
  readonly when: 'before' | 'middle' | 'after';
  readonly what: string;
}

const workers = 3;
const suite = suiteTempFolder('crash');
const data = (name: string) => join(suite, 'data', name);
let program = '';

interface Run {
  readonly code: number | null;
  readonly signal: string | null;
  readonly output: string;
}

function run(cwd: string, args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  return new Promise((resolve) => {
    const options = { cwd, env: cleanEnvironment(env), timeout: 30_000 };
    const child = execFile(process.execPath, [program, ...args], options, (_, stdout, stderr) => {
      const output = stdout + stderr;
      keepTranscript(`crash-cli ${args.join(' ')} ${JSON.stringify(env)}`, output);
      resolve({ code: child.exitCode, signal: child.signalCode, output });
    });
    child.stdin?.end();
  });
}

/** What must be equal in the end: names, modes, owners and contents, wherever the project lies. */
function finalState(project: string): readonly string[] {
  const lines = describeTree(project, {
    replace: [
      [project, '/PROJECT'],
      [/\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z/g, 'TIME'],
      // Of a content that names the place.
      [/digest: sha256:[0-9a-f]{64}/g, 'DIGEST'],
      // Leases say since when, and know their folder.
      [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME'],
      [/"inode": \d+/g, 'INODE'],
    ],
  });
  // One for each run; what is left of one that was being written goes with the next one.
  return lines.filter((line) => !/\.smesh-backup\.|journal\/backups-made /.test(line));
}

/** The first copy is made by `prepare`, the others are copies of it. */
interface Scenario {
  readonly name: string;
  readonly args: readonly string[];
  readonly prepare: (project: string) => Promise<void>;
}

let copies = 0;

async function freshProject(scenario: Scenario): Promise<string> {
  copies += 1;
  // Names of one length: temporary files and tables then do not differ by it.
  const project = join(suite, 'projects', `p${String(copies).padStart(4, '0')}`);
  mkdirSync(project, { recursive: true });
  await scenario.prepare(project);
  return project;
}

async function countChanges(scenario: Scenario): Promise<{ project: string; points: CrashPoint[] }> {
  const project = await freshProject(scenario);
  const counter = join(suite, `${scenario.name}.count`);
  const { code, output } = await run(project, scenario.args, { CRASH_COUNT: counter });
  expect({ code, output }).toMatchObject({ code: 0 });
  const changes = readFileSync(counter, 'utf8').trim().split('\n');
  const points = changes.flatMap((what, index): CrashPoint[] => {
    const at = index + 1;
    const writes = / write(Atomic|New) /.test(what);
    return [
      { at, when: 'before', what },
      ...(writes ? [{ at, when: 'middle', what } as const] : []),
      ...(at === changes.length ? [{ at, when: 'after', what } as const] : []),
    ];
  });
  return { project, points };
}

/** Runs the acts, a few at a time. */
async function inParallel<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const work = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await act(item);
  };
  await Promise.all(Array.from({ length: workers }, work));
}

const initArgs = (project: string) => [
  '-C',
  project,
  'init',
  '--yes',
  '--data',
  data('one'),
  data('two'),
  '--coinbase',
  COINBASE,
  '--name',
  'crash',
];

/** In this process, undisturbed: sets the scene a hundred times without starting a hundred programs. */
async function prepare(...args: string[]): Promise<void> {
  expect(await main(args)).toBe(0);
}

const initialised = (project: string) => prepare(...initArgs(project));

const scenarios: readonly Scenario[] = [
  {
    name: 'init',
    args: ['init', '--yes', '--data', data('one'), data('two'), '--coinbase', COINBASE, '--name', 'crash'],
    prepare: async () => {},
  },
  {
    name: 'generate',
    args: ['generate', '--force'],
    // As much to do as there can be: an edited and a missing file, a key to install, one to mend, one to rename.
    prepare: async (project) => {
      await initialised(project);
      const identities = join(project, 'node-data/identities');
      writeFileSync(join(project, 'compose.yaml'), '# mine\n', { flag: 'a' });
      rmSync(join(project, 'node'), { recursive: true });
      cpSync(join(identities, 'post-0001.key'), join(identities, 'local.key'));
      rmSync(join(identities, 'post-0001.key'));
      chmodSync(join(identities, 'local.key'), 0o644);
      rmSync(join(identities, 'post-0002.key'));
    },
  },
  {
    name: 'add',
    args: ['add', data('three')],
    prepare: initialised,
  },
  {
    name: 'remove',
    args: ['remove', 'post-0002'],
    // Removed before and taken back: a copy of its key lies in .smesh/retired already.
    prepare: async (project) => {
      await initialised(project);
      await prepare('-C', project, 'remove', 'post-0002');
      await prepare('-C', project, 'add', data('two'));
    },
  },
  {
    name: 'adopt',
    args: ['keys', 'adopt', '--all', '--confirm', 'borg'],
    // As after the whole project came from another host.
    prepare: async (project) => {
      await initialised(project);
      await prepare('-C', project, 'add', data('three'));
      for (const name of ['post-0001', 'post-0002', 'post-0003']) {
        const file = join(project, 'node-data/identities', `${name}.lease`);
        const lease = JSON.parse(readFileSync(file, 'utf8'));
        writeFileSync(file, JSON.stringify({ ...lease, host: { id: 'other', name: 'borg', cards: [] } }));
      }
    },
  },
];

beforeAll(async () => {
  // Each run in this process listens for a broken pipe.
  for (const stream of [process.stdout, process.stderr]) {
    stream.setMaxListeners(0);
    vi.spyOn(stream, 'write').mockReturnValue(true);
  }
  for (const name of ['one', 'two', 'three']) makePostDirectory(data(name), { units: 4 });
  program = await bundleProgram('test/e2e/crash-cli.ts', 'crash-cli');
});

afterAll(() => vi.restoreAllMocks());

describe('a command killed with kill -9 at any change of the file system', () => {
  for (const scenario of scenarios) {
    it(`${scenario.name}: its next run ends as an undisturbed one does`, async () => {
      const originals = describeTree(join(suite, 'data'));
      const { project, points } = await countChanges(scenario);
      const wanted = finalState(project);
      expect(points.length).toBeGreaterThan(10);
      const faults: string[] = [];
      await inParallel(points, async ({ at, when, what }) => {
        const crashed = await freshProject(scenario);
        const killed = await run(crashed, scenario.args, { CRASH_AT: String(at), CRASH_WHEN: when });
        const again = await run(crashed, scenario.args);
        const found = finalState(crashed);
        const good =
          killed.signal === 'SIGKILL' &&
          again.code === 0 &&
          JSON.stringify(found) === JSON.stringify(wanted) &&
          !existsSync(join(crashed, '.smesh/journal/current.json'));
        if (!good) {
          const different = [
            ...found.filter((line) => !wanted.includes(line)).map((line) => `+ ${line}`),
            ...wanted.filter((line) => !found.includes(line)).map((line) => `- ${line}`),
          ];
          faults.push(
            [`${when} ${what} (${killed.signal}, then ${again.code})`, again.output, ...different].join('\n'),
          );
        }
      });
      expect(faults.join('\n\n')).toBe('');
      expect(describeTree(join(suite, 'data'))).toEqual(originals);
    });
  }
});

describe('after a command was killed', () => {
  const [, , add] = scenarios;
  if (add === undefined) throw new Error('no scenario to interrupt');

  /** A project whose `add` was killed when its journal was written and nothing else. */
  async function interrupted(): Promise<{ project: string; journal: string }> {
    const project = await freshProject(add as Scenario);
    const killed = await run(project, add?.args ?? [], { CRASH_AT: '4', CRASH_WHEN: 'before' });
    expect(killed.signal).toBe('SIGKILL');
    const journal = join(project, '.smesh/journal/current.json');
    expect(existsSync(journal)).toBe(true);
    return { project, journal };
  }

  it('generate --check says that something is unfinished (exit 10); generate finishes it', async () => {
    const { project, journal } = await interrupted();
    const before = describeTree(project);
    const check = await run(project, ['generate', '--check']);
    expect(check.code).toBe(10);
    expect(check.output).toContain('An interrupted add');
    const json = await run(project, ['generate', '--check', '--json']);
    expect(JSON.parse(json.output)).toMatchObject({ upToDate: false, interrupted: { command: 'add' } });
    expect(describeTree(project)).toEqual(before);
    const finished = await run(project, ['generate']);
    expect(finished.code).toBe(0);
    expect(finished.output).toContain('An earlier add');
    expect(existsSync(journal)).toBe(false);
    expect(composeServices(project)).toEqual(['node', 'post-0001', 'post-0002', 'post-0003']);
    expect((await run(project, ['generate', '--check'])).code).toBe(0);
  });

  it('S44: a dry run changes nothing, not even to finish what is unfinished (exit 10)', async () => {
    const { project } = await interrupted();
    const before = describeTree(project);
    for (const args of [
      ['add', data('three'), '--dry-run'],
      ['init', '--dry-run', '--yes'],
      ['remove', 'post-0001', '--dry-run'],
      ['generate', '--dry-run'],
    ]) {
      const { code, output } = await run(project, args);
      expect({ code, output }).toMatchObject({ code: 10, output: expect.stringContaining('interrupted') });
    }
    expect(describeTree(project)).toEqual(before);
  });

  it('an edit of smesh.yaml made meanwhile is kept in .smesh/backups, and said', async () => {
    const { project } = await interrupted();
    const file = join(project, 'smesh.yaml');
    writeFileSync(file, '# by hand, after the crash\n', { flag: 'a' });
    const edited = readFileSync(file, 'utf8');
    const { code, output } = await run(project, ['generate']);
    expect(code).toBe(0);
    const backup = /is kept in (\S+)/.exec(output)?.[1] ?? '';
    expect(readFileSync(backup, 'utf8')).toBe(edited);
  });

  it('killed again and again while it is finished, it ends the same', async () => {
    const wanted = finalState((await countChanges(add)).project);
    const { project } = await interrupted();
    let runs = 0;
    for (let at = 1; ; at += 1) {
      const { signal, code } = await run(project, add.args, { CRASH_AT: String(at) });
      runs += 1;
      if (signal === null) {
        expect(code).toBe(0);
        break;
      }
    }
    expect(runs).toBeGreaterThan(4);
    expect(finalState(project)).toEqual(wanted);
  });

  it('what cannot be finished says what is in the way, and that nothing is lost', async () => {
    const { project, journal } = await interrupted();
    const key = join(data('three'), 'identity.key');
    const content = readFileSync(key);
    rmSync(key);
    const stuck = await run(project, ['generate']);
    writeFileSync(key, content, { mode: 0o600 });
    expect(stuck.code).toBe(3);
    expect(stuck.output).toContain('it is not there any more');
    expect(stuck.output).toContain('An earlier add');
    expect(existsSync(journal)).toBe(true);
    expect((await run(project, ['generate'])).code).toBe(0);
  });

  it.each([
    ['empty', ''],
    ['torn', '{"version":1,"command":"add","startedAt":"2030-'],
    ['of a newer version', '{"version":2,"command":"add","startedAt":"2030-01-01T00:00:00Z","steps":[]}'],
    ['not an object', '[]\n'],
    ['binary', '\u0000\u0000\u0000'],
  ])('a journal that is %s stops every change (exit 3) and is kept', async (_, content) => {
    const { project, journal } = await interrupted();
    writeFileSync(journal, content);
    const before = describeTree(project);
    for (const args of [['generate'], ['generate', '--check'], add.args, ['remove', 'post-0001']]) {
      const { code, output } = await run(project, args);
      expect(code).toBe(3);
      expect(output).toContain(journal);
      expect(output).not.toContain('bug in smesh-compose');
    }
    expect(describeTree(project)).toEqual(before);
  });

  it('what a power cut left of temporary files goes, what others own stays', async () => {
    const { project } = await interrupted();
    const identities = join(project, 'node-data/identities');
    const left = [
      join(identities, '.smesh-post-0003.key.0123456789ab.tmp'),
      join(project, '.smesh-compose.yaml.0123456789ab.tmp'),
      join(project, '.smesh/journal/.smesh-current.json.0123456789ab.tmp'),
    ];
    const kept = [join(project, 'mine.tmp'), join(project, '.smesh-notes'), join(identities, 'old.key.bak')];
    for (const file of [...left, ...kept]) writeFileSync(file, 'x');
    expect((await run(project, ['generate'])).code).toBe(0);
    expect(left.filter((file) => existsSync(file))).toEqual([]);
    expect(kept.filter((file) => !existsSync(file))).toEqual([]);
  });
});
