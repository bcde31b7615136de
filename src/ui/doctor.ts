import type { DoctorSeverity } from '../domain/doctor/codes.ts';
import { countSeverities, type DoctorFinding } from '../domain/doctor/finding.ts';
import { printable, textWidth, wrapText } from './text.ts';
import { plural } from './units.ts';

export interface DoctorView {
  readonly columns: number;
  readonly color: boolean;
}

export interface DoctorShown {
  readonly directory: string;
  readonly project?: { readonly name: string; readonly network: string };
  readonly findings: readonly DoctorFinding[];
  /** Whose look it is. Default: `doctor`. */
  readonly command?: string;
}

const WORST_FIRST: readonly DoctorSeverity[] = ['error', 'warning', 'info'];
const SGR: Readonly<Record<DoctorSeverity, string>> = { error: '31', warning: '33', info: '36', ok: '32' };
/** Severity, then area: `warning  disks    `. */
const LABEL_WIDTH = 18;

/** `doctor` as text: what is wrong, worst first, then what is well in a line each, then a summary. */
export function renderDoctor(
  { directory, project, findings, command = 'doctor' }: DoctorShown,
  view: DoctorView,
): string[] {
  const title = project === undefined ? directory : `${project.name} (${project.network}) in ${directory}`;
  const troubles = WORST_FIRST.flatMap((severity) => findings.filter((one) => one.severity === severity));
  const well = findings.filter(({ severity }) => severity === 'ok');
  return [
    printable(`smesh-compose ${command} · ${title}`),
    '',
    ...troubles.flatMap((one) => [...troubleLines(one, view), '']),
    ...well.flatMap((one) => labelled(one, one.evidence, view)),
    ...(well.length > 0 ? [''] : []),
    summary(findings),
  ];
}

function troubleLines(found: DoctorFinding, view: DoctorView): string[] {
  const subject = found.subject === undefined ? '' : `${found.subject}: `;
  return [
    ...labelled(found, `${subject}${found.message}`, view),
    ...indented(`seen: ${found.evidence} [${found.code}]`, view),
    ...(found.remedy === undefined ? [] : remedyLines(found.remedy, view)),
  ];
}

function labelled(found: DoctorFinding, text: string, view: DoctorView): string[] {
  const lines = indented(text, view);
  const label = `${found.severity.padEnd(8)} ${found.area.padEnd(LABEL_WIDTH - 9)}`;
  const shown = view.color ? `\x1b[${SGR[found.severity]}m${label}\x1b[0m` : label;
  return lines.map((line, index) => (index === 0 ? `${shown}${line.slice(LABEL_WIDTH)}` : line));
}

function indented(text: string, view: DoctorView): string[] {
  const width = Math.max(view.columns - LABEL_WIDTH, 30);
  return wrapText(printable(text), width).map((line) => `${' '.repeat(LABEL_WIDTH)}${line}`);
}

/**
 * What is typed stands whole on a line of its own where it does not fit behind what is said: three spaces end a command,
 * and the last colon begins one. A terminal may break it; what is copied from there is whole all the same.
 */
function remedyLines(remedy: string, view: DoctorView): string[] {
  const width = Math.max(view.columns - LABEL_WIDTH, 30) - 2;
  const whole = printable(remedy);
  const parts = textWidth(whole) <= width ? [whole] : whole.split(/ {3}/);
  const lines = parts.flatMap((part) => {
    if (textWidth(part) <= width) return [part];
    const colon = part.lastIndexOf(': ');
    if (colon < 0) return wrapText(part, width);
    return [...wrapText(part.slice(0, colon + 1), width), part.slice(colon + 2)];
  });
  return lines.map((line, index) => `${' '.repeat(LABEL_WIDTH)}${index === 0 ? '→' : ' '} ${line}`);
}

function summary(findings: readonly DoctorFinding[]): string {
  const counts = countSeverities(findings);
  if (counts.error === 0 && counts.warning === 0) {
    return counts.info === 0
      ? 'Nothing is wrong.'
      : `Nothing is wrong; ${plural(counts.info, 'note')} to read.`;
  }
  const parts = [
    ...(counts.error > 0 ? [plural(counts.error, 'error')] : []),
    ...(counts.warning > 0 ? [plural(counts.warning, 'warning')] : []),
    ...(counts.info > 0 ? [plural(counts.info, 'note')] : []),
  ];
  return `${parts.join(', ')}. What a code means: docs/guide/doctor.md`;
}
