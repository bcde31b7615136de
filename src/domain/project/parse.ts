import { withDefaults } from './defaults.ts';
import { projectFault } from './diagnostics.ts';
import { diagnosticsOf } from './issues.ts';
import { checkRules } from './rules/index.ts';
import { projectFileSchema } from './schema.ts';
import { diagnose, readSource, readValues } from './source.ts';
import type { Diagnostic, Project } from './types.ts';

export interface ParseOptions {
  /** Absolute folder of the file: relative paths count from it, the default name comes from it. */
  readonly directory: string;
  /** How diagnostics name the file. */
  readonly file?: string;
}

export type ParseResult =
  | { readonly ok: true; readonly project: Project; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** From top to bottom, as one goes through the file to mend it. */
function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const line = (diagnostic: Diagnostic) => diagnostic.line ?? 0;
  const column = (diagnostic: Diagnostic) => diagnostic.column ?? 0;
  return diagnostics.toSorted((a, b) => line(a) - line(b) || column(a) - column(b));
}

/**
 * Reads `smesh.yaml`. Either a project for which every rule holds, or every fault with its line: first those of the
 * YAML, then those of single keys, then those between keys; a later kind is looked for only when the earlier is clean.
 */
export function parseProject(text: string, options: ParseOptions): ParseResult {
  const source = readSource(text, options.file ?? 'smesh.yaml');
  if (source.faults.length > 0) return { ok: false, diagnostics: source.faults };
  let values: unknown;
  try {
    values = readValues(source);
  } catch (error) {
    // A file of aliases of aliases would otherwise fill the memory; `yaml` stops it by throwing.
    if (!(error instanceof ReferenceError)) throw error;
    return { ok: false, diagnostics: [diagnose(source, 'error', [], error.message)] };
  }
  if (values === null || values === undefined) {
    return { ok: false, diagnostics: [diagnose(source, 'error', [], 'the file is empty')] };
  }
  const checked = projectFileSchema.safeParse(values, { reportInput: true });
  if (!checked.success) {
    return { ok: false, diagnostics: inOrder(diagnosticsOf(source, checked.error.issues)) };
  }
  const written = checked.data;
  const project = withDefaults(written, options.directory);
  const findings = inOrder(
    checkRules({ written, project }).map(({ severity, path, message, at }) =>
      diagnose(source, severity, path, message, at),
    ),
  );
  if (findings.some(({ severity }) => severity === 'error')) return { ok: false, diagnostics: findings };
  return { ok: true, project, warnings: findings };
}

/** `parseProject` for commands: throws the first fault as message and the others as details (exit 3). */
export function requireProject(
  text: string,
  options: ParseOptions,
): { readonly project: Project; readonly warnings: readonly Diagnostic[] } {
  const result = parseProject(text, options);
  if (!result.ok) throw projectFault(result.diagnostics);
  return result;
}
