import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makePostDirectory } from '../../helpers/post-data.ts';
import { clockAt, runMain } from '../../helpers/run-main.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { describeTree } from '../../helpers/tree.ts';
import { configOf, deadPoet, NOW, poet, refused, scene } from './scene.ts';

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
    at.database([1, `${first.address}/`], [1, second.address]);
    await refused(at, ['poet', 'remove', second.address], 5, /post-0002/);
  });

  it('refuses where the registrations are still those of a release before local.sql', async () => {
    const [first, second] = [await poet(), await poet()];
    const at = await scene([first, second]);
    writeFileSync(join(at.folder, 'node-data/node_state.sql'), '');
    await refused(at, ['poet', 'remove', first.address], 5, /node_state\.sql is of a release before 1\.4/);
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
