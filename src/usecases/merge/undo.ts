import { readLabels } from '../../domain/compose/labels.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { readKeyFile } from '../../domain/identity/key-file.ts';
import { type SmesherId, shortId } from '../../domain/identity/smesher-id.ts';
import type { MergeRecord } from '../../domain/merge/swap-steps.ts';
import { undoBarrier, undoSteps } from '../../domain/merge/undo-steps.ts';
import { removeIdentity } from '../../domain/project/edit.ts';
import { requireProject } from '../../domain/project/parse.ts';
import type { Project } from '../../domain/project/types.ts';
import { enumerate } from '../../ui/text.ts';
import { plural } from '../../ui/units.ts';
import { stepsToJson, summarizeSteps } from '../apply-generate.ts';
import type { Context } from '../context.ts';
import { type GeneratePlan, planGenerate } from '../generate.ts';
import { backupPath } from '../journal.ts';
import { runBehindBarrier } from '../journal-barrier.ts';
import { type LoadedProject, loadProject } from '../load-project.ts';
import { nodeOwner, projectOwner } from '../owners.ts';
import { lockedUnlessDry } from '../project-lock.ts';
import { readMergeRecord, recordPath } from './record.ts';
import { removeStaging, stagingFolder, stampOf } from './staging-folder.ts';
import { lookWhoWorks } from './who-works.ts';

export interface UndoOptions {
  readonly dryRun: boolean;
  readonly force: boolean;
}

/**
 * Takes the last merge back as long as the node has not run since: afterwards its local.sql holds what the former ones do
 * not, and two histories of one identity can cost it for ever (spacemesh.md §9.1.2). Then a move back is a merge the other
 * way round.
 */
export function undoMerge(context: Context, options: UndoOptions): Promise<ExitCode> {
  return lockedUnlessDry(context, 'merge', options.dryRun, async () => {
    const loaded = await loadProject(context);
    const record = await readMergeRecord(context);
    if (record === undefined) return nothingToUndo(context, options.dryRun);
    if (record === 'damaged')
      throw new SmeshError(
        'damaged-record',
        ExitCode.invalid,
        `${recordPath(context.directory)} cannot be read, so nobody can say what was merged. Nothing was changed.`,
        { hint: 'See docs/guide/merge.md for what a merge does, and what a backup holds.' },
      );
    const { project } = loaded;
    await refuseToUndo(context, project, record);
    const generate = await planFormer(context, loaded, record, options.force);
    if (options.dryRun) {
      report(context, record, generate, true);
      return ExitCode.ok;
    }
    await confirm(context, record);
    await carryOut(context, project, record, generate);
    report(context, record, generate, false);
    return ExitCode.ok;
  });
}

function nothingToUndo(context: Context, dryRun: boolean): ExitCode {
  if (context.json) context.out.json({ schemaVersion: 1, dryRun, undone: [] });
  else context.out.result('Nothing to take back: no merge is on record here. Nothing was changed.');
  return ExitCode.ok;
}

/** Everything that has to be as the merge left it; all that is not, in one error. */
async function refuseToUndo(context: Context, project: Project, record: MergeRecord): Promise<void> {
  const reasons = [
    ...(await whyNodeHasRun(context, project, record)),
    ...(await whatIsMissing(context, record)),
    ...(await whoWorks(context, project, record)),
  ];
  if (reasons.length === 0) return;
  throw new SmeshError(
    'cannot-undo',
    ExitCode.refused,
    'The merge cannot be taken back. Nothing was changed; all identities go on in this project.',
    {
      details: [...new Set(reasons)],
      hint: 'With a local.sql from before, an identity can publish a second time and is lost for ever. What stopped nodes hold is moved by another merge, in the other direction.',
    },
  );
}

async function whyNodeHasRun(
  context: Context,
  project: Project,
  record: MergeRecord,
): Promise<readonly string[]> {
  const { files } = context.ports;
  const { merged, nodeData } = record;
  const reasons: string[] = [];
  if (project.node.data !== nodeData) reasons.push(`node.data was ${nodeData} when they were merged`);
  const [facts, wal] = await Promise.all([
    files.facts(`${nodeData}/local.sql`),
    files.facts(`${nodeData}/local.sql-wal`),
  ]);
  const isSame =
    facts !== undefined &&
    facts.inode === merged.inode &&
    facts.size === merged.size &&
    facts.modifiedMs === merged.modifiedMs;
  if (!isSame || (wal !== undefined && wal.size > 0))
    reasons.push('local.sql was written since: the node has run with it, or it was replaced');
  const docker = await context.ports.docker();
  const own = await docker.containers({ project: project.name });
  const node = own.find(({ labels }) => readLabels(labels)?.role === 'node');
  if (node?.startedAt !== undefined && node.startedAt > Date.parse(record.at))
    reasons.push(`the node was started on ${new Date(node.startedAt).toISOString()}, after the merge`);
  return reasons;
}

