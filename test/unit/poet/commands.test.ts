import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nodeCrypto } from '../../../src/adapters/crypto/index.ts';
import { ownPoetKeyFile, publicKeyOfFile } from '../../../src/domain/poet/own-poet.ts';
import { writeRegistrations } from '../../helpers/local-database.ts';
import { type PoetOptions, startPoet } from '../../helpers/poet-server.ts';
import { makePostDirectory } from '../../helpers/post-data.ts';
import { clockAt, type MainRun, runMain } from '../../helpers/run-main.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { describeTree } from '../../helpers/tree.ts';

const COINBASE = 'stest1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqql50dsa';

/** In round 101 of testnet: it began on 24 December 2023 at 6:00 and ends on the 25th at 4:00. */
const NOW = Date.parse('2023-12-24T12:00:00Z');

async function poet(options: PoetOptions = {}) {
  const server = await startPoet(options);
  onTestFinished(() => server.close());
  return server;
}

/** An address at which nobody listens any more. */
async function deadPoet() {
  const server = await startPoet();
  await server.close();
  return server;
}

/** A key file of a PoET service, of a key that nobody has. */
function keyFile() {
  const seed = nodeCrypto.randomBytes(32);
  const key = nodeCrypto.publicKeyOfSeed(seed);
  return { publicKey: Buffer.from(key).toString('base64'), content: ownPoetKeyFile(seed, key) };
}

type Poet = Awaited<ReturnType<typeof poet>>;

interface Scene {
  readonly folder: string;
  readonly ids: readonly string[];
  run(...args: string[]): Promise<MainRun>;
  yaml(): string;
  database(...rows: readonly (readonly [number, string])[]): void;
}

/** A project on testnet with two identities and these servers, everything generated. */
async function scene(servers: readonly Poet[]): Promise<Scene> {
  const base = tempFolder('poet');
  const folder = join(base, 'project');
  mkdirSync(folder);
  const directories = ['a', 'b'].map((name) => makePostDirectory(join(base, name), { network: 'testnet' }));
  const identities = directories.map(
    ({ smesherId, path }, index) => `  - {id: '${smesherId}', name: post-000${index + 1}, data: ${path}}\n`,
  );
  const list = servers.map(
    ({ address, pubkey }) => `    - address: ${address} # known\n      pubkey: ${pubkey}\n`,
  );
  const text = `# mine\nversion: 1\nname: p\nnetwork: testnet\ncoinbase: ${COINBASE}\npoet:\n  servers:\n${list.join('')}identities:\n${identities.join('')}`;
  writeFileSync(join(folder, 'smesh.yaml'), text);
  const run = (...args: string[]) => runMain(['-C', folder, ...args], clockAt(NOW));
  const generated = await run('generate');
  expect(generated.code, generated.stderr).toBe(0);
  const ids = directories.map(({ smesherId }) => smesherId);
  return {
    folder,
    ids,
    run,
    yaml: () => readFileSync(join(folder, 'smesh.yaml'), 'utf8'),
    database: (...rows) =>
      writeRegistrations(
        join(folder, 'node-data/local.sql'),
        rows.map(([index, address]) => ({ smesherId: ids[index] ?? '', address, round: 101 })),
      ),
  };
}

