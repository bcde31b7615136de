import type { OutputPort } from '../ports/output.ts';
import { fitLine } from './text.ts';

export interface Widths {
  /** Cells of the terminal that stdout is; absent: it is a file or a pipe. */
  readonly stdout?: number;
  readonly stderr?: number;
}

/**
 * Breaks sentences that are longer than the terminal between words, below their own indent. In a file or a pipe nothing
 * is broken: a line break in the middle of a path or command is in the way there. What others wrote goes out by
 * `verbatim`, unbroken.
 */
export function fitToTerminal(out: OutputPort, { stdout, stderr }: Widths): OutputPort {
  return {
    ...out,
    result: (text) => out.result(fitText(text, stdout)),
    note: (text) => out.note(fitText(text, stderr)),
    warn: (text) => out.warn(fitText(text, stderr)),
  };
}

function fitText(text: string, columns: number | undefined): string {
  if (columns === undefined) return text;
  return text
    .split('\n')
    .flatMap((line) => fitLine(line, columns))
    .join('\n');
}
