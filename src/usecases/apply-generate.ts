import { relative } from 'node:path';
import type { FileStep } from '../domain/plan/steps.ts';
import { plural } from '../ui/units.ts';
import type { Context } from './context.ts';
import type { GeneratePlan } from './generate.ts';
import { runJournaled } from './journal.ts';

/** Carries out what `planGenerate` found, journaled, and says so on stderr. */
export async function applyGenerate(context: Context, command: string, plan: GeneratePlan): Promise<void> {
  for (const note of plan.notes) context.out.note(note);
  await runJournaled(context.ports, {
    directory: context.directory,
    command,
    at: context.clock.now(),
    steps: plan.steps,
  });
}

/** The steps as a person reads them before or after: one line per file, keys counted (ux.md, "init"). */
export function summarizeSteps(directory: string, steps: readonly FileStep[]): readonly string[] {
  const lines: string[] = [];
  const name = (path: string) => (path.startsWith(`${directory}/`) ? relative(directory, path) : path);
  for (const step of steps) {
    if (step.kind === 'write-file') lines.push(describe(name(step.path), step.what));
    if (step.kind === 'move-key') lines.push(describe(name(step.from), `moved to ${name(step.to)}`));
    if (step.kind === 'remove-generated') lines.push(describe(name(step.path), 'removed'));
  }
  const keys = steps.filter((step) => step.kind === 'install-key');
  const [first] = keys;
  if (first !== undefined) {
    const folder = first.target.slice(0, first.target.lastIndexOf('/'));
    lines.push(
      describe(
        name(folder),
        `${plural(keys.length, 'key')} copied from beside the data (0600), originals stay`,
      ),
    );
  }
  return lines;
}

function describe(path: string, what: string): string {
  return `  ${path.padEnd(22)} ${what}`;
}

/** The same for `--json`: what was or would be written, without any content. */
export function stepsToJson(steps: readonly FileStep[]): readonly unknown[] {
  return steps.map((step) => {
    switch (step.kind) {
      case 'write-file':
        return {
          kind: step.kind,
          path: step.path,
          what: step.what,
          ...(step.backup === undefined ? {} : { backup: step.backup }),
        };
      case 'install-key':
        return { kind: step.kind, source: step.source, target: step.target, smesherId: step.smesherId };
      default:
        return step;
    }
  });
}
