import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateHybridIdentity, generateIdentity, identityToRecipient } from 'age-encryption';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recipientFault } from '../../../src/domain/backup/age-recipient.ts';
import { databaseFault } from '../../../src/domain/backup/check-entry.ts';
import type { BackupEntry, Contents } from '../../../src/domain/backup/contents.ts';
import { BACKUP_REASONS, backupFileName, parseBackupName } from '../../../src/domain/backup/file-name.ts';
import { judgeOldDatabase } from '../../../src/domain/backup/old-database.ts';
import { Passphrase, passphraseFault, passphraseInFile } from '../../../src/domain/backup/passphrase.ts';
import { targetOf } from '../../../src/domain/backup/restore-targets.ts';
import { superseded } from '../../../src/domain/backup/retention.ts';
import { readTar } from '../../../src/domain/backup/tar-reader.ts';
import { tarHeader, tarOf } from '../../../src/domain/doctor/tar.ts';
import { defaultPoet, MAINNET } from '../../../src/domain/node/networks.ts';
import { epochClock } from '../../../src/domain/poet/epochs.ts';
import { parseProject } from '../../../src/domain/project/parse.ts';
import { EXAMPLE_PROJECTS } from '../../fixtures/example-projects.ts';
import { tempFolder } from '../../helpers/temp.ts';

describe('names of backups', () => {
  const names = fc.record({
    project: fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,40}$/),
    at: fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1000),
    reason: fc.constantFrom(...BACKUP_REASONS),
    encrypted: fc.boolean(),
    number: fc.integer({ min: 1, max: 30 }),
  });

  it('are read as they were written, and nothing else is', () => {
    fc.assert(
      fc.property(names, (name) => {
        expect(parseBackupName(backupFileName(name))).toEqual(name);
      }),
    );
    for (const other of [
      'farm.tar',
      'farm-20261301T000000Z-manual.smesh-backup.age',
      'farm-20261116T120000Z-manual-1.smesh-backup.age',
    ])
      expect(parseBackupName(other)).toBeUndefined();
  });

  it('tell which may go: never the newest, never those of others, by hand and automatic ones apart', () => {
    const file = (day: number, reason: (typeof BACKUP_REASONS)[number], project = 'farm', encrypted = true) =>
      backupFileName({ project, at: Date.UTC(2026, 10, day), reason, encrypted, number: 1 });
    const files = [
      ...[1, 2, 3].map((day) => file(day, 'manual')),
      ...[4, 5, 6].map((day) => file(day, 'keys')),
      file(7, 'upgrade', 'farm', false),
      file(1, 'manual', 'farm-2'),
      'notes.txt',
      'local.sql',
    ];
    expect(superseded(files, 'farm', 2)).toEqual([file(4, 'keys'), file(1, 'manual')]);
    // In the order in which they were made, whatever the clock said.
    expect(superseded([file(9, 'manual'), file(1, 'manual')], 'farm', 1)).toEqual([file(9, 'manual')]);
    expect(superseded(files, 'farm', 1)).toHaveLength(4);
    expect(superseded(files, 'farm', 10)).toEqual([]);
    fc.assert(
      fc.property(fc.array(names), fc.integer({ min: 1, max: 3 }), (all, keep) => {
        const written = [...new Set(all.map(backupFileName))];
        for (const project of new Set(all.map((name) => name.project))) {
          const gone = superseded(written, project, keep);
          for (const name of gone) expect(parseBackupName(name)?.project).toBe(project);
          const own = written.filter((name) => parseBackupName(name)?.project === project);
          expect(own.length - gone.length).toBeGreaterThanOrEqual(1);
        }
      }),
    );
  });
});