/** Must fail, in words and as data, and change nothing. */
async function refused(at: Scene, args: string[], code: number, says: RegExp): Promise<MainRun> {
  const before = describeTree(at.folder);
  const plain = await at.run(...args);
  expect(plain).toMatchObject({ code, stdout: '' });
  expect(plain.stderr).toMatch(says);
  expect(plain.stderr).toMatch(/Nothing was changed/);
  const json = await at.run(...args, '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ error: { exitCode: code } });
  expect(describeTree(at.folder)).toEqual(before);
  return plain;
}

const configOf = ({ folder }: Scene) =>
  JSON.parse(readFileSync(join(folder, 'node/config.json'), 'utf8')) as {
    main: { 'poet-servers': { address: string; pubkey: string }[] };
  };

describe('poet add', () => {
  it('takes the key from the server, changes the list and what follows, and nothing twice', async () => {
    const [first, second] = [await poet(), await poet()];
    const at = await scene([first]);
    const before = at.yaml();
    const dry = await at.run('poet', 'add', second.address, '--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.stderr).toContain(second.pubkey);
    expect(at.yaml()).toBe(before);
    const added = await at.run('poet', 'add', second.address, '--pubkey', second.pubkey);
    expect(added.code).toBe(0);
    expect(added.stdout).toMatch(
      /Added http.*the list has 2 PoET servers.*smesh-compose up restarts it in a safe moment/,
    );
    const entry = `    - address: ${second.address}\n      pubkey: ${second.pubkey}\n`;
    expect(at.yaml()).toBe(before.replace('identities:', `${entry}identities:`));
    expect(configOf(at).main['poet-servers'].map(({ pubkey }) => pubkey)).toEqual([
      first.pubkey,
      second.pubkey,
    ]);
    // The node's label: plain Compose, too, restarts it, and only it.
    const tree = describeTree(at.folder);
    const again = await at.run('poet', 'add', second.address);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('in the list already');
    expect(describeTree(at.folder)).toEqual(tree);
  });

  it('refuses another phase, another gap, another key, nobody and no PoET', async () => {
    const known = await poet();
    const at = await scene([known]);
    const [phase, gap, other] = [
      await poet({ phaseShift: 6 * 3600 }),
      await poet({ cycleGap: 3600 }),
      await poet(),
    ];
    await refused(
      at,
      ['poet', 'add', phase.address],
      3,
      /phase shift of 6 h, this project one of 12 h.*refuses to start/,
    );
    await refused(at, ['poet', 'add', gap.address], 3, /cycle gap of 1 h, this project one of 2 h/);
    await refused(at, ['poet', 'add', other.address, '--pubkey', known.pubkey], 3, /--pubkey says/);
    await refused(at, ['poet', 'add', (await deadPoet()).address], 4, /does not answer.*\n.*9 to 18 minutes/);
    const page = await poet({ body: '<html>' });
    await refused(at, ['poet', 'add', page.address], 4, /is no PoET/);
    await refused(
      at,
      ['poet', 'add', other.address, page.address, '--pubkey', known.pubkey],
      2,
      /one by one/,
    );
    await refused(at, ['poet', 'add', 'poet.example.org'], 2, /no address of a PoET/);
    // One that fits does not come in beside one that does not.
    await refused(at, ['poet', 'add', other.address, phase.address], 3, /phase shift/);
  });

  it('refuses a server that answers with another key than the list says', async () => {
    const liar = await poet({ liesAboutKey: true });
    const at = await scene([liar, await poet()]);
    await refused(at, ['poet', 'add', liar.address], 3, /has a new key, or it is another server/);
  });

  it('keeps a spelling letter for letter, and warns of the other one', async () => {
    const known = await poet();
    const at = await scene([known]);
    const added = await at.run('poet', 'add', `${known.address}/`);
    expect(added.code).toBe(0);
    expect(added.stderr).toMatch(/are one place: the node takes each spelling for a server of its own/);
    expect(configOf(at).main['poet-servers'].map(({ address }) => address)).toEqual([
      known.address,
      `${known.address}/`,
    ]);
    await refused(
      at,
      ['poet', 'remove', known.address.replace('http:', 'HTTP:')],
      2,
      /no address|tells the two apart/,
    );
  });

  it("writes the network's servers out where smesh.yaml has none", async () => {
    const own = await poet({ phaseShift: 240 * 3600, cycleGap: 12 * 3600 });
    const folder = tempFolder('poet');
    const { smesherId, path } = makePostDirectory(join(folder, 'a'));
    writeFileSync(
      join(folder, 'smesh.yaml'),
      `version: 1\nnetwork: mainnet\ncoinbase: sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y\nidentities: [{id: '${smesherId}', name: post-0001, data: ${path}}]\n`,
    );
    const run = await runMain(['-C', folder, 'poet', 'add', own.address], clockAt(NOW));
    expect(run.code).toBe(0);
    const text = readFileSync(join(folder, 'smesh.yaml'), 'utf8');
    expect(text.match(/- address: /g)).toHaveLength(6);
    expect(text).toContain(
      `address: https://poet-112.spacemesh.network\n      pubkey: 5p/mPvmqhwdvf8U0GVrNq`,
    );
  });
});

describe('poet remove', () => {
  it('takes out whom nobody needs, once', async () => {
    const [first, second, third] = [await poet(), await poet(), await poet()];
    const at = await scene([first, second, third]);
    const before = at.yaml();
    at.database([0, first.address], [0, second.address], [1, second.address]);
    const removed = await at.run('poet', 'remove', first.address);
    expect(removed.code).toBe(0);
    expect(removed.stderr).toMatch(
      /1 identity registered there will take the proof of another server: post-0001/,
    );
    expect(at.yaml()).toBe(
      before.replace(`    - address: ${first.address} # known\n      pubkey: ${first.pubkey}\n`, ''),
    );
    expect(configOf(at).main['poet-servers']).toHaveLength(2);
    const again = await at.run('poet', 'remove', first.address);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('is not in the list');
  });

  it('S39: refuses the last server at which an identity is registered, by name', async () => {
    const [first, second] = [await poet(), await poet()];
    const at = await scene([first, second]);
    at.database([0, first.address], [0, second.address], [1, second.address]);
    const run = await refused(
      at,
      ['poet', 'remove', second.address],
      5,
      /One identity is registered.*end at every start/,
    );
    expect(run.stderr).toContain('post-0002');
    expect(run.stderr).not.toContain('post-0001');
    // The node compares letter for letter.
    at.database([0, `${first.address}/`], [1, second.address]);
    await refused(at, ['poet', 'remove', second.address], 5, /post-0002/);
  });

  it('refuses while nobody can say who is registered where', async () => {
    const [first, second] = [await poet(), await poet()];
    const at = await scene([first, second]);
    writeFileSync(join(at.folder, 'node-data/local.sql'), 'no database at all, but long enough to look at');
    await refused(at, ['poet', 'remove', first.address], 5, /Nobody can say which identities are registered/);
  });

  it('refuses where the disk of the node is away', async () => {
    const [first, second] = [await poet(), await poet()];
    const at = await scene([first, second]);
    renameSync(join(at.folder, 'node-data'), join(at.folder, 'elsewhere'));
    await refused(at, ['poet', 'remove', first.address], 5, /is its disk mounted/);
  });

  it('refuses the last one of all', async () => {
    const only = await poet();
    const at = await scene([only]);
    await refused(at, ['poet', 'remove', only.address], 5, /no PoET at all/);
    await refused(at, ['poet', 'remove'], 2, /wants the address/);
  });
});

describe('poet list', () => {
  it('says what each server is, did, and who is registered there', async () => {
    const [first, second] = [
      await poet({ certifier: 'https://certifier.example', proofs: { 100: 9_000_000, 99: 8_000_000 } }),
      await poet({ proofs: { 100: 7_000_000 } }),
    ];
    const at = await scene([first, second]);
    at.database([0, first.address], [1, first.address], [1, 'http://gone.example']);
    const run = await at.run('poet');
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(
      /2 PoET servers, phase shift 12 h, cycle gap 2 h; round 101 ends .*Mon 04:00 UTC/,
    );
    expect(run.stdout).toMatch(/ADDRESS +KEY +PHASE +GAP +AUTH +LEAVES 100 +LEAVES 99 +HERE/);
    expect(run.stdout).toMatch(/12 h {3}2 h +cert +9,000,000 +8,000,000 +2 of 2/);
    expect(run.stdout).toMatch(/12 h {3}2 h +work +7,000,000 +none +0 of 2/);
    expect(run.stderr).toContain('registered with http://gone.example, which is not in the list');
    const json = JSON.parse((await at.run('poet', 'list', '--json')).stdout);
    expect(json).toMatchObject({
      runningRound: 101,
      registrationsKnown: true,
      registeredElsewhere: ['http://gone.example'],
      servers: [
        {
          address: first.address,
          pubkey: first.pubkey,
          reachable: true,
          certifier: 'https://certifier.example',
          registeredIdentities: 2,
          rounds: [
            { round: 101, running: true, proof: false },
            { round: 100, leaves: 9_000_000 },
            { round: 99, leaves: 8_000_000 },
          ],
        },
        { registeredIdentities: 0 },
      ],
    });
  });

  it('lists a dead one and a damaged database all the same', async () => {
    const at = await scene([await poet(), await deadPoet()]);
    writeFileSync(join(at.folder, 'node-data/local.sql'), 'no database at all, but long enough to look at');
    const run = await at.run('poet', 'list', '--rounds', '0');
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/no answer +\?$/m);
    expect(run.stdout).toMatch(/! http:\/\/127\.0\.0\.1:\d+: connection refused\n.*9 to 18 minutes/);
    expect(run.stderr).toMatch(/Who is registered where is not known: .*local\.sql/);
  });
});

describe('poet check', () => {
  const proofs = { 100: 9_000_000, 99: 8_900_000 };

  it('finds nothing wrong with two that fit, and says what cannot be read', async () => {
    const at = await scene([await poet({ proofs }), await poet({ proofs })]);
    const run = await at.run('poet', 'check');
    expect(run).toMatchObject({ code: 0 });
    expect(run.stdout).toMatch(/smesh-compose poet check · p \(testnet\)/);
    expect(run.stdout).toMatch(/Genesis and epoch length of a PoET cannot be read/);
    expect(run.stdout.replaceAll(/\s+/g, ' ')).toMatch(/101 \(runs\) none, 100 proof, 99 proof/);
  });

  it.each<[string, PoetOptions, string, number]>([
    ['another phase', { phaseShift: 3600 }, 'poet-phase-shift', 3],
    ['another gap', { cycleGap: 3600 }, 'poet-cycle-gap', 3],
    ['another key', { liesAboutKey: true }, 'poet-key', 3],
    ['silence', { hangs: true }, 'poet-unreachable', 3],
    ['a web page', { body: '<html>' }, 'poet-malformed', 3],
    ['a proof too early', { proofs: { 101: 1000, ...proofs } }, 'poet-round-early', 3],
    ['a clock that is off', { skewMs: 90_000, proofs }, 'poet-clock', 0],
    ['a round without a proof', { proofs: { 99: 8_900_000 } }, 'poet-round-missing', 0],
    ['less work', { proofs: { 100: 5_000_000, 99: 8_900_000 } }, 'poet-less-work', 0],
  ])('finds %s', async (_, options, code, exitCode) => {
    const bad = await poet(options);
    const at = await scene([await poet({ proofs }), await poet({ proofs }), bad]);
    const run = await at.run('poet', 'check', '--timeout', '500ms', '--json');
    const document = JSON.parse(run.stdout);
    expect(run.code).toBe(exitCode);
    expect(document).toMatchObject({ schemaVersion: 1, exitCode });
    const found = document.findings.find((one: { code: string }) => one.code === code);
    expect(found).toMatchObject({ subject: bad.address });
    expect(document.servers).toHaveLength(3);
  });

  it('looks at one that is not in the list, and says nothing of the others', async () => {
    const at = await scene([await poet()]);
    const candidate = await poet({ proofs });
    const run = await at.run('poet', 'check', candidate.address, '--json');
    expect(run.code).toBe(0);
    const document = JSON.parse(run.stdout);
    expect(document.servers).toMatchObject([{ address: candidate.address, inList: false, pubkey: null }]);
    expect(document.findings.map(({ code }: { code: string }) => code)).not.toContain('poet-single');
  });

  it('finds identities that are registered with none of the list', async () => {
    const at = await scene([await poet({ proofs }), await poet({ proofs })]);
    at.database([0, 'http://gone.example']);
    const run = await at.run('poet', 'check');
    expect(run.code).toBe(3);
    expect(run.stdout).toMatch(/http:\/\/gone\.example.*\n?.*registered with this PoET/);
    expect(run.stdout).toContain('smesh-compose poet recover --dry-run');
  });
});

describe('poet serve', () => {
  it('adds section, service, folder and key, touches no other service, and does nothing twice', async () => {
    const at = await scene([await poet()]);
    const before = at.yaml();
    const services = (text: string) =>
      text.slice(text.indexOf('services:'), text.indexOf('\nx-smesh-compose'));
    const compose = () => readFileSync(join(at.folder, 'compose.yaml'), 'utf8');
    const others = services(compose());
    const dry = await at.run('poet', 'serve', '--port', '18080', '--dry-run');
    expect(dry.code).toBe(0);
    expect(existsSync(join(at.folder, 'poet'))).toBe(false);
    expect(at.yaml()).toBe(before);
    const run = await at.run('poet', 'serve', '--port', '18080');
    expect(run.code).toBe(0);
    expect(run.stderr).toContain('docker compose --profile poet up -d poet');
    expect(at.yaml()).toBe(before.replace('identities:', '  serve:\n    port: 18080\nidentities:'));
    expect(services(compose()).startsWith(others.trimEnd())).toBe(true);
    const file = join(at.folder, 'poet/poet.env');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(at.folder, 'poet')).sort()).toEqual(['data', 'db', 'logs', 'poet.env']);
    const key = readFileSync(file, 'utf8');
    const secret = key.trim().slice('POET_PRIVATE_KEY='.length);
    expect(run.stdout).toContain(publicKeyOfFile(key));
    for (const text of [run.stdout, run.stderr, compose(), at.yaml()]) expect(text).not.toContain(secret);
    for (const name of readdirSync(join(at.folder, '.smesh'), { recursive: true, encoding: 'utf8' })) {
      const path = join(at.folder, '.smesh', name);
      if (statSync(path).isFile()) expect(readFileSync(path, 'utf8'), name).not.toContain(secret);
    }
    const tree = describeTree(at.folder);
    const again = await at.run('poet', 'serve', '--port', '18080');
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain('Nothing was changed');
    expect(describeTree(at.folder)).toEqual(tree);
    await refused(at, ['poet', 'serve', '--port', '18081'], 2, /smesh\.yaml says 18080/);
  });

  it('is used by the node when it is asked for, and asked on this host', async () => {
    const own = await poet();
    const at = await scene([await poet()]);
    const port = new URL(own.address).port;
    await refused(at, ['poet', 'serve', '--port', port], 4, /Port \d+ on 127\.0\.0\.1 is taken by/);
    // As a run leaves it that was killed behind the key: the next one takes that key.
    mkdirSync(join(at.folder, 'poet'));
    const { publicKey, content } = keyFile();
    writeFileSync(join(at.folder, 'poet/poet.env'), content);
    expect(await at.run('poet', 'serve', '--use', '--port', '18080')).toMatchObject({ code: 0 });
    expect(readFileSync(join(at.folder, 'poet/poet.env'), 'utf8')).toBe(content);
    expect(at.yaml()).toContain(`address: http://poet:8080\n      pubkey: ${publicKey}\n`);
    writeFileSync(join(at.folder, 'smesh.yaml'), at.yaml().replace('port: 18080', `port: ${port}`));
    expect(configOf(at).main['poet-servers'][1]).toEqual({ address: 'http://poet:8080', pubkey: publicKey });
    // Asked at the published port, where another server answers in this test: its key is not the one of the file.
    const check = await at.run('poet', 'check', '--json');
    const codes = JSON.parse(check.stdout).findings.map(({ code }: { code: string }) => code);
    expect(codes).toContain('poet-key');
    expect(codes).not.toContain('poet-unreachable');
  });

  it('leaves a key file alone that it cannot read', async () => {
    const at = await scene([await poet()]);
    mkdirSync(join(at.folder, 'poet'));
    writeFileSync(join(at.folder, 'poet/poet.env'), 'POET_PRIVATE_KEY=short\n');
    await refused(at, ['poet', 'serve'], 3, /not what the PoET service reads/);
  });

  it('refuses what the section may not say, each at its line', async () => {
    const at = await scene([await poet()]);
    const file = join(at.folder, 'smesh.yaml');
    const before = at.yaml();
    const section = (text: string) =>
      writeFileSync(file, before.replace('identities:', `  serve: {${text}}\nidentities:`));
    for (const [text, says] of [
      ['port: 9092', /smesh\.yaml:10:\d+ .*9092 is taken by node\.ports\.publicApi already/],
      ['flags: [--genesis-time=x]', /smesh\.yaml:10:\d+ .*--genesis-time follows from the project/],
      ['flags: [pow]', /not of the form --name/],
      ['image: spacemeshos/poet:latest', /moves with every release/],
      ['publish: everywhere', /no IPv4 address/],
      ['data: node-data', /holds something else already/],
    ] as const) {
      section(text);
      await refused(at, ['poet', 'list'], 3, says);
    }
  });
});

describe('a private network', () => {
  it('has its PoET in the node: nothing can be added, removed or served beside it', async () => {
    const folder = tempFolder('poet');
    const { smesherId, path } = makePostDirectory(join(folder, 'a'), { network: 'standalone' });
    const key = Buffer.from(Array.from({ length: 64 }, (_, index) => index)).toString('base64');
    writeFileSync(
      join(folder, 'smesh.yaml'),
      `version: 1\nnetwork: {standalone: {genesisTime: '2023-12-24T00:00:00Z', poetPrivateKey: ${key}}}\ncoinbase: standalone1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqvqtwcg\nidentities: [{id: '${smesherId}', name: post-0001, data: ${path}}]\n`,
    );
    const run = (...args: string[]) => runMain(['-C', folder, 'poet', ...args], clockAt(NOW));
    for (const args of [['add', 'http://x.example'], ['remove', 'http://x.example'], ['serve']]) {
      const refusal = await run(...args);
      expect(refusal).toMatchObject({ code: 5, stdout: '' });
      expect(refusal.stderr).toMatch(/PoET in its own process and takes exactly that one/);
    }
    expect(await run('check')).toMatchObject({ code: 0 });
    expect((await run('list')).stderr).toContain('inside the node');
  });
});
