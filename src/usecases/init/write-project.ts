import { cancelled, ExitCode } from '../../domain/errors.ts';
import { formatDiagnostic } from '../../domain/project/diagnostics.ts';
import { requireProject } from '../../domain/project/parse.ts';
import { applyGenerate, stepsToJson, summarizeSteps } from '../apply-generate.ts';
import type { Context } from '../context.ts';
import { showForecast } from '../forecast/show-short.ts';
import { planGenerate } from '../generate.ts';
import type { InitOptions } from './options.ts';

export interface WriteRequest {
  readonly command: 'init' | 'add' | 'remove' | 'poet add' | 'poet remove' | 'poet serve';
  /** The new smesh.yaml. */
  readonly text: string;
  readonly options: Pick<InitOptions, 'keys' | 'repairKeys' | 'dryRun' | 'force'>;
  /** Key files that a scan found, to be copied from. */
  readonly keyFiles: readonly string[];
  /** Names of the identities that come in: whether they will be proved in time is said before it is written. */
  readonly added?: readonly string[];
  /** What is done after the yes and before the files, and must not stand in the journal: a private key. */
  readonly prepare?: () => Promise<void>;
  /** Facts for `--json`: `{"added": [...]}`. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Once it was confirmed, before anything is written; when it rejects nothing is. */
  readonly before?: () => Promise<unknown>;
}

/**
 * Writes a changed smesh.yaml and all that follows from it in one journaled act, after showing it (ux.md, "init").
 * Answers whether anything was written.
 */
export async function writeProject(
  context: Context,
  request: WriteRequest,
): Promise<{ written: boolean; exitCode: number }> {
  const { options, text } = request;
  const { project, warnings } = requireProject(text, { directory: context.directory });
  for (const warning of warnings) context.out.warn(formatDiagnostic(warning));
  const plan = await planGenerate(context, {
    project,
    text,
    keyPlaces: [...options.keys, ...request.keyFiles],
    repairKeys: options.repairKeys,
    force: options.force,
  });
  const summary = summarizeSteps(context.directory, plan.steps);
  if (!context.json && plan.steps.length > 0) {
    context.out.note(
      ['', options.dryRun ? 'This would be written (nothing is)' : 'This will be written', ...summary].join(
        '\n',
      ),
    );
    context.out.note(`  (compose.yaml: 1 node, ${project.identities.length} post-services)`);
  }
  for (const note of plan.notes) context.out.note(note);
  if (request.added !== undefined && request.added.length > 0) {
    await showForecast(context, project, request.added);
  }
  if (options.dryRun) {
    if (context.json)
      context.out.json({ schemaVersion: 1, dryRun: true, ...request.facts, steps: stepsToJson(plan.steps) });
    return { written: false, exitCode: ExitCode.ok };
  }
  if (plan.steps.length > 0 && !context.yes && context.out.interactive) {
    const yes = await context.ports.prompt.confirm({ message: 'Write it?', flag: '--yes', initial: true });
    if (!yes) throw cancelled(`smesh-compose ${request.command}`);
  }
  await request.prepare?.();
  if (plan.steps.length > 0) await request.before?.();
  await applyGenerate(context, request.command, { ...plan, notes: [] });
  if (context.json)
    context.out.json({ schemaVersion: 1, dryRun: false, ...request.facts, steps: stepsToJson(plan.steps) });
  return { written: plan.steps.length > 0, exitCode: ExitCode.ok };
}
