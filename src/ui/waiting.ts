import { type MomentStyle, shortMoment } from './moments.ts';
import type { Loss } from './stop-price.ts';
import { cutText, enumerate, printable } from './text.ts';
import { formatDuration, plural } from './units.ts';

/** What a command waits for that acts only in safe moments. */
export interface Waiting {
  readonly losses: readonly Loss[];
  readonly node?: { readonly why: string; readonly until: number };
  readonly done: number;
  /** `stopped` */
  readonly doneWord: string;
}

/** Named one by one; more would push the rest off the screen. */
const SHOWN = 8;

/**
 * Lines that are redrawn while waiting. Where nothing can be redrawn each changed line is printed anew, so there it tells
 * only who is waited for, not how far they are.
 */
export function renderWaiting(
  { losses, node, done, doneWord }: Waiting,
  waitedMs: number,
  style: MomentStyle,
  interactive: boolean,
): readonly string[] {
  const names = losses.map(({ service }) => service);
  const subjects = [
    ...(names.length === 0
      ? []
      : [interactive ? plural(names.length, 'post-service') : printable(enumerate(names))]),
    ...(node === undefined ? [] : ['the node']),
  ];
  const sofar = done === 0 ? '' : ` · ${done} ${doneWord}`;
  const time = interactive ? ` ${formatDuration(waitedMs)}` : '';
  const headline = `Waiting${time} for a safe moment of ${subjects.join(' and ') || 'the rest'}${sofar}`;
  if (!interactive) return [headline];
  return [
    headline,
    ...losses.slice(0, SHOWN).map((loss) => `  ${cutText(lossLine(loss, style), 160)}`),
    ...(losses.length > SHOWN ? [`  … and ${losses.length - SHOWN} more`] : []),
    ...(node === undefined
      ? []
      : [`  node: ${node.why}; it is free ${shortMoment(node.until, style)} at the latest`]),
    'Ctrl-C leaves the rest as it is.',
  ];
}

function lossLine({ service, why, price }: Loss, style: MomentStyle): string {
  const done = price?.doneAt === undefined ? '' : `, done about ${shortMoment(price.doneAt, style)}`;
  return `${service.padEnd(12)} ${printable(why)}${done}`;
}
