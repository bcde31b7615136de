import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DOCTOR_CODES, type DoctorCode, renderCodeTable } from '../../../src/domain/doctor/codes.ts';
import { doctorExitCode, finding, inReportOrder } from '../../../src/domain/doctor/finding.ts';
import { tarOf } from '../../../src/domain/doctor/tar.ts';
import { renderDoctor } from '../../../src/ui/doctor.ts';
import { doctorDocument } from '../../../src/ui/doctor-json.ts';
import { root } from '../../helpers/places.ts';
import { tempFolder } from '../../helpers/temp.ts';

const any = (code: DoctorCode) => finding(code, { message: 'm', evidence: 'e' });

describe('exit code', () => {
  it('is 0 up to warnings, 3 with an error, 4 without engine or Compose', () => {
    expect(doctorExitCode([any('host-ok'), any('engine-snap'), any('clock-unknown')])).toBe(0);
    expect(doctorExitCode([any('disk-missing')])).toBe(3);
    expect(doctorExitCode([any('disk-missing'), any('engine-unusable')])).toBe(4);
    expect(doctorExitCode([any('compose-unusable')])).toBe(4);
  });
});

describe('the guide', () => {
  const guide = readFileSync(join(root, 'docs/guide/doctor.md'), 'utf8');

  it('has the table of codes as the program knows them', () => {
    expect(guide).toContain(renderCodeTable());
  });
});

it('every code with something to do has a sentence that says what it means', () => {
  for (const [code, { meaning }] of Object.entries(DOCTOR_CODES)) {
    expect(code).toMatch(/^[a-z][a-z-]+$/);
    expect(meaning.length).toBeGreaterThan(15);
    expect(meaning).not.toMatch(/[|.]$/);
  }
});

describe('text', () => {
  const findings = inReportOrder([
    any('host-ok'),
    finding('poet-phase-shift', {
      subject: 'https://p',
      message: 'This PoET has another phase shift than the project',
      evidence: 'server 264 h, project 240 h',
      remedy: 'Edit it there and then do the other thing, which is quite long indeed: smesh-compose plan',
    }),
    any('engine-no-live-restore'),
  ]);

  it('puts what is wrong first, with what was seen and what to type, within the width', () => {
    const lines = renderDoctor({ directory: '/srv/smesh', findings }, { columns: 100, color: false });
    expect(lines[2]).toBe('error    poet     https://p: This PoET has another phase shift than the project');
    expect(lines[3]).toBe('                  seen: server 264 h, project 240 h [poet-phase-shift]');
    expect(lines[5]).toBe('                    smesh-compose plan');
    expect(lines.findIndex((line) => line.startsWith('ok '))).toBeGreaterThan(
      lines.findIndex((line) => line.startsWith('info ')),
    );
    expect(lines.at(-1)).toBe('1 error, 1 note. What a code means: docs/guide/doctor.md');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('lets no name command the terminal', () => {
    const evil = finding('disk-missing', {
      subject: 'a\x1b[2Jb',
      message: 'm\x07',
      evidence: 'e\x1b]0;x',
      remedy: 'r\x1b[1A',
    });
    const text = renderDoctor(
      { directory: '/\x1b[0m', findings: [evil] },
      { columns: 80, color: false },
    ).join('');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(text).not.toMatch(/[\x00-\x1f]/);
  });

  it('has every field in JSON', () => {
    const document = doctorDocument({ at: 0, exitCode: 3, toolVersion: '1', directory: '/d', findings });
    expect(document).toMatchObject({
      schemaVersion: 1,
      project: null,
      counts: { ok: 1, info: 1, warning: 0, error: 1 },
      exitCode: 3,
    });
    for (const found of document['findings'] as object[]) {
      expect(Object.keys(found)).toEqual([
        'code',
        'severity',
        'area',
        'subject',
        'message',
        'evidence',
        'measured',
        'remedy',
      ]);
    }
  });
});

describe('tarOf', () => {
  it('makes what tar unpacks: names, contents of any length, modes', () => {
    const folder = tempFolder('tar');
    const entries = [0, 1, 511, 512, 513, 70_000].map((length) => ({
      path: `a/b/${length}.bin`,
      content: Uint8Array.from({ length }, (_, index) => index % 251),
    }));
    writeFileSync(join(folder, 'x.tar'), tarOf(entries, 1_795_230_000.9));
    mkdirSync(join(folder, 'out'));
    execFileSync('tar', ['-xf', '../x.tar'], { cwd: join(folder, 'out') });
    for (const { path, content } of entries) {
      const file = join(folder, 'out', path);
      expect(readFileSync(file).equals(Buffer.from(content)), path).toBe(true);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(statSync(file).mtimeMs).toBe(1_795_230_000_000);
    }
  });

  it('refuses names that lead out of the folder, or do not fit', () => {
    for (const path of ['/a', '../a', 'a/../b', 'ä', '', 'a'.repeat(101)]) {
      expect(() => tarOf([{ path, content: new Uint8Array() }], 0), path).toThrow();
    }
  });
});
