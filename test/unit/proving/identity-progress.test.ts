import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { createLocalDatabase } from '../../../src/adapters/sqlite/index.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import type { NodeEvent } from '../../../src/domain/node/events.ts';
import {
  type IdentityProgress,
  identityProgress,
  type ProgressRows,
} from '../../../src/domain/proving/identity-progress.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { recordedEvents } from './recorded-events.ts';

const recordings = process.env.SMESH_RECORDINGS;
const smesher = parseSmesherId('ab'.repeat(32)) as SmesherId;
const atx = { atx: '00'.repeat(32), smesher, coinbase: 'sm1', units: 4 };

function short({ initialProof, due, published, registered }: IdentityProgress): string {
  return `initial ${initialProof}, due ${due}, published ${published}, registered ${registered}`;
}

describe.skipIf(recordings === undefined)('recorded events of two epochs (SMESH_RECORDINGS)', () => {
  const events = recordings === undefined ? [] : recordedEvents(recordings);
  const first = events.flatMap((event) => ('smesher' in event ? [event.smesher] : []));
  const [a, b] = [...new Set(first)].sort() as [SmesherId, SmesherId];
  const at = (time: string, id: SmesherId, epoch: number) => {
    const until = Date.parse(`2026-11-20T${time}Z`);
    return identityProgress({ smesher: id, events: events.filter((event) => event.at <= until) }, epoch);
  };

  it('knows nothing before anything was told', () => {
    expect(short(at('12:20:29', a, 0))).toBe(
      'initial unknown, due unknown, published unknown, registered unknown',
    );
  });

  it('sees the initial proof, the registration and the wait for the round', () => {
    expect(at('12:20:31', b, 0).wantedSince).toBe(Date.parse('2026-11-20T12:20:30.484Z'));
    expect(short(at('12:21:18', a, 0))).toBe(
      'initial yes, due unknown, published unknown, registered unknown',
    );
    expect(at('12:21:18', a, 0).wantedSince).toBeUndefined();
    expect(short(at('12:22:20', a, 0))).toBe('initial yes, due unknown, published unknown, registered yes');
    expect(short(at('12:22:20', a, 1))).toBe('initial yes, due yes, published unknown, registered unknown');
  });

  it('sees demand, publication and the next registration of each identity apart', () => {
    expect(at('12:24:30', a, 1).wantedSince).toBe(Date.parse('2026-11-20T12:24:20.877Z'));
    expect(short(at('12:24:54', a, 1))).toBe('initial yes, due yes, published yes, registered unknown');
    expect(short(at('12:24:54', b, 1))).toBe('initial yes, due yes, published unknown, registered unknown');
    expect(short(at('12:25:20', b, 1))).toBe('initial yes, due yes, published yes, registered yes');
    // 62834b was ready for round 2 in time, 8dd53a registered for it late, when it had published.
    expect(short(at('12:28:30', a, 2))).toBe('initial yes, due yes, published yes, registered yes');
    expect(short(at('12:28:30', b, 2))).toBe('initial yes, due yes, published unknown, registered unknown');
    expect(short(at('12:28:43', b, 2))).toBe('initial yes, due yes, published yes, registered yes');
  });
});

