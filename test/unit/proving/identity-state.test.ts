import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONTAINER_STATES } from '../../../src/domain/compose/observed.ts';
import {
  type ContainerFacts,
  type IdentityFacts,
  identityState,
  isHeld,
} from '../../../src/domain/proving/identity-state.ts';
import { nodeCertainty } from '../../../src/domain/proving/node-certainty.ts';
import { EMPTY_PROOF_LOG, type ProofLog, readProofLog } from '../../../src/domain/proving/proof-log.ts';
import { parseServiceStatus, type ServiceStatus } from '../../../src/domain/proving/service-status.ts';

const recordings = process.env.SMESH_RECORDINGS;
const NOW = Date.parse('2026-11-22T23:12:00Z');
const GIB = 2 ** 30;

const running: Extract<ContainerFacts, { kind: 'present' }> = {
  kind: 'present',
  state: 'running',
  held: false,
  startedAt: NOW - 3_600_000,
  oomKilled: false,
};

function facts(changes: Partial<IdentityFacts> = {}): IdentityFacts {
  return {
    now: NOW,
    layerMs: 300_000,
    container: running,
    wanted: 'proving',
    node: 'settled',
    data: 'present',
    dataBytes: 100 * GIB,
    ...changes,
  };
}

function proving(position: number, start = 0, end = 128): ServiceStatus {
  return { kind: 'proving', nonces: { start, end }, position };
}

function words(changes: Partial<IdentityFacts>): string {
  const { wants, activity } = identityState(facts(changes));
  return `${wants}, ${activity.kind}`;
}

interface TimelineLine {
  readonly t: number;
  readonly post_states: string | Readonly<Record<string, 'IDLE' | 'PROVING'>>;
  readonly status: Readonly<Record<string, unknown>>;
}

function timeline(name: string): readonly TimelineLine[] {
  const [, ...lines] = readFileSync(join(recordings ?? '', name), 'utf8')
    .trimEnd()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as TimelineLine);
}

/** The poller's own words for what the socket did. */
function recordedStatus(answer: unknown): ServiceStatus {
  if (answer === 'err:ECONNREFUSED') return { kind: 'refused' };
  if (answer === 'err:TimeoutError') return { kind: 'no-answer' };
  if (answer === 'noip') return { kind: 'unreachable', reason: 'no address' };
  return parseServiceStatus(JSON.stringify(answer));
}

function recordedFacts(line: TimelineLine, name: string, nodeStarts: readonly number[]): IdentityFacts {
  const states = typeof line.post_states === 'string' ? undefined : line.post_states;
  const upFor = line.t - Math.max(...nodeStarts.filter((start) => start <= line.t));
  const state = states?.[name];
  return facts({
    layerMs: 6000,
    now: NOW + line.t * 1000,
    container: { ...running, startedAt: NOW - 3_600_000 },
    wanted: state === undefined ? 'unknown' : state === 'IDLE' ? 'idle' : 'proving',
    node: nodeCertainty({
      now: line.t * 1000,
      layerMs: 6000,
      container: 'running',
      startedAt: (line.t - upFor) * 1000,
      ...(states === undefined ? {} : { synced: true }),
    }),
    service: recordedStatus(line.status[name]),
  });
}

const NEVER_RESTING = ['idle', 'down', 'not-created', 'not-connected'];

