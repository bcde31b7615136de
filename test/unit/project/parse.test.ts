import { describe, expect, it } from 'vitest';
import { ExitCode, SmeshError } from '../../../src/domain/errors.ts';
import { formatDiagnostic } from '../../../src/domain/project/diagnostics.ts';
import { formatGoDuration, parseGoDuration } from '../../../src/domain/project/duration.ts';
import { namesFor, projectNameFor } from '../../../src/domain/project/name.ts';
import { parseProject, requireProject } from '../../../src/domain/project/parse.ts';
import { absolutePath } from '../../../src/domain/project/paths.ts';
import { EXAMPLE_POET_KEY, exampleId } from '../../fixtures/example-projects.ts';

const directory = '/srv/My Smesh';
const head = 'version: 1\nnetwork: mainnet\ncoinbase: sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y\n';
const entry = (number: number, more = '') =>
  `  - id: '${exampleId(number)}'\n    name: post-000${number}\n    data: /mnt/d${number}\n${more}`;
const one = (more = '') => `${head}identities:\n${entry(1, more)}`;

/** Everything that is found, as it is shown. */
function faults(text: string): readonly string[] {
  const result = parseProject(text, { directory });
  return (result.ok ? result.warnings : result.diagnostics).map(formatDiagnostic);
}

function project(text: string) {
  return requireProject(text, { directory }).project;
}

describe('defaults', () => {
  it('fills in everything that is not said', () => {
    const { name, node, identities, retired, poet } = project(one());
    expect(name).toBe('my-smesh');
    expect(node).toMatchObject({
      image: 'spacemeshos/go-spacemesh:v1.7.6',
      data: '/srv/My Smesh/node-data',
      ports: { p2p: 7513, publicApi: 9092, privateApi: 9093 },
    });
    expect(poet.servers).toHaveLength(5);
    expect(retired).toEqual([]);
    expect(identities[0]).toEqual({
      id: exampleId(1),
      name: 'post-0001',
      data: '/mnt/d1',
      image: 'spacemeshos/post-service:v0.8.5',
      nonces: 128,
      threads: 0,
      randomx: 'fast',
      memory: '3g',
      log: 'info,post::prove=debug',
    });
  });

  it('takes pinned cores of an identity instead of the threads of the project', () => {
    const text = `${one('    pinnedCores: [1, 2]\n')}${entry(2)}defaults: {threads: 4, randomx: light}\n`;
    const [pinned, plain] = project(text).identities;
    expect(pinned?.pinnedCores).toEqual([1, 2]);
    expect(pinned).not.toHaveProperty('threads');
    expect(plain?.threads).toBe(4);
    expect(plain?.memory).toBe('768m');
  });

  it('counts relative paths from the folder of smesh.yaml', () => {
    expect(project(one().replace('/mnt/d1', './disks/../d 1/')).identities[0]?.data).toBe(
      '/srv/My Smesh/d 1',
    );
  });

  it('keeps a smesher ID that looks like a number', () => {
    const id = '1'.repeat(64);
    expect(project(one().replace(`'${exampleId(1)}'`, id)).identities[0]?.id).toBe(id);
  });

  it('reads budgets and speeds of the schedule', () => {
    const text = `${one()}schedule:\n  k2pow: 2\n  memory: 12g\n  ahead: false\n  every: 1m\n  rates: {k2pow: 2600, disks: {sda: 180MB/s, sdb: 1 GiB/s}}\n`;
    expect(project(text).schedule).toEqual({
      k2powSlots: 2,
      memoryBytes: 12 * 2 ** 30,
      ahead: false,
      everySeconds: 60,
      rates: { hashesPerSecond: 2600, diskBytesPerSecond: { sda: 180e6, sdb: 2 ** 30 } },
      orchestrator: false,
      image: 'node:20-slim',
    });
    expect(project(one()).schedule).toEqual({
      ahead: true,
      everySeconds: 15,
      rates: { diskBytesPerSecond: {} },
      orchestrator: false,
      image: 'node:20-slim',
    });
  });

  it('works the request timeout out of the tries', () => {
    expect(project(`${one()}poet: {retryDelay: 2s, retryMax: 5}\n`).poet.requestTimeout).toBe(60);
  });
});

