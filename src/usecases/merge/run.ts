import { ExitCode } from '../../domain/errors.ts';
import { shortId } from '../../domain/identity/smesher-id.ts';
import type { MergeFacts } from '../../domain/merge/facts.ts';
import { requireProject } from '../../domain/project/parse.ts';
import { mergeToJson, renderMerge } from '../../ui/merge.ts';
import { stepsToJson, summarizeSteps } from '../apply-generate.ts';
import { backUpBefore } from '../backup/back-up-before.ts';
import type { Context } from '../context.ts';
import { showForecast } from '../forecast/show-short.ts';
import { readInterrupted } from '../journal.ts';
import { type LoadedProject, loadProject } from '../load-project.ts';
import { nodeOwner } from '../owners.ts';
import { lockedUnlessDry } from '../project-lock.ts';
import { bringNodeImage } from './bring-image.ts';
import { confirmMerge } from './confirm.ts';
import { databaseMarks } from './database-mark.ts';
import { type MergeRequest, observeMerge } from './observe.ts';
import { type MergePlan, planMerge } from './plan.ts';
import { reportMerged } from './report.ts';
import { explainStaging, stageMerge } from './stage.ts';
import { removeStaging, stampOf } from './staging-folder.ts';
import { swap } from './swap.ts';

export interface MergeOptions extends MergeRequest {
  readonly dryRun: boolean;
  /** Generated files that a person changed are overwritten, after a backup. */
  readonly force: boolean;
}

/** Parts of a merge that tests put something else in the place of. */
export interface MergeParts {
  readonly backUp: typeof backUpBefore;
}

/**
 * Brings existing nodes into the project: what stands in the way is said before anything is touched, databases are merged as
 * copies, and then keys, rows and files change places in one journaled act behind a barrier that keeps both nodes from
 * starting (spacemesh.md §6.3, §9.1, §14.3; scenarios S9, S38, S40).
 */
export function runMerge(
  context: Context,
  options: MergeOptions,
  parts: MergeParts = { backUp: backUpBefore },
): Promise<ExitCode> {
  return lockedUnlessDry(context, 'merge', options.dryRun, async () => {
    const loaded = await loadProject(context);
    // Without an engine nobody can say what runs, and there is nothing to merge with.
    await (await context.ports.docker()).engine();
    const all = await observeMerge(context, loaded.project, options);
    const facts = withoutMerged(context, all);
    if (facts === undefined) return reportNothing(context, options.dryRun);
    const plan = await planMerge(context, loaded, facts, options);
    const preview = { ...plan, columns: context.out.columns };
    if (options.dryRun) {
      if (context.json)
        context.out.json({
          schemaVersion: 1,
          dryRun: true,
          ...mergeToJson(plan),
          steps: stepsToJson(plan.generate.steps),
        });
      else {
        context.out.result(renderMerge(preview));
        context.out.note('Nothing has been changed. Merge them without --dry-run.');
      }
      return ExitCode.ok;
    }
    if (!context.json) context.out.note(`${renderMerge(preview)}\n${written(context, plan)}`);
    await showForecast(
      context,
      requireProject(plan.after, { directory: context.directory }).project,
      plan.arrivals.flatMap(({ name }) => name ?? []),
    );
    await confirmMerge(context, plan);
    return carryOut(context, loaded, plan, parts);
  });
}

async function carryOut(
  context: Context,
  loaded: LoadedProject,
  plan: MergePlan,
  { backUp }: MergeParts,
): Promise<ExitCode> {
  const { facts } = plan;
  const { project } = loaded;
  const stamp = stampOf(context.clock.now());
  await bringNodeImage(context, project);
  // Copies of a merge that was killed before it began.
  await removeStaging(context, project.node.data);
  // So that what is merged, and what is kept, is one whole file; nobody has it open.
  if (facts.database.kind === 'read')
    await (await context.ports.databaseEditor()).settle(`${project.node.data}/local.sql`);
  const backup = await backUp(context, project, 'merge', { also: facts.sources.map(({ folder }) => folder) });
  const owner = await nodeOwner(context, project);
  const marks = await databaseMarks(context, facts);
  const staged = await stageMerge(context, facts, owner, stamp).catch((error: unknown) => {
    throw explainStaging(error);
  });
  context.signal.throwIfAborted();
  try {
    await swap(context, { plan, text: loaded.text, staged, owner, stamp, marks });
  } catch (error) {
    // What has begun still needs the copies.
    const interrupted = await readInterrupted(context.ports, context.directory).catch(() => 'unknown');
    if (interrupted === undefined) await removeStaging(context, project.node.data);
    throw error;
  }
  await removeStaging(context, project.node.data);
  reportMerged(context, plan, backup);
  return ExitCode.ok;
}

/** Nodes whose keys this very project took before: asking twice is no fault. `undefined`: there are no others. */
function withoutMerged(context: Context, facts: MergeFacts): MergeFacts | undefined {
  const here = new Set(facts.installed.map(({ smesherId }) => smesherId));
  // A key.bin stays beside its data.
  const isOurs = ({ movedTo, keys }: MergeFacts['sources'][number]) =>
    movedTo?.directory === context.directory &&
    keys.every(({ where, smesherId }) => where === 'beside-data' && here.has(smesherId));
  const kept = facts.sources
    .map((source, index) => ({ source, index }))
    .filter(({ source }) => !isOurs(source));
  for (const source of facts.sources.filter(isOurs))
    context.out.note(`${source.folder} was merged before (${source.movedTo?.at.slice(0, 10) ?? ''}).`);
  if (kept.length === 0) return undefined;
  return {
    ...facts,
    sources: kept.map(({ source }) => source),
    atWork: [...kept.map(({ index }) => facts.atWork[index] ?? []), facts.atWork.at(-1) ?? []],
    mayWrite: {
      ...facts.mayWrite,
      sources: kept.map(({ index }) => facts.mayWrite.sources[index] ?? true),
    },
  };
}

function reportNothing(context: Context, dryRun: boolean): ExitCode {
  if (context.json) context.out.json({ schemaVersion: 1, dryRun, identities: [], sources: [] });
  else context.out.result('Nothing to merge: their keys are in this project already. Nothing was changed.');
  return ExitCode.ok;
}

/** What `generate` does besides; of those that come it knows less than was said already. */
function written(context: Context, { generate, arrivals }: MergePlan): string {
  const ids = arrivals.map(({ smesherId }) => shortId(smesherId));
  const notes = generate.notes.filter((note) => !ids.some((id) => note.includes(id)));
  const lines = summarizeSteps(context.directory, generate.steps);
  return [...(lines.length === 0 ? [] : ['', 'This will be written', ...lines]), ...notes].join('\n');
}
