import type { IdentityReport } from '../domain/proving/status-report.ts';
import type { Cell } from './table.ts';

/** What a colour repeats; the words say it, too. */
export type Tone = 'plain' | 'good' | 'work' | 'doubt' | 'bad';

const SGR: Readonly<Record<Exclude<Tone, 'plain'>, string>> = {
  good: '32',
  work: '36',
  doubt: '33',
  bad: '31',
};

/** Of what an identity does. */
export function toneOf({ state, progress }: IdentityReport): Tone {
  switch (state.activity.kind) {
    case 'idle':
      return progress.published === 'yes' ? 'good' : 'plain';
    case 'failed':
    case 'not-connected':
      return 'bad';
    case 'down':
    case 'not-created':
      return state.wants === 'nothing' ? 'plain' : 'bad';
    case 'paused':
    case 'silent':
    case 'unknown':
    case 'starting':
      return 'doubt';
    default:
      return 'work';
  }
}

/** A cell of a table in its colour, where colours are wanted. */
export function painted(text: string, tone: Tone, { color }: { readonly color: boolean }): Cell {
  if (!color || tone === 'plain') return text;
  return { text, paint: (shown) => `\u001b[${SGR[tone]}m${shown}\u001b[39m` };
}
