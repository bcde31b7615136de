import { countSeverities, type DoctorFinding } from '../domain/doctor/finding.ts';

export interface DoctorDocumentParts {
  readonly at: number;
  readonly exitCode: number;
  readonly toolVersion: string;
  readonly directory: string;
  readonly project?: { readonly name: string; readonly network: string };
  readonly findings: readonly DoctorFinding[];
}

/** `doctor --json`, schema version 1 (docs/reference/json.md). Every field is always there; `null`: does not apply. */
export function doctorDocument(parts: DoctorDocumentParts): Readonly<Record<string, unknown>> {
  const { at, exitCode, toolVersion, directory, project, findings } = parts;
  return {
    schemaVersion: 1,
    at: new Date(at).toISOString(),
    exitCode,
    toolVersion,
    directory,
    project: project ?? null,
    counts: countSeverities(findings),
    findings: findings.map(({ code, severity, area, subject, message, evidence, measured, remedy }) => ({
      code,
      severity,
      area,
      subject: subject ?? null,
      message,
      evidence,
      measured,
      remedy: remedy ?? null,
    })),
  };
}
