import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { createAge } from '../../../../src/adapters/age/index.ts';
import { nodeCrypto } from '../../../../src/adapters/crypto/index.ts';
import { nodeFiles } from '../../../../src/adapters/files/index.ts';
import { createScanner } from '../../../../src/adapters/scanner/index.ts';
import { createDatabaseEditor } from '../../../../src/adapters/sqlite/editor.ts';
import { createLocalDatabase } from '../../../../src/adapters/sqlite/index.ts';
import { createDatabaseVersion } from '../../../../src/adapters/sqlite/user-version.ts';
import { createSystem } from '../../../../src/adapters/system/index.ts';
import { SmeshError } from '../../../../src/domain/errors.ts';
import { requireProject } from '../../../../src/domain/project/parse.ts';
import type { Project } from '../../../../src/domain/project/types.ts';
import type { FilesPort } from '../../../../src/ports/files.ts';
import type { Context } from '../../../../src/usecases/context.ts';
import { makeIdentity, recordPrivateHalf, type TestIdentity } from '../../../helpers/keys.ts';
import { makePostDirectory } from '../../../helpers/post-data.ts';

/** A Monday between two gaps of mainnet: gap 87 opens on Sunday, 22 November, at 20:00 UTC. */
export const NOW = Date.UTC(2026, 10, 16, 12);

export interface FarmOptions {
  readonly identities?: number;
  /** Of smesh.yaml, below `coinbase`. */
  readonly settings?: string;
  readonly override?: string;
  readonly p2p?: boolean;
  readonly lease?: boolean;
  readonly rows?: number;
  readonly keysBesideData?: boolean;
  readonly retired?: boolean;
}

export interface Farm {
  readonly directory: string;
  readonly identities: readonly TestIdentity[];
  /** Its database as a writer leaves it that is still at work: rows are only in the -wal. */
  readonly database: InstanceType<typeof Database>;
}

const SCHEMA = `PRAGMA user_version = 9;
  CREATE TABLE post (id CHAR(32) PRIMARY KEY);
  CREATE TABLE challenge (id CHAR(32) PRIMARY KEY, epoch UNSIGNED INT NOT NULL, poet_proof_ref CHAR(32)) WITHOUT ROWID;
  CREATE TABLE poet_registration (id CHAR(32), address VARCHAR, round_id VARCHAR, round_end INT, PRIMARY KEY (id, address)) WITHOUT ROWID;
  CREATE TABLE nipost (id CHAR(32) PRIMARY KEY) WITHOUT ROWID;`;

/** A project folder with PoST data beside it, as a running farm has them. */
export function makeFarm(root: string, options: FarmOptions = {}): Farm {
  const directory = join(root, 'farm');
  const count = options.identities ?? 2;
  const identities = Array.from({ length: count }, () => makeIdentity());
  const data = (index: number) => join(root, `disk${index + 1}`, 'post');
  identities.forEach((identity, index) => {
    makePostDirectory(data(index), {
      identity,
      key: options.keysBesideData === false ? 'none' : 'identity.key',
    });
  });
  for (const folder of ['node', 'node-data/identities', '.smesh/retired'])
    mkdirSync(join(directory, folder), { recursive: true, mode: 0o700 });
  const write = (path: string, content: string, mode = 0o600) =>
    writeFileSync(join(directory, path), content, { mode });
  write(
    'smesh.yaml',
    [
      'version: 1',
      'name: farm',
      'network: mainnet',
      'coinbase: sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y',
      options.settings ?? '',
      'identities:',
      ...identities.map(
        ({ smesherId }, index) =>
          `  - {id: '${smesherId}', name: post-000${index + 1}, data: ${data(index)}} # disk ${index + 1}`,
      ),
      '',
    ].join('\n'),
    0o644,
  );
  write('compose.yaml', '# generated\nservices: {}\n', 0o644);
  write('node/config.json', '{"main": {}}\n', 0o644);
  if (options.override !== undefined) write('compose.override.yaml', options.override, 0o644);
  write('.smesh/history', '{"version":1}\n', 0o644);
  identities.forEach(({ keyFile }, index) => {
    write(`node-data/identities/post-000${index + 1}.key`, keyFile);
    if (options.lease === true)
      write(`node-data/identities/post-000${index + 1}.lease`, '{"schemaVersion": 99}\n', 0o644);
  });
  if (options.retired === true) write('.smesh/retired/post-0009.key', makeIdentity().keyFile);
  if (options.p2p !== false) {
    mkdirSync(join(directory, 'node-data/p2p'), { mode: 0o700 });
    const seed = makeIdentity().keyFile.slice(0, 64);
    recordPrivateHalf(seed);
    write('node-data/p2p/p2p.key', `{"Key":"${seed}"}`);
  }
  write('node-data/genesis.json', '{}\n', 0o644);
  const database = new Database(join(directory, 'node-data/local.sql'));
  database.exec(`PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0; ${SCHEMA}`);
  for (let row = 0; row < (options.rows ?? count); row += 1) {
    const id = identities[row % count]?.smesherId;
    database.exec(`INSERT OR IGNORE INTO post VALUES (x'${id}')`);
    database.exec(`INSERT INTO poet_registration VALUES (x'${id}', 'http://poet-${row}', '87', 1)`);
  }
  return { directory, identities, database };
}

