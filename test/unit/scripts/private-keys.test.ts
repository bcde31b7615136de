import { describe, expect, it } from 'vitest';
import { findLeaks, keyPieces } from '../../../scripts/lib/private-keys.ts';
import { makeIdentity } from '../../helpers/keys.ts';

describe('findLeaks', () => {
  const identity = makeIdentity();
  const half = identity.keyFile.slice(0, 64);
  const raw = Buffer.from(identity.keyFile, 'hex');
  const pieces = keyPieces([half, makeIdentity().keyFile.slice(0, 64)]);

  it.each([
    ['the whole key file', identity.keyFile, 'hex'],
    ['capital letters', half.toUpperCase(), 'hex'],
    ['a piece from its middle', `key=${half.slice(21, 40)}…`, 'hex'],
    ['the key in base64', raw.toString('base64'), 'base64'],
    ['the private half in url-safe base64', raw.subarray(0, 32).toString('base64url'), 'base64'],
    ['a buffer printed as JSON', JSON.stringify(raw), 'a list of bytes'],
    ['an array printed by inspect', `[ ${[...raw.subarray(3, 20)].join(', ')} ]`, 'a list of bytes'],
  ])('finds %s', (_, text, spelling) => {
    expect(findLeaks(`first line\n${text}\nlast line`, pieces)).toEqual([{ line: 2, spelling }]);
  });

  it('lets public halves, digests and too short pieces through', () => {
    const harmless = [
      identity.smesherId,
      raw.subarray(32).toString('base64'),
      half.slice(0, 15),
      '1,2,3,4,5,6,7,8,9',
    ];
    expect(findLeaks(harmless.join('\n'), pieces)).toEqual([]);
  });
});