describe.skipIf(recordings === undefined)('recorded timelines (SMESH_RECORDINGS)', () => {
  it.each([
    ['timeline-two-epochs.jsonl', [0]],
    ['timeline-pause-restart.jsonl', [0, 292]],
    ['timeline-three-passes.jsonl', [0]],
  ])('never says what the programs did not: %s', (file, nodeStarts) => {
    for (const line of timeline(file)) {
      for (const name of Object.keys(line.status)) {
        const known = recordedFacts(line, name, nodeStarts);
        const { wants, activity } = identityState(known);
        const states = typeof line.post_states === 'string' ? {} : line.post_states;
        if (states[name] === undefined) expect(wants).toBe('unknown');
        if (states[name] === 'PROVING') expect(wants).toBe('a-proof');
        if (wants === 'nothing') expect(states[name]).toBe('IDLE');
        if (known.service?.kind !== 'idle') expect(NEVER_RESTING).not.toContain(activity.kind);
        if (activity.kind === 'idle') expect(states[name]).not.toBe('PROVING');
        if (activity.kind === 'reading') expect(activity.position).toBeGreaterThan(0);
      }
    }
  });

  it('tells the story of a prover that was paused over a restart of the node', () => {
    const story: string[] = [];
    for (const line of timeline('timeline-pause-restart.jsonl')) {
      const known = recordedFacts(line, 'post01', [0, 292]);
      const paused = line.t >= 283 && line.t < 352;
      const { wants, activity } = identityState({
        ...known,
        container: paused ? { ...running, state: 'paused' } : known.container,
      });
      const word = `${wants}, ${activity.kind}`;
      if (story.at(-1) !== word) story.push(word);
    }
    expect(story).toEqual([
      // The node has been up for less than two layers and what a start takes.
      'unknown, idle',
      'a-proof, about-to-prove',
      'a-proof, before-reading',
      'a-proof, about-to-prove',
      'nothing, idle',
      'a-proof, preparing',
      'a-proof, before-reading',
      'a-proof, paused',
      'unknown, paused',
      'a-proof, paused',
      'a-proof, before-reading',
      'a-proof, proof-ready',
      'nothing, idle',
      'nothing, unknown',
      'unknown, unknown',
    ]);
  });

  it('measures the speed of a pass from two looks and starts anew with the next pass', () => {
    const samples = timeline('timeline-three-passes.jsonl').flatMap((line) => {
      const status = recordedStatus(line.status['post01']);
      return status.kind === 'proving' && status.position > 0
        ? [{ at: NOW + line.t * 1000, nonces: status.nonces, position: status.position }]
        : [];
    });
    const [first] = samples;
    const last = samples.findLast((sample) => sample.nonces.start === first?.nonces.start);
    if (first === undefined || last === undefined) throw new Error('the recording has no reading');
    const { activity } = identityState(
      facts({
        now: last.at,
        service: { kind: 'proving', ...last },
        firstSample: first,
        dataBytes: 128 * 2 ** 20,
      }),
    );
    // The disk was throttled to 6 MB/s.
    expect(activity).toMatchObject({ kind: 'reading', pass: 1 });
    expect(activity.kind === 'reading' && activity.rate).toBeGreaterThan(5e6);
    expect(activity.kind === 'reading' && activity.rate).toBeLessThan(7e6);
    const nextPass = samples.find((sample) => sample.nonces.start > first.nonces.start);
    if (nextPass === undefined) return;
    const next = identityState(
      facts({ now: nextPass.at, service: { kind: 'proving', ...nextPass }, firstSample: first }),
    );
    expect(next.activity).not.toHaveProperty('rate');
  });
});

const at = (secondsAgo: number) => new Date(NOW - secondsAgo * 1000).toISOString().replace('.000Z', 'Z');
const log = (...lines: readonly string[]): ProofLog => readProofLog(lines);
const prove = (ago: number, text: string) => `[${at(ago)} INFO  post::prove] ${text}`;
const client = (ago: number, text: string) => `[${at(ago)} INFO  post_service::client] ${text}`;

