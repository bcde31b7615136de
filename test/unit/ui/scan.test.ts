import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import type { Disk, ScannedDirectory, ScanReport, Verdict } from '../../../src/domain/post/types.ts';
import { describeDisk, renderScan } from '../../../src/ui/scan.ts';
import { textWidth } from '../../../src/ui/text.ts';

const TIB = 2 ** 40;

function directory(
  path: string,
  disk: string,
  verdict: Verdict,
  changes: Partial<ScannedDirectory> = {},
): ScannedDirectory {
  return {
    path,
    realPath: path,
    verdict,
    reasons: verdict === 'ready' ? [] : ['why'],
    next: 'What to do',
    notes: [],
    metadata: {
      smesherId: '62834bf0'.padEnd(64, '0') as SmesherId,
      commitmentAtx: '0'.repeat(64),
      labelsPerUnit: 2 ** 32,
      units: 36,
      maxFileSize: 2 ** 31,
    },
    files: {
      expected: 1,
      present: 1,
      bytes: 2.25 * TIB,
      expectedBytes: 1,
      wrongSized: [],
      surplus: [],
      missing: [],
    },
    hasNonce: true,
    key: { path: `${path}/identity.key`, where: 'beside-data', mode: 0o600 },
    owner: { uid: 0, gid: 0 },
    mode: 0o700,
    readable: true,
    disk,
    ...changes,
  };
}

const sda: Disk = {
  id: 'sda',
  kind: 'physical',
  members: ['sda'],
  rotational: true,
  sizeBytes: 16.4 * TIB,
  freeBytes: TIB,
  mountPoint: '/mnt/d1',
  fileSystem: 'ext4',
  uuid: 'aaaa-bbbb',
};
const nas: Disk = { id: 'nfs:nas:/export', kind: 'network', members: [], note: 'a network share' };

function report(directories: readonly ScannedDirectory[], changes: Partial<ScanReport> = {}): ScanReport {
  return {
    schemaVersion: 1,
    roots: ['/mnt'],
    directories,
    disks: [sda, nas],
    looseKeys: [],
    nodeFolders: [],
    skipped: [],
    elapsedMs: 412,
    ...changes,
  };
}

const plain = { columns: 100, color: false };

describe('renderScan', () => {
  it('groups by disk, counts, and says what to do with each that is not ready', () => {
    const text = renderScan(
      report([
        directory('/mnt/d1/post01', 'sda', 'ready'),
        directory('/mnt/d1/post02', 'sda', 'incomplete', {
          reasons: ['files 0–479 of 640 present'],
          next: 'It can be resumed:\npostcli -x 1',
        }),
        directory('/mnt/n/post03', 'nfs:nas:/export', 'key-missing', { key: undefined as never }),
      ]),
      plain,
    );
    expect(text).toBe(
      [
        '3 PoST directories on 2 disks: 1 ready, 1 incomplete, 1 blocked                     scanned in 0.4 s',
        '',
        'DISK              DIRECTORY       UNITS     SIZE  SMESHER   KEY           VERDICT',
        'sda 16.4 TiB hdd  /mnt/d1/post01     36  2.3 TiB  62834bf0  identity.key  ready',
        '                  /mnt/d1/post02     36  2.3 TiB  62834bf0  identity.key  incomplete',
        'nfs:nas:/export   /mnt/n/post03      36  2.3 TiB  62834bf0  none          no key',
        '',
        '/mnt/d1/post02   files 0–479 of 640 present. It can be resumed:',
        '                 postcli -x 1',
        '/mnt/n/post03    why. What to do',
        '',
        '· nfs:nas:/export: a network share',
      ].join('\n'),
    );
  });

  it('fits 100 columns whatever the paths, and no name commands the terminal', () => {
    const long = `/mnt/${'very-long-name-'.repeat(8)}/post\u001b[2J\nx`;
    const text = renderScan(
      report(
        [directory(long, 'sda', 'ready', { notes: ['a note'] }), directory('/数据/ポスト', 'sda', 'damaged')],
        {
          skipped: [{ path: '/\u0007', reason: 'EACCES' }],
        },
      ),
      plain,
    );
    for (const line of text.split('\n').slice(0, 5)) expect(textWidth(line)).toBeLessThanOrEqual(100);
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    expect(text).toContain('…');
  });

  it('colours only what words say already', () => {
    const scanned = report([directory('/a', 'sda', 'ready'), directory('/b', 'sda', 'duplicate')]);
    const colored = renderScan(scanned, { columns: 100, color: true });
    expect(colored).toContain('\u001b[32mready\u001b[39m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are taken out again
    expect(colored.replace(/\u001b\[\d+m/g, '')).toBe(renderScan(scanned, plain));
  });

  it('breaks a long command so that a shell still reads it as one', () => {
    const command = `printf '%s\\n' -datadir '/a path/with -dash and '\\''quote'\\''' -id ${'f'.repeat(64)} -n 1 -flag ${'a'.repeat(60)}`;
    const text = renderScan(
      report([directory('/a', 'sda', 'incomplete', { next: `Type:\n${command}` })]),
      plain,
    );
    const lines = text.split('\n');
    const start = lines.findIndex((line) => line.includes('printf'));
    const shown = lines.slice(start, lines.indexOf('', start)).join('\n');
    expect(shown.split('\n').length).toBeGreaterThan(1);
    const run = (script: string) => execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' });
    expect(run(shown)).toBe(run(command));
  });

  it('says the same note once for many, all of them with --verbose', () => {
    const many = Array.from({ length: 7 }, (_, index) =>
      directory(`/d${index}`, 'sda', 'ready', { notes: ['mode 0644'] }),
    );
    expect(renderScan(report(many), plain)).toContain('· /d0, /d1, /d2 and 4 more: mode 0644');
    const verbose = renderScan(report(many), { ...plain, verbose: true });
    expect(verbose).toContain('/d6: mode 0644');
    expect(verbose).toContain('62834bf0'.padEnd(64, '0'));
    expect(verbose).toContain('aaaa-bbbb');
  });

  it('says where it looked when nothing was found', () => {
    const text = renderScan(report([], { disks: [] }), plain);
    expect(text).toContain('No PoST directory found under /mnt.');
    expect(text).toContain('--depth');
  });
});

describe('describeDisk', () => {
  it('names members of what is more than one', () => {
    expect(describeDisk({ id: 'md0', kind: 'raid', members: ['sda', 'sdb'], sizeBytes: TIB })).toBe(
      'md0 (sda, sdb) 1 TiB',
    );
    expect(describeDisk({ id: 'nvme0n1', kind: 'physical', members: ['nvme0n1'], rotational: false })).toBe(
      'nvme0n1 ssd',
    );
  });
});
