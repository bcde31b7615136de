import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SmeshError } from '../../../src/domain/errors.ts';
import { addIdentities, removeIdentity } from '../../../src/domain/project/edit.ts';
import { newProjectText } from '../../../src/domain/project/new-project.ts';
import { requireProject } from '../../../src/domain/project/parse.ts';
import { EXAMPLE_POET_KEY, exampleId } from '../../fixtures/example-projects.ts';

const head = 'version: 1\nnetwork: mainnet\ncoinbase: sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y\n';
const identity = (number: number) => ({
  id: exampleId(number),
  name: `post-${String(number).padStart(4, '0')}`,
  data: `/mnt/d${number}`,
});
const project = (text: string) => requireProject(text, { directory: '/srv/x' }).project;
const served = (text: string) => project(text).identities.map(({ name }) => name);

const commented = `# my farm
${head}   # trailing comment, indented

identities:   # all of them
# disk one
  - id: '${exampleId(1)}'   # the first
    name: post-0001
    # where it lies
    data: "/mnt/d1"

  # disk two
  - name: post-0002
    id: ${exampleId(2)}
    data: >-
      /mnt/d2
    nonces: 288 # slow disk

  # nothing on disk three yet

# the node comes last
node: {ports: {p2p:   7613}}   # odd spaces
`;

describe('addIdentities', () => {
  it('S17: puts the entry behind the last one and leaves every other byte', () => {
    const after = addIdentities(commented, [identity(3)]);
    const entry = `  - id: ${exampleId(3)}\n    name: post-0003\n    data: /mnt/d3\n`;
    expect(after).toBe(commented.replace('# slow disk\n', `# slow disk\n${entry}`));
    expect(served(after)).toEqual(['post-0001', 'post-0002', 'post-0003']);
  });

  it('keeps the line endings of the file', () => {
    const text = commented.replaceAll('\n', '\r\n');
    const after = addIdentities(text, [identity(3), identity(4)]);
    expect(after.replaceAll('\r\n', '')).not.toContain('\n');
    expect(served(after)).toHaveLength(4);
    expect(after).toContain('# slow disk\r\n  - id');
  });

  it.each([
    ['an empty flow list', `${head}identities: []\n`, 'identities:\n  - id:'],
    ['one with a comment', `${head}identities: [] # none yet\nnode: {}\n`, 'identities: # none yet\n  - id:'],
    ['no value', `${head}identities:\nnode: {}\n`, undefined],
    [
      'a flow list',
      `${head}identities: [{id: '${exampleId(1)}', name: post-0001, data: /mnt/d1}] # c\n`,
      '}, {id: ',
    ],
    [
      'a flow list over lines',
      `${head}identities: [\n    {id: '${exampleId(1)}', name: post-0001, data: /mnt/d1}, # c\n  ]\n`,
      undefined,
    ],
    [
      'no line break at the end',
      `${head}identities:\n- id: '${exampleId(1)}'\n  name: post-0001\n  data: /mnt/d1`,
      '/mnt/d1\n- id: ',
    ],
    [
      'deep indentation',
      `${head}identities:\n      -   id: '${exampleId(1)}'\n          name: post-0001\n          data: /mnt/d1\n`,
      '\n      -   id: 5e',
    ],
    [
      'JSON',
      `{"version": 1, "network": "mainnet", "coinbase": "sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y", "identities": []}`,
      undefined,
    ],
  ])('knows %s', (_what, text, expected) => {
    const after = addIdentities(text, [identity(8), identity(9)]);
    if (expected !== undefined) expect(after).toContain(expected);
    expect(served(after).slice(-2)).toEqual(['post-0008', 'post-0009']);
  });

  it('writes what Compose and YAML could misread in quotes', () => {
    const data = '/mnt/a: b #c $x';
    const after = addIdentities(commented, [{ ...identity(3), data, user: '0:0', disk: 'no' }]);
    expect(project(after).identities[2]).toMatchObject({ data, user: '0:0', disk: 'no' });
  });

  it('refuses a list of aliases and shows what to write', () => {
    const text = `${head}x: 1\nidentities: *list\n`.replace('x: 1', `init: {gpu: cpu, jobs: &list []}`);
    expect(() => addIdentities(text, [identity(3)])).toThrow(SmeshError);
  });
});

