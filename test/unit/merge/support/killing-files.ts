import { writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseEditorPort } from '../../../../src/ports/database-editor.ts';
import type { FilesPort } from '../../../../src/ports/files.ts';

/** What a process that was killed does: nothing any more. */
export class Killed extends Error {}

export interface Death {
  readonly files: FilesPort;
  readonly editor: DatabaseEditorPort;
  /** Called for what else changes something. */
  readonly change: () => void;
  /** Every change so far, `mutation path`. */
  readonly changes: string[];
  readonly isDead: () => boolean;
}

/**
 * Ports whose process dies right before its n-th change of the file system (counted from 1): from then on nothing that it
 * would do in an error's wake happens either. Without `n` it only counts.
 */
export function dyingAt(files: FilesPort, editor: DatabaseEditorPort, n = Number.POSITIVE_INFINITY): Death {
  const changes: string[] = [];
  let dead = false;
  const change = (what: string): void => {
    if (!dead) changes.push(what);
    if (changes.length >= n) dead = true;
    if (dead) throw new Killed(what);
  };
  const before =
    <A extends readonly unknown[], R>(what: string, act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const [path] = args;
      // In its middle: what a write leaves beside the file.
      if (what.startsWith('write') && typeof path === 'string' && !dead && changes.length + 1 >= n)
        writeFileSync(join(dirname(path), `.smesh-${basename(path)}.abc.tmp`), 'half of', { mode: 0o600 });
      change(
        `${what} ${String(
          args
            .slice(0, 2)
            .filter((arg) => typeof arg === 'string' && arg.startsWith('/'))
            .join(' '),
        )}`,
      );
      return act(...args);
    };
  const alive =
    <A extends readonly unknown[], R>(act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (dead) throw new Killed('dead');
      return act(...args);
    };
  return {
    changes,
    isDead: () => dead,
    change: () => change('merge-nodes'),
    files: {
      ...files,
      facts: alive(files.facts.bind(files)),
      exists: alive(files.exists.bind(files)),
      readBytes: alive(files.readBytes),
      makeDirectory: before('makeDirectory', files.makeDirectory.bind(files)),
      writeAtomic: before('writeAtomic', files.writeAtomic.bind(files)),
      writeNew: before('writeNew', files.writeNew.bind(files)),
      writeNewFrom: before('writeNewFrom', files.writeNewFrom.bind(files)),
      move: before('move', files.move.bind(files)),
      moveOnDisk: before('moveOnDisk', files.moveOnDisk.bind(files)),
      copy: before('copy', files.copy.bind(files)),
      replace: before('replace', files.replace.bind(files)),
      setMode: before('setMode', files.setMode.bind(files)),
      setOwner: before('setOwner', files.setOwner.bind(files)),
      removeOwn: before('removeOwn', files.removeOwn.bind(files)),
    },
    editor: {
      copy: before('database copy', editor.copy.bind(editor)),
      settle: before('database settle', editor.settle.bind(editor)),
      deleteRegistrations: before('database delete', editor.deleteRegistrations.bind(editor)),
    },
  };
}
