import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import Database from 'libsql';
import { systemClock } from '../../../../src/adapters/clock/index.ts';
import { nodeCrypto } from '../../../../src/adapters/crypto/index.ts';
import { nodeFiles } from '../../../../src/adapters/files/index.ts';
import { createScanner } from '../../../../src/adapters/scanner/index.ts';
import { createDatabaseEditor } from '../../../../src/adapters/sqlite/editor.ts';
import { createLocalDatabase } from '../../../../src/adapters/sqlite/index.ts';
import { createDatabaseShape } from '../../../../src/adapters/sqlite/shape.ts';
import { createDatabaseVersion } from '../../../../src/adapters/sqlite/user-version.ts';
import { createSystem } from '../../../../src/adapters/system/index.ts';
import { createTemplates } from '../../../../src/adapters/templates/index.ts';
import type { ObservedContainer } from '../../../../src/domain/compose/observed.ts';
import { readKeyFile } from '../../../../src/domain/identity/key-file.ts';
import type { SmesherId } from '../../../../src/domain/identity/smesher-id.ts';
import { MAINNET } from '../../../../src/domain/node/networks.ts';
import { newProjectText } from '../../../../src/domain/project/new-project.ts';
import type { DatabaseEditorPort } from '../../../../src/ports/database-editor.ts';
import type { DockerPort } from '../../../../src/ports/docker.ts';
import type { FilesPort } from '../../../../src/ports/files.ts';
import { applyGenerate } from '../../../../src/usecases/apply-generate.ts';
import type { Context } from '../../../../src/usecases/context.ts';
import { planGenerate } from '../../../../src/usecases/generate.ts';
import { loadProject } from '../../../../src/usecases/load-project.ts';
import type { MergeOptions } from '../../../../src/usecases/merge/run.ts';
import { runMerge } from '../../../../src/usecases/merge/run.ts';
import { undoMerge } from '../../../../src/usecases/merge/undo.ts';
import { bundleProgram } from '../../../e2e/support/bundle.ts';
import { makeIdentity, type TestIdentity } from '../../../helpers/keys.ts';
import { makePostDirectory } from '../../../helpers/post-data.ts';
import { localSchema, localVersion } from '../../../sim/node/schema.ts';

const COINBASE = 'sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y';

/** Started a hundred times it must not be translated a hundred times. */
export const mergeNodesProgram = bundleProgram('test/sim/merge-nodes/main.ts', 'merge-nodes');

export interface Worlds {
  readonly files?: FilesPort;
  readonly editor?: DatabaseEditorPort;
  readonly containers?: readonly ObservedContainer[];
  /** Called before merge-nodes runs. */
  readonly onMergeNodes?: () => void;
}

export interface Rig {
  readonly context: Context;
  readonly out: { results: string[]; notes: string[]; json: unknown[] };
}

/** A command's surroundings: everything is real but the engine, which runs merge-nodes as a process. */
export function makeRig(directory: string, worlds: Worlds = {}): Rig {
  const out = { results: [] as string[], notes: [] as string[], json: [] as unknown[] };
  const files = withoutProcesses(worlds.files ?? nodeFiles);
  const docker = {
    endpoint: 'unix:///var/run/docker.sock',
    engine: async () => ({ id: 'engine', desktop: false, rootless: false }),
    image: async () => ({ id: 'sha256:one' }),
    containers: async ({ project }: { project?: string } = {}) =>
      (worlds.containers ?? []).filter((one) => project === undefined || one.project === project),
    runHelper: async (helper: Parameters<DockerPort['runHelper']>[0]) => {
      worlds.onMergeNodes?.();
      const program = await mergeNodesProgram;
      const [mount] = helper.mounts;
      const words = helper.command
        .slice(helper.command.indexOf('merge-nodes') + 1)
        .map((word) => word.replace(new RegExp(`^${mount?.target}(?=/)`), mount?.source ?? ''));
      const ran = spawnSync(process.execPath, [program, ...words], { encoding: 'utf8' });
      return {
        kind: 'ended' as const,
        exitCode: ran.status ?? 1,
        stdout: ran.stdout,
        stderr: ran.stderr,
        truncated: false,
      };
    },
  };
  const context = {
    directory,
    env: {},
    clock: systemClock,
    signal: new AbortController().signal,
    json: false,
    yes: true,
    out: {
      columns: 100,
      color: false,
      interactive: false,
      result: (text: string) => void out.results.push(text),
      verbatim: (text: string) => void out.results.push(text),
      json: (value: unknown) => void out.json.push(value),
      note: (text: string) => void out.notes.push(text),
      warn: (text: string) => void out.notes.push(text),
      live: () => ({ update: () => {}, done: () => {} }),
    },
    ports: {
      files,
      crypto: nodeCrypto,
      system: createSystem({}),
      scanner: async () => createScanner({ crypto: nodeCrypto }),
      templates: async () => createTemplates(),
      docker: async () => docker,
      localDatabase: async () => createLocalDatabase(),
      databaseVersion: async () => createDatabaseVersion(),
      databaseShape: async () => createDatabaseShape(),
      databaseEditor: async () => worlds.editor ?? createDatabaseEditor(),
    },
  } as unknown as Context;
  return { context, out };
}

