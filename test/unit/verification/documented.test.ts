import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SUBJECTS } from '../../../src/domain/verification/check.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = join(root, 'src/domain/verification');
const CODES = /(?:check\.(?:costs|warning|notDue)\(\s*|\bcode: )'([a-z0-9-]+)'/g;

describe('docs/reference/verify-json.md', () => {
  const page = readFileSync(join(root, 'docs/reference/verify-json.md'), 'utf8');
  const sources = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  const codes = new Set(sources.flatMap((text) => [...text.matchAll(CODES)].map(([, code = '']) => code)));

  it('names every code that verify can give', () => {
    expect(codes.size).toBeGreaterThan(35);
    expect([...codes].filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
  });

  it('names every subject, and what is unknown of it, where that can be', () => {
    for (const subject of SUBJECTS) expect(page).toContain(`| \`${subject}\` |`);
    const unknown = sources.flatMap((text) =>
      text.split('\n').filter((line) => line.includes('check.unknown(')),
    );
    expect(unknown.length).toBeGreaterThanOrEqual(SUBJECTS.length);
    for (const subject of SUBJECTS) expect(page).toContain(`\`${subject}-unknown\``);
  });
});
