import { ExitCode, SmeshError } from '../errors.ts';
import type { Diagnostic } from './types.ts';

/** `identities[3].nonces` */
export function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
}

/** `smesh.yaml:14:9  identities[3].nonces: 100 is not a multiple of 16 (128 and 288 are usual)` */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, path, message, severity } = diagnostic;
  const place = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
  const subject = path === undefined || path === '' ? '' : `${path}: `;
  return `${place}  ${severity === 'warning' ? 'warning: ' : ''}${subject}${message}`;
}

/** A file that is no YAML has a fault in every line. */
const MOST_SHOWN = 50;

/** The error that a command ends with when the model cannot be used. */
export function projectFault(diagnostics: readonly Diagnostic[]): SmeshError {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const [first, ...others] = errors.slice(0, MOST_SHOWN).map(formatDiagnostic);
  if (errors.length > MOST_SHOWN) others.push(`… and ${errors.length - MOST_SHOWN} more`);
  return new SmeshError('invalid-project', ExitCode.invalid, first ?? 'The project cannot be used', {
    details: others,
    hint: 'Nothing was changed.',
  });
}
