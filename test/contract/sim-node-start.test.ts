import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  buildImages,
  docker,
  logsOf,
  makeKey,
  nodeImage,
  Stage,
  stateOf,
  type TestKey,
  until,
} from './sim-node-support.ts';

interface RecordedStart {
  readonly case: string;
  readonly config: string | Record<string, Record<string, unknown>>;
  readonly keys: Readonly<Record<string, string>>;
  readonly args: readonly string[];
  readonly container: readonly string[];
  readonly exit: number | 'running';
  readonly key_lines: readonly string[];
  readonly files_after: readonly string[];
  readonly identities_after: readonly string[];
}

const recordings = process.env['SMESH_RECORDINGS'];
const file = recordings === undefined ? undefined : join(recordings, 'node-start.json');
const cases: readonly RecordedStart[] =
  file !== undefined && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).cases : [];

/** Lines of a race that the real node lost while it stopped its servers: no fact about the start. */
const ignoredLines = [/serving grpc server/];

/** What differs from run to run, or is a diff in the wording of a library. */
function comparable(line: string): string {
  return line
    .replace(/^\S+\t(?=(INFO|WARN|ERROR|FATAL)\t)/, 'TIME\t')
    .replace(/listening on 127\.0\.0\.1:(?!10010)\d+/, 'listening on 127.0.0.1:PORT')
    .replace(/("wait time": )"[^"]*"/, '$1"WAIT"')
    .replace(/("public_key": )"[^"]*"/, '$1"KEY"')
    .replace(/(schema drift detected \(uri file:[^)]*\)):.*$/, '$1')
    .trimEnd();
}

/** Puts the data folder into the state that the recorded case started from. */
function prepare(stage: Stage, recorded: RecordedStart): void {
  stage.writeConfig(recorded.config);
  const shared = makeKey();
  for (const [name, description] of Object.entries(recorded.keys)) {
    stage.writeKey(name, keyText(recorded.case, Number(/(\d+) chars/.exec(description)?.[1]), shared));
  }
  const prepared = setUps[recorded.case];
  prepared?.(stage);
}

function keyText(name: string, length: number, shared: TestKey): string {
  if (name === 'dup-key') return shared.text;
  const { text } = makeKey();
  if (name === 'upper-key') return text.toUpperCase();
  if (name === 'mismatch-key') return text.slice(0, 64) + shared.text.slice(64);
  return length === 129 ? `${text}\n` : text.slice(0, length);
}

/** What the recording describes in its name only. */
const setUps: Readonly<Record<string, (stage: Stage) => void>> = {
  'keys-in-subfolder': (stage) => {
    mkdirSync(join(stage.data, 'identities/x'));
    stage.writeKey('x/a.key', makeKey().text);
  },
  'db-newer': (stage) => alterLocalSql(stage, 'PRAGMA user_version = 10'),
  'db-foreign-table': (stage) => alterLocalSql(stage, 'CREATE TABLE my_notes (x int)'),
  'nonroot-readonly-rootfs': (stage) => stage.giveTo(1000, 'identities/a.key'),
};

function alterLocalSql(stage: Stage, statement: string): void {
  const path = join(stage.data, 'local.sql');
  writeFileSync(path, readFileSync(join(recordings ?? '', 'local-sql/stage1.sql')));
  const database = new Database(path);
  database.exec(statement);
  database.close();
}

/** Options of `docker run`; the recording lost the argument of one of them. */
function containerOptions(recorded: RecordedStart): string[] {
  return recorded.container.flatMap((option, index) => {
    const next = recorded.container[index + 1];
    return option === '--tmpfs' && (next === undefined || next.startsWith('-')) ? [option, '/tmp'] : [option];
  });
}

describe.skipIf(cases.length === 0)('node stand-in: every recorded start (needs SMESH_RECORDINGS)', () => {
  const stages: Stage[] = [];
  beforeAll(buildImages, 120_000);
  afterAll(() => Promise.all(stages.map((stage) => stage.clear())), 60_000);

  async function play(recorded: RecordedStart) {
    const stage = new Stage('start');
    stages.push(stage);
    prepare(stage, recorded);
    const runNode = (role: string, ...options: string[]) =>
      stage.start(role, ...options, ...stage.nodeMounts(), nodeImage, ...recorded.args);
    if (recorded.case === 'genesis-changed') await failOnceWithOtherGenesis(stage, recorded);
    if (recorded.case.startsWith('second node')) {
      const first = await runNode('first', '-e', 'SIM_START_DELAY_MS=60000');
      await until('the first node to hold its databases', 15, async () => {
        return existsSync(join(stage.data, 'local.sql-wal')) || !(await stateOf(first)).running || undefined;
      });
    }
    const node = await runNode('node', ...containerOptions(recorded));
    const expected = recorded.key_lines
      .filter((line) => !ignoredLines.some((one) => one.test(line)))
      .map(comparable);
    const lines = await until(`the lines of ${recorded.case}`, 50, async () => {
      const { running } = await stateOf(node);
      const seen = (await logsOf(node)).split('\n').map(comparable);
      const complete = expected.every((line) => seen.includes(line));
      return !running || (complete && recorded.exit === 'running') ? seen : undefined;
    }).catch(async () => (await logsOf(node)).split('\n').map(comparable));
    // Still up a moment later: not on its way out.
    if (recorded.exit === 'running') await new Promise((resolve) => setTimeout(resolve, 1000));
    const state = await stateOf(node);
    const observed = {
      exit: state.running ? 'running' : state.exitCode,
      lines: expected.filter((line) => lines.includes(line)),
      files: readdirSync(stage.data).sort(),
      identities: readdirSync(join(stage.data, 'identities')).sort(),
    };
    await docker('rm', '-f', node);
    return { observed, expected, lines };
  }

  /** A start that fails at its keys has already kept its genesis (spacemesh.md §14.2). */
  async function failOnceWithOtherGenesis(stage: Stage, recorded: RecordedStart): Promise<void> {
    const good = cases.find((one) => one.case === 'good');
    stage.writeConfig(good?.config);
    stage.writeKey('broken.key', '00');
    const node = await stage.start('before', ...stage.nodeMounts(), nodeImage, '-c', '/config.json');
    await until('the first start to fail', 20, async () =>
      (await stateOf(node)).running ? undefined : true,
    );
    await docker(
      'run',
      '--rm',
      '-v',
      `${stage.data}:/data`,
      '--entrypoint',
      'rm',
      nodeImage,
      '/data/identities/broken.key',
    );
    stage.writeConfig(recorded.config);
  }

  it.concurrent.each(cases.map((recorded) => [recorded.case, recorded] as const))(
    'start: %s',
    async (_name, recorded) => {
      const { observed, expected, lines } = await play(recorded);
      expect(observed, lines.join('\n')).toEqual({
        exit: recorded.exit,
        lines: expected,
        files: [...recorded.files_after].sort(),
        identities: [...recorded.identities_after].sort(),
      });
    },
    90_000,
  );
});
