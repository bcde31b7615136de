import { ExitCode, SmeshError } from '../errors.ts';

/** What a check before the start has found. */
export interface Finding {
  /** Stable, kebab-case, in `--json`: `port-taken`. */
  readonly code: string;
  /** An error keeps everything from starting; a warning is shown. */
  readonly severity: 'error' | 'warning';
  /** Decides the exit code of errors. */
  readonly kind: 'environment' | 'refused' | 'invalid';
  /** What is the case and what it means, one sentence without a full stop. */
  readonly message: string;
  /** What was seen: a path, a container, a process. */
  readonly evidence?: string;
  /** What to do about it. */
  readonly next: string;
}

/** A refusal for safety outweighs what is merely broken. */
const BY_WEIGHT = [
  ['refused', ExitCode.refused],
  ['environment', ExitCode.environment],
  ['invalid', ExitCode.invalid],
] as const;

/** One error with all that was found, not just the first; `undefined` when nothing keeps the start back. */
export function findingsError(findings: readonly Finding[]): SmeshError | undefined {
  const errors = findings.filter((finding) => finding.severity === 'error');
  const [first, ...others] = errors;
  if (first === undefined) return undefined;
  const exitCode =
    BY_WEIGHT.find(([kind]) => errors.some((error) => error.kind === kind))?.[1] ?? ExitCode.invalid;
  if (others.length === 0) {
    return new SmeshError(first.code, exitCode, `${describeFinding(first)}. Nothing was changed.`, {
      hint: first.next,
    });
  }
  return new SmeshError(
    'preflight-failed',
    exitCode,
    `${errors.length} things stand in the way of a start. Nothing was changed.`,
    { details: errors.flatMap((error) => [describeFinding(error), `  → ${error.next}`]) },
  );
}

/** Message and evidence in one line. */
export function describeFinding(finding: Finding): string {
  return finding.evidence === undefined ? finding.message : `${finding.message} (${finding.evidence})`;
}
