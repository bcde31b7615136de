import { namesFor } from '../../domain/project/name.ts';
import type { NewIdentity } from '../../domain/project/new-project.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import type { Context } from '../context.ts';
import { fromWorkingDirectory } from './options.ts';

/** A flag and what it is given; left out where that is undefined. */
export type CommandPart = readonly [flag: string, value: string | readonly string[] | true | undefined];

/** The command that does the same without questions (ux.md, "init"). Flags without a value are `true`. */
export function headlessCommand(context: Context, verb: string, parts: readonly CommandPart[]): string {
  // The command is typed where the user stands, which need not be the project.
  const elsewhere: CommandPart = [
    '-C',
    context.directory === fromWorkingDirectory('.') ? undefined : context.directory,
  ];
  const words = ['smesh-compose', verb, '--yes'];
  for (const [flag, value] of [elsewhere, ...parts]) {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    words.push(flag);
    if (value !== true) words.push(...(typeof value === 'string' ? [value] : value).map(quoteForShell));
  }
  return words.join(' ');
}

/** `--service-names` where a person chose other names than the next free numbers. */
export function chosenNames(
  project: Parameters<typeof namesFor>[0],
  identities: readonly NewIdentity[],
): readonly string[] | undefined {
  const suggested = namesFor(
    project,
    identities.map(({ id }) => id),
  );
  const same = identities.every(({ id, name }) => suggested.get(id) === name);
  return same ? undefined : identities.map(({ name }) => name);
}
