import { quoteForShell } from '../../domain/shell-quote.ts';

/** The command that does the same without questions (ux.md, "init"). Flags without a value are `true`. */
export function headlessCommand(
  verb: string,
  parts: readonly (readonly [flag: string, value: string | readonly string[] | true | undefined])[],
): string {
  const words = ['smesh-compose', verb, '--yes'];
  for (const [flag, value] of parts) {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    words.push(flag);
    if (value !== true) words.push(...(typeof value === 'string' ? [value] : value).map(quoteForShell));
  }
  return words.join(' ');
}
