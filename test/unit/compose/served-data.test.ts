import { describe, expect, it } from 'vitest';
import { generatedFiles } from '../../../src/domain/compose/generate.ts';
import { servedData } from '../../../src/domain/compose/served-data.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { newProjectText } from '../../../src/domain/project/new-project.ts';
import { requireProject } from '../../../src/domain/project/parse.ts';

const identities = ["/mnt/a 'b: #$x", '/mnt/$$y', '/mnt/plain'].map((data, index) => ({
  id: parseSmesherId(String(index).repeat(64)) as SmesherId,
  name: `post-000${index + 1}`,
  data,
  user: '1000:1000',
}));

describe('servedData', () => {
  it('reads back what was generated, whatever a path is made of', () => {
    const text = newProjectText({
      network: 'mainnet',
      coinbase: 'sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y',
      node: { user: '1000:1000' },
      identities,
    });
    const { project } = requireProject(text, { directory: '/srv/smesh' });
    const compose = generatedFiles(project, {
      directory: '/srv/smesh',
      toolVersion: '0.0.0',
      postOwners: new Map(),
      rendered: new Map([
        ['runbook.md', ''],
        ['systemd.service', ''],
      ]),
    }).find(({ path }) => path === 'compose.yaml');
    expect([...servedData(compose?.content ?? '')]).toEqual(identities.map(({ id, data }) => [id, data]));
  });

  it("finds nothing in another's file, or in none at all", () => {
    for (const text of ['', 'services: [', 'services: {web: {image: x, volumes: ["/a:/post"]}}', '- 1']) {
      expect(servedData(text).size).toBe(0);
    }
  });
});