describe('smesh.yaml, backup', () => {
  const text = (settings: string) => `${EXAMPLE_PROJECTS['mainnet']}${settings}\n`;
  const faults = (settings: string) => {
    const result = parseProject(text(settings), { directory: '/srv/smesh' });
    return result.ok
      ? []
      : result.diagnostics.map(({ line, message, path }) => `${line}: ${path}: ${message}`);
  };

  it('takes age keys of both kinds, folders, and a number', async () => {
    const recipients = await Promise.all([
      generateIdentity().then(identityToRecipient),
      generateHybridIdentity().then(identityToRecipient),
    ]);
    const result = parseProject(
      text(`backup: {to: [/mnt/usb, copies], recipients: [${recipients}], keep: 5}`),
      {
        directory: '/srv/smesh',
      },
    );
    expect(result).toMatchObject({
      ok: true,
      project: { backup: { to: ['/mnt/usb', '/srv/smesh/copies'], recipients, keep: 5 } },
    });
  });

  it('names the line of what cannot be', async () => {
    const identity = await generateIdentity();
    const recipient = await identityToRecipient(identity);
    expect(faults('backup: {recipients: [age1abc]}')[0]).toMatch(/^\d+: backup.recipients\[0\]: .*mistake/);
    expect(
      faults(`backup: {recipients: [${recipient.slice(0, -1)}${recipient.endsWith('q') ? 'p' : 'q'}]}`)[0],
    ).toContain('mistake');
    const secret = faults(`backup: {recipients: [${identity}]}`)[0];
    expect(secret).toContain('secret key');
    expect(secret).not.toContain(identity);
    expect(faults('backup: {to: []}')[0]).toContain('is empty');
    expect(faults('backup: {keep: 0}')[0]).toContain('not a whole number');
    expect(faults('backup: {where: /mnt}')[0]).toContain('unknown key');
    expect(faults('backup: {to: [/mnt/d1/post0001/copies]}')[0]).toContain('PoST directory of post-0001');
    expect(faults('backup: {to: [/mnt/a, /mnt/a/]}')[0]).toContain('named twice');
  });

  it('knows recipients of plugins as such', () => {
    expect(recipientFault('ssh-ed25519 AAAA')).toContain('age1');
  });
});

