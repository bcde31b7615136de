import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { quoteForShell } from '../../src/domain/shell-quote.ts';

it('gives bash back every word as it was', () => {
  const words = [
    '/mnt/d1/post01',
    '/mnt/my disk/$HOME/`id`',
    "it's",
    'a"b',
    'two\nlines\tand \\ backslash',
    '#1:x',
    '~',
    '',
    '数据',
    '*?[a]',
    '\u001b[2J\u0085',
    'a=b',
    '=x',
  ];
  const script = `printf '%s\\0' ${words.map(quoteForShell).join(' ')}`;
  const out = execFileSync('bash', ['--norc', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    env: { LC_ALL: 'C.UTF-8' },
  });
  expect(out.split('\0').slice(0, -1)).toEqual(words);
});

it('leaves plain words plain', () => {
  expect(quoteForShell('/mnt/d1/post-01_a.b')).toBe('/mnt/d1/post-01_a.b');
});
