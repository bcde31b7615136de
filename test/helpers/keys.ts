import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nodeCrypto } from '../../src/adapters/crypto/index.ts';
import { recordedKeysFile } from './places.ts';

/** A throw-away identity. Its private half is on record: no output of any test may contain it. */
export interface TestIdentity {
  /** 64 hex characters, the public half. */
  readonly smesherId: string;
  /** 128 hex characters, as a key file holds them: private half, then public half. */
  readonly keyFile: string;
}

/**
 * Makes an identity with a real Ed25519 key pair and puts its private half on record. The pair comes from a random
 * seed: exporting one from generateKeyPairSync hangs for ever on Node 20 when the garbage collector comes at that moment.
 */
export function makeIdentity(): TestIdentity {
  const seed = randomBytes(32);
  const privateHalf = seed.toString('hex');
  const smesherId = Buffer.from(nodeCrypto.publicKeyOfSeed(seed)).toString('hex');
  recordPrivateHalf(privateHalf);
  return { smesherId, keyFile: privateHalf + smesherId };
}

/** Key of a private network's PoET, base64. It stands in compose.yaml by design and is no identity: not on record. */
export function makePoetKey(): string {
  const seed = randomBytes(32);
  return Buffer.concat([seed, nodeCrypto.publicKeyOfSeed(seed)]).toString('base64');
}

/**
 * Puts a private half on record for `scripts/check-no-private-keys.ts`. One short append per key: safe across the
 * processes that the suites run in.
 */
export function recordPrivateHalf(privateHalf: string): void {
  if (!/^[0-9a-f]{64}$/i.test(privateHalf)) throw new Error('a private half has 64 hex characters');
  mkdirSync(dirname(recordedKeysFile), { recursive: true });
  appendFileSync(recordedKeysFile, `${privateHalf.toLowerCase()}\n`);
}

/** Records every key file in a folder: for keys that a program under test made by itself. */
export function recordKeyFiles(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.key(\.pending)?$|^key\.bin$/.test(entry.name)) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), 'latin1').trim();
    if (/^[0-9a-f]{128}$/i.test(text)) recordPrivateHalf(text.slice(0, 64));
  }
}

/** The key files of a node's `identities/`, sorted: what the node reads. Leases lie beside them. */
export function keyFilesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.key'))
    .sort();
}
