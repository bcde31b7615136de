import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/adapters/files/index.ts';
import { requireProject } from '../../../src/domain/project/parse.ts';
import type { LocalDatabaseFacts } from '../../../src/ports/local-database.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { gatherForecast } from '../../../src/usecases/forecast/gather.ts';
import { makePostDirectory } from '../../helpers/post-data.ts';
import { tempFolder } from '../../helpers/temp.ts';

const GIB = 2 ** 30;
const OPENS = Date.UTC(2026, 10, 22, 20);
const HOUR = 3_600_000;

function setUp(now: number, settings = '') {
  const folder = tempFolder('gather');
  const [first, second] = [
    makePostDirectory(join(folder, 'a'), { units: 8 }),
    makePostDirectory(join(folder, 'b'), { units: 6 }),
  ];
  const text = [
    'version: 1',
    'name: farm',
    'network: mainnet',
    'coinbase: sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y',
    settings,
    'identities:',
    `  - {id: ${first.smesherId}, name: post-0001, data: ${first.path}, disk: one}`,
    `  - {id: ${second.smesherId}, name: post-0002, data: ${second.path}-gone, disk: one, nonces: 64, threads: 2}`,
  ];
  const { project } = requireProject(`${text.join('\n')}\n`, { directory: folder });
  const database: LocalDatabaseFacts = {
    kind: 'read',
    userVersion: 10,
    identities: [
      // Registered for the round that follows the gap: its ATX is out.
      {
        smesherId: project.identities[0]?.id as never,
        post: true,
        nipost: false,
        registrations: [{ address: 'x', roundId: '87', roundEnd: 0 }],
      },
      {
        smesherId: project.identities[1]?.id as never,
        post: true,
        nipost: false,
        challenge: { publishEpoch: 87, hasPoetProof: true },
        registrations: [],
      },
    ],
  };
  const context = {
    directory: folder,
    clock: { now: () => now, sleep: () => new Promise(() => {}), localOffsetMinutes: () => 0 },
    ports: {
      files: nodeFiles,
      system: { cpus: 12, totalMemoryBytes: 36 * GIB },
      docker: async () => Promise.reject(Object.assign(new Error('no engine'), { code: 'ENOENT' })),
      scanner: async () => ({ diskNames: () => new Map() }),
      nodeApi: async () => ({
        snapshot: async () => ({ activations: { ok: false }, events: { ok: false } }),
      }),
      localDatabase: async () => ({ read: async () => database }),
    },
  } as unknown as Context;
  return { project, context };
}

describe('what a forecast goes by', () => {
  it('without an engine is this host, the metadata on the disks, and stated defaults', async () => {
    const { project, context } = setUp(OPENS - 48 * HOUR);
    const input = await gatherForecast(context, project, { gap: 'next' });
    expect(input.epoch).toBe(87);
    expect(input.from).toBe(OPENS);
    expect(input.policy).toMatchObject({ cores: 12, memoryBytes: 32 * GIB, k2powSlots: 1 });
    expect(input.policy.rates).toMatchObject({ hashesPerSecond: 6000, defaultBytesPerSecond: 180e6 });
    expect(input.sources.k2pow).toBe('default');
    expect(input.identities).toMatchObject([
      { name: 'post-0001', disk: 'one', units: 8, bytes: 8 * 64 * GIB },
      // Its disk is away: as many as the others.
      { name: 'post-0002', disk: 'one', units: 8, unitsGuessed: true, settings: { nonces: 64, threads: 2 } },
    ]);
  });

  it('takes what smesh.yaml says of speeds and budgets, and what was asked for', async () => {
    const { project, context } = setUp(
      OPENS - HOUR,
      'schedule: {memory: 8g, k2pow: 2, rates: {k2pow: 9000, disks: {one: 250MB/s}}}',
    );
    const input = await gatherForecast(context, project, { gap: 'next', nonces: 128, threads: 0 });
    expect(input.policy).toMatchObject({ memoryBytes: 8 * GIB, k2powSlots: 2 });
    expect(input.policy.rates.diskBytesPerSecond.get('one')).toBe(250e6);
    expect(input.sources).toEqual({ k2pow: 'configured', disks: new Map([['one', 'configured']]) });
    expect(input.identities.map(({ settings }) => [settings.nonces, settings.threads])).toEqual([
      [128, 0],
      [128, 0],
    ]);
  });

  it('of the open gap counts only who has not published, from now on', async () => {
    const { project, context } = setUp(OPENS + 3 * HOUR);
    const current = await gatherForecast(context, project, { gap: 'current' });
    expect(current).toMatchObject({ epoch: 87, from: OPENS + 3 * HOUR, poetDelayMs: 0 });
    expect(current.identities.map(({ name }) => name)).toEqual(['post-0002']);
    expect((await gatherForecast(context, project, { gap: 'next' })).epoch).toBe(88);
  });

  it('refuses the current gap where none is open', async () => {
    const { project, context } = setUp(OPENS - HOUR);
    await expect(gatherForecast(context, project, { gap: 'current' })).rejects.toMatchObject({
      code: 'no-gap',
      exitCode: 2,
    });
  });
});
