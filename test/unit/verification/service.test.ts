import { describe, expect, it } from 'vitest';
import { type IdentityEvidence, known } from '../../../src/domain/verification/facts.ts';
import { verify } from '../../../src/domain/verification/judge.ts';
import { EPOCH, IN_GAP, identity, project, registrations } from './evidence.ts';

type State = IdentityEvidence['state'];

const DOWN: State = { wants: 'a-proof', activity: { kind: 'down', reason: 'stopped' }, held: false };
const RESTS: State = { wants: 'nothing', activity: { kind: 'down', reason: 'stopped' }, held: false };
const HELD: State = { wants: 'a-proof', activity: { kind: 'ready-to-read' }, held: true };
const SILENT: State = { wants: 'a-proof', activity: { kind: 'silent' }, held: true };

/** In the gap, with everything but its service as it should be. */
function checked(state: State, more: Partial<IdentityEvidence> = {}, scheduleRuns?: boolean) {
  const evidence = identity({
    wanted: state.wants === 'a-proof' ? 'proving' : 'idle',
    state,
    doing: 'status: waits for sda',
    rows: known({
      post: true,
      challenge: { publishEpoch: EPOCH, hasPoetProof: true },
      registrations: registrations(EPOCH - 1),
    }),
    ...more,
  });
  const runs = scheduleRuns === undefined ? {} : { scheduleRuns };
  const verification = verify(project(IN_GAP, runs), [evidence]);
  const [only] = verification.identities;
  const of = (subject: string) => only?.checks.find((check) => check.subject === subject);
  const prospects = only?.outlooks.map(({ prospect }) => prospect);
  return { verdict: verification.verdict, service: of('service'), connection: of('connection'), prospects };
}

describe('with a schedule', () => {
  it.each<[string, State, RegExp]>([
    ['one that is wanted and waits for its turn', DOWN, /schedule, which starts it when its turn comes/],
    ['one that rests', RESTS, /schedule, which starts it when its proof is wanted/],
    ['one that is held before it reads', HELD, /schedule, which holds it until its turn comes/],
    ['one that is held and too slow to answer', SILENT, /schedule, which holds it until its turn comes/],
  ])('%s is no fault', (_, state, message) => {
    const { verdict, service, connection, prospects } = checked(state, { leftToSchedule: {} }, true);
    expect(service).toMatchObject({ code: 'left-to-schedule', level: 'not-due' });
    expect(service?.message).toMatch(message);
    expect(service?.evidence).toEqual(['status: waits for sda']);
    expect(['ok', 'not-due']).toContain(connection?.level);
    expect(prospects).toEqual(['earns', 'on-track', 'on-track']);
    expect(verdict).toBe('right');
  });

  it('says when its proof is to be expected', () => {
    const expectedAt = Date.parse('2026-11-23T05:40:00Z');
    const { service } = checked(DOWN, { leftToSchedule: { expectedAt } }, true);
    expect(service?.evidence).toContain('its proof is expected about 2026-11-23 05:40 UTC, by averages');
  });

  it('whom a person stopped, or who is down for another reason, is found all the same', () => {
    const { verdict, service } = checked(DOWN, {}, true);
    expect(service).toMatchObject({ code: 'service-down', level: 'costs-rewards' });
    expect(service?.next).toBe('smesh-compose up post-0001');
    expect(verdict).toBe('costs-rewards');
  });

  it('a proof that fails is a fault, held or not', () => {
    const state: State = {
      wants: 'a-proof',
      activity: { kind: 'failed', reason: 'x', stuck: true },
      held: true,
    };
    expect(checked(state, { leftToSchedule: {} }, true).service?.code).toBe('proof-failed');
  });
});

describe('without a schedule, or where nobody can tell', () => {
  it.each([false, undefined])('one that is wanted and down costs rewards (%s)', (runs) => {
    const { service, prospects } = checked(DOWN, {}, runs);
    expect(service).toMatchObject({ code: 'service-down', level: 'costs-rewards' });
    expect(service?.next).toMatch(/smesh-compose up .*smesh-compose run/);
    expect(prospects?.[1]).toBe('at-risk');
  });

  it('one that is held is worth a look: nobody is there to release it', () => {
    const { service } = checked(HELD, {}, false);
    expect(service).toMatchObject({ code: 'held', level: 'warning' });
    expect(service?.next).toMatch(/smesh-compose run .*smesh-compose up/);
  });

  it('one that is held and silent is not known', () => {
    const { service, connection } = checked(SILENT, {}, false);
    expect([service?.code, connection?.code]).toEqual(['service-unknown', 'connection-unknown']);
  });
});
