import type { StatusFinding } from '../domain/proving/status-report.ts';
import { printable, textWidth, wrapText } from './text.ts';

const NAMES_SHOWN = 3;

/** One finding as lines no wider than the view: who, what, what to do. */
export function findingLines(
  finding: StatusFinding,
  view: { readonly columns: number; readonly color: boolean },
): string[] {
  const mark = finding.severity === 'problem' ? '!' : '·';
  const names = namesOf(finding.services.map(printable));
  const indent = ' '.repeat(finding.services.length === 1 ? Math.min(textWidth(names), 20) + 4 : 4);
  const message = printable(agree(finding.message, finding.services.length));
  const text = `${names}${names === '' ? '' : '  '}${message}`;
  const body = [
    ...wrapText(text, view.columns - indent.length),
    ...(finding.next === undefined
      ? []
      : wrapText(`→ ${printable(finding.next)}`, view.columns - indent.length)),
  ];
  return body.map((line, index) => {
    if (index > 0) return `${indent}${line}`;
    const first = `${mark} ${line}`;
    return view.color && finding.severity === 'problem' ? `\u001b[31m${first}\u001b[39m` : first;
  });
}

const PLURAL: Readonly<Record<string, string>> = {
  is: 'are',
  has: 'have',
  takes: 'take',
  finishes: 'finish',
};

/** A message begins with the verb of one service; several take its plural. */
function agree(message: string, services: number): string {
  if (services < 2) return message;
  const [verb = ''] = message.split(' ', 1);
  const several = `${PLURAL[verb] ?? verb}${message.slice(verb.length)}`;
  return several
    .replaceAll(/\bits (service|data|healthcheck|key|disk|container)\b/g, 'their $1')
    .replace(/\bit loses\b/, 'they lose')
    .replace(/\bstopped it\b/, 'stopped them')
    .replace(/\bleaves it alone\b/, 'leaves them alone')
    .replace(/\brelease it$/, 'release them');
}

function namesOf(names: readonly string[]): string {
  if (names.length <= NAMES_SHOWN + 1) return names.join(', ');
  return `${names.slice(0, NAMES_SHOWN).join(', ')} and ${names.length - NAMES_SHOWN} more`;
}
