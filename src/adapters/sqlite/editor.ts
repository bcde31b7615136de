import type { DatabaseEditorPort } from '../../ports/database-editor.ts';

/** DatabaseEditorPort on the SQLite of the runtime or libsql. */
export function createDatabaseEditor(): DatabaseEditorPort {
  throw new Error('not written yet');
}
