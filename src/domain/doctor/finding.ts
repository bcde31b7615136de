import {
  DOCTOR_AREAS,
  DOCTOR_CODES,
  DOCTOR_SEVERITIES,
  type DoctorArea,
  type DoctorCode,
  type DoctorSeverity,
} from './codes.ts';

export type Measured = Readonly<Record<string, string | number | boolean | null>>;

/** One thing that `doctor` has to say. */
export interface DoctorFinding {
  readonly code: DoctorCode;
  readonly severity: DoctorSeverity;
  readonly area: DoctorArea;
  /** What it is about: a service, a disk, a server, a file. */
  readonly subject?: string;
  /** What is the case and what it means, one sentence without a full stop. */
  readonly message: string;
  /** What was measured, with numbers, for people; the same for programs in `measured`. */
  readonly evidence: string;
  readonly measured: Measured;
  /** What to type or do; absent where nothing is to be done. */
  readonly remedy?: string;
}

export interface FindingParts {
  readonly severity?: DoctorSeverity;
  /** Only for codes that any check may answer. */
  readonly area?: DoctorArea;
  readonly subject?: string;
  readonly message: string;
  readonly evidence: string;
  readonly measured?: Measured;
  readonly remedy?: string;
}

/** A finding with the area and, unless it says otherwise, the severity of its code. */
export function finding(code: DoctorCode, parts: FindingParts): DoctorFinding {
  const { area, severity } = DOCTOR_CODES[code];
  return { code, area, severity, measured: {}, ...parts };
}

/** By area, in each the worst first. */
export function inReportOrder(findings: readonly DoctorFinding[]): readonly DoctorFinding[] {
  return findings.toSorted(
    (a, b) =>
      DOCTOR_AREAS.indexOf(a.area) - DOCTOR_AREAS.indexOf(b.area) ||
      DOCTOR_SEVERITIES.indexOf(b.severity) - DOCTOR_SEVERITIES.indexOf(a.severity),
  );
}

export type SeverityCounts = Readonly<Record<DoctorSeverity, number>>;

export function countSeverities(findings: readonly DoctorFinding[]): SeverityCounts {
  const counts = { ok: 0, info: 0, warning: 0, error: 0 };
  for (const { severity } of findings) counts[severity] += 1;
  return counts;
}

/**
 * 0 when nothing is worse than a warning, 3 with errors, 4 when engine or Compose cannot be used at all: then most was
 * not looked at, and that weighs more.
 */
export function doctorExitCode(findings: readonly DoctorFinding[]): 0 | 3 | 4 {
  if (findings.some(({ code }) => code === 'engine-unusable' || code === 'compose-unusable')) return 4;
  return findings.some(({ severity }) => severity === 'error') ? 3 : 0;
}
