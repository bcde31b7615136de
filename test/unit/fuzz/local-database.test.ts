import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import { createLocalDatabase } from '../../../src/adapters/sqlite/index.ts';
import { createDatabaseShape } from '../../../src/adapters/sqlite/shape.ts';
import { createDatabaseVersion } from '../../../src/adapters/sqlite/user-version.ts';
import type { LocalDatabaseFacts } from '../../../src/ports/local-database.ts';
import { tempFolder } from '../../helpers/temp.ts';
import { FUZZ_TIMEOUT_MS, fuzz, runsOf } from './support/fuzz.ts';

const SCHEMA = `
  PRAGMA user_version = 9;
  CREATE TABLE post (id);
  CREATE TABLE challenge (id, epoch, poet_proof_ref);
  CREATE TABLE poet_registration (id, address, round_id, round_end);
  CREATE TABLE nipost (id);`;

const hexBytes = (bytes: Uint8Array) => `x'${Buffer.from(bytes).toString('hex')}'`;
const ids = fc.oneof(
  { arbitrary: fc.nat(2).map((byte) => hexBytes(Buffer.alloc(32, byte))), weight: 30 },
  fc.uint8Array({ maxLength: 40 }).map(hexBytes),
  fc.constantFrom('NULL', '1', "'text'", "x''"),
);
const cells = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 100 }).map(String), weight: 8 },
  fc.constantFrom(
    'NULL',
    '-1',
    '9223372036854775807',
    '-9223372036854775808',
    '1.5',
    '1e308',
    "'7'",
    "'x'",
    "''",
    "x'00'",
  ),
  fc.constantFrom('9007199254740993', "'1700000000'", "'\u202e'"),
);
const rows = fc.array(
  fc.oneof(
    ids.map((id) => `INSERT INTO post VALUES (${id});`),
    ids.map((id) => `INSERT INTO nipost VALUES (${id});`),
    fc.tuple(ids, cells, cells).map((row) => `INSERT INTO challenge VALUES (${row.join(',')});`),
    fc
      .tuple(ids, cells, cells, cells)
      .map((row) => `INSERT INTO poet_registration VALUES (${row.join(',')});`),
  ),
  { maxLength: 8 },
);

function expectFacts(facts: LocalDatabaseFacts): void {
  if (facts.kind === 'unknown') expect(facts.reason.length).toBeGreaterThan(0);
  if (facts.kind !== 'read') return;
  expect(Number.isSafeInteger(facts.userVersion)).toBe(true);
  for (const { smesherId, challenge, registrations } of facts.identities) {
    expect(smesherId).toMatch(/^[0-9a-f]{64}$/);
    if (challenge !== undefined) expect(Number.isSafeInteger(challenge.publishEpoch)).toBe(true);
    for (const { roundEnd, roundId } of registrations) {
      expect(Number.isSafeInteger(roundEnd)).toBe(true);
      expect(roundId).toBeTypeOf('string');
    }
  }
}

/** A sound database of a few pages, with and without a log beside it. */
function soundDatabase(folder: string, wal: boolean): string {
  const path = join(folder, 'sound.sql');
  const writer = new Database(path);
  if (wal) writer.pragma('journal_mode = wal');
  writer.exec(SCHEMA);
  for (let byte = 0; byte < 60; byte += 1) {
    const id = hexBytes(Buffer.alloc(32, byte));
    writer.exec(`INSERT INTO post VALUES (${id}); INSERT INTO challenge VALUES (${id}, 3, NULL);`);
    writer.exec(`INSERT INTO poet_registration VALUES (${id}, 'http://poet', '3', 1700000000);`);
  }
  if (wal) for (const ending of ['', '-wal']) copyFileSync(path + ending, join(folder, `live.sql${ending}`));
  writer.close();
  return wal ? join(folder, 'live.sql') : path;
}

describe("a node's database, whatever is in it", () => {
  const database = createLocalDatabase();
  const version = createDatabaseVersion();
  const shape = createDatabaseShape();

  it('is read whole or not known', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    const folder = tempFolder('fuzz-sql');
    let read = 0;
    let number = 0;
    await fc.assert(
      fc.asyncProperty(rows, async (inserts) => {
        number += 1;
        const path = join(folder, `${number}.sql`);
        const writer = new Database(path);
        writer.exec(`BEGIN; ${SCHEMA} ${inserts.join('\n')} COMMIT;`);
        writer.close();
        const facts = await database.read(path);
        expectFacts(facts);
        if (facts.kind === 'read') read += 1;
      }),
      fuzz(40),
    );
    expect(read).toBeGreaterThan(runsOf(40) / 20);
  });

  it('is damaged without ending anything', { timeout: FUZZ_TIMEOUT_MS }, async () => {
    const folder = tempFolder('fuzz-sql');
    const sound = [false, true].map((wal) => {
      const path = soundDatabase(tempFolder('fuzz-sql'), wal);
      return { main: readFileSync(path), log: wal ? readFileSync(`${path}-wal`) : undefined };
    });
    const schema = sound[0]?.main.indexOf('CREATE TABLE') ?? 0;
    const damage = fc.oneof(
      fc.tuple(fc.integer({ min: schema - 200, max: schema + 400 }), fc.constant(Uint8Array.of(0xff))),
      fc.tuple(fc.nat(200), fc.uint8Array({ minLength: 1, maxLength: 8 })),
      fc.tuple(fc.nat(40_000), fc.uint8Array({ minLength: 1, maxLength: 60 })),
    );
    const cases = fc.record({
      which: fc.constantFrom(...sound),
      damages: fc.array(damage, { minLength: 1, maxLength: 4 }),
      inLog: fc.boolean(),
      length: fc.oneof({ arbitrary: fc.constant(undefined), weight: 3 }, fc.nat(60_000)),
    });
    let number = 0;
    await fc.assert(
      fc.asyncProperty(cases, async ({ which, damages, inLog, length }) => {
        number += 1;
        const path = join(folder, `${number}.sql`);
        const hit = (bytes: Buffer): Buffer => {
          const copy = Buffer.from(bytes);
          for (const [at, put] of damages)
            copy.set(put.subarray(0, Math.max(0, copy.length - at)), Math.min(at, copy.length));
          return copy.subarray(0, length ?? copy.length);
        };
        writeFileSync(path, inLog && which.log !== undefined ? which.main : hit(which.main));
        if (which.log !== undefined) writeFileSync(`${path}-wal`, inLog ? hit(which.log) : which.log);
        expectFacts(await database.read(path));
        expect(['read', 'unknown']).toContain((await version.read(path)).kind);
        expect(['read', 'unknown']).toContain((await shape.shape(path)).kind);
      }),
      fuzz(50),
    );
  });
});
