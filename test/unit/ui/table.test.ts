import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderTable } from '../../../src/ui/table.ts';
import { cutText, printable, textWidth, wrapText } from '../../../src/ui/text.ts';

describe('printable', () => {
  it('shows what would command a terminal or break a line', () => {
    expect(printable('a\u001b[2Jb')).toBe('a\\x1b[2Jb');
    expect(printable('two\nlines\tand\r')).toBe('two\\nlines\\tand\\r');
    expect(printable('\u009b31m')).toBe('\\x9b31m');
    expect(printable('x\u202egnp.exe')).toBe('x\\u202egnp.exe');
    expect(printable('half \ud800 pair')).toBe('half \ufffd pair');
  });

  it('leaves harmless text alone', () => {
    for (const text of ['/mnt/d1/post01', 'Größe', '数据', "it's $HOME: #1"])
      expect(printable(text)).toBe(text);
  });
});

describe('textWidth', () => {
  it('counts cells, not code units', () => {
    expect(textWidth('abc')).toBe(3);
    expect(textWidth('数据')).toBe(4);
    expect(textWidth('e\u0301')).toBe(1);
    expect(textWidth('👩‍👩‍👧')).toBe(2);
    expect(textWidth('ｶﾅ')).toBe(2);
  });
});

describe('cutText', () => {
  it('keeps the part that tells names apart', () => {
    expect(cutText('/mnt/disk/very/long/post01', 10, 'start')).toBe('…ng/post01');
    expect(cutText('/mnt/disk/very/long/post01', 11, 'middle')).toBe('/mn…/post01');
    expect(cutText('/mnt/disk', 6)).toBe('/mnt/…');
  });

  it('never exceeds the width and never cuts a character in two', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 0, max: 30 }),
        fc.constantFrom('start' as const, 'middle' as const, 'end' as const),
        (raw, width, place) => {
          const text = printable(raw);
          const cut = cutText(text, width, place);
          expect(textWidth(cut)).toBeLessThanOrEqual(Math.max(width, textWidth(text) <= width ? width : 0));
          expect(cut).not.toMatch(/\p{Surrogate}/u);
        },
      ),
    );
  });
});

describe('wrapText', () => {
  it('breaks at spaces and keeps every word', () => {
    expect(wrapText('one two three', 7)).toEqual(['one two', 'three']);
    expect(wrapText('a-word-too-long b', 5)).toEqual(['a-word-too-long', 'b']);
  });
});

describe('renderTable', () => {
  const columns = [
    { title: 'DISK' },
    { title: 'DIRECTORY', flexible: true, cut: 'middle' as const },
    { title: 'UNITS', align: 'right' as const },
    { title: 'VERDICT' },
  ];

  it('aligns and leaves no trailing spaces', () => {
    expect(
      renderTable(
        columns,
        [
          ['sda', '/mnt/d1', '36', 'ready'],
          ['', '/mnt/d1/two', '4', ''],
        ],
        80,
      ),
    ).toEqual([
      'DISK  DIRECTORY    UNITS  VERDICT',
      'sda   /mnt/d1         36  ready',
      '      /mnt/d1/two      4',
    ]);
  });

  it('colours the text and not the padding', () => {
    const paint = (text: string) => `<${text}>`;
    const [, row] = renderTable(
      [{ title: 'A' }, { title: 'LONG' }, { title: 'B' }],
      [['x', { text: 'y', paint }, 'z']],
      80,
    );
    expect(row).toBe('x  <y>     z');
  });

  it('gives way in the flexible column first', () => {
    const lines = renderTable(columns, [['sda', `/mnt/${'x'.repeat(60)}/post`, '36', 'ready']], 40);
    expect(lines[1]).toBe('sda   /mnt/…xxxxxxx/post     36  ready');
  });

  it('fits any width, whatever stands in the cells', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.string({ unit: 'binary' }), { maxLength: 5 }), { maxLength: 6 }),
        fc.integer({ min: 18, max: 120 }),
        (rows, width) => {
          for (const line of renderTable(
            columns,
            rows.map((row) => row.slice(0, 4)),
            width,
          )) {
            expect(textWidth(line)).toBeLessThanOrEqual(width);
            expect(line).not.toMatch(/\p{Cc}/u);
          }
        },
      ),
    );
  });
});
