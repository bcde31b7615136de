import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';

const WORD = 'merge';

/**
 * Asks for the word itself: what nobody can see from here (a folder that another host mounts, a copy of it elsewhere) only a
 * person knows. `--yes` says it for scripts.
 */
export async function confirmMerge(
  context: Context,
  {
    arrivals,
    facts,
  }: { readonly arrivals: readonly unknown[]; readonly facts: { readonly sources: readonly unknown[] } },
): Promise<void> {
  if (context.yes) return;
  if (!context.out.interactive) {
    throw new SmeshError(
      'input-required',
      ExitCode.usage,
      'A merge has to be confirmed, and there is nobody to be asked. Nothing was changed.',
      { hint: 'See what it would do with --dry-run, then say yes to it: --yes' },
    );
  }
  const nodes = plural(facts.sources.length, 'node');
  await context.ports.prompt.input({
    message: `Type ${WORD} to bring ${plural(arrivals.length, 'identity', 'identities')} in:`,
    explanation: `No other host may have a copy of ${facts.sources.length === 1 ? 'that node' : `these ${nodes}`}, and nobody may start one again.`,
    flag: '--yes',
    validate: (answer) =>
      answer.trim() === WORD ? undefined : `Only ${WORD} does it; Ctrl-C leaves everything as it is.`,
  });
}