describe('removeIdentity', () => {
  it('takes the entry out, notes its name, keeps comments and every other byte', () => {
    const after = removeIdentity(commented, exampleId(2));
    const start = commented.indexOf('  - name: post-0002');
    const end = commented.indexOf('# slow disk\n') + '# slow disk\n'.length;
    const rest = commented.slice(0, start) + commented.slice(end);
    expect(after).toContain('# disk two');
    expect(after.replace(/\n# Removed identities[\s\S]*?name: post-0002\n/, '')).toBe(rest);
    expect(project(after).retired).toEqual([{ id: exampleId(2), name: 'post-0002' }]);
    expect(served(after)).toEqual(['post-0001']);
  });

  it('leaves an empty list that can be added to again', () => {
    const once = removeIdentity(removeIdentity(commented, exampleId(1)), exampleId(2));
    expect(served(once)).toEqual([]);
    expect(once).toContain('identities: []   # all of them');
    expect(project(once).retired).toHaveLength(2);
    expect(served(addIdentities(once, [identity(3)]))).toEqual(['post-0003']);
  });

  it('does not note a name twice when an identity comes and goes', () => {
    const back = addIdentities(removeIdentity(commented, exampleId(2)), [identity(2)]);
    expect(project(removeIdentity(back, exampleId(2))).retired).toHaveLength(1);
  });

  it.each([1, 2, 3])('takes entry %i out of a flow list', (number) => {
    const entries = [1, 2, 3].map((n) => `{id: '${exampleId(n)}', name: post-000${n}, data: /mnt/d${n}}`);
    for (const text of [
      `${head}identities: [${entries.join(', ')}] # c\n`,
      `${head}identities: [ # a\n  ${entries.join(', # b\n  ')} # d\n]\n`,
    ]) {
      const after = removeIdentity(text, exampleId(number));
      expect(served(after)).toEqual(
        ['post-0001', 'post-0002', 'post-0003'].filter((_, i) => i + 1 !== number),
      );
      for (const comment of text.match(/# \w/g) ?? []) expect(after).toContain(comment);
    }
  });

  it('finds an ID of digits only that is not quoted', () => {
    const id = '1'.repeat(64);
    const text = `${head}identities:\n  - id: ${id}\n    name: post-0001\n    data: /mnt/d1\n`;
    const known = project(text).identities[0]?.id;
    expect(served(removeIdentity(text, known ?? exampleId(0)))).toEqual([]);
  });

  it('refuses to take away an anchor that others need', () => {
    const text = `${head}identities:\n  - id: '${exampleId(1)}'\n    name: post-0001\n    data: /mnt/d1\n    remoteK2pow: &k {url: 'http://k'}\n  - id: '${exampleId(2)}'\n    name: post-0002\n    data: /mnt/d2\n    remoteK2pow: *k\n`;
    expect(() => removeIdentity(text, exampleId(1))).toThrow(/cannot remove post-0001/);
    expect(served(removeIdentity(text, exampleId(2)))).toEqual(['post-0001']);
  });
});

describe('the last identity of a list with an anchor', () => {
  const entry = `  - {id: '${exampleId(1)}', name: post-0001, data: /mnt/d1}\n`;

  it.each(['&a', '&a ', '&a # all', '!!seq &a', '# all'])('is taken out: identities: %s', (properties) => {
    const after = removeIdentity(`${head}identities: ${properties}\n${entry}`, exampleId(1));
    expect(served(after)).toEqual([]);
    expect(project(after).retired).toEqual([{ id: exampleId(1), name: 'post-0001' }]);
  });

  it('is left, in words, where the anchor stands on a line of its own', () => {
    const text = `${head}identities:\n  &a\n${entry}`;
    expect(served(text)).toEqual(['post-0001']);
    expect(() => removeIdentity(text, exampleId(1))).toThrow(SmeshError);
  });
});

describe('adding and removing in any order', () => {
  it('always gives a project that says what was done, whatever the style', () => {
    const styles = [
      commented,
      commented.replaceAll('\n', '\r\n'),
      `${head}identities: []\n`,
      commented.trimEnd(),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...styles),
        fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 3, max: 8 })), { maxLength: 10 }),
        (style, acts) => {
          let text = style;
          const names = new Set(served(text));
          for (const [add, number] of acts) {
            const { name, id } = identity(number);
            if (add && !names.has(name)) text = addIdentities(text, [identity(number)]);
            else if (!add && names.has(name)) text = removeIdentity(text, id);
            else continue;
            if (add) names.add(name);
            else names.delete(name);
          }
          expect(served(text)).toEqual([...names]);
          for (const comment of style.match(/#.*/g) ?? []) expect(text).toContain(comment.trimEnd());
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('newProjectText', () => {
  it('is a project, commented, with nothing but what was asked', () => {
    const text = newProjectText({
      network: 'mainnet',
      coinbase: 'sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y',
      identities: [identity(1)],
    });
    expect(text).toMatch(/^# The model of this folder/);
    expect(served(text)).toEqual(['post-0001']);
    expect(served(addIdentities(text, [identity(2)]))).toEqual(['post-0001', 'post-0002']);
  });

  it('is one without identities, too, and with everything set', () => {
    const text = newProjectText({
      name: 'rehearsal',
      network: {
        genesisTime: '2030-01-01T00:00:00Z',
        poetPrivateKey: EXAMPLE_POET_KEY,
        layerSeconds: 2,
        layersPerEpoch: 60,
        post: { k1: 10, scrypt: { n: 2, r: 1, p: 1 } },
      },
      coinbase: 'standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg',
      node: { data: '/x/node data', ports: { p2p: 7613 }, user: '0:0', config: { p2p: { 'min-peers': 1 } } },
      poet: { phaseShift: 60, cycleGap: 45, gracePeriod: 10 },
      defaults: { threads: 1, randomx: 'light' },
      identities: [],
    });
    const made = project(text);
    expect(made).toMatchObject({
      name: 'rehearsal',
      network: { layerSeconds: 2, layersPerEpoch: 60, post: { k1: 10, k2: 4, scrypt: { n: 2 } } },
      node: { data: '/x/node data', user: '0:0', ports: { p2p: 7613, publicApi: 9092 } },
      poet: { phaseShift: 60, cycleGap: 45, gracePeriod: 10 },
      identities: [],
    });
    expect(served(addIdentities(text, [identity(1)]))).toEqual(['post-0001']);
  });
});