describe('faults, each with its line', () => {
  it.each([
    ['', ['smesh.yaml  the file is empty']],
    [`${head}identities: [`, [/^smesh\.yaml:4:14 /]],
    [`${one()}coinbase: x\n`, ['smesh.yaml:8:1  the key "coinbase" stands here a second time']],
    [
      one('    nonces: 100\n'),
      ['smesh.yaml:8:13  identities[0].nonces: 100 is not a multiple of 16 (128 and 288 are usual)'],
    ],
    [one('    nonces: 8192\n'), [/more than 4096/]],
    [one('    nonce: 128\n'), ['smesh.yaml:8:5  identities[0].nonce: unknown key; did you mean nonces?']],
    [
      one('    thread: 128\n    log: 5\n'),
      [/8:5 .*did you mean threads/, /9:10 .*log: 5 stands where a text belongs/],
    ],
    [`${one()}poet: {phase-shift: 240h}\n`, [/did you mean phaseShift/]],
    [`${one()}poet: {phaseShift: 14d}\n`, [/"14d" is no duration/]],
    [
      one().replace('mainnet', 'mainet'),
      ['smesh.yaml:2:10  network: "mainet" is not one of mainnet, testnet; did you mean mainnet?'],
    ],
    [one().replace('version: 1', 'version: 2'), [/^smesh.yaml:1:10 {2}version: 2 is not known/]],
    [
      one().replace('coinbase: sm1qqqqqqp3', 'coinbase: sm1qqqqqqp4'),
      [/^smesh.yaml:3:11 {2}coinbase: .*check sum/],
    ],
    [one('    randomx: Fast\n'), [/"Fast" is not one of fast, light; did you mean fast/]],
    [one('    data: ~/post\n').replace('    data: /mnt/d1\n', ''), [/only a shell knows/]],
    [
      one().replace('    data: /mnt/d1\n', '    data:\n'),
      ['smesh.yaml:7:5  identities[0].data: is empty; a text belongs here'],
    ],
    [one().replace('    data: /mnt/d1\n', ''), ['smesh.yaml:5:5  identities[0].data: is missing']],
    [one().replace(exampleId(1), 'a'.repeat(128)), [/a private key: never write one here/]],
    [`${head}identities: {}\n`, [/a mapping stands where a list belongs/]],
    ['a: &a [*a, 1]\n', ['smesh.yaml:1:8  *a stands inside of what it repeats']],
    [`${one()}x: *a\n`, ['smesh.yaml:8:4  nothing before it is called &a']],
    [`${one()}<<: 5\n`, [/^smesh.yaml:8:1 {2}<< takes a mapping/]],
    [`${one()}? [a]\n: 1\n`, [/^smesh.yaml:8:3 {2}only a word can be a key/]],
    [`${one()}schedule: {at: !!timestamp 2001-12-14}\n`, [/^smesh.yaml:8:\d+ {2}only texts, numbers/]],
    [`${one()}schedule: ${'['.repeat(60)}${']'.repeat(60)}\n`, [/nests deeper than 50 levels/]],
    [`${one()}schedule: {slots: 2}\n`, [/schedule.slots: unknown key/]],
    [`${one()}schedule: {k2pow: 0}\n`, [/0 is not a whole number from 1 to 1024/]],
    [`${one()}schedule: {memory: 12}\n`, [/schedule.memory: 12 stands where a text belongs/]],
    [`${one()}schedule: {memory: lots}\n`, [/"lots" is no amount of memory/]],
    [`${one()}schedule: {every: 100ms}\n`, [/schedule.every: is not between 1s and 1h/]],
    [
      `${one()}schedule: {rates: {disks: {sda: 180}}}\n`,
      [/rates.disks.sda: 180 stands where a text belongs/],
    ],
    [
      `${one()}schedule: {rates: {disks: {sda: fast}}}\n`,
      [/rates.disks.sda: "fast" is no speed of reading such as 180MB\/s/],
    ],
    [`${one()}schedule: {rates: {k2pow: -1}}\n`, [/-1 is no number of hashes per second/]],
    [`${one()}schedule: {orchestrator: 1}\n`, [/schedule.orchestrator: 1 stands where/]],
    [`${one().replace('post-0001', 'ab'.repeat(64))}`, [/"\[128 hex digits\]" is no service name/]],
  ])('%#', (text, expected) => {
    const found = faults(text);
    expect(found.length).toBeGreaterThanOrEqual(expected.length);
    expected.forEach((line, index) => {
      if (typeof line === 'string') expect(found[index]).toBe(line);
      else expect(found[index]).toMatch(line);
    });
  });

  it('never shows what could be a private key', () => {
    const secret = 'ab'.repeat(64);
    expect(faults(one().replace(exampleId(1), secret)).join('\n')).not.toContain(secret);
  });

  it('ends a command with exit 3, the first fault first, and says that nothing was changed', () => {
    try {
      requireProject(one('    nonces: 100\n    threads: -1\n'), { directory });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SmeshError);
      const { exitCode, message, details, hint } = error as SmeshError;
      expect(exitCode).toBe(ExitCode.invalid);
      expect(message).toContain('nonces');
      expect(details.join()).toContain('threads');
      expect(hint).toContain('Nothing was changed');
    }
  });
});

