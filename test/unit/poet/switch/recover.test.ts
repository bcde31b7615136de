import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EpochClock } from '../../../../src/domain/poet/epochs.ts';
import { readPoetFatal } from '../../../../src/domain/poet/switch/node-log.ts';
import {
  decideRecovery,
  type KnownPoet,
  type RecoveryFacts,
  strandedBy,
} from '../../../../src/domain/poet/switch/recover.ts';
import type { StageRows } from '../../../../src/domain/poet/switch/stages.ts';
import { recordings, withoutRecordings } from '../../../contract/run-stand-in.ts';

const KEY = (letter: string) => `${letter.repeat(43)}=`;
const clock: EpochClock = {
  genesis: 0,
  epoch: 1_000_000,
  layer: 10_000,
  phaseShift: 600_000,
  cycleGap: 300_000,
  gracePeriod: 50_000,
};
const USUAL = { phaseShift: 600, cycleGap: 300 };
const known = (letter: string, times = USUAL): KnownPoet => ({
  pubkey: KEY(letter),
  ...times,
  source: '/v1/info',
});

const rows = (addresses: readonly string[], publishEpoch = 5): StageRows => ({
  post: true,
  nipost: false,
  challenge: { publishEpoch, hasPoetProof: false },
  registrations: addresses.map((address) => ({ address, roundId: `${publishEpoch - 1}` })),
});

const identity = (name: string, found: StageRows | 'none') => ({
  smesher: name.padEnd(64, '0') as never,
  name,
  rows: found,
});

const facts = (changes: Partial<RecoveryFacts> = {}): RecoveryFacts => ({
  servers: [{ address: 'http://new', pubkey: KEY('N') }],
  times: USUAL,
  known: new Map([
    ['http://new', known('N')],
    ['http://old', known('O')],
  ]),
  identities: [identity('post-1', rows(['http://old']))],
  clock,
  takesOne: false,
  ...changes,
});

/** Round 4 runs from 4 600 000 to 5 300 000. */
const RUNNING = 4_700_000;

describe('a node that ends again and again because of its PoETs', () => {
  it('registered only where the list does not lead: the address comes back, and nothing is lost', () => {
    expect(decideRecovery(facts(), RUNNING)).toMatchObject({
      kind: 'settings',
      servers: [
        { address: 'http://new', pubkey: KEY('N') },
        { address: 'http://old', pubkey: KEY('O') },
      ],
      ...USUAL,
      stranded: [{ name: 'post-1', publishEpoch: 5 }],
    });
    // The node would register it with the new one by itself.
    expect(decideRecovery(facts(), 4_500_000)).toEqual({ kind: 'nothing' });
    // Its epoch is over: the node clears the challenge.
    expect(decideRecovery(facts(), 6_000_000)).toEqual({ kind: 'nothing' });
  });

  it('with another phase: everything goes back to the rhythm of the registration', () => {
    const later = { phaseShift: 650, cycleGap: 300 };
    const other = facts({
      times: later,
      known: new Map([
        ['http://new', known('N', later)],
        ['http://old', known('O')],
      ]),
    });
    expect(decideRecovery(other, RUNNING)).toMatchObject({
      kind: 'settings',
      servers: [{ address: 'http://old', pubkey: KEY('O') }],
      ...USUAL,
    });
  });

  it('registered for a round of another rhythm that is still to begin: with both it could be cancelled', () => {
    const later = { phaseShift: 650, cycleGap: 300 };
    const other = facts({
      times: later,
      known: new Map([
        ['http://new', known('N', later)],
        ['http://old', known('O')],
      ]),
    });
    expect(decideRecovery(other, 4_500_000)).toMatchObject({
      servers: [{ address: 'http://old' }],
      ...USUAL,
    });
  });

  it('a private network takes one server: the needed one', () => {
    expect(decideRecovery(facts({ takesOne: true }), RUNNING)).toMatchObject({
      servers: [{ address: 'http://old' }],
    });
  });

  it('a key that is missing comes from the server; where it is silent nobody is helped', () => {
    const servers = [{ address: 'http://new' }];
    const none = [identity('post-1', 'none')];
    expect(decideRecovery(facts({ servers, identities: none }), RUNNING)).toMatchObject({
      kind: 'settings',
      servers: [{ address: 'http://new', pubkey: KEY('N') }],
      reasons: [expect.stringContaining(KEY('N'))],
    });
    expect(decideRecovery(facts({ servers, identities: none, known: new Map() }), RUNNING).kind).toBe(
      'stuck',
    );
    expect(decideRecovery(facts({ known: new Map([['http://new', known('N')]]) }), RUNNING)).toMatchObject({
      kind: 'stuck',
      stranded: [{ name: 'post-1' }],
    });
  });

  it('a server of another phase goes; where all have another one, that is what is configured from then on', () => {
    const other = { phaseShift: 650, cycleGap: 300 };
    const servers = [
      { address: 'http://new', pubkey: KEY('N') },
      { address: 'http://odd', pubkey: KEY('P') },
    ];
    const identities = [identity('post-1', rows(['http://new']))];
    const mixed = facts({
      servers,
      identities,
      known: new Map([
        ['http://new', known('N')],
        ['http://odd', known('P', other)],
      ]),
    });
    expect(decideRecovery(mixed, RUNNING)).toMatchObject({ servers: [{ address: 'http://new' }], ...USUAL });
    const all = facts({ times: other, identities: [identity('post-1', 'none')] });
    expect(decideRecovery(all, RUNNING)).toMatchObject({ kind: 'settings', ...USUAL });
  });

  it('never takes a server out that somebody needs, and only whoever is stranded could lose rows', () => {
    const address = fc.constantFrom('http://a', 'http://b', 'http://c', 'http://d');
    fc.assert(
      fc.property(
        fc.uniqueArray(address, { minLength: 1 }),
        fc.array(fc.uniqueArray(address), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 4_000_000, max: 6_500_000 }),
        (servers, registrations, now) => {
          const all = new Map(['a', 'b', 'c', 'd'].map((one) => [`http://${one}`, known(one.toUpperCase())]));
          const input = facts({
            servers: servers.map((one) => ({ address: one, pubkey: all.get(one)?.pubkey ?? '' })),
            known: all,
            identities: registrations.map((one, index) => identity(`${index}`, rows(one))),
          });
          const stranded = new Set(strandedBy(input, now).map(({ name }) => name));
          const recovery = decideRecovery(input, now);
          const after = recovery.kind === 'settings' ? recovery.servers.map((one) => one.address) : servers;
          for (const server of servers) expect(after).toContain(server);
          for (const [index, needed] of registrations.entries()) {
            const isCovered = needed.some((one) => servers.includes(one));
            if (isCovered) expect(stranded.has(`${index}`)).toBe(false);
            if (stranded.has(`${index}`)) expect(needed.some((one) => after.includes(one))).toBe(true);
          }
        },
      ),
    );
  });
});

