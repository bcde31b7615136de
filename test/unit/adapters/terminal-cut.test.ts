import { describe, expect, it } from 'vitest';
import { cut } from '../../../src/adapters/terminal/index.ts';

describe('a line that is redrawn in place', () => {
  it.each([
    ['short', 10, 'short'],
    ['exactly ten', 11, 'exactly ten'],
    ['much too long', 8, 'much to…'],
    ['\u001b[31mred\u001b[39m and more', 12, '\u001b[31mred\u001b[39m and more'],
    ['\u001b[31mred text\u001b[39m and more', 6, '\u001b[31mred t…\u001b[39m'],
    ['plain \u001b[31mred\u001b[39m tail', 7, 'plain \u001b[31m…\u001b[39m'],
    ['', 5, ''],
  ])('%j in %d cells is %j', (line, width, shown) => {
    expect(cut(line, width)).toBe(shown);
  });
});