/** Containers only: other suites have processes on this machine. */
function withoutProcesses(files: FilesPort): FilesPort {
  return { ...files, list: (path) => (path === '/proc' ? Promise.resolve([]) : files.list(path)) };
}

export interface RowsOf {
  readonly smesherId: string;
  readonly challenge?: number;
  readonly registrations?: readonly string[];
  readonly nipost?: boolean;
}

/** A local.sql as the node's: its tables, WAL, and the rows of these identities. */
export function makeLocalSql(path: string, rows: readonly RowsOf[], version = localVersion): void {
  const database = new Database(path);
  database.exec('PRAGMA journal_mode=WAL');
  database.exec(`${localSchema.join(';\n')}; PRAGMA user_version = ${version};`);
  for (const row of rows) {
    const id = `x'${row.smesherId}'`;
    const zero = `x'${'00'.repeat(32)}'`;
    database.exec(
      `INSERT INTO post (id, post_nonce, post_indices, post_pow, num_units, commit_atx, vrf_nonce) VALUES (${id}, 1, 'ab', 2, 4, ${zero}, 3)`,
    );
    if (row.challenge !== undefined)
      database.exec(
        `INSERT INTO challenge (id, epoch, sequence, prev_atx, pos_atx) VALUES (${id}, ${row.challenge}, 1, ${zero}, ${zero})`,
      );
    for (const address of row.registrations ?? [])
      database.exec(
        `INSERT INTO poet_registration VALUES (${id}, ${zero}, '${address}', '${row.challenge}', 1700000000)`,
      );
    if (row.nipost === true)
      database.exec(`INSERT INTO nipost VALUES (${id}, 1, 'ab', 2, 4, 3, 'cd', ${zero}, 4294967296)`);
  }
  database.close();
}

export interface NodeOptions {
  /** Key file per identity; default `node-N.key`. */
  readonly names?: readonly string[];
  readonly data?: boolean;
  readonly version?: number;
  readonly database?: boolean;
  readonly rows?: (identity: TestIdentity, index: number) => RowsOf | undefined;
}

export interface TestNode {
  readonly folder: string;
  readonly identities: readonly TestIdentity[];
}

/** A node that has run and is stopped: keys, local.sql, genesis; the PoST data beside it. */
export function makeNode(place: string, count: number, options: NodeOptions = {}): TestNode {
  const folder = join(place, 'data');
  mkdirSync(join(folder, 'identities'), { recursive: true, mode: 0o700 });
  const identities = Array.from({ length: count }, () => makeIdentity());
  for (const [index, identity] of identities.entries()) {
    const name = options.names?.[index] ?? `node-${index + 1}.key`;
    writeFileSync(join(folder, 'identities', name), identity.keyFile, { mode: 0o600 });
    if (options.data !== false)
      makePostDirectory(join(place, `post-${index + 1}`), { identity, key: 'none' });
  }
  if (options.database !== false) {
    const rows =
      options.rows ??
      (({ smesherId }: TestIdentity) => ({ smesherId, challenge: 12, registrations: ['https://poet-1'] }));
    makeLocalSql(
      join(folder, 'local.sql'),
      identities.flatMap((identity, index) => rows(identity, index) ?? []),
      options.version,
    );
  }
  writeFileSync(
    join(folder, 'genesis.json'),
    JSON.stringify({
      'genesis-time': MAINNET.genesisTime,
      'genesis-extra-data': MAINNET.genesisExtraData,
      accounts: {},
    }),
  );
  return { folder, identities };
}

