import type { EpochTimeline } from '../../domain/poet/epochs.ts';
import type { IdentityReport, NodeReport, StatusFinding } from '../../domain/proving/status-report.ts';
import type { ScheduleReport } from '../../domain/schedule/schedule-report.ts';

/** Something that is wrong or worth knowing, before it is known who shares it. */
export interface Trouble {
  readonly code: string;
  readonly severity: StatusFinding['severity'];
  /** Continues the name of a service, in the singular. */
  readonly message: string;
  /** As a function: of all services that share the trouble. */
  readonly next?: string | ((services: readonly string[]) => string);
}

/** What a report has decided before its findings. */
export interface Known {
  readonly node: NodeReport;
  readonly timeline: EpochTimeline;
  readonly identities: readonly IdentityReport[];
  readonly network: string;
  readonly schedule?: ScheduleReport;
}

/** Makes the exit code 6. */
export function problem(code: string, message: string, next?: Trouble['next']): Trouble {
  return { code, severity: 'problem', message, ...(next === undefined ? {} : { next }) };
}

/** Is only shown. */
export function notice(code: string, message: string, next?: Trouble['next']): Trouble {
  return { code, severity: 'notice', message, ...(next === undefined ? {} : { next }) };
}
