import process from 'node:process';

/** A database opened for reading. */
export interface ReadOnlyDatabase {
  /** For questions. Statements without rows go to `run`: libsql aborts the whole process otherwise. */
  all(sql: string): readonly Readonly<Record<string, unknown>>[];
  run(sql: string): void;
  close(): void;
}

/**
 * A database opened for writing. There are no questions: libsql keeps a file open, and locked, until some later moment once
 * one was asked, and the node would find its database locked.
 */
export interface WritableDatabase {
  run(sql: string): void;
  close(): void;
}

export interface SqliteDriver {
  readonly name: 'node:sqlite' | 'libsql';
  open(path: string): ReadOnlyDatabase;
  openForWriting(path: string): WritableDatabase;
}

interface Statement {
  all(): unknown[];
}

interface Connection {
  prepare(sql: string): Statement;
  exec(sql: string): void;
  close(): void;
}

/** The SQLite of the runtime (Node 22.5 and newer), else the optional libsql; `undefined` with neither (design §10). */
export async function loadDriver(): Promise<SqliteDriver | undefined> {
  return (await loadNodeSqlite()) ?? (await loadLibsql());
}

async function loadNodeSqlite(): Promise<SqliteDriver | undefined> {
  const restore = silenceExperimentalWarning();
  try {
    // In a variable: the bundler must leave it alone, and types of Node 20 do not know it.
    const builtin: string = 'node:sqlite';
    const { DatabaseSync } = (await import(builtin)) as {
      DatabaseSync: new (path: string, options: { readonly readOnly: boolean }) => Connection;
    };
    return {
      name: 'node:sqlite',
      open: (path) => wrap(new DatabaseSync(path, { readOnly: true })),
      openForWriting: (path) => wrap(new DatabaseSync(path, { readOnly: false })),
    };
  } catch {
    return undefined;
  } finally {
    restore();
  }
}

export async function loadLibsql(): Promise<SqliteDriver | undefined> {
  try {
    const optional: string = 'libsql';
    const { default: Database } = (await import(optional)) as {
      default: new (path: string, options: { readonly readonly: boolean }) => Connection;
    };
    return {
      name: 'libsql',
      open: (path) => wrap(new Database(path, { readonly: true })),
      openForWriting: (path) => wrap(new Database(path, { readonly: false })),
    };
  } catch {
    // Optional: not installed, or not built for this platform.
    return undefined;
  }
}

function wrap(connection: Connection): ReadOnlyDatabase {
  return {
    all: (sql) => connection.prepare(sql).all() as Record<string, unknown>[],
    run: (sql) => {
      connection.exec(sql);
    },
    close: () => connection.close(),
  };
}

/** Node tells every user that its SQLite is experimental; they did not ask. */
function silenceExperimentalWarning(): () => void {
  const original = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (/SQLite/i.test(String(warning))) return;
    Reflect.apply(original, process, [warning, ...rest]);
  }) as typeof process.emitWarning;
  return () => {
    process.emitWarning = original;
  };
}