describe('what the log says', () => {
  it('a crash without a key, and a server of another phase', () => {
    expect(
      readPoetFatal([
        'x',
        'panic: runtime error: slice bounds out of range [:5] with capacity 0',
        '',
        'goroutine 1',
      ]),
    ).toEqual({ kind: 'missing-pubkey' });
    expect(readPoetFatal(['2026\tFATAL\tnode.poet\tfailed to create poet service\t{"poet": "x"}'])).toEqual({
      kind: 'other-phase',
    });
    expect(readPoetFatal(['2026\tINFO\tnode\tall is well'])).toBeUndefined();
  });
});

interface Step {
  readonly step: string;
  readonly log?: readonly string[];
  readonly rows: {
    readonly challenge: readonly (readonly [string, number])[];
    readonly poet_registration: readonly (readonly [string, string, string])[];
  };
}
const file = join(recordings ?? '', 'phase-switch.json');

describe.skipIf(!existsSync(file))(`the recorded changes (${withoutRecordings})`, () => {
  const recorded: { run_1: Step[]; run_2: Step[] } = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : { run_1: [], run_2: [] };
  const at = (time: string) => Date.parse(`2026-11-20T${time}Z`);
  const real: EpochClock = {
    genesis: at('13:17:36'),
    epoch: 240_000,
    layer: 6000,
    phaseShift: 120_000,
    cycleGap: 120_000,
    gracePeriod: 12_000,
  };
  const stepOf = (run: readonly Step[], name: string) => run.find(({ step }) => step === name);
  const look = ({ rows: found }: Step, list: string): RecoveryFacts => ({
    servers: [{ address: list, pubkey: KEY('K') }],
    times: { phaseShift: 120, cycleGap: 120 },
    takesOne: true,
    clock: real,
    known: new Map(
      ['http://127.0.0.1:10010', 'http://localhost:10010'].map((one) => [
        one,
        known('K', { phaseShift: 120, cycleGap: 120 }),
      ]),
    ),
    identities: found.challenge.map(([name, epoch]) =>
      identity(
        name,
        rows(
          found.poet_registration.filter(([of]) => of === name).map(([, address]) => address),
          epoch,
        ),
      ),
    ),
  });

  it('too late: recognised by the log, cured by the address that the rows name', () => {
    const step = stepOf(recorded.run_2, 'too late') as Step;
    expect(readPoetFatal(step.log ?? [])).toEqual({
      kind: 'no-listed-registration',
      registrations: ['http://localhost:10010'],
      configured: ['http://127.0.0.1:10010'],
      smesher: '62834b',
    });
    const found = look(step, 'http://127.0.0.1:10010');
    expect(strandedBy(found, at('13:24:39')).map(({ name }) => name)).toEqual(['62834B', '8DD53A']);
    expect(decideRecovery(found, at('13:24:39'))).toMatchObject({
      servers: [{ address: 'http://localhost:10010' }],
    });
  });

  it('registered with both: nothing to be cured', () => {
    const step = stepOf(recorded.run_2, 'round running') as Step;
    expect(decideRecovery(look(step, 'http://localhost:10010'), at('13:19:51'))).toEqual({ kind: 'nothing' });
  });

  it('in the window there is nothing in the database that could hold anybody', () => {
    for (const name of ['in the window: published, not yet registered']) {
      expect(stepOf(recorded.run_1, name)?.rows).toMatchObject({ challenge: [], poet_registration: [] });
    }
  });
});
