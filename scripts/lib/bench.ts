import { performance } from 'node:perf_hooks';

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Two things measured side by side; times in milliseconds. */
export interface Comparison {
  readonly subject: Spread;
  readonly reference: Spread;
  /** Median of the subject over median of the reference. */
  readonly ratio: number;
  readonly runs: number;
}

/** Median (of an even number: the mean of the middle two), least and most. */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('nothing was measured');
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number) => sorted[index] ?? Number.NaN;
  const middle = Math.floor(sorted.length / 2);
  const median = sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}

/** Milliseconds that one call takes. */
export async function time(act: () => unknown): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

/**
 * Runs subject and reference in turn, so that what else the machine does hits both alike, and who goes first alternates.
 * The first pair only warms up and is not counted.
 */
export async function compare(
  subject: () => unknown,
  reference: () => unknown,
  options: { readonly runs: number },
): Promise<Comparison> {
  const times = { subject: [] as number[], reference: [] as number[] };
  for (let run = 0; run <= options.runs; run += 1) {
    const pair = [
      { act: subject, into: times.subject },
      { act: reference, into: times.reference },
    ];
    for (const { act, into } of run % 2 === 0 ? pair : pair.toReversed()) {
      const taken = await time(act);
      if (run > 0) into.push(taken);
    }
  }
  const [measured, beside] = [spread(times.subject), spread(times.reference)];
  return { subject: measured, reference: beside, ratio: measured.median / beside.median, runs: options.runs };
}

function formatTime(milliseconds: number): string {
  return milliseconds >= 1000 ? `${(milliseconds / 1000).toFixed(2)} s` : `${milliseconds.toFixed(0)} ms`;
}

function formatSpread({ median, min, max }: Spread): string {
  return `${formatTime(median)} (${formatTime(min)} to ${formatTime(max)})`;
}

export const comparisonHeader = [
  '| what | beside | median (min to max) | beside it | ratio | at most |',
  '| --- | --- | --- | --- | --- | --- |',
].join('\n');

/** A line of the table under `comparisonHeader`. */
export function comparisonLine(
  names: { readonly subject: string; readonly reference: string },
  comparison: Comparison,
  limit?: number,
): string {
  const { subject, reference, ratio } = comparison;
  const cells = [
    names.subject,
    names.reference,
    formatSpread(subject),
    formatSpread(reference),
    ratio.toFixed(2),
  ];
  return `| ${[...cells, limit === undefined ? '–' : limit.toFixed(2)].join(' | ')} |`;
}