describe('rules between keys', () => {
  const two = (second: string) => `${one()}${second}`;
  it.each([
    [
      'S2: an identity twice',
      two(entry(2).replace(exampleId(2), exampleId(1))),
      /identities\[1\]\.id: smesher 5e5e5e5e is served already by post-0001 from \/mnt\/d1/,
    ],
    ['a name twice', two(entry(2).replace('post-0002', 'post-0001')), /name of another service/],
    ['the name of the node', one().replace('post-0001', 'node'), /node's own service/],
    [
      'a retired name',
      `${one()}retired: [{id: '${exampleId(9)}', name: post-0001}]\n`,
      /belonged to smesher 5e5e5e5e/,
    ],
    [
      'a directory twice, spelt differently',
      two(entry(2).replace('/mnt/d2', '/mnt/x/..//d1/')),
      /directory of post-0001 already/,
    ],
    ["data in the node's folder", one().replace('/mnt/d1', 'node-data/x'), /lies in the node's data folder/],
    [
      'S18: a coinbase of another network',
      one().replace('mainnet', 'testnet'),
      /belongs to mainnet, but the network is testnet/,
    ],
    [
      'a PoET without pubkey',
      `${one()}poet: {servers: [{address: http://x}]}\n`,
      /8:18 .*crashes the node|node crashes/,
    ],
    ['no PoET', `${one()}poet: {servers: []}\n`, /names no PoET/],
    [
      'a gap longer than an epoch',
      `${one()}poet: {cycleGap: 400h}\n`,
      /cycleGap: 400h must be shorter than an epoch \(336h\)/,
    ],
    [
      'a grace period longer than the gap',
      `${one()}poet: {gracePeriod: 13h}\n`,
      /shorter than the cycle gap/,
    ],
    ['threads and cores', one('    threads: 1\n    pinnedCores: [1]\n'), /drop one of the two/],
    ['a core twice', one('    pinnedCores: [1, 1]\n'), /names a core twice/],
    ['less log than info', one('    log: warn\n'), /less than info/],
    ['a log without level for all', one('    log: post::prove=debug\n'), /sets no level/],
    ['a silenced post', one('    log: info,post::prove=error\n'), /less than info/],
    ['a floating image', one('    image: spacemeshos/post-service:latest\n'), /moves with every release/],
    ['a broken image', `${one()}defaults: {image: spacemeshos/post-service:v0.8.1}\n`, /lacks libssl/],
    ['ports that clash', `${one()}node: {ports: {publicApi: 9093}}\n`, /9093 is taken by publicApi/],
    ['too little memory', one('    memory: 1g\n'), /warning: .*less than a proof in fast mode takes/],
    ['memory for no proof', `${one()}schedule: {memory: 2g}\n`, /schedule.memory: 2g is less than one proof/],
    [
      'fewer threads than one takes',
      `${one('    threads: 8\n')}schedule: {threads: 4}\n`,
      /warning: .*proves alone/,
    ],
    [
      'a speed of nobody',
      `${one('    disk: d1\n')}schedule: {rates: {disks: {d2: 180MB/s}}}\n`,
      /warning: .*d2: no identity names this disk/,
    ],
    [
      'a small subnet',
      `${one()}${''}node: {subnet: 10.1.2.0/28}\n${''}`.replace(
        entry(1),
        Array.from({ length: 14 }, (_, i) =>
          entry(1)
            .replace(exampleId(1), exampleId(i + 1))
            .replace('0001', `01${String(i).padStart(2, '0')}`)
            .replace('/d1', `/d${i}`),
        ).join(''),
      ),
      /13 addresses for 15 containers/,
    ],
  ])('%s', (_what, text, expected) => {
    expect(faults(text).join('\n')).toMatch(expected);
  });

  it('lets other crates be quiet, and an identity come back under its old name', () => {
    expect(faults(one('    log: info,post::prove=debug,h2=warn\n'))).toEqual([]);
    expect(faults(`${one()}retired: [{id: '${exampleId(1)}', name: post-0001}]\n`)).toEqual([]);
  });

  it.each([
    ['{smeshing: {smeshing-start: true}}', /refuses to start/],
    ['{Smeshing: {SMESHING-Start: true}}', /refuses to start/],
    ['{smeshing.smeshing-start: true}', /refuses to start/],
    ['{api: {grpc-post-listener: "127.0.0.1:0"}}', /post-services connect there/],
    ['{api: null}', /replace the whole section/],
    ['{main: {filelock: /tmp/x}}', /lock inside the data folder/],
    ['{main: {data-folder: /x}}', /node\.data/],
    ['{main: {poet-servers: []}}', /poet\.servers/],
    ['{api: {privateservices: [admin]}}', /status asks/],
    ['{preset: testnet}', /set network/],
    ['{post: {post-k1: 3}}', /must agree/],
    ['{poet: {phase-shift: 1h}}', /poet\.phaseShift/],
    ['{p2p: {min-peers: 1, Min-Peers: 2}}', /stands here twice/],
    ['{genesis: {accounts: {sm1x: 100000000000000000000}}}', /quotation marks/],
    ['{p2p: {listen: /ip4/0.0.0.0/tcp/1}}', /warning: .*node\.ports\.p2p/],
  ])('node.config %s', (config, expected) => {
    const text = `${one()}node:\n  config: ${config}\n`;
    expect(faults(text).join('\n')).toMatch(expected);
    expect(faults(text)[0]).toMatch(/^smesh\.yaml:9:/);
  });

  it('lets the node be told anything else', () => {
    expect(faults(`${one()}node: {config: {p2p: {min-peers: 30}, logging: {hare: debug}}}\n`)).toEqual([]);
  });

  it('checks a private network', () => {
    const text = (poet: string) =>
      `version: 1\nnetwork: {standalone: {genesisTime: '2030-01-01T00:00:00Z', poetPrivateKey: ${EXAMPLE_POET_KEY}}}\ncoinbase: standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg\nidentities: []\n${poet}`;
    expect(faults(text(''))).toEqual([]);
    const pubkey = `${'A'.repeat(43)}=`;
    expect(
      faults(text(`poet: {servers: [{address: http://127.0.0.1:10010, pubkey: ${pubkey}}]}\n`)).join(),
    ).toMatch(/does not belong/);
    expect(faults(text(`poet: {servers: [{address: http://x, pubkey: ${pubkey}}]}\n`)).join()).toMatch(
      /exactly one PoET/,
    );
    const external = (poet: string) =>
      text(poet).replace('{standalone: {', '{standalone: {externalPoets: true, ');
    const servers = `[{address: http://x, pubkey: ${pubkey}}, {address: http://y, pubkey: ${pubkey}}]`;
    expect(faults(external(`poet: {servers: ${servers}}\n`))).toEqual([]);
    expect(faults(external('')).join()).toMatch(/names no PoET, and a private network with external PoETs/);
  });

  it('S3: an initialisation job within the network and its files', () => {
    const jobs = (more: string) =>
      `${one()}init:\n  gpu: cpu\n  jobs:\n    - {id: '${exampleId(2)}', name: init-1, data: /mnt/n, commitmentAtx: ${'0'.repeat(64)}, ${more}}\n`;
    expect(faults(jobs('units: 4'))).toEqual([]);
    expect(faults(jobs('units: 2')).join()).toMatch(/mainnet takes 4 to/);
    expect(faults(jobs('units: 4, toFile: 64')).join()).toMatch(/beyond the last file, 63/);
    expect(faults(jobs('units: 4, fromFile: 9, toFile: 3')).join()).toMatch(/comes after/);
  });
});

describe('names', () => {
  it('of a project', () => {
    expect(projectNameFor('/srv/My Smesh (2)')).toBe('my-smesh-2');
    expect(projectNameFor('/')).toBe('smesh');
    expect(projectNameFor('/srv/_x')).toBe('x');
  });

  it('are never used again for another identity, and come back with their own', () => {
    const { identities } = project(one());
    const retired = [{ id: exampleId(7), name: 'post-0007' }];
    const names = namesFor({ identities, retired }, [exampleId(8), exampleId(7), exampleId(9)]);
    expect([...names.values()]).toEqual(['post-0008', 'post-0007', 'post-0009']);
  });
});

describe('durations and paths', () => {
  it.each([
    ['240h', 864_000],
    ['12h0m', 43_200],
    ['1.5h', 5400],
    ['90m', 5400],
    ['1h30m10s', 5410],
    ['14d', undefined],
    ['90', undefined],
    ['', undefined],
  ])('%s', (text, seconds) => {
    expect(parseGoDuration(text)).toBe(seconds);
    if (seconds !== undefined) expect(parseGoDuration(formatGoDuration(seconds))).toBe(seconds);
  });

  it('absolute', () => {
    expect(absolutePath('/a/b', '../c//d/./')).toBe('/a/c/d');
    expect(absolutePath('/a', '/../x')).toBe('/x');
  });
});
