import { ExitCode } from '../domain/errors.ts';
import { applyGenerate, stepsToJson, summarizeSteps } from '../usecases/apply-generate.ts';
import { planGenerate } from '../usecases/generate.ts';
import { fromWorkingDirectory } from '../usecases/init/options.ts';
import { readInterrupted } from '../usecases/journal.ts';
import { loadProject } from '../usecases/load-project.ts';
import { withoutChanges, withProjectLock } from '../usecases/project-lock.ts';
import { type Context, defineCommand, type Invocation } from './command.ts';
import { flagOption, listOption } from './options.ts';

export const generateCommand = defineCommand({
  name: 'generate',
  summary: 'write compose.yaml, node/config.json and the installed keys from smesh.yaml',
  description:
    'Deterministic: run twice, the second changes nothing. Files changed by hand are never overwritten without --force.',
  options: [
    { flags: '--check', summary: 'change nothing; exit 10 and the difference when something is out of date' },
    { flags: '--dry-run', summary: 'show what would be written, change nothing' },
    { flags: '--keys <path...>', summary: 'files or folders to take missing keys from' },
    { flags: '--repair-keys', summary: 'drop a trailing line break in the installed copy of a key' },
    {
      flags: '--force',
      summary: 'overwrite generated files changed by hand; they are kept in .smesh/backups',
    },
  ],
  examples: [
    { command: 'smesh-compose generate', summary: 'after a change of smesh.yaml' },
    { command: 'smesh-compose generate --check', summary: 'in a script: is everything up to date?' },
  ],
  async run(invocation, context) {
    if (flagOption(invocation, 'check')) return check(invocation, context);
    if (flagOption(invocation, 'dry-run')) {
      return withoutChanges(context, async () => {
        const plan = await planFor(invocation, context);
        for (const note of plan.notes) context.out.note(note);
        show(context, plan.steps, 'would be written');
        return ExitCode.ok;
      });
    }
    return withProjectLock(context, 'generate', async () => {
      const plan = await planFor(invocation, context);
      await applyGenerate(context, 'generate', plan);
      show(context, plan.steps, 'was written');
      return ExitCode.ok;
    });
  },
});

async function planFor(invocation: Invocation, context: Context) {
  const { project } = await loadProject(context);
  return planGenerate(context, {
    project,
    keyPlaces: (listOption(invocation, 'keys') ?? []).map(fromWorkingDirectory),
    repairKeys: flagOption(invocation, 'repair-keys'),
    // What is only looked at may well have been edited: the difference says so.
    force: flagOption(invocation, 'force') || flagOption(invocation, 'check'),
  });
}

function show(
  context: Context,
  steps: Awaited<ReturnType<typeof planGenerate>>['steps'],
  verb: 'was written' | 'would be written',
): void {
  if (context.json) {
    context.out.json({
      schemaVersion: 1,
      dryRun: verb === 'would be written',
      changed: verb === 'was written' && steps.length > 0,
      steps: stepsToJson(steps),
    });
  } else if (steps.length === 0) {
    context.out.result(
      `Everything is up to date with smesh.yaml; nothing ${verb === 'was written' ? 'was' : 'would be'} written.`,
    );
  } else {
    context.out.result([`This ${verb}:`, ...summarizeSteps(context.directory, steps)].join('\n'));
    if (verb === 'was written') context.out.note('See what it changes in the containers: smesh-compose plan');
  }
}

async function check(invocation: Invocation, context: Context): Promise<number> {
  const interrupted = await readInterrupted(context.ports, context.directory);
  const plan = await planFor(invocation, context);
  const pending = plan.steps.length > 0 || interrupted !== undefined;
  for (const note of plan.notes) context.out.note(note);
  if (context.json) {
    context.out.json({
      schemaVersion: 1,
      upToDate: !pending,
      interrupted:
        interrupted === undefined ? null : { command: interrupted.command, startedAt: interrupted.startedAt },
      files: plan.outdated,
      steps: stepsToJson(plan.steps),
    });
    return pending ? ExitCode.changesPending : ExitCode.ok;
  }
  if (interrupted !== undefined) {
    context.out.result(`An interrupted ${interrupted.command} (${interrupted.startedAt}) is not finished.`);
  }
  if (plan.steps.length > 0) {
    context.out.result(
      ['Out of date with smesh.yaml:', ...summarizeSteps(context.directory, plan.steps)].join('\n'),
    );
    for (const { diff } of plan.outdated) context.out.verbatim(`\n${diff}`);
  }
  if (pending) context.out.note('Bring it up to date with: smesh-compose generate');
  else context.out.result('Everything is up to date with smesh.yaml.');
  return pending ? ExitCode.changesPending : ExitCode.ok;
}