/** A project whose node has run with these identities and is stopped. */
export async function makeProject(
  directory: string,
  count: number,
  options: { readonly database?: boolean } = {},
): Promise<readonly TestIdentity[]> {
  mkdirSync(directory, { recursive: true });
  const identities = Array.from({ length: count }, (_, index) =>
    makePostDirectory(join(directory, `own-${index + 1}`)),
  );
  const text = newProjectText({
    name: 'farm',
    network: 'mainnet',
    coinbase: COINBASE,
    identities: identities.map(({ smesherId, path }, index) => ({
      id: smesherId as SmesherId,
      name: `post-${String(index + 1).padStart(4, '0')}`,
      data: path,
    })),
  });
  writeFileSync(join(directory, 'smesh.yaml'), text);
  const { context } = makeRig(directory);
  const { project } = await loadProject(context);
  const plan = await planGenerate(context, { project, keyPlaces: [], repairKeys: false, force: false });
  await applyGenerate(context, 'generate', plan);
  if (options.database !== false)
    makeLocalSql(
      join(directory, 'node-data/local.sql'),
      identities.map(({ smesherId }) => ({ smesherId, challenge: 12 })),
    );
  return identities;
}

const backUp = async () => ({ paths: ['/backup'], withKeys: false });

export function merge(
  rig: Rig,
  paths: readonly string[],
  options: Partial<MergeOptions> = {},
): Promise<number> {
  const roots = options.roots ?? paths.map((path) => join(path, '..'));
  return runMerge(
    rig.context,
    { configs: [], ignore: [], dryRun: false, force: false, ...options, paths, roots },
    { backUp },
  );
}

export function undo(rig: Rig): Promise<number> {
  return undoMerge(rig.context, { dryRun: false, force: false });
}

/** What a node would do with a data folder, by its own rules (spacemesh.md §2.1): refuse, or serve these. */
export function whoWouldStart(folder: string): ReadonlySet<string> | 'refuses' {
  const identities = join(folder, 'identities');
  const names = readdirSync(identities).filter((name) => name.endsWith('.key'));
  const ids = new Set<string>();
  for (const name of names) {
    const reading = readKeyFile(readFileSync(join(identities, name)), nodeCrypto.publicKeyOfSeed);
    if (reading.kind !== 'valid' || ids.has(reading.smesherId)) return 'refuses';
    ids.add(reading.smesherId);
  }
  if (names.length > 1 && names.includes('local.key')) return 'refuses';
  return ids;
}

/** Every row of every smeshing table, as text. Read from a copy: libsql lets go of a file late. */
export function allRows(path: string): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'smt-rows-'));
  const copy = join(folder, 'local.sql');
  copyFileSync(path, copy);
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
  const database = new Database(copy);
  const text = (_: string, value: unknown) => (Buffer.isBuffer(value) ? value.toString('hex') : value);
  try {
    return ['post', 'challenge', 'poet_registration', 'nipost']
      .flatMap((table) => {
        const rows = database.prepare(`SELECT hex(id) AS smesher, * FROM ${table}`).all();
        return (rows as Record<string, unknown>[]).map(
          ({ smesher, id: _, ...rest }) =>
            `${String(smesher).toLowerCase()} ${table} ${JSON.stringify(rest, text)}`,
        );
      })
      .sort();
  } finally {
    database.close();
    rmSync(folder, { recursive: true });
  }
}
