import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeCrypto } from '../../../src/adapters/crypto/index.ts';
import { readKeyFile } from '../../../src/domain/identity/key-file.ts';
import { makeIdentity } from '../../helpers/keys.ts';

const read = (text: string) => readKeyFile(Buffer.from(text, 'latin1'), nodeCrypto.publicKeyOfSeed);

describe('readKeyFile', () => {
  it('agrees with the known key pair of RFC 8032', () => {
    const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60';
    const id = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
    expect(read(seed + id)).toMatchObject({ kind: 'valid', smesherId: id });
    expect(read((seed + id).toUpperCase())).toMatchObject({ kind: 'valid', smesherId: id });
  });

  it('mends one line break at the end and nothing else', () => {
    const { keyFile, smesherId } = makeIdentity();
    for (const end of ['\n', '\r\n']) {
      const reading = read(keyFile + end);
      expect(reading).toMatchObject({ kind: 'repairable', smesherId });
      expect(reading.kind === 'repairable' && reading.privateKey.revealForKeyFile()).toBe(keyFile);
    }
    for (const text of [
      `${keyFile}\n\n`,
      `${keyFile} `,
      ` ${keyFile}`,
      `${keyFile}\r`,
      `0x${keyFile}`,
      `\n${keyFile}`,
    ]) {
      expect(read(text).kind).toBe('malformed');
    }
  });

  it("names the fault in the node's terms", () => {
    const { keyFile } = makeIdentity();
    const other = makeIdentity();
    const fault = (text: string) => {
      const reading = read(text);
      return reading.kind === 'valid' ? '' : reading.fault;
    };
    expect(fault(keyFile.slice(0, 90))).toContain('invalid key size 45/64');
    expect(fault('')).toContain('invalid key size 0/64');
    expect(fault(`${keyFile}\n`)).toContain('invalid byte: U+000A');
    expect(fault(`0x${keyFile}`)).toContain('invalid key size 65/64');
    expect(fault(`${keyFile.slice(0, 10)}g${keyFile.slice(11)}`)).toContain('character 11');
    expect(fault(keyFile.slice(0, 64) + other.smesherId)).toContain('private and public do not match');
  });

  it('never shows the private half, whatever is in the file and however it is printed', () => {
    const { keyFile } = makeIdentity();
    const half = keyFile.slice(0, 64);
    fc.assert(
      fc.property(
        fc.nat({ max: 128 }),
        fc.string({ maxLength: 4 }),
        fc.nat({ max: 4 }),
        (at, added, removed) => {
          const reading = read(keyFile.slice(0, at) + added + keyFile.slice(at + removed));
          const shown = [
            inspect(reading, { depth: 9, showHidden: true }),
            JSON.stringify(reading),
            'privateKey' in reading ? `${reading.privateKey}${String(reading.privateKey)}` : '',
          ].join();
          for (let start = 0; start + 8 <= half.length; start += 4) {
            expect(shown).not.toContain(half.slice(start, start + 8));
          }
        },
      ),
    );
  });
});
