import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runMain } from '../../helpers/run-main.ts';
import { tempFolder } from '../../helpers/temp.ts';

describe('merge --undo', () => {
  it.each([
    [['/srv/old'], 'it wants no folder'],
    [['--config', '/srv/old/config.json'], 'it wants no --config'],
    [['--data', '/mnt'], 'it wants no --data'],
  ])('takes nothing beside it: %j', async (given, said) => {
    const folder = tempFolder('merge-options');
    const { code, stderr } = await runMain(['-C', folder, 'merge', '--undo', ...given]);
    expect({ code, said: stderr.includes(said) }).toEqual({ code: 2, said: true });
    expect(readdirSync(folder)).toEqual([]);
  });
});