export interface Said {
  readonly results: string[];
  readonly notes: string[];
  readonly warnings: string[];
}

export interface ContextOptions {
  readonly files?: FilesPort;
  readonly now?: number;
  readonly json?: boolean;
  readonly yes?: boolean;
  /** Answers of a person at a terminal, in their order. */
  readonly answers?: readonly string[];
}

/** A context of real adapters; only the engine is one that has no containers, and scrypt works less. */
export function contextFor(
  directory: string,
  options: ContextOptions = {},
): { context: Context; said: Said } {
  const said: Said = { results: [], notes: [], warnings: [] };
  const answers = [...(options.answers ?? [])];
  const answer = async () => {
    const next = answers.shift();
    if (next === undefined) throw new SmeshError('input-required', 2, 'nobody can be asked');
    return next;
  };
  const context = {
    directory,
    env: {},
    json: options.json ?? false,
    yes: options.yes ?? false,
    signal: new AbortController().signal,
    clock: {
      now: () => options.now ?? NOW,
      sleep: (ms: number, signal?: AbortSignal) =>
        new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          signal?.addEventListener('abort', () => {
            clearTimeout(timer);
            resolve();
          });
        }),
      localOffsetMinutes: () => 0,
    },
    out: {
      columns: 100,
      color: false,
      interactive: options.answers !== undefined,
      result: (text: string) => void said.results.push(text),
      verbatim: (text: string) => void said.results.push(text),
      json: (value: unknown) => void said.results.push(JSON.stringify(value)),
      note: (text: string) => void said.notes.push(text),
      warn: (text: string) => void said.warnings.push(text),
      live: () => ({ update: () => {}, done: () => {} }),
    },
    ports: {
      files: options.files ?? nodeFiles,
      crypto: nodeCrypto,
      system: createSystem({}),
      prompt: { input: answer, secret: answer, confirm: async () => (await answer()) === 'yes' },
      scanner: async () => createScanner({ crypto: nodeCrypto }),
      age: async () => createAge({ scryptWorkFactor: 4 }),
      databaseEditor: async () => createDatabaseEditor(),
      databaseVersion: async () => createDatabaseVersion(),
      localDatabase: async () => createLocalDatabase(),
      docker: async () => ({
        endpoint: 'unix:///var/run/docker.sock',
        engine: async () => ({ desktop: false }),
        containers: async () => [],
      }),
    },
  } as unknown as Context;
  return { context, said };
}

export async function projectIn(context: Context): Promise<Project> {
  const text = await context.ports.files.readText(`${context.directory}/smesh.yaml`);
  return requireProject(text, { directory: context.directory }).project;
}

/** Names in an archive as tar itself lists them: what anybody can open without this tool. */
export function listTar(file: string): string[] {
  return execFileSync('tar', ['-tf', file], { encoding: 'utf8' }).trim().split('\n');
}