describe.skipIf(recordings === undefined)('recorded local.sql of one epoch (SMESH_RECORDINGS)', () => {
  const read = async (stage: number, activations: readonly SmesherId[] = []) => {
    // The recordings are read-only, and SQLite wants a folder that it could write to.
    const copy = join(tempFolder('stage'), 'local.sql');
    copyFileSync(join(recordings ?? '', `local-sql/stage${stage}.sql`), copy);
    const facts = await createLocalDatabase().read(copy);
    if (facts.kind !== 'read') throw new Error(`stage ${stage}: ${JSON.stringify(facts)}`);
    return (epoch: number) =>
      (recordings === undefined ? [] : ids()).map((id) =>
        short(
          identityProgress(
            {
              smesher: id,
              rows: facts.identities.find((rows) => rows.smesherId === id) ?? 'none',
              activations: activations.map((publisher) => ({ ...atx, smesher: publisher, publishEpoch: 1 })),
            },
            epoch,
          ),
        ),
      );
  };
  const ids = () => {
    const all = recordedEvents(recordings ?? '').flatMap((event) =>
      'smesher' in event ? [event.smesher] : [],
    );
    return [...new Set(all)].sort();
  };

  it('tells the eight stages apart', async () => {
    expect((await read(1))(0)).toEqual(Array(2).fill('initial no, due no, published no, registered no'));
    expect((await read(2))(0)).toEqual([
      'initial no, due no, published no, registered no',
      'initial yes, due no, published no, registered no',
    ]);
    expect((await read(3))(0)).toEqual(Array(2).fill('initial yes, due no, published no, registered no'));
    expect((await read(4))(0)).toEqual(Array(2).fill('initial yes, due no, published no, registered yes'));
    expect((await read(5))(1)).toEqual(Array(2).fill('initial yes, due yes, published no, registered no'));
    const [a, b] = ids() as [SmesherId, SmesherId];
    expect((await read(6, [a]))(1)).toEqual([
      'initial yes, due yes, published yes, registered no',
      'initial yes, due yes, published no, registered no',
    ]);
    expect((await read(7, [a, b]))(1)).toEqual(
      Array(2).fill('initial yes, due yes, published yes, registered no'),
    );
    expect((await read(8, [a, b]))(1)).toEqual(
      Array(2).fill('initial yes, due yes, published yes, registered yes'),
    );
  });
});

describe('progress of an identity', () => {
  const rows: ProgressRows = { post: true, registrations: [], nipost: false };

  it('takes an empty answer for no and a missing one for unknown', () => {
    expect(identityProgress({ smesher, activations: [] }, 5).published).toBe('no');
    expect(identityProgress({ smesher }, 5).published).toBe('unknown');
    expect(identityProgress({ smesher, rows: 'none' }, 5).registered).toBe('no');
    expect(identityProgress({ smesher, events: [] }, 5).registered).toBe('unknown');
  });

  it('counts only this identity and this epoch', () => {
    const other = parseSmesherId('cd'.repeat(32)) as SmesherId;
    const activations = [
      { ...atx, publishEpoch: 4 },
      { ...atx, smesher: other, publishEpoch: 5 },
    ];
    expect(identityProgress({ smesher, activations }, 5).published).toBe('no');
    const registrations = [{ roundId: '4' }];
    expect(identityProgress({ smesher, rows: { ...rows, registrations } }, 5).registered).toBe('no');
    expect(identityProgress({ smesher, rows: { ...rows, registrations } }, 4).registered).toBe('yes');
  });

  it('takes an open challenge of the epoch for not published, without the API', () => {
    const challenge = { publishEpoch: 5, hasPoetProof: true };
    expect(identityProgress({ smesher, rows: { ...rows, challenge } }, 5)).toMatchObject({
      published: 'no',
      due: 'yes',
    });
  });

  it('remembers a failed proof until one succeeds, and that an identity was cancelled', () => {
    const base = { failed: false, help: '', smesher } as const;
    const events: readonly NodeEvent[] = [
      { ...base, at: 1, kind: 'post-start', challenge: '00' },
      { ...base, at: 2, kind: 'post-complete', challenge: '', failed: true },
      { ...base, at: 3, kind: 'malfeasance', what: 'MALFEASANCE_ATX' },
    ];
    const progress = identityProgress({ smesher, events }, 5);
    expect(progress).toMatchObject({ failedAt: 2, wantedSince: 1, malfeasance: { at: 3 } });
    expect(identityProgress({ smesher, events: events.slice(0, 1) }, 5).askedAt).toBe(1);
    const later: NodeEvent = { ...base, at: 4, kind: 'post-complete', challenge: '00' };
    const after = identityProgress({ smesher, events: [...events, later] }, 5);
    expect(after.failedAt).toBeUndefined();
    expect(after.wantedSince).toBeUndefined();
    expect(after.askedAt).toBeUndefined();
  });
});
