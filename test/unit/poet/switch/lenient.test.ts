import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../../src/adapters/files/index.ts';
import type { Context } from '../../../../src/usecases/context.ts';
import { loadLeniently } from '../../../../src/usecases/poet-switch/recovery.ts';
import { textWith } from '../../../../src/usecases/poet-switch/settings-text.ts';
import { suiteTempFolder } from '../../../helpers/temp.ts';

const folder = suiteTempFolder('poet-lenient');
const KEY = `${'A'.repeat(42)}B=`;
const project = (servers: string, more = '') =>
  `# mine\nversion: 1\nnetwork: mainnet\ncoinbase: sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y\npoet:\n  servers:\n${servers}identities: []\n${more}`;

async function load(text: string) {
  writeFileSync(join(folder, 'smesh.yaml'), text);
  const context = {
    directory: folder,
    ports: { files: nodeFiles },
    out: { warn: () => {} },
  } as unknown as Context;
  return loadLeniently(context);
}

describe('smesh.yaml without the public key of a PoET', () => {
  it('is read all the same, and gets the key without any other change', async () => {
    const text = project(`    - {address: https://a, pubkey: ${KEY}}\n    - address: https://b # no key\n`);
    const lenient = await load(text);
    expect(lenient.servers).toEqual([{ address: 'https://a', pubkey: KEY }, { address: 'https://b' }]);
    const servers = [
      { address: 'https://a', pubkey: KEY },
      { address: 'https://b', pubkey: KEY },
    ];
    const after = textWith(lenient.text, lenient.project.poet, { ...lenient.project.poet, servers });
    expect(after).toContain(`    - {address: https://a, pubkey: ${KEY}}\n`);
    expect(after.startsWith('# mine\nversion: 1\n')).toBe(true);
    expect((await load(after)).servers).toEqual(servers);
  });

  it('every other fault is one as ever, with its line', async () => {
    await expect(load(project('    - address: https://b\n', 'oops: 1\n'))).rejects.toMatchObject({
      code: 'invalid-project',
      message: expect.stringContaining('smesh.yaml:7:7  poet.servers[0].pubkey: is missing'),
      details: [expect.stringContaining('smesh.yaml:9:1  oops: unknown key')],
    });
  });
});
