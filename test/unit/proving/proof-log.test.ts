import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import {
  EMPTY_PROOF_LOG,
  type ProofLog,
  readProofLine,
  readProofLog,
} from '../../../src/domain/proving/proof-log.ts';

const recordings = process.env.SMESH_RECORDINGS;

function linesOf(name: string): readonly string[] {
  return readFileSync(join(recordings ?? '', name), 'utf8')
    .trimEnd()
    .split('\n');
}

/** What the phase is after each line, as short words; a word stands once for lines that change nothing. */
function story(lines: readonly string[]): readonly string[] {
  const words: string[] = [];
  let log: ProofLog = EMPTY_PROOF_LOG;
  for (const line of lines) {
    log = readProofLine(log, line);
    const word = wordsFor(log);
    if (words.at(-1) !== word) words.push(word);
  }
  return words;
}

function wordsFor({ phase, connection }: ProofLog): string {
  const nonces = 'nonces' in phase && phase.nonces ? ` ${phase.nonces.start}..${phase.nonces.end}` : '';
  if (phase.kind === 'none') return `none, ${connection.kind}`;
  if (phase.kind === 'k2pow') return `k2pow${nonces} group ${phase.group ?? '?'}/${phase.groups}`;
  if (phase.kind === 'reading') return `reading${nonces} file ${phase.file ?? '-'}`;
  return `${phase.kind}${nonces}`;
}

describe.skipIf(recordings === undefined)('recorded logs (SMESH_RECORDINGS)', () => {
  it('follows a proof of 64 nonces with its groups, line by line', () => {
    expect(story(linesOf('post-service-proof-debug.log'))).toEqual([
      'none, unseen',
      'none, lost',
      'none, connected',
      'preparing',
      'k2pow 0..64 group ?/4',
      'k2pow 0..64 group 1/4',
      'k2pow 0..64 group 2/4',
      'k2pow 0..64 group 3/4',
      'k2pow 0..64 group 4/4',
      'k2pow-finished 0..64',
      'reading 0..64 file -',
      'reading 0..64 file 0',
      'read 0..64',
      'found',
      'verifying',
      'valid',
    ]);
  });

  it('follows a proof in three passes over eight files, line by line', () => {
    const pass = (range: string) => [
      `k2pow ${range} group ?/1`,
      `k2pow-finished ${range}`,
      `reading ${range} file -`,
      ...Array.from({ length: 8 }, (_, file) => `reading ${range} file ${file}`),
      `read ${range}`,
    ];
    expect(story(linesOf('post-service-proof.log'))).toEqual([
      'none, unseen',
      'none, lost',
      'none, connected',
      'preparing',
      ...pass('0..16'),
      ...pass('16..32'),
      ...pass('32..48'),
      'found',
      'verifying',
      'valid',
    ]);
    const log = readProofLog(linesOf('post-service-proof.log'));
    expect(log.passes).toBe(3);
    expect(log.phase).toEqual({ kind: 'valid', at: Date.parse('2026-11-20T12:40:15Z') });
  });

  it('never claims more from a log that begins in the middle than from the whole', () => {
    for (const name of ['post-service-proof.log', 'post-service-proof-debug.log']) {
      const lines = linesOf(name);
      for (let end = 1; end <= lines.length; end += 1) {
        const whole = readProofLog(lines.slice(0, end));
        for (let start = 1; start < end; start += 1) {
          const part = readProofLog(lines.slice(start, end));
          if (part.phase.kind === 'none') continue;
          // Every field that the part has, the whole has with the same value.
          expect(whole.phase).toMatchObject(part.phase);
          expect(part.passes).toBeLessThanOrEqual(whole.passes);
        }
      }
    }
  });
});

const at = '[2026-11-20T12:00:00Z INFO  post::prove]';
const client = '[2026-11-20T12:00:01Z INFO  post_service::client]';

