import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readProofLog } from '../../../src/domain/proving/proof-log.ts';
import { hasLostItsData, judgeStop } from '../../../src/domain/proving/stop-risk.ts';
import { FUZZ_TIMEOUT_MS, fuzz } from './support/fuzz.ts';

const MESSAGES: readonly (readonly [target: string, message: string])[] = [
  ['post_service', 'POST network parameters: {}'],
  ['post_service::client', 'obtained metadata: PostMetadata {}'],
  ['post_service::client', 'disconnected: status: Unavailable'],
  ['post_service::service', 'starting proof generation for challenge 00'],
  ['post::prove', 'calculating proof of work for nonces 0..128'],
  ['post::prove', 'calculating proof of work for nonces 128..0'],
  ['post::prove', 'calculating proof of work for nonce group 99999999999999999999'],
  ['post::prove', 'proof of work for nonce group 3: 17'],
  ['post::prove', 'finished k2pow in 0m 7s'],
  ['post::prove', 'started reading POST data'],
  ['post::reader', 'Reading file: /post/postdata_7.bin'],
  ['post::prove', 'finished reading POST data in 0m 7s'],
  ['post::prove', 'finished reading POST data in 99999999999999999999m 7s'],
  ['post::prove', 'found proof for nonce: 46'],
  ['post_service::client', 'verifying proof'],
  ['post_service::client', 'proof is valid'],
  ['post_service::service', 'proof generation failed: x'],
  ['post_service::client', 'failed to generate proof: y'],
];

const times = fc.oneof(
  fc
    .integer({ min: 0, max: 10_000 })
    .map((s) => `${new Date(1_790_000_000_000 + s * 1000).toISOString().slice(0, 19)}Z`),
  fc.constantFrom('0000-00-00T00:00:00Z', '+275760-09-13T00:00:01Z', 'now', ''),
);

const lines = fc.array(
  fc.oneof(
    fc
      .tuple(times, fc.constantFrom(...MESSAGES))
      .map(([time, [target, message]]) => `[${time} INFO  ${target}] ${message}`),
    fc
      .tuple(times, fc.string({ unit: 'binary' }))
      .map(([time, text]) => `[${time} INFO  post::prove] ${text}`),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.nat(30_000).map((length) => `[${' '.repeat(length)}] ${'a '.repeat(length)}`),
  ),
  { maxLength: 40 },
);

describe("a post-service's log, whatever stands in it", () => {
  it('is read, and without a word of failures it is no reason to stop a proof', {
    timeout: FUZZ_TIMEOUT_MS,
  }, () => {
    fc.assert(
      fc.property(lines, fc.nat(2 ** 33), (written, dataBytes) => {
        const log = readProofLog(written);
        if (log.lastPassMs !== undefined) expect(log.lastPassMs).toBeGreaterThanOrEqual(0);
        if (log.groupsDone > 0) expect(written.join()).toContain('nonce group');
        const status = { kind: 'proving', nonces: { start: 0, end: 128 }, position: 0 } as const;
        const facts = {
          now: Date.now(),
          layerMs: 300_000,
          container: 'running',
          wanted: 'proving',
          node: 'settled',
        } as const;
        const risk = judgeStop({ ...facts, status, log, dataBytes });
        // Less than twenty gigabytes: no pass over them is too fast, and no line told of a file that cannot be read.
        expect(hasLostItsData(log, dataBytes)).toBe(false);
        expect(risk.safe).toBe(false);
      }),
      fuzz(600),
    );
  });
});