describe('archives', () => {
  async function* inPieces(bytes: Uint8Array, size: number) {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }

  it('are read as they come, whether their content is read or not', async () => {
    const entries = [1, 0, 511, 512, 513, 5000].map((size, index) => ({
      path: `file-${index}`,
      content: new Uint8Array(size).fill(index + 1),
    }));
    const archive = tarOf(entries, 1_700_000_000);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 7000 }),
        fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
        async (size, reads) => {
          const found: string[] = [];
          for await (const file of readTar(inPieces(archive, size))) {
            const entry = entries[found.length];
            expect([file.path, file.size]).toEqual([entry?.path, entry?.content.length]);
            for await (const piece of file.content()) {
              expect(piece.every((byte) => byte === found.length + 1)).toBe(true);
              if (reads[found.length] === true) break;
            }
            found.push(file.path);
          }
          expect(found).toHaveLength(entries.length);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('of more than 8 GiB are understood by tar', () => {
    const folder = tempFolder('tar');
    writeFileSync(join(folder, 'large.tar'), tarHeader('state.sql', 300 * 2 ** 30 + 7, 0));
    const listed = execFileSync('sh', ['-c', 'tar -tvf large.tar 2>/dev/null || true'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(listed).toContain(String(300 * 2 ** 30 + 7));
  });
});

describe('an old local.sql', () => {
  const clock = epochClock(MAINNET, defaultPoet(MAINNET));
  const HOUR = 3_600_000;
  // spacemesh.md §12: the gap of epoch 87 is 22 November 2026, 20:00 UTC to 08:00; the epoch ends on the 27th, 08:00.
  const opens = Date.UTC(2026, 10, 22, 20);
  const ends = Date.UTC(2026, 10, 27, 8);

  it.each([
    ['before the gap', opens - 48 * HOUR, opens - 1, 'current'],
    ['as the gap opens', opens - 48 * HOUR, opens, 'published-since'],
    ['both in the gap', opens + HOUR, opens + 2 * HOUR, 'published-since'],
    ['made in the gap, after the epoch', opens + HOUR, ends + 5 * HOUR, 'published-since'],
    ['made after the epoch', ends, ends + 100 * HOUR, 'current'],
    ['made after the epoch, in the next gap', ends, opens + 14 * 24 * HOUR, 'published-since'],
    ['years later', ends, opens + 800 * 24 * HOUR, 'published-since'],
    ['of the future', opens - HOUR, opens - 2 * HOUR, 'clock'],
  ])('%s', (_, madeAt, now, kind) => {
    expect(judgeOldDatabase(clock, madeAt, now).kind).toBe(kind);
  });

  it('once too old it stays too old', () => {
    const times = fc.integer({ min: opens - 10 * 14 * 24 * HOUR, max: ends + 10 * 14 * 24 * HOUR });
    fc.assert(
      fc.property(times, times, times, (a, b, c) => {
        const [madeAt = 0, now = 0, later = 0] = [a, b, c].sort((x, y) => x - y);
        if (judgeOldDatabase(clock, madeAt, now).kind === 'published-since')
          expect(judgeOldDatabase(clock, madeAt, later).kind).toBe('published-since');
      }),
    );
  });
});

describe('what a list of contents may name', () => {
  const contents = { directory: '/srv/farm', nodeData: '/data/node' } as Contents;
  const places = { directory: '/new', nodeData: '/new/node-data' };
  const target = (kind: BackupEntry['kind'], origin: string) =>
    targetOf({ kind, origin } as BackupEntry, contents, places);

  it('goes to its place, and nothing goes anywhere else', () => {
    expect(target('key', '/data/node/identities/post-0001.key')).toBe(
      '/new/node-data/identities/post-0001.key',
    );
    expect(target('project', '/srv/farm/node/config.json')).toBe('/new/node/config.json');
    for (const [kind, origin] of [
      ['key', '/data/node/identities/../../etc/x.key'],
      ['key', '/data/node/identities/..'],
      ['key', '/data/node/local.sql'],
      ['key', '/data/node2/identities/a.key'],
      ['project', '/srv/farm/../.ssh/authorized_keys'],
      ['project', '/srv/farm/.bashrc'],
      ['project', '/etc/passwd'],
      ['database', '/data/node/identities/local.sql'],
      ['lease', '/data/node/identities/a.key'],
      ['p2p', '/data/node/p2p/../x'],
      ['history', '/srv/farm/.smesh/journal/current.json'],
      ['data-key', '/data/node/identities/a.key'],
    ] as const)
      expect(target(kind, origin), origin).toBeUndefined();
  });
});

describe('passphrases', () => {
  it('print as nothing that could be used, and short ones are refused', () => {
    const passphrase = new Passphrase('correct horse battery');
    for (const text of [String(passphrase), `${passphrase}`, JSON.stringify({ passphrase })])
      expect(text).not.toContain('horse');
    expect(passphraseFault('eleven char')).toContain('11 characters');
    expect(passphraseFault('            ')).toContain('empty');
    expect(passphraseFault('twelve chars')).toBeUndefined();
    expect(passphraseInFile('a b \r\nmore')).toBe('a b ');
  });
});

it('a database in a backup that is another one is found out by its first page', () => {
  const folder = tempFolder('page');
  const path = join(folder, 'a.sql');
  execFileSync(
    process.execPath,
    [
      '-e',
      `const D = require('libsql'); const d = new D(${JSON.stringify(path)}); d.exec('PRAGMA user_version = 9; CREATE TABLE a (b)'); d.close();`,
    ],
    { cwd: new URL('.', import.meta.url).pathname },
  );
  const bytes = readFileSync(path);
  const entry = { userVersion: 9, size: bytes.length } as BackupEntry;
  expect(databaseFault(entry, bytes.subarray(0, 100))).toBeUndefined();
  expect(databaseFault({ ...entry, userVersion: 8 }, bytes.subarray(0, 100))).toContain('version 9');
  expect(databaseFault({ ...entry, size: bytes.length * 2 }, bytes.subarray(0, 100))).toContain('pages');
  expect(databaseFault(entry, Buffer.from('text'))).toContain('no SQLite database');
});
