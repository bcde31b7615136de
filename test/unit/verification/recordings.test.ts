import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { createLocalDatabase } from '../../../src/adapters/sqlite/index.ts';
import { parseSmesherId, type SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { EventStream } from '../../../src/domain/node/event-stream.ts';
import { eventWords } from '../../../src/domain/node/event-words.ts';
import type { NodeEvent } from '../../../src/domain/node/events.ts';
import { type IdentityEvidence, known, notLearnt } from '../../../src/domain/verification/facts.ts';
import { verify } from '../../../src/domain/verification/judge.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { recordedEvents } from '../proving/recorded-events.ts';
import { atx, identity, project } from './evidence.ts';

const recordings = process.env.SMESH_RECORDINGS;

/** The network of the recordings (truth/local-sql/stages.json, truth/node-config-verified.json). */
const GENESIS = Date.parse('2026-11-20T12:21:19Z');
const CLOCK = {
  genesis: GENESIS,
  epoch: 180_000,
  layer: 6000,
  phaseShift: 90_000,
  cycleGap: 90_000,
  gracePeriod: 30_000,
};

const FIRST = parseSmesherId('62834bf0416acba2db340c38f81e04595228266a014bcfb06cd6ffea70a8f031') as SmesherId;
const SECOND = parseSmesherId(
  '8dd53ad1933c83e3e02b2824a8200ed3aff5bbe901284c1812be7f4f9439bc23',
) as SmesherId;

function at(now: number, changes: Partial<IdentityEvidence>) {
  const about = project(now, { clock: CLOCK, poetServers: ['http://127.0.0.1:10010'] });
  const { identities, verdict } = verify(about, [
    identity({
      smesher: FIRST,
      dataHere: { kind: 'own', units: 1 },
      rewards: known([]),
      events: known([]),
      ...changes,
    }),
  ]);
  const [found] = identities;
  if (found === undefined) throw new Error('nobody was verified');
  const code = (subject: string) => found.checks.find((check) => check.subject === subject)?.code;
  return { found, verdict, code, prospects: found.outlooks.map(({ prospect }) => prospect) };
}

describe.skipIf(recordings === undefined)('recorded local.sql of one epoch (SMESH_RECORDINGS)', () => {
  async function rows(stage: number, id = FIRST): Promise<IdentityEvidence['rows']> {
    const copy = join(tempFolder('stage'), 'local.sql');
    copyFileSync(join(recordings ?? '', `local-sql/stage${stage}.sql`), copy);
    const facts = await createLocalDatabase().read(copy);
    if (facts.kind !== 'read') throw new Error(`stage ${stage}: ${JSON.stringify(facts)}`);
    return known(facts.identities.find(({ smesherId }) => smesherId === id) ?? 'none');
  }

  /** When the stage was copied; the node was started 58.7 s before genesis. */
  const time = (seconds: number) => GENESIS - 58_700 + seconds * 1000;

  it.each([
    [1, 1, 'before-rounds', 'registers-later', ['none', 'none', 'on-track']],
    [3, 57.5, 'before-rounds', 'registers-later', ['none', 'none', 'on-track']],
    [4, 119.5, 'before-rounds', 'registration', ['none', 'none', 'on-track']],
    [5, 240.7, 'proof-due', 'registers-later', ['none', 'on-track', 'on-track']],
  ])('stage %i, %d s: %s, %s', async (stage, seconds, publication, registration, expected) => {
    const seen = at(time(seconds), { atxs: known([]), rows: await rows(stage) });
    expect([seen.code('publication'), seen.code('registration')]).toEqual([publication, registration]);
    expect(seen.prospects).toEqual(expected);
    expect(seen.verdict).toBe('right');
  });

  it('stage 6: one has published, the other still proves, and neither has lost anything', async () => {
    const stages = await Promise.all([FIRST, SECOND].map((id) => rows(6, id)));
    const seen = stages.map((of, index) => {
      const smesher = index === 0 ? FIRST : SECOND;
      const hasRows = of.kind === 'known' && of.value !== 'none' && of.value.challenge !== undefined;
      return at(time(272.6), { smesher, rows: of, atxs: known(hasRows ? [] : [atx(1, { smesher })]) });
    });
    const published = seen.map(({ code }) => code('publication'));
    expect(published.sort()).toEqual(['proof-due', 'publication']);
    for (const { verdict } of seen) expect(verdict).toBe('right');
  });

  it('stage 8: registered for round 1 at the PoET of the database', async () => {
    const seen = at(time(298.8), { rows: await rows(8), atxs: known([atx(1, { smesher: FIRST })]) });
    const check = seen.found.checks.find(({ subject }) => subject === 'registration');
    expect(check).toMatchObject({ level: 'ok', evidence: ['http://127.0.0.1:10010'] });
    expect(seen.prospects).toEqual(['none', 'earns', 'on-track']);
  });

  it('stage 7 after the round began: it is in no round, and that costs epoch 3', async () => {
    const late = GENESIS + 180_000 + 95_000;
    const seen = at(late, { rows: await rows(7), atxs: known([atx(1, { smesher: FIRST })]) });
    expect(seen.code('registration')).toBe('not-registered');
    expect(seen.prospects).toEqual(['none', 'earns', 'lost']);
    expect(seen.verdict).toBe('costs-rewards');
  });
});

describe.skipIf(recordings === undefined)('recorded events of two epochs (SMESH_RECORDINGS)', () => {
  const events = recordings === undefined ? [] : recordedEvents(recordings);

  /** What the node would have told by then: its last hundred. */
  function toldBy(now: number, id: SmesherId): IdentityEvidence['events'] {
    const told = events.filter((event) => event.at <= now).slice(-100);
    return known(told.filter((event) => !('smesher' in event) || event.smesher === id));
  }

  it('tell eligible layers, the chosen PoET proof and the registration without any database', () => {
    const now = Date.parse('2026-11-20T12:28:30Z');
    const seen = at(now, {
      rows: notLearnt('no SQLite'),
      events: toldBy(now, FIRST),
      atxs: known([1, 2].map((epoch) => atx(epoch, { smesher: FIRST, units: 1, weight: 45_377n }))),
    });
    expect([seen.code('eligibility'), seen.code('publication'), seen.code('registration')]).toEqual([
      'eligibility',
      'publication',
      'registration',
    ]);
    const publication = seen.found.checks.find(({ subject }) => subject === 'publication');
    expect(publication?.evidence).toEqual([
      'ATX 00000000, published in epoch 2',
      'weight 45,377: 1 unit × 45,377 ticks',
      'round 1, downloaded from http://127.0.0.1:10010: 45,377 ticks',
      'round 1, chosen: http://127.0.0.1:10010, 45,377 ticks',
    ]);
  });

  it('are each told once and in plain words, the two forms of a wait as one', () => {
    const stream = new EventStream();
    for (const event of events) stream.push(event, 0);
    const told = stream.take(0, true);
    expect(told.map(({ kind }) => kind)).not.toContain('legacy-wait');
    const newer = events.filter(({ kind }) => kind !== 'legacy-wait');
    expect(told).toEqual(newer);
    const words = told.map((event) =>
      eventWords(event, (time) => new Date(time).toISOString().slice(11, 19)),
    );
    expect(words.filter((text) => /undefined|\[object|NaN/.test(text))).toEqual([]);
    const first = told.flatMap((event, index) =>
      'smesher' in event && event.smesher === FIRST && event.kind !== 'proposal' ? [words[index]] : [],
    );
    expect(first.slice(0, 9)).toEqual([
      'is asked for its initial proof',
      'has made its initial proof',
      'waits for registration for round 0, which opens 12:22:19',
      'is registered for round 0 at http://127.0.0.1:10010',
      'waits for the end of round 0, 12:24:19; then it proves, and its ATX earns in epoch 2',
      'takes the proof of round 0 from http://127.0.0.1:10010: 46,853 ticks',
      'is asked to prove its data (challenge d5ac63b1)',
      'has proved its data',
      expect.stringMatching(
        /^has published its ATX [0-9a-f]{8} in epoch 1: it earns in epoch 2, from 12:27:19 on$/,
      ),
    ]);
    expect(words).toContain('knows the beacon of epoch 2 (1b75a32d): eligible layers are drawn with it');
    expect(words.filter((text) => text.startsWith('has 30 eligible layers in epoch 2: 60, 61,'))).not.toEqual(
      [],
    );
    // A ring that is replayed tells nothing new.
    for (const event of events.slice(-100)) stream.push(event, 1);
    expect(stream.take(1, true).filter((event: NodeEvent) => event.kind !== 'legacy-wait')).toEqual([]);
  });
});