describe('what a service does', () => {
  it('shows k2pow by groups from the log, and by nothing where there is no log', () => {
    const debug = `[${at(50)} DEBUG post::prove] calculating proof of work for nonce group 0`;
    const k2pow = log(prove(60, 'calculating proof of work for nonces 0..128'), debug);
    expect(identityState(facts({ service: proving(0), log: k2pow })).activity).toMatchObject({
      kind: 'k2pow',
      group: 1,
      groups: 8,
      pass: 1,
    });
    expect(words({ service: proving(0) })).toBe('a-proof, before-reading');
    expect(words({ service: proving(0, 0, 0) })).toBe('a-proof, preparing');
  });

  it('tells a prover that has finished k2pow and not read, which is when it can be held', () => {
    const finished = log(
      prove(9, 'calculating proof of work for nonces 0..128'),
      prove(2, 'finished k2pow in 0m 7s'),
    );
    expect(words({ service: proving(0), log: finished })).toBe('a-proof, ready-to-read');
  });

  it('reads percent, speed and end from position and the log', () => {
    const reading = log(
      prove(3000, 'calculating proof of work for nonces 128..256'),
      prove(1000, 'started reading POST data'),
    );
    const { activity } = identityState(
      facts({ service: proving(25 * GIB, 128, 256), log: reading, dataBytes: 100 * GIB }),
    );
    expect(activity).toMatchObject({ kind: 'reading', fraction: 0.25, pass: 2, doneAt: NOW + 3_000_000 });
    expect(activity.kind === 'reading' && activity.rate).toBeCloseTo((25 * GIB) / 1000);
    // The log is of another pass: no speed is better than a wrong one.
    const other = identityState(facts({ service: proving(25 * GIB), log: reading }));
    expect(other.activity).not.toHaveProperty('rate');
    const unknownSize = facts({ service: proving(25 * GIB, 128, 256), log: reading });
    const { dataBytes: _, ...withoutSize } = unknownSize;
    expect(identityState(withoutSize).activity).not.toHaveProperty('fraction');
    expect(identityState(withoutSize).activity).not.toHaveProperty('doneAt');
  });

  it('tells dataset, pause, hold and plain silence apart where it can', () => {
    const preparing = log(
      `[${at(20)} INFO  post_service::service] starting proof generation for challenge 00`,
    );
    expect(words({ service: { kind: 'no-answer' }, log: preparing })).toBe('a-proof, preparing');
    expect(words({ service: { kind: 'no-answer' } })).toBe('a-proof, silent');
    expect(words({ container: { ...running, state: 'paused' } })).toBe('a-proof, paused');
    expect(identityState(facts({ container: { ...running, held: true }, service: proving(0) })).held).toBe(
      true,
    );
    expect(isHeld({ cpuQuota: 1000, cpuPeriod: 100_000 })).toBe(true);
    expect(isHeld({ cpuQuota: -1, cpuPeriod: 100_000 })).toBe(false);
    expect(isHeld({ cpuQuota: 0, cpuPeriod: 0 })).toBe(false);
    expect(isHeld({ cpuQuota: 200_000, cpuPeriod: 100_000 })).toBe(false);
  });

  it('S33: calls a failed proof stuck only after two layers of the same answer', () => {
    const error = (ago: number) =>
      `[${at(ago)} ERROR post_service::client] failed to generate proof: metadata`;
    const done: ServiceStatus = { kind: 'done-proving' };
    expect(words({ service: done })).toBe('a-proof, proof-ready');
    expect(identityState(facts({ service: done, log: log(error(90)) })).activity).toEqual({
      kind: 'failed',
      reason: 'metadata',
      stuck: false,
    });
    const twice = log(error(900), error(30));
    expect(identityState(facts({ service: done, log: twice })).activity).toMatchObject({ stuck: true });
  });

  it('explains an idle service that is wanted by its last word, but not by an old one', () => {
    const service: ServiceStatus = { kind: 'idle' };
    expect(words({ service })).toBe('a-proof, about-to-prove');
    expect(words({ service, log: log(client(3, 'proof is valid (verification took: 0.4s)')) })).toBe(
      'a-proof, proof-ready',
    );
    expect(words({ service, log: log(client(9999, 'proof is valid (verification took: 0.4s)')) })).toBe(
      'a-proof, about-to-prove',
    );
    const lost = log(client(3, 'disconnected: status: "post service already registered"'));
    expect(identityState(facts({ service, log: lost })).activity).toEqual({
      kind: 'not-connected',
      reason: 'post service already registered',
    });
    const progress = {
      publishEpoch: 87,
      initialProof: 'yes',
      due: 'yes',
      published: 'no',
      registered: 'no',
      wantedSince: NOW - 14 * 60_000,
    } as const;
    expect(identityState(facts({ service, progress })).activity).toEqual({
      kind: 'not-connected',
      reason: 'wanted for 14 min, and the node has not asked it',
    });
  });

  it('S31: takes IDLE of a node that has just started for unknown', () => {
    expect(words({ wanted: 'idle', node: 'fresh', service: proving(5) })).toBe('unknown, reading');
    expect(words({ wanted: 'idle', node: 'settled', service: { kind: 'idle' } })).toBe('nothing, idle');
    expect(words({ wanted: 'idle', node: 'unknown', service: { kind: 'idle' } })).toBe('unknown, idle');
    expect(words({ wanted: 'unlisted', service: { kind: 'idle' } })).toBe('unlisted, idle');
  });

  it.each([
    [{ state: 'exited', exitCode: 143 }, 'present', 'stopped'],
    [{ state: 'exited', exitCode: 137, oomKilled: true }, 'present', 'killed: out of memory'],
    [{ state: 'exited', exitCode: 1 }, 'absent', 'its data is away'],
    [{ state: 'exited', exitCode: 1 }, 'unknown', 'failed (exit 1): see its log'],
    [{ state: 'exited', exitCode: 101 }, 'present', 'crashed (exit 101): see its log'],
    [{ state: 'restarting', exitCode: 1 }, 'present', 'fails and is restarted again and again (exit 1)'],
    [{ state: 'created' }, 'present', 'created, never started'],
    [{ state: 'created', startError: 'no such device' }, 'present', 'no such device'],
  ] as const)('says why it is down: %j, data %s', (container, data, reason) => {
    const known = facts({
      container: { kind: 'present', held: false, oomKilled: false, ...container },
      data,
    });
    expect(identityState(known).activity).toEqual({ kind: 'down', reason });
  });

  it('gives every combination a state, and rest only to those who rest', () => {
    const statuses: readonly (ServiceStatus | undefined)[] = [
      undefined,
      { kind: 'idle' },
      proving(0),
      proving(0, 0, 0),
      proving(GIB),
      { kind: 'done-proving' },
      { kind: 'no-answer' },
      { kind: 'refused' },
      { kind: 'unreachable', reason: 'no route' },
      { kind: 'malformed', reason: 'not JSON' },
    ];
    const logs: readonly (ProofLog | undefined)[] = [
      undefined,
      EMPTY_PROOF_LOG,
      log(prove(9, 'calculating proof of work for nonces 0..128')),
      log(prove(9, 'finished k2pow in 0m 7s')),
      log(prove(9, 'started reading POST data')),
      log(prove(9, 'finished reading POST data in 0m 7s')),
      log(prove(9, 'found proof for nonce: 4')),
      log(client(3, 'proof is valid')),
      log(client(3, 'failed to generate proof: x')),
      log(client(3, 'could not connect to the node: x')),
    ];
    const containers: readonly ContainerFacts[] = [
      { kind: 'unknown' },
      { kind: 'absent' },
      ...CONTAINER_STATES.map((state): ContainerFacts => ({ ...running, state })),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...containers),
        fc.constantFrom(...statuses),
        fc.constantFrom(...logs),
        fc.constantFrom('idle', 'proving', 'unlisted', 'unknown'),
        fc.constantFrom('settled', 'fresh', 'down', 'unknown'),
        fc.constantFrom('present', 'absent', 'unreadable', 'unknown'),
        fc.constantFrom(undefined, 0, 100 * GIB),
        (container, service, itsLog, wanted, node, data, dataBytes) => {
          const state = identityState({
            now: NOW,
            layerMs: 300_000,
            container,
            wanted: wanted as IdentityFacts['wanted'],
            node: node as IdentityFacts['node'],
            data: data as IdentityFacts['data'],
            ...(service === undefined ? {} : { service }),
            ...(itsLog === undefined ? {} : { log: itsLog }),
            ...(dataBytes === undefined ? {} : { dataBytes }),
          });
          const { wants, activity } = state;
          expect(wants === 'nothing').toBe(wanted === 'idle' && node === 'settled');
          if (activity.kind === 'idle') expect([service?.kind, wants]).not.toContain('a-proof');
          if (activity.kind === 'idle') expect(service?.kind).toBe('idle');
          if (activity.kind === 'not-created') expect(container.kind).toBe('absent');
          if (container.kind === 'unknown') expect(activity.kind).toBe('unknown');
          if (activity.kind === 'reading' && activity.fraction !== undefined) {
            expect(activity.fraction).toBeGreaterThanOrEqual(0);
            expect(activity.fraction).toBeLessThanOrEqual(1);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});
