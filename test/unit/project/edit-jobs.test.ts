import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { initialisationService } from '../../../src/domain/compose/init-jobs.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { addJobs, removeJobs } from '../../../src/domain/project/edit-jobs.ts';
import { requireProject } from '../../../src/domain/project/parse.ts';
import type { InitialisationJob } from '../../../src/domain/project/types.ts';

const id = (digit: string): SmesherId => parseSmesherId(digit.repeat(64)) as SmesherId;
const job = (name: string, digit: string): InitialisationJob => ({
  id: id(digit),
  name: `${name}-init`,
  identity: name,
  data: `/mnt/d/${name}`,
  units: 16,
  commitmentAtx: 'ab'.repeat(32),
  maxFileSize: 4_294_967_296,
});

const HEAD = `# mine
version: 1
network: mainnet   # the real one
coinbase: sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y
identities: []
`;

const FIRST = `    - id: '${id('1')}'
      name: post-0001-init
      identity: post-0001
      data: /mnt/d/post-0001
      units: 16
      commitmentAtx: ${'ab'.repeat(32)}
`;

/** What Compose would make of the jobs, by name: when that differs, it makes another container. */
function commandsAndCards(text: string): Readonly<Record<string, unknown>> {
  const { initialisation, network } = requireProject(text, { directory: '/srv/x' }).project;
  if (initialisation === undefined) throw new Error('no jobs');
  const facts = { directory: '/srv/x', user: '1:1', fragment: '', groups: [] };
  return Object.fromEntries(
    initialisation.jobs.map((one, index) => [
      one.name,
      initialisationService(one, initialisation, network, { ...facts, index }),
    ]),
  );
}

describe('initialisation jobs in smesh.yaml', () => {
  it('get a section of their own, behind everything; every other byte stays', () => {
    const text = addJobs(HEAD, { gpu: 'nvidia' }, [job('post-0001', '1')]);
    expect(text.startsWith(HEAD)).toBe(true);
    expect(text.slice(HEAD.length)).toBe(
      `\n# Jobs that make PoST data (Compose profile init): smesh-compose post init. Each goes when its data is taken in.\ninit:\n  gpu: nvidia\n  jobs:\n${FIRST}`,
    );
  });

  it('come behind those that are there, and go alone', () => {
    const one = addJobs(HEAD, { gpu: 'cpu' }, [job('post-0001', '1')]).replace('gpu: cpu', 'gpu: cpu # slow');
    const part = {
      ...job('post-0002', '2'),
      into: '/mnt/d/x',
      device: '1',
      provider: 0,
      fromFile: 0,
      toFile: 7,
    };
    const both = addJobs(one, { gpu: 'cpu' }, [{ ...part, maxFileSize: 1024, user: '1:2' }]);
    expect(both.startsWith(one)).toBe(true);
    expect(both.slice(one.length)).toContain(
      "      provider: 0\n      device: '1'\n      maxFileSize: 1024\n      fromFile: 0\n      toFile: 7\n      user: '1:2'\n",
    );
    expect(removeJobs(both, ['post-0002-init'])).toBe(one);
    expect(removeJobs(both, ['post-0001-init', 'post-0002-init'])).toContain('gpu: cpu # slow\n  jobs: []\n');
    expect(removeJobs(both, ['nobody'])).toBe(both);
  });

  it.each([
    ['lines', (text: string) => text],
    ['braces', (text: string) => `${JSON.stringify(parse(text))}\n`],
  ])('keep the card that their position dealt them when others go, in %s', (_, written) => {
    const all = [1, 2, 3, 4].map((number) => job(`post-000${number}`, `${number}`));
    const own = { ...job('post-0005', '5'), provider: 1 };
    const text = written(
      addJobs(HEAD, { gpu: 'nvidia' }, [...all, own]).replace(
        '  gpu: nvidia\n',
        "  gpu: nvidia\n  devices: ['0', '1', '2'] # mine\n",
      ),
    );
    const cards = (edited: string) => commandsAndCards(edited);
    const before = cards(text);
    for (const gone of [['post-0001-init'], ['post-0002-init', 'post-0003-init'], ['post-0004-init']]) {
      const edited = removeJobs(text, gone);
      const kept = Object.fromEntries(Object.entries(before).filter(([name]) => !gone.includes(name)));
      expect(cards(edited)).toEqual(kept);
      expect(removeJobs(edited, ['nobody'])).toBe(edited);
    }
    // The last one took nobody's turn away.
    expect(removeJobs(text, ['post-0005-init'])).not.toContain('device:');
  });

  it('fill an emptied list again, also with another card', () => {
    const one = addJobs(HEAD, { gpu: 'cpu' }, [job('post-0001', '1')]);
    const none = removeJobs(one, ['post-0001-init']);
    expect(addJobs(none, { gpu: 'cpu' }, [job('post-0001', '1')])).toBe(one);
    expect(addJobs(none, { gpu: 'amd', image: 'x:1' }, [job('post-0001', '1')])).toBe(
      one.replace('gpu: cpu\n', 'gpu: amd\n').replace(FIRST, `${FIRST}  image: x:1\n`),
    );
  });

  it.each([
    ['braces', '{version: 1, identities: []}\n'],
    ['braces with a section', '{version: 1, identities: [], init: {gpu: nvidia, jobs: []}}\n'],
    ['a section in braces', 'version: 1\nidentities: []\ninit: {gpu: nvidia, jobs: []} # x\n'],
    ['no line break at the end', 'version: 1\nidentities: []'],
    ['Windows line breaks', 'version: 1\r\nidentities: []\r\n'],
  ])('and back where the file has %s', (_, text) => {
    const added = addJobs(text, { gpu: 'nvidia' }, [job('post-0001', '1'), job('post-0002', '2')]);
    expect(added).toContain('post-0002-init');
    expect(added.replaceAll('\r\n', '')).not.toMatch(text.includes('\r') ? /\n/ : /\r/);
    expect(removeJobs(added, ['post-0001-init', 'post-0002-init'])).not.toContain('-init');
  });

  it('are refused where they would mean something else', () => {
    const aliased = 'version: 1\nidentities: []\ndefaults: &a {gpu: cpu, jobs: []}\ninit: *a\n';
    expect(() => addJobs(aliased, { gpu: 'cpu' }, [job('post-0001', '1')])).toThrowError(/cannot/);
  });

  it('are read back as they were meant', () => {
    const jobs = [
      job('post-0001', '1'),
      { ...job('post-0002', '2'), device: '0', toFile: 255, fromFile: 0, into: '/mnt/d/y' },
    ];
    const text = addJobs(HEAD, { gpu: 'nvidia' }, jobs);
    const read = requireProject(text, { directory: '/srv/x' }).project.initialisation;
    expect(read?.jobs).toEqual(jobs);
  });
});
