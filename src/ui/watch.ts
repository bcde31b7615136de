import type { StatusReport } from '../domain/proving/status-report.ts';
import { deadlineWords } from './deadline-words.ts';
import { laneLines } from './lanes.ts';
import { momentStyle, nodeLine, type StatusView, timeLines } from './status.ts';
import { findingLines } from './status-findings.ts';
import { fitLine } from './text.ts';

/**
 * `status --watch` as text: the next deadline, the node, what needs attention, the disks as lanes, and last the times.
 * A screen may be too low for everything: what matters more stands higher. Lines, none wider than the view.
 */
export function renderWatch(report: StatusReport, view: StatusView): string[] {
  const style = momentStyle(report, view);
  const findings = report.findings.flatMap((finding) => findingLines(finding, view));
  return [
    ...fitLine(deadlineWords(report), view.columns),
    nodeLine(report, view),
    ...(findings.length === 0 ? [] : ['', ...findings]),
    '',
    ...laneLines(report, view, style),
    '',
    ...timeLines(report, view, style),
  ];
}
