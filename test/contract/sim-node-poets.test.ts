import { afterAll, beforeAll, describe, it } from 'vitest';
import { bundlePrograms, Network, type Programs } from './poet-rig.ts';
import { type Running, removeScratch, until } from './run-stand-in.ts';

/** A round of ten seconds, a gap of ten, of which the last seven are for registering. */
const clock = { epoch: 20, phaseShift: 10, cycleGap: 10, grace: 7 };

describe.concurrent('node stand-in with PoETs of their own (spacemesh.md §6.4, §7.2)', () => {
  let programs: Programs;
  beforeAll(async () => {
    programs = await bundlePrograms();
  });
  afterAll(removeScratch);

  const line = (node: Running, text: string) =>
    node
      .stdout()
      .split('\n')
      .find((one) => one.includes(text)) ?? '';

  it('warns of a dead one after all attempts, and opens its ports only then', async ({ expect }) => {
    const network = await Network.make(programs, clock, 1);
    const [alive, dead] = [await network.makePoet(), await network.makePoet()];
    await alive.start();
    const begun = Date.now();
    const node = network.startNode([dead, alive], { poet: { 'retry-delay': '200ms', 'retry-max': 2 } });
    await network.up();
    // 1 × [200..400] + 2 × [200..400] ms.
    expect(Date.now() - begun).toBeGreaterThan(600);
    const warning = line(node, 'failed to fetch poet phase shift');
    expect(warning).toMatch(/\tWARN\tnode\.poet\t/);
    expect(warning).toContain(`"poet": "${dead.address}"`);
    expect(warning).toContain('giving up after 3 attempt(s)');
    expect(node.stdout().match(/failed to fetch poet phase shift/g)).toHaveLength(1);
  });

  it('ends at another phase shift, at every start', async ({ expect }) => {
    const network = await Network.make(programs, clock, 1);
    const [right, wrong] = [await network.makePoet(), await network.makePoet()];
    await right.start();
    await wrong.start({ SIM_POET_SAYS_PHASE_SHIFT: `${clock.phaseShift + 1}s` });
    for (let time = 0; time < 2; time += 1) {
      const node = network.startNode([right, wrong]);
      expect((await node.ended).exit).toBe(1);
      expect(line(node, 'FATAL')).toMatch(
        new RegExp(
          `\\tFATAL\\tnode\\.poet\\tfailed to create poet service\\t\\{"poet": "${wrong.address}"\\}`,
        ),
      );
      expect(node.stdout()).not.toContain('app started');
    }
  });

  it('takes the proof with the most ticks of those that it gets, and needs one', async ({ expect }) => {
    const network = await Network.make(programs, clock, 2);
    const poets = await Promise.all([network.makePoet(), network.makePoet(), network.makePoet()]);
    const [poor, rich, dead] = poets;
    await poor?.start({ SIM_POET_TICKS: '1000' });
    await rich?.start({ SIM_POET_TICKS: '2000' });
    network.startNode(poets);
    await network.startProvers();
    await until('two registrations each', () => network.rows().poet_registration.length === 4, 20_000);
    const addresses = network.rows().poet_registration.map(([, address]) => address);
    expect(new Set(addresses)).toEqual(new Set([poor?.address, rich?.address]));
    expect(addresses).not.toContain(dead?.address);
    await until('both ATXs', () => network.atxs().length === 2, 30_000);
    const [{ epoch = 0 } = {}] = network.atxs();
    expect(network.atxs()).toEqual([
      { epoch, ticks: 2000 },
      { epoch, ticks: 2000 },
    ]);
    // The next round without the rich one: it was registered there, and its proof never comes.
    await until('registered again', () => network.rows().poet_registration.length === 4, 15_000);
    await network.at(network.round(epoch, 1));
    await rich?.stop();
    await until('two more ATXs', () => network.atxs().length === 4, 25_000);
    expect(network.atxs().slice(2)).toEqual([
      { epoch: epoch + 1, ticks: 1000 },
      { epoch: epoch + 1, ticks: 1000 },
    ]);
  }, 90_000);

  it('registers at new ones beside the old before the round, and takes the proof of the new', async ({
    expect,
  }) => {
    const network = await Network.make(programs, clock, 1);
    const [before, after] = [await network.makePoet(), await network.makePoet()];
    await before.start({ SIM_POET_TICKS: '9000' });
    await after.start({ SIM_POET_TICKS: '7000' });
    network.startNode([before]);
    await network.startProvers();
    await until('the registration', () => network.rows().poet_registration.length === 1, 20_000);
    await network.stopNode();
    network.startNode([after]);
    await until('both', () => network.rows().poet_registration.length === 2, 6000);
    // The row is there an instant before the words about it.
    const words = () => line(network.node as Running, 'Found existing registrations');
    await until('the words', () => words() !== '', 6000);
    expect(words()).toContain(before.address);
    await until('the ATX', () => network.atxs().length === 1, 30_000);
    const [{ epoch = 0 } = {}] = network.atxs();
    expect(network.atxs()).toEqual([{ epoch, ticks: 7000 }]);
    // Too late for the next round: nothing but the list itself can help, and with it nothing is lost.
    await until('registered again', () => network.rows().poet_registration.length === 1, 10_000);
    await network.at(network.round(epoch, 0.2));
    await network.stopNode();
    const stuck = network.startNode([before]);
    expect((await stuck.ended).exit).toBe(1);
    expect(line(stuck, 'FATAL')).toContain(`"registrations": ["${after.address}"]`);
    network.startNode([before, after]);
    await until('the next ATX', () => network.atxs().length === 2, 20_000);
    expect(network.atxs()[1]).toEqual({ epoch: epoch + 1, ticks: 7000 });
  }, 90_000);

  it('asks again for a proof that is late, and goes on with it', async ({ expect }) => {
    const network = await Network.make(programs, clock, 1);
    const poet = await network.makePoet();
    await poet.start();
    const release = poet.misfortune({ lateRounds: [0, 1, 2] });
    const node = network.startNode([poet], { poet: { 'retry-max': 1 } });
    await network.startProvers();
    await until('the registration', () => network.rows().poet_registration.length === 1, 20_000);
    await until('a warning', () => line(node, 'failed to get proof from poet') !== '', 20_000);
    expect(line(node, 'failed to get proof from poet')).toContain('giving up after 2 attempt(s)');
    await until('the next try', () => line(node, "didn't receive any poet proof") !== '', 5000);
    expect(network.atxs()).toEqual([]);
    release();
    await until('the ATX', () => network.atxs().length === 1, 10_000);
  }, 60_000);

  it('panics for want of a public key when the round is over, and again after each start', async ({
    expect,
  }) => {
    const network = await Network.make(programs, clock, 1);
    const poet = await network.makePoet();
    await poet.start();
    let node = network.startNode([{ address: poet.address }]);
    await network.startProvers();
    await until('the registration', () => network.rows().poet_registration.length === 1, 20_000);
    expect((await node.ended).exit).toBe(2);
    expect(node.stderr()).toContain('panic: runtime error: slice bounds out of range [:5] with capacity 0');
    expect(Date.now()).toBeGreaterThan(network.round(1, -clock.cycleGap));
    node = network.startNode([{ address: poet.address }]);
    expect((await node.ended).exit).toBe(2);
    network.startNode([{ address: poet.address, pubkey: poet.pubkey }]);
    await until('the ATX', () => network.atxs().length === 1, 15_000);
  }, 60_000);

  it('goes on trying a PoET that is down until the round starts', async ({ expect }) => {
    const network = await Network.make(programs, clock, 1);
    const poet = await network.makePoet();
    await poet.start({ SIM_POET_BUSY: '1' });
    network.startNode([poet], { poet: { 'retry-max': 0 } });
    await network.startProvers();
    await until(
      'a refusal',
      () => (network.node?.stdout() ?? '').includes('failed to submit challenge to poet'),
      20_000,
    );
    await poet.stop();
    await poet.start();
    await until('the registration', () => network.rows().poet_registration.length === 1, 6000);
    expect(Date.now()).toBeLessThan(network.round(0));
  }, 60_000);
});
