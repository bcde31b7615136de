import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeCrypto } from '../../../src/adapters/crypto/index.ts';
import { readKey } from '../../../src/adapters/scanner/key-reader.ts';
import { readKeyFile } from '../../../src/domain/identity/key-file.ts';
import { readLease } from '../../../src/domain/identity/lease.ts';
import { makeIdentity } from '../../helpers/keys.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { scanFolders } from '../scanner/scan-folder.ts';
import { FUZZ_TIMEOUT_MS, fuzz, mutationsOf, oddJson } from './support/fuzz.ts';

const identities = [makeIdentity(), makeIdentity()];
const [first, second] = identities as [(typeof identities)[0], (typeof identities)[0]];
const wholeKeys = identities.flatMap(({ keyFile }) => [keyFile, keyFile.toUpperCase()]);
/** Eight digits of a private half anywhere are a piece of it. */
const pieces = identities.flatMap(({ keyFile }) =>
  Array.from({ length: 57 }, (_, at) => keyFile.slice(at, at + 8)),
);

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Keys as editors, copying and broken disks leave them. */
const contents: fc.Arbitrary<Buffer> = fc.oneof(
  fc.constantFrom(...wholeKeys).map(bytesOf),
  // Cut, put together from two, doubled.
  fc.tuple(fc.constantFrom(...wholeKeys), fc.nat(140)).map(([key, at]) => bytesOf(key.slice(0, at))),
  fc.constantFrom(first.keyFile.slice(0, 64) + second.smesherId, first.keyFile + second.keyFile).map(bytesOf),
  // One place that is something else.
  fc
    .tuple(
      fc.constantFrom(...wholeKeys),
      fc.nat(128),
      fc.nat(3),
      fc.constantFrom('\0', '\n', '\r\n', ' ', '\t', 'g', '0x', '\x80', '\u00a0', '"', '\x1b[31m'),
    )
    .map(([key, at, gone, put]) => bytesOf(key.slice(0, at) + put + key.slice(at + gone))),
  // As Windows writes it.
  fc
    .tuple(fc.constantFrom(...wholeKeys), fc.constantFrom('utf8', 'utf16le'), fc.boolean())
    .map(([key, encoding, mark]) => Buffer.from(`${mark ? '\uFEFF' : ''}${key}\r\n`, encoding as 'utf8')),
  // Digits of other scripts, which some readers take for digits.
  fc.constantFrom('١', '१', '𝟙', 'ｆ').map((digit) => Buffer.from(digit.repeat(64), 'utf8')),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.nat(1_000_000).map((length) => Buffer.alloc(length, 'a')),
);

function expectNoPiece(shown: string): void {
  const lower = shown.toLowerCase();
  for (const piece of pieces)
    if (lower.includes(piece)) throw new Error(`shows ${piece}: ${shown.slice(0, 200)}`);
}

describe('a key file, whatever stands in it', () => {
  it('is a key, or mended by one line break, or refused without a word of it', {
    timeout: FUZZ_TIMEOUT_MS,
  }, () => {
    fc.assert(
      fc.property(contents, (content) => {
        const reading = readKeyFile(content, nodeCrypto.publicKeyOfSeed);
        expectNoPiece(inspect(reading, { depth: 9 }) + JSON.stringify(reading) + String(reading));
        if (reading.kind === 'malformed') return;
        const { smesherId, privateKey } = reading;
        const known = identities.find((identity) => identity.smesherId === smesherId);
        expect(known?.keyFile).toBe(privateKey.revealForKeyFile().toLowerCase());
        const text = content.toString('latin1');
        const rest = text.slice(128);
        expect(text.slice(0, 128)).toBe(privateKey.revealForKeyFile());
        expect(reading.kind === 'valid' ? [''] : ['\n', '\r\n']).toContain(rest);
      }),
      fuzz(800),
    );
  });

  it('on a disk is read or refused in the same way', { timeout: FUZZ_TIMEOUT_MS }, () => {
    const folder = tempFolder('fuzz-keys');
    const path = join(folder, 'identity.key');
    fc.assert(
      fc.property(contents, (content) => {
        writeFileSync(path, content);
        const reading = readKey(path, 'beside-data', nodeCrypto);
        expectNoPiece(JSON.stringify(reading));
        if (reading.kind !== 'read') throw new Error(reading.code);
        const judged = readKeyFile(content, nodeCrypto.publicKeyOfSeed);
        const id = judged.kind === 'malformed' ? undefined : judged.smesherId;
        expect(reading.key.smesherId).toBe(id);
        expect(reading.key.fault === undefined).toBe(judged.kind === 'valid');
      }),
      fuzz(300),
    );
    // What stays behind is put on record by its name only when it is whole.
    writeFileSync(path, '');
  });

  it('in a folder that is scanned shows nothing of it', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    const odd = fc.tuple(
      contents,
      fc.oneof(
        oddJson.map((value) => JSON.stringify(value)),
        fc.string(),
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(odd, { minLength: 1, maxLength: 6 }), async (directories) => {
        const root = tempFolder('fuzz-scan');
        for (const [index, [key, metadata]] of directories.entries()) {
          const path = join(root, `post${index}`);
          mkdirSync(path);
          writeFileSync(join(path, 'identity.key'), key);
          writeFileSync(join(path, 'postdata_metadata.json'), metadata);
        }
        const report = await scanFolders([root]);
        expectNoPiece(report.shown);
        for (const { verdict } of report.directories) expect(verdict).not.toBe('ready');
      }),
      fuzz(25),
    );
  });
});

describe('a lease beside a key, whatever stands in it', () => {
  const lease = {
    schemaVersion: 1,
    smesherId: first.smesherId,
    state: 'released',
    host: { id: 'a', name: 'b', cards: ['c'] },
    project: { name: 'p', directory: '/srv/smesh' },
    nodeData: '/srv/smesh/node-data',
    folder: { device: 1, inode: 2 },
    createdAt: '2026-11-20T12:00:00Z',
    renewedAt: '2026-11-20T12:00:00Z',
    tool: '0.1.0',
  };

  it('is read as it is or not known: never takes a damaged one for a free key', {
    timeout: FUZZ_TIMEOUT_MS,
  }, () => {
    const texts = fc.oneof(
      mutationsOf(lease).map((value) => JSON.stringify(value) ?? ''),
      fc.nat(400).map((at) => JSON.stringify(lease).slice(0, at)),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const reading = readLease(text);
        if (reading.kind === 'unknown') return;
        const written = JSON.parse(text) as Record<string, unknown>;
        expect(reading.lease.state).toBe(written['state']);
        expect(reading.lease.host).toMatchObject({ id: (written['host'] as { id: string }).id });
        expect(reading.lease.smesherId).toMatch(/^[0-9a-f]{64}$/);
      }),
      fuzz(1500),
    );
  });
});
