import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookAtMetadata } from '../../../src/domain/post/data-access.ts';
import { readMetadata } from '../../../src/domain/post/metadata.ts';
import { FUZZ_TIMEOUT_MS, fuzz, mutationsOf, oddJson } from './support/fuzz.ts';

const valid = {
  NodeId: Buffer.alloc(32, 7).toString('base64'),
  CommitmentAtxId: Buffer.alloc(32, 9).toString('base64'),
  LabelsPerUnit: 4_294_967_296,
  NumUnits: 4,
  MaxFileSize: 4_294_967_296,
  Nonce: 12,
  NonceValue: '00'.repeat(16),
  LastPosition: null,
};

/** The form in which whole numbers are kept apart from text while the file is read. */
const DIGITS = ['', 'x', '4', '0x10', '-1', ' 1', '9'.repeat(30)].map((digits) => ({ digits }));

/** What people and broken disks make of the file. */
const texts = fc.oneof(
  mutationsOf(valid, fc.oneof(oddJson, fc.constantFrom(...DIGITS))).map(
    (value) => JSON.stringify(value) ?? '',
  ),
  oddJson.map((value) => JSON.stringify(value) ?? ''),
  fc.string({ unit: 'binary' }),
  fc.nat(200).map((at) => JSON.stringify(valid).slice(0, at)),
  fc.nat(20_000).map((length) => `{"Nonce": ${'9'.repeat(length)}}`),
  fc.nat(20_000).map((depth) => '['.repeat(depth)),
);

describe('postdata_metadata.json, whatever stands in it', () => {
  it('is read whole or refused in words', { timeout: FUZZ_TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(texts, (text) => {
        const reading = readMetadata(text);
        if (reading.kind === 'malformed') {
          expect(reading.reasons.length).toBeGreaterThan(0);
          for (const reason of reading.reasons) expect(reason.length).toBeLessThan(300);
          return;
        }
        const { smesherId, commitmentAtx, labelsPerUnit, units, maxFileSize } = reading.metadata;
        expect(smesherId).toMatch(/^[0-9a-f]{64}$/);
        expect(commitmentAtx).toMatch(/^[0-9a-f]{64}$/);
        for (const number of [labelsPerUnit, units, maxFileSize, labelsPerUnit * units * 16]) {
          expect(Number.isSafeInteger(number) && number > 0).toBe(true);
        }
        // Nothing is made up: what was read stands in the file.
        expect(JSON.parse(text)).toMatchObject({ NumUnits: units, LabelsPerUnit: labelsPerUnit });
      }),
      fuzz(1500),
    );
  });

  it('never stops a look at the provers', { timeout: FUZZ_TIMEOUT_MS }, () => {
    fc.assert(
      fc.property(texts, (text) => {
        const look = lookAtMetadata(text);
        if (look.kind !== 'readable') return;
        if (look.smesherId !== undefined) expect(look.smesherId).toMatch(/^[0-9a-f]{64}$/);
        if (look.dataBytes !== undefined) {
          expect(Number.isSafeInteger(look.dataBytes) && look.dataBytes > 0).toBe(true);
        }
      }),
      fuzz(1500),
    );
  });
});
