import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { MergeFacts, MergeSource } from '../../domain/merge/facts.ts';
import type { Project } from '../../domain/project/types.ts';
import { explainSystemError } from '../../domain/system-error.ts';
import type { LocalDatabaseFacts } from '../../ports/local-database.ts';
import { printable } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import { removeStaging, stagingFolder } from './staging-folder.ts';
import { type DatabaseLook, sameAsUnion } from './verify-union.ts';

type Owner = { readonly uid: number; readonly gid: number };

/** Hundreds of identities are merged in less than a second; a disk may be slow. */
const MERGE_MS = 10 * 60_000;

/** What `env` ends with when it cannot start the program that it was given, or there is none. */
const NOT_FOUND: ReadonlySet<number> = new Set([126, 127]);

/** A local.sql with the rows of all nodes, beside the one that it shall replace. */
export interface Staged {
  readonly path: string;
  readonly folder: string;
  readonly size: number;
  readonly modifiedMs: number;
  readonly inode: number;
}

/**
 * Lets the official merge-nodes of the node's image merge copies of the databases, and verifies what came out. It gets no
 * keys: those that a failed merge leaves behind keep a node from starting (spacemesh.md §14.3), and a key lies nowhere but
 * in `identities/`. Whatever goes wrong, only copies have been touched.
 */
export async function stageMerge(
  context: Context,
  facts: MergeFacts,
  owner: Owner,
  stamp: string,
): Promise<Staged> {
  const { project, sources } = facts;
  const { files } = context.ports;
  const folder = stagingFolder(project.node.data, stamp);
  try {
    const editor = await context.ports.databaseEditor();
    const make = async (path: string) => files.makeDirectory(path, { mode: 0o700, ...owner });
    const copy = async (from: string, to: string) => {
      await editor.copy(from, to);
      await files.setOwner(to, owner.uid, owner.gid);
    };
    await make(`${folder}/to/identities`);
    const ours = `${project.node.data}/local.sql`;
    if (facts.database.kind === 'read') await copy(ours, `${folder}/to/local.sql`);
    const before = await look(context, `${folder}/to/local.sql`);
    const theirs: DatabaseLook[] = [];
    for (const [index, source] of sources.entries()) {
      const from = `${folder}/from-${index + 1}`;
      await make(`${from}/identities`);
      await copy(`${source.folder}/local.sql`, `${from}/local.sql`);
      theirs.push(await look(context, `${from}/local.sql`));
    }
    for (const [index, source] of sources.entries())
      await mergeOne(context, project, { folder, index, owner, source });
    const after = await look(context, `${folder}/to/local.sql`);
    const fault = sameAsUnion(before, theirs, after);
    if (fault !== undefined) {
      throw new SmeshError(
        'merge-not-verified',
        ExitCode.invalid,
        `merge-nodes ended well, but its result is not what it should be: ${fault}. Only copies were touched; nothing has changed.`,
        {
          hint: 'Is another program at work on one of these nodes? Look again, and report it when it stays so.',
        },
      );
    }
    // One whole file, checked for faults, without anything beside it.
    const path = `${folder}/local.sql`;
    await copy(`${folder}/to/local.sql`, path);
    const made = await files.facts(path);
    if (made === undefined) throw new Error(`${path} is gone`);
    return { path, folder, size: made.size, modifiedMs: made.modifiedMs, inode: made.inode };
  } catch (error) {
    await removeStaging(context, project.node.data).catch(() => {});
    throw error;
  }
}

async function look(context: Context, path: string): Promise<DatabaseLook> {
  const [facts, shape] = await Promise.all([
    (await context.ports.localDatabase()).read(path),
    (await context.ports.databaseShape()).shape(path),
  ]);
  if (facts.kind === 'absent' && shape.kind === 'absent') return { identities: [], rows: {} };
  if (facts.kind === 'read' && shape.kind === 'read')
    return { userVersion: shape.userVersion, identities: facts.identities, rows: shape.rows };
  throw new SmeshError(
    'database-unknown',
    ExitCode.invalid,
    `The copy of a local.sql cannot be read: ${reason(facts) ?? reason(shape) ?? 'nobody knows why'}. Nothing was changed.`,
    { hint: 'Without SQLite nothing can be verified: Node 22.13 or newer, or npm install libsql.' },
  );
}

function reason(
  facts: { readonly kind: string; readonly reason?: string } | LocalDatabaseFacts,
): string | undefined {
  return 'reason' in facts ? facts.reason : undefined;
}

interface OneMerge {
  readonly folder: string;
  readonly index: number;
  readonly owner: Owner;
  readonly source: MergeSource;
}

async function mergeOne(
  context: Context,
  project: Project,
  { folder, index, owner, source }: OneMerge,
): Promise<void> {
  const docker = await context.ports.docker();
  const place = '/merge';
  context.signal.throwIfAborted();
  const result = await docker.runHelper({
    image: project.node.image,
    // SQLite writes down what a large statement changes; nothing else in there can be written to.
    command: [
      ...['env', `TMPDIR=${place}`, `SQLITE_TMPDIR=${place}`],
      ...['merge-nodes', '--from', `${place}/from-${index + 1}`, '--to', `${place}/to`],
    ],
    user: `${owner.uid}:${owner.gid}`,
    mounts: [{ source: folder, target: place, writable: true }],
    timeoutMs: MERGE_MS,
  });
  if (result.kind === 'ended' && result.exitCode === 0) return;
  const untouched = 'Only copies were touched; nothing has changed.';
  const said =
    result.kind === 'not-started'
      ? [result.reason]
      : `${result.stderr}\n${result.stdout}`.split('\n').map((line) => printable(line.trimEnd()));
  if (result.kind === 'not-started' || (result.kind === 'ended' && NOT_FOUND.has(result.exitCode))) {
    const why = said.find((line) => line !== '') ?? 'nobody knows why';
    throw new SmeshError(
      'merge-nodes-missing',
      ExitCode.environment,
      `merge-nodes of ${project.node.image} could not be started: ${why}. ${untouched}`,
      { hint: 'It comes with the official images since v1.4.0. Is node.image in smesh.yaml one of them?' },
    );
  }
  const error = said.find((line) => line.startsWith('Error: '));
  const ended = result.kind === 'ended' ? `ended with exit code ${result.exitCode}` : 'did not end';
  throw new SmeshError(
    'merge-nodes-failed',
    ExitCode.invalid,
    `merge-nodes ${ended} for ${source.folder}${error === undefined ? '' : `: ${error.slice('Error: '.length)}`}. ${untouched}`,
    {
      details: error === undefined ? said.filter((line) => line !== '').slice(-5) : [],
      hint: /schema drift/.test(error ?? '')
        ? 'Somebody made a table in that local.sql, and its node refuses it as well: take it out (after a backup), then merge again.'
        : 'See docs/guide/merge.md.',
    },
  );
}

/** An error of the file system in the middle of it, with what it means here. */
export function explainStaging(error: unknown): unknown {
  const known = explainSystemError(error);
  if (!(known instanceof SmeshError)) return error;
  return new SmeshError(known.code, known.exitCode, known.message, {
    details: [...known.details, 'Only copies were touched; nothing has changed.'],
    ...(known.hint === undefined ? {} : { hint: known.hint }),
    cause: error,
  });
}
