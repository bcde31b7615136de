import { ExitCode, SmeshError } from '../../domain/errors.ts';

/** SQLite's result codes (sqlite.org/rescode.html), of which the low byte is the primary one. */
const CODES = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  inputOutput: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  noDatabase: 26,
};

/** node:sqlite gives numbers, libsql names. */
const NAMES: Readonly<Record<string, number>> = {
  SQLITE_BUSY: CODES.busy,
  SQLITE_LOCKED: CODES.locked,
  SQLITE_READONLY: CODES.readOnly,
  SQLITE_IOERR: CODES.inputOutput,
  SQLITE_CORRUPT: CODES.corrupt,
  SQLITE_FULL: CODES.full,
  SQLITE_CANTOPEN: CODES.cannotOpen,
  SQLITE_NOTADB: CODES.noDatabase,
};

const SYSTEM_CODES: Readonly<Record<number, string>> = {
  [CODES.readOnly]: 'EACCES',
  [CODES.cannotOpen]: 'EACCES',
  [CODES.inputOutput]: 'EIO',
  [CODES.full]: 'ENOSPC',
};

/** What SQLite said, as DatabaseEditorPort promises its errors; what is none of SQLite's comes back as it is. */
export function explainSqlite(error: unknown, path: string): unknown {
  const code = resultCode(error);
  if (code === undefined) return error;
  if (code === CODES.busy || code === CODES.locked) return busyDatabase(path);
  const system = SYSTEM_CODES[code];
  if (system !== undefined) return Object.assign(new Error(`${system}: ${path}`), { code: system, path });
  return damagedDatabase(path, (error as Error).message);
}

export function damagedDatabase(path: string, reason: string): SmeshError {
  // The message may quote what stands in a damaged page.
  const words = reason.replace(/[^\x20-\x7e]+/g, '?');
  return new SmeshError('damaged-database', ExitCode.invalid, `${path} is damaged: ${words}`, {
    hint: 'Leave it as it is, make a copy of it with -wal and -shm, and look at the disk (dmesg tells what it says).',
  });
}

export function busyDatabase(path: string): SmeshError {
  return new SmeshError('database-busy', ExitCode.refused, `${path} is in use: a program has it open`, {
    hint: 'Stop the node first: smesh-compose stop node',
  });
}

export function noSqlite(path: string): SmeshError {
  return new SmeshError(
    'no-sqlite',
    ExitCode.environment,
    `${path} cannot be opened: there is no SQLite in this Node.js`,
    { hint: 'Use Node 22.13 or newer, or: npm install -g libsql' },
  );
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  if (code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number') return errcode & 0xff;
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return undefined;
  const name = Object.keys(NAMES).find((known) => code === known || code.startsWith(`${known}_`));
  return name === undefined ? 1 : NAMES[name];
}
