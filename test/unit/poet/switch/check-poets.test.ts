import { describe, expect, it } from 'vitest';
import { defaultPoet, MAINNET } from '../../../../src/domain/node/networks.ts';
import { epochClock, roundEnd, roundStart } from '../../../../src/domain/poet/epochs.ts';
import type { Project } from '../../../../src/domain/project/types.ts';
import type { LocalDatabaseFacts } from '../../../../src/ports/local-database.ts';
import type { Context } from '../../../../src/usecases/context.ts';
import { checkPoets } from '../../../../src/usecases/up/check-poets.ts';

const id = 'ab'.repeat(32);
const poet = defaultPoet(MAINNET);
const project = {
  network: MAINNET,
  poet,
  node: { data: '/nowhere' },
  identities: [{ id, name: 'post-0001' }],
} as unknown as Project;
const starts = roundStart(epochClock(MAINNET, poet), 60);

function check(addresses: readonly string[], now: number, force = false, roundEnd = 0) {
  const read = {
    kind: 'read',
    userVersion: 9,
    identities: [
      {
        smesherId: id,
        post: true,
        nipost: false,
        challenge: { publishEpoch: 61, hasPoetProof: false },
        registrations: addresses.map((address) => ({ address, roundId: '60', roundEnd })),
      },
    ],
  } as unknown as LocalDatabaseFacts;
  const context = {
    clock: { now: () => now },
    ports: { localDatabase: async () => ({ read: async () => read }) },
  } as unknown as Context;
  return checkPoets(context, project, force);
}

describe('a list that was edited by hand', () => {
  it('is refused while a round runs whose PoETs it does not name', async () => {
    expect(await check(['https://other'], starts + 1)).toMatchObject([
      { code: 'poet-registrations-unlisted', severity: 'error', kind: 'refused', evidence: 'https://other' },
    ]);
    expect(await check(['https://other'], starts + 1, true)).toMatchObject([{ severity: 'warning' }]);
  });

  it('is none of its business where one of them stays, before the round, and where nobody is registered', async () => {
    expect(await check(['https://other', poet.servers[0]?.address ?? ''], starts + 1)).toEqual([]);
    // Another spelling is another PoET (spacemesh.md §6.4).
    expect(await check([`${poet.servers[0]?.address}/`], starts + 1)).toHaveLength(1);
    expect(await check(['https://other'], starts - 1)).toEqual([]);
    expect(await check([], starts + 1)).toEqual([]);
  });

  it('is refused before the round, too, where that ends at another time: registered for both, it could be cancelled', async () => {
    const ends = roundEnd(epochClock(MAINNET, poet), 60) / 1000;
    expect(await check(['https://other'], starts - 1, false, ends + 30)).toEqual([]);
    expect(await check(['https://other'], starts - 1, false, ends + 36 * 3600)).toMatchObject([
      { code: 'poet-registrations-overlap', severity: 'error', evidence: 'https://other' },
    ]);
    // What can end an identity for ever nobody can ask for.
    expect(await check(['https://other'], starts - 1, true, ends + 36 * 3600)).toMatchObject([
      { severity: 'error' },
    ]);
    const kept = [poet.servers[0]?.address ?? '', 'https://other'];
    expect(await check(kept, starts - 1, false, ends + 36 * 3600)).toEqual([]);
  });
});