async function whatIsMissing({ ports }: Context, record: MergeRecord): Promise<readonly string[]> {
  const { files, crypto } = ports;
  const reasons: string[] = [];
  if (record.former !== undefined && !(await files.exists(record.former)))
    reasons.push(`${record.former}, the former local.sql, is not there any more`);
  const originals = async (path: string, smesherId: SmesherId): Promise<readonly string[]> => {
    const bytes = await files.readBytes(path).catch(() => undefined);
    const reading = bytes === undefined ? undefined : readKeyFile(bytes, crypto.publicKeyOfSeed);
    return reading?.kind === 'valid' && reading.smesherId === smesherId
      ? []
      : [`the original key of ${shortId(smesherId)} is not at ${path} any more`];
  };
  // Beside its data, on a disk that may be away: its copy would be laid below the empty mount point.
  const renamed = new Set(record.sources.flatMap(({ keys }) => keys.map(({ from }) => from)));
  for (const { original, smesherId } of record.installed)
    if (!renamed.has(original)) reasons.push(...(await originals(original, smesherId)));
  for (const { keys, notice, folder } of record.sources) {
    for (const { to, from, smesherId } of keys) {
      reasons.push(...(await originals(to, smesherId)));
      if (await files.exists(from)) reasons.push(`there is a file ${from} again`);
    }
    if (!(await files.exists(notice)))
      reasons.push(`${notice} is gone: the node of ${folder} may have run meanwhile`);
  }
  return reasons;
}

async function whoWorks(context: Context, project: Project, record: MergeRecord): Promise<readonly string[]> {
  const looks = await lookWhoWorks(context, project, [
    ...record.sources.map(({ folder, keys }) => ({
      folder,
      ids: keys.map(({ smesherId }) => smesherId),
      lockFiles: [],
    })),
    { folder: record.nodeData, ids: record.installed.map(({ smesherId }) => smesherId), lockFiles: [] },
  ]);
  return looks.flat();
}

/** smesh.yaml as it was; where somebody has changed it since, without the identities that go back. */
async function planFormer(
  context: Context,
  { text, project }: LoadedProject,
  record: MergeRecord,
  force: boolean,
): Promise<GeneratePlan> {
  const leaving = new Set(record.installed.map(({ smesherId }) => smesherId));
  const before = new Set(
    requireProject(record.before, { directory: context.directory }).project.identities.map(({ id }) => id),
  );
  const former =
    text === record.after
      ? record.before
      : project.identities
          .filter(({ id }) => leaving.has(id) && !before.has(id))
          .reduce((edited, { id }) => removeIdentity(edited, id), text);
  const wanted = requireProject(former, { directory: context.directory }).project;
  return planGenerate(context, {
    project: wanted,
    text: former,
    keyPlaces: [],
    repairKeys: false,
    force,
    departing: leaving,
  });
}

async function confirm(context: Context, record: MergeRecord): Promise<void> {
  if (context.yes) return;
  const yes = await context.ports.prompt.confirm({
    message: `Give ${plural(record.installed.length, 'identity', 'identities')} back to ${enumerate(record.sources.map(({ folder }) => folder))}?`,
    flag: '--yes',
    initial: false,
  });
  if (!yes)
    throw new SmeshError('cancelled', ExitCode.cancelled, 'Cancelled: the merge stays. Nothing was changed.');
}

async function carryOut(
  context: Context,
  project: Project,
  record: MergeRecord,
  generate: GeneratePlan,
): Promise<void> {
  const { files } = context.ports;
  const owner = await nodeOwner(context, project);
  const stamp = stampOf(context.clock.now());
  await removeStaging(context, record.nodeData);
  let staged: string | undefined;
  if (record.former !== undefined) {
    const folder = stagingFolder(record.nodeData, stamp);
    await files.makeDirectory(folder, { mode: 0o700, ...owner });
    staged = `${folder}/local.sql`;
    await files.copy(record.former, staged, { mode: 0o600, ...owner });
  }
  const folderOwner = await projectOwner(context);
  context.signal.throwIfAborted();
  await runBehindBarrier(
    context.ports,
    {
      directory: context.directory,
      command: 'merge --undo',
      at: context.clock.now(),
      steps: undoSteps({
        directory: context.directory,
        owner,
        record,
        keep:
          staged === undefined
            ? `${record.nodeData}/local.sql.merged-${stamp}`
            : backupPath(context.directory, stamp, 'local.sql.merged'),
        generated: generate.steps,
        recordPath: recordPath(context.directory),
        ...(staged === undefined ? {} : { staged }),
      }),
      ...(folderOwner === undefined ? {} : { owner: folderOwner }),
    },
    {
      ...undoBarrier({ directory: context.directory, owner, record }),
      look: () => refuseToUndo(context, project, record),
    },
  );
  await removeStaging(context, record.nodeData);
}

function report(context: Context, record: MergeRecord, generate: GeneratePlan, dryRun: boolean): void {
  const ids = record.installed.map(({ smesherId }) => smesherId);
  if (context.json) {
    context.out.json({
      schemaVersion: 1,
      dryRun,
      undone: ids.map((id) => ({ id })),
      sources: record.sources.map(({ folder }) => folder),
      steps: stepsToJson(generate.steps),
    });
    return;
  }
  const folders = enumerate(record.sources.map(({ folder }) => folder));
  const who = enumerate(ids.map(shortId));
  if (dryRun) {
    context.out.result(`${who} would go back to ${folders}, and local.sql would be the former one.`);
    for (const line of summarizeSteps(context.directory, generate.steps)) context.out.note(line);
    context.out.note('Nothing has been changed.');
    return;
  }
  context.out.result(
    `Taken back: ${who} ${ids.length === 1 ? 'is' : 'are'} in ${folders} again, under the former names.`,
  );
  context.out.note('Its node may be started again; or this one, without them: smesh-compose up');
}
