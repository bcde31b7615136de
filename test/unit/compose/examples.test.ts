import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { composeOf, EXAMPLE_PROJECTS } from '../../fixtures/example-projects.ts';

const folder = new URL('../../../compose/examples/', import.meta.url);

/** `SMESH_UPDATE_EXAMPLES=1 npx vitest run test/unit/compose/examples.test.ts` writes them anew; then read the diff. */
const update = process.env['SMESH_UPDATE_EXAMPLES'] === '1';

describe('compose/examples', () => {
  it.each(Object.entries(EXAMPLE_PROJECTS))('%s is what the generator writes', async (name, text) => {
    const generated = await composeOf(text);
    const file = new URL(`${name}.yaml`, folder);
    if (update) writeFileSync(file, generated);
    expect(existsSync(file), `${name}.yaml is missing; SMESH_UPDATE_EXAMPLES=1 writes it`).toBe(true);
    expect(generated).toBe(readFileSync(file, 'utf8'));
  });

  it('has no example that nobody generates', () => {
    const names = readdirSync(folder).map((file) => file.replace(/\.yaml$/, ''));
    expect(names.sort()).toEqual(Object.keys(EXAMPLE_PROJECTS).sort());
  });
});
