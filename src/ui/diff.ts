import { createTwoFilesPatch } from 'diff';

/** Longest difference that is shown; what is beyond is counted. */
const MOST_LINES = 60;

/** A unified difference of two texts, headed by what each of them is, cut to what a person reads. */
export function renderDiff(path: string, present: string, wanted: string): string {
  const patch = createTwoFilesPatch(
    `${path} (as it is)`,
    `${path} (from smesh.yaml)`,
    present,
    wanted,
    '',
    '',
    {
      context: 2,
    },
  );
  // The first line is a ruler that only patch programs want.
  const lines = patch
    .split('\n')
    .slice(1)
    .filter((line) => line !== '');
  if (lines.length <= MOST_LINES) return lines.join('\n');
  return [...lines.slice(0, MOST_LINES), `… ${lines.length - MOST_LINES} more lines`].join('\n');
}
