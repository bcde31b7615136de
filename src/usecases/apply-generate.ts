import { dirname, relative } from 'node:path';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { FileStep } from '../domain/plan/steps.ts';
import { printable } from '../ui/text.ts';
import { plural } from '../ui/units.ts';
import type { Context } from './context.ts';
import type { GeneratePlan } from './generate.ts';
import { runJournaled } from './journal.ts';
import { projectOwner } from './owners.ts';

/** Carries out what `planGenerate` found, journaled. Refuses before the first step what this user may not do at all. */
export async function applyGenerate(context: Context, command: string, plan: GeneratePlan): Promise<void> {
  context.signal.throwIfAborted();
  refuseForeignOwner(context, plan);
  for (const note of plan.notes) context.out.note(note);
  const owner = await projectOwner(context);
  await runJournaled(context.ports, {
    directory: context.directory,
    command,
    at: context.clock.now(),
    steps: plan.steps,
    ...(owner === undefined ? {} : { owner }),
  });
}

/** Only root can make files that belong to somebody else; found out half-way it would leave the project unfinished. */
function refuseForeignOwner(context: Context, { steps }: GeneratePlan): void {
  const { uid } = context.ports.system.user;
  const foreign = steps.find((step) => 'uid' in step && step.uid !== undefined && step.uid !== uid);
  if (uid === 0 || foreign === undefined || !('uid' in foreign)) return;
  throw new SmeshError(
    'foreign-owner',
    ExitCode.environment,
    `The node's data folder and its keys belong to user ${foreign.uid}; you are user ${uid} and cannot make files for them`,
    { hint: 'Nothing was changed. Run it as that user, or with sudo.' },
  );
}

/** The steps as a person reads them before or after: one line per file, keys counted (ux.md, "init"). */
export function summarizeSteps(directory: string, steps: readonly FileStep[]): readonly string[] {
  const lines: string[] = [];
  const name = (path: string) => (path.startsWith(`${directory}/`) ? relative(directory, path) : path);
  for (const step of steps) {
    if (step.kind === 'write-file') {
      const kept = step.backup === undefined ? '' : `, what it says now is kept in ${name(step.backup)}`;
      lines.push(describe(name(step.path), `${step.what}${kept}`));
    }
    if (step.kind === 'move-key') lines.push(describe(name(step.from), `moved to ${name(step.to)}`));
  }
  const keys = steps.filter((step) => step.kind === 'install-key');
  const copied = keys.filter(({ source, target }) => source !== target);
  const folderOf = (target: string) => name(target.slice(0, target.lastIndexOf('/')));
  const [first] = copied;
  if (first !== undefined) {
    lines.push(
      describe(folderOf(first.target), `${plural(copied.length, 'key')} copied (0600), originals stay`),
    );
  }
  for (const { source, target } of keys) {
    if (source === target) lines.push(describe(name(target), 'mode and owner put right (0600)'));
  }
  // Files come by the hundred.
  const moves = steps.filter((step) => step.kind === 'move-data-file');
  for (const line of new Set(
    moves.map(({ what, to }) => describe(what, `moved to ${dirname(to)}, on the same file system`)),
  ))
    lines.push(line);
  const leases = steps.filter((step) => step.kind === 'write-lease');
  for (const why of new Set(leases.map((lease) => lease.why))) {
    const alike = leases.filter((lease) => lease.why === why);
    lines.push(describe(folderOf(alike[0]?.path ?? ''), `${plural(alike.length, 'lease')}: ${why}`));
  }
  // What only folders are made for shows none of the lines above.
  if (lines.length === 0) {
    for (const step of steps)
      if (step.kind === 'make-directory') lines.push(describe(name(step.path), 'folder'));
  }
  return lines;
}

function describe(path: string, what: string): string {
  return `  ${printable(path).padEnd(22)} ${what}`;
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
      case 'write-lease':
        return { kind: step.kind, path: step.path, smesherId: step.smesherId, why: step.why };
      default:
        return step;
    }
  });
}
