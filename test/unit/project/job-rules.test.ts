import { describe, expect, it } from 'vitest';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { addJobs } from '../../../src/domain/project/edit-jobs.ts';
import { freshNames, namesFor } from '../../../src/domain/project/name.ts';
import { parseProject } from '../../../src/domain/project/parse.ts';
import type { InitialisationJob, Project } from '../../../src/domain/project/types.ts';

const id = (digit: string): SmesherId => parseSmesherId(digit.repeat(64)) as SmesherId;

const HEAD = `version: 1
network: mainnet
coinbase: sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y
identities:
  - {id: '${'9'.repeat(64)}', name: post-0001, data: /mnt/d1/post-0001}
retired:
  - {id: '${'8'.repeat(64)}', name: post-0002}
`;

const whole: InitialisationJob = {
  ...{ id: id('1'), name: 'post-0003-init', identity: 'post-0003', data: '/mnt/d2/post-0003', units: 4 },
  ...{ commitmentAtx: 'ab'.repeat(32), maxFileSize: 4_294_967_296 },
};
const first: InitialisationJob = {
  ...whole,
  ...{ name: 'post-0003-init-1', data: '/mnt/d2/post-0003.part-1', into: '/mnt/d2/post-0003' },
  ...{ fromFile: 0, toFile: 31 },
};
const second: InitialisationJob = {
  ...first,
  ...{ name: 'post-0003-init-2', data: '/mnt/d2/post-0003.part-2', fromFile: 32, toFile: 63 },
};

function faults(jobs: readonly InitialisationJob[], section = ''): readonly string[] {
  const text = addJobs(HEAD, { gpu: 'nvidia' }, jobs).replace('  gpu: nvidia\n', `  gpu: nvidia\n${section}`);
  const parsed = parseProject(text, { directory: '/srv/x' });
  return parsed.ok ? [] : parsed.diagnostics.map(({ path, message }) => `${path}: ${message}`);
}

describe('jobs in smesh.yaml', () => {
  it('are fine alone and in parts', () => {
    expect(faults([whole])).toEqual([]);
    expect(faults([first, second])).toEqual([]);
    expect(faults([{ ...whole, device: '1' }], "  devices: [0, '1']\n")).toEqual([]);
    // One that was removed comes back under its name.
    expect(faults([{ ...whole, id: id('8'), identity: 'post-0002' }])).toEqual([]);
  });

  it.each<[string, readonly InitialisationJob[], RegExp]>([
    ['an identity that is served', [{ ...whole, id: id('9') }], /id: .*is served already as post-0001/],
    [
      'the directory of an identity',
      [{ ...whole, data: '/mnt/d1/post-0001' }],
      /data: \/mnt\/d1\/post-0001 is the directory of post-0001/,
    ],
    [
      'into the directory of an identity',
      [
        { ...first, into: '/mnt/d1/post-0001' },
        { ...second, into: '/mnt/d1/post-0001' },
      ],
      /into: .*of post-0001 already/,
    ],
    [
      'into the directory of another job',
      [first, second, { ...whole, id: id('2'), name: 'x', identity: 'y' }],
      /into: .*filled by x already/,
    ],
    [
      'the name of an identity',
      [{ ...whole, identity: 'post-0001' }],
      /identity: post-0001 is the name of another/,
    ],
    [
      'the name of a removed one',
      [{ ...whole, identity: 'post-0002' }],
      /identity: post-0002 belonged to smesher 88888888/,
    ],
    ["the node's name", [{ ...whole, identity: 'node' }], /identity: node is the name of the node/],
    ['the name of a job', [{ ...whole, identity: whole.name }], /identity: .*another service/],
    [
      'one name for two',
      [whole, { ...whole, id: id('2'), name: 'x', data: '/mnt/d2/x' }],
      /identity: post-0003 is to be smesher 22222222/,
    ],
    [
      'one job name twice',
      [first, { ...second, name: first.name }],
      /name: post-0003-init-1 is the name of another/,
    ],
    [
      'one identity whole and twice',
      [whole, { ...whole, name: 'x', data: '/mnt/d2/x' }],
      /data: .*need `into`/,
    ],
    ['a range of another', [first, { ...second, fromFile: 31 }], /fromFile: file 31 is made by another part/],
    ['a gap between ranges', [first, { ...second, fromFile: 40 }], /fromFile: nobody makes files 32 to 39/],
    ['a gap at the end', [first, { ...second, toFile: 62 }], /toFile: nobody makes file 63/],
    ['a gap at the beginning', [{ ...first, fromFile: 1 }, second], /fromFile: nobody makes file 0/],
    [
      'other units',
      [first, { ...second, units: 5, toFile: 79 }],
      /units: post-0003-init-1 is of the same identity and has units 4/,
    ],
    [
      'another commitment',
      [first, { ...second, commitmentAtx: 'cd'.repeat(32) }],
      /commitmentAtx: post-0003-init-1 is of the same/,
    ],
    ['another file size', [first, { ...second, maxFileSize: 2 ** 31, toFile: 127 }], /maxFileSize: /],
    [
      'another place to join',
      [first, { ...second, into: '/mnt/d3/x' }],
      /into: .*has into \/mnt\/d2\/post-0003/,
    ],
  ])('are refused with %s', (_, jobs, wanted) => {
    expect(faults(jobs).join('\n')).toMatch(wanted);
  });

  it('name devices that there are', () => {
    expect(faults([{ ...whole, device: '2' }], '  devices: [0, 1]\n').join()).toMatch(
      /device: "2" is not among/,
    );
  });
});

describe('names', () => {
  const project = {
    identities: [{ id: id('9'), name: 'post-0001' }],
    retired: [{ id: id('8'), name: 'post-0002' }],
    initialisation: { gpu: 'cpu', image: '', devices: [], jobs: [whole] },
  } as unknown as Project;

  it('of data that is being made are kept for it, and given to nobody else', () => {
    expect([...namesFor(project, [id('5'), id('1'), id('8')])]).toEqual([
      [id('5'), 'post-0004'],
      [id('1'), 'post-0003'],
      [id('8'), 'post-0002'],
    ]);
    expect(freshNames(project, ['post-0007', 'mine'], 2)).toEqual(['post-0008', 'post-0009']);
  });
});
