import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderProjectReference } from '../../../scripts/lib/project-reference.ts';

const reference = renderProjectReference();

it('docs/reference/smesh-yaml.md says what the schema says', () => {
  const file = new URL('../../../docs/reference/smesh-yaml.md', import.meta.url);
  expect(readFileSync(file, 'utf8'), 'run: npx tsx scripts/generate-project-reference.ts').toBe(reference);
});

it('describes every key', () => {
  const undescribed = reference.split('\n').filter((line) => /^\| `.*\| {2}\|$/.test(line));
  expect(undescribed).toEqual([]);
});