describe('lines of a post-service log', () => {
  const restart = '[2026-11-20T12:00:05Z INFO  post_service] POST network parameters: {}';
  const asked =
    '[2026-11-20T11:00:00Z INFO  post_service::service] starting proof generation for challenge AB';

  it('S30: forgets the proof of the process before, as a restart does, and remembers that it was at work', () => {
    expect(readProofLog([asked, `${at} calculating proof of work for nonces 0..16`, restart])).toEqual({
      ...EMPTY_PROOF_LOG,
      interrupted: { at: Date.parse('2026-11-20T12:00:05Z'), since: Date.parse('2026-11-20T11:00:00Z') },
    });
    const again = [`${at} started reading POST data`, restart, asked, `${at} started reading POST data`];
    expect(readProofLog(again).interrupted).toEqual({ at: Date.parse('2026-11-20T12:00:05Z') });
    expect(readProofLog([...again.slice(0, 2), restart]).interrupted).toBeDefined();
  });

  it('S30: a restart after the proof, after a failure or before any loses nothing', () => {
    const valid = `${client} proof is valid (verification took: 1s)`;
    const failed = `${client} failed to generate proof: invalid proof`;
    const worked = [asked, `${at} started reading POST data`];
    for (const lines of [
      [...worked, valid, restart],
      [...worked, failed, restart],
      [restart, restart],
    ]) {
      expect(readProofLog(lines)).toEqual(EMPTY_PROOF_LOG);
    }
    const delivered = [`${at} started reading POST data`, restart, asked, valid];
    expect(readProofLog(delivered).interrupted).toBeUndefined();
  });

  it('numbers the groups of a later pass from 1, also when its first line is cut off', () => {
    const lines = [
      `${at} calculating proof of work for nonces 64..128`,
      '[2026-11-20T12:00:00Z DEBUG post::prove] calculating proof of work for nonce group 4',
      '[2026-11-20T12:00:02Z DEBUG post::prove] proof of work for nonce group 4: 9',
      '[2026-11-20T12:00:02Z DEBUG post::prove] calculating proof of work for nonce group 5',
    ];
    expect(readProofLog(lines).phase).toMatchObject({ kind: 'k2pow', group: 2, groups: 4 });
    expect(readProofLog(lines.slice(2)).phase).toEqual({ kind: 'k2pow' });
  });

  it('counts finished groups where several run at once', () => {
    const debug = '[2026-11-20T12:00:00Z DEBUG post::prove]';
    const log = readProofLog([
      `${at} calculating proof of work for nonces 0..64`,
      ...[0, 1, 2, 3].map((group) => `${debug} calculating proof of work for nonce group ${group}`),
      `${debug} proof of work for nonce group 2: 77`,
    ]);
    expect(log.phase).toMatchObject({ group: 2, groups: 4 });
  });

  it.each([
    [
      'could not connect to the node: x("tcp connect error", Os { message: "Connection refused" })',
      'Connection refused',
    ],
    [
      'could not connect to the node: x(ConnectError("invalid URL, scheme is missing"))',
      'invalid URL, scheme is missing',
    ],
    [
      'disconnected: status: Unknown, message: "post service already registered", details: []',
      'post service already registered',
    ],
    ['could not connect to the node: a b\u001b[0m c', 'a b\u001b[0m c'],
  ])('gives the telling part of %j', (text, reason) => {
    expect(readProofLine(EMPTY_PROOF_LOG, `${client} ${text}`).connection).toEqual({ kind: 'lost', reason });
  });

  it('keeps why the last proof failed when the next begins, and ignores a stale challenge', () => {
    const error = '[2026-11-20T12:00:03Z ERROR post_service::client] failed to generate proof: ';
    const failed = readProofLine(EMPTY_PROOF_LOG, `${error}invalid proof`);
    expect(failed.phase).toMatchObject({ kind: 'failed', reason: 'invalid proof' });
    const again = readProofLine(
      failed,
      '[2026-11-20T12:00:09Z INFO  post_service::service] starting proof generation for challenge 00',
    );
    expect(again.phase.kind).toBe('preparing');
    expect(again.lastFailure?.reason).toBe('invalid proof');
    const busy = readProofLine(again, `${error}proof generation is in progress for a different challenge`);
    expect(busy).toEqual(again);
  });

  it('notices files that cannot be read in this pass only', () => {
    const bad = '[2026-11-20T12:00:03Z ERROR post::reader] failed to read file /post/postdata_3.bin: EIO';
    const log = readProofLog([`${at} started reading POST data`, bad]);
    expect(log.unreadable).toEqual(['/post/postdata_3.bin: EIO']);
    expect(readProofLine(log, `${at} calculating proof of work for nonces 16..32`).unreadable).toEqual([]);
  });

  it.each([
    '',
    'thread panicked at src/x.rs',
    '[garbage',
    '[x INFO post::prove] calculating proof of work',
    '{}',
  ])('takes %j as no event', (line) => {
    expect(readProofLine(EMPTY_PROOF_LOG, line)).toEqual(EMPTY_PROOF_LOG);
  });

  it('reads phases without times when the log has none', () => {
    const log = readProofLine(EMPTY_PROOF_LOG, '[later INFO  post::prove] started reading POST data');
    expect(log.phase).toEqual({ kind: 'reading' });
  });
});

describe('how long a pass took', () => {
  const line = (time: string, message: string) => `[2026-11-20T${time}Z INFO  post::prove] ${message}`;
  const tookMs = (from: string, to: string, text: string) =>
    readProofLog([line(from, 'started reading POST data'), line(to, `finished reading POST data in ${text}`)])
      .lastPassMs;

  it('is what the service has measured, whatever its clock was set to meanwhile', () => {
    expect(tookMs('12:00:00', '12:00:21', '0m 21s')).toBe(21_000);
    expect(tookMs('12:00:00', '11:59:59', '61m 2s')).toBe(3_662_000);
  });

  it('comes from the times where it does not say, unless they go backwards', () => {
    expect(tookMs('12:00:00', '12:00:21', 'a while')).toBe(21_000);
    expect(tookMs('12:00:00', '11:59:59', 'a while')).toBeUndefined();
  });
});
