import type { SmeshError } from '../domain/errors.ts';
import { fitLine, printable } from './text.ts';

/** Message, details, hint and exit code as a person reads them (ux.md, "An error"). */
export function formatError(error: SmeshError, columns: number): string {
  // Names of files stand in them, and a name must not command the terminal.
  const details = error.details
    .flatMap((detail) => detail.split('\n'))
    .flatMap((line) => fitLine(`  ${printable(line)}`, columns));
  const lines = [...wrap(error.message, columns, ''), ...details];
  if (error.hint !== undefined) lines.push(...wrap(error.hint, columns, '  '));
  lines.push(`(exit ${error.exitCode})`);
  return lines.join('\n');
}

function wrap(text: string, columns: number, indent: string): string[] {
  return text
    .split('\n')
    .map(printable)
    .flatMap((paragraph) => {
      const lines: string[] = [];
      let line = indent;
      for (const word of paragraph.split(' ')) {
        if (line.length > indent.length && line.length + 1 + word.length > columns) {
          lines.push(line);
          line = `${indent}  `;
        }
        line += line.trim() === '' ? word : ` ${word}`;
      }
      return [...lines, line];
    });
}
