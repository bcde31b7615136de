import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMetadata } from '../../../src/domain/post/metadata.ts';
import { networkOf } from '../../../src/domain/post/network.ts';

const NODE_ID = Buffer.alloc(32, 0xab);
const ATX = Buffer.alloc(32, 1);
const fields = {
  NodeId: NODE_ID.toString('base64'),
  CommitmentAtxId: ATX.toString('base64'),
  LabelsPerUnit: 4294967296,
  NumUnits: 36,
  MaxFileSize: 2147483648,
};
const textOf = (changes: Record<string, unknown> = {}) =>
  JSON.stringify({ ...fields, ...changes }, null, '\t');
const reasonsOf = (text: string) => {
  const reading = readMetadata(text);
  return reading.kind === 'malformed' ? reading.reasons : [];
};

describe('readMetadata', () => {
  it('reads what postcli writes, numbers exactly', () => {
    const text = textOf({ NonceValue: '006DCAD2948C3673A667162F27CE5885' }).replace(
      /\n\}$/,
      ',\n\t"Nonce": 18446744073709551615,\n\t"LastPosition": 9007199254740993\n}',
    );
    expect(readMetadata(text)).toEqual({
      kind: 'read',
      metadata: {
        smesherId: NODE_ID.toString('hex'),
        commitmentAtx: ATX.toString('hex'),
        labelsPerUnit: 4294967296,
        units: 36,
        maxFileSize: 2147483648,
        nonce: 18446744073709551615n,
        nonceValue: '006dcad2948c3673a667162f27ce5885',
        lastPosition: 9007199254740993n,
      },
    });
  });

  it('ignores fields of later versions and absent optional ones', () => {
    expect(readMetadata(textOf({ Version: 3, Nonce: null, Nested: { Nonce: 'x' } }))).toMatchObject({
      kind: 'read',
    });
  });

  it.each([
    ['NodeId', 'c2hvcnQ=', 'NodeId is not base64 of 32 bytes'],
    ['CommitmentAtxId', undefined, 'CommitmentAtxId is missing'],
    ['LabelsPerUnit', 0, 'LabelsPerUnit is not more than 0'],
    ['NumUnits', '36', 'NumUnits is not a whole number'],
    ['NumUnits', 1.5, 'NumUnits is not a whole number'],
    ['NumUnits', -1, 'NumUnits is not a whole number'],
    ['NumUnits', 4294967296, 'NumUnits is not a whole number up to 4294967295'],
    ['MaxFileSize', 15, 'MaxFileSize 15 holds no label'],
    ['NonceValue', 'zz', 'NonceValue is not 32 hex digits'],
    ['Nonce', 'x', 'Nonce is not a whole number'],
  ])('refuses %s %s', (field, value, reason) => {
    expect(reasonsOf(textOf({ [field]: value })).join()).toContain(reason);
  });

  it('names all faults at once, and what is no JSON', () => {
    expect(reasonsOf('{}')).toHaveLength(5);
    expect(reasonsOf('')).toEqual(['postdata_metadata.json is empty']);
    expect(reasonsOf('{"NodeId": ')).toEqual(['postdata_metadata.json is not JSON']);
    expect(reasonsOf('[]')).toEqual(['postdata_metadata.json is not a JSON object']);
    expect(reasonsOf(textOf({ NumUnits: 4294967295 })).join()).toContain('beyond any disk');
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(['read', 'malformed']).toContain(readMetadata(text).kind);
      }),
    );
  });
});

describe('networkOf', () => {
  it.each([
    [4294967296, 4, 'mainnet'],
    [1024, 2, 'testnet'],
    [64, 1, 'standalone'],
    [128, 2, 'unknown'],
    [4294967296, 3, 'unknown'],
  ])('S11: %d labels per unit and %d units are %s', (labelsPerUnit, units, network) => {
    const reading = readMetadata(textOf({ LabelsPerUnit: labelsPerUnit, NumUnits: units }));
    if (reading.kind !== 'read') throw new Error('not read');
    const answer = networkOf(reading.metadata);
    expect(answer.network).toBe(network);
    expect(answer.note === undefined).toBe(network !== 'unknown');
  });
});
