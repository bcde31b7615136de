import { describe, expect, it } from 'vitest';
import { ExitCode, SmeshError } from '../../../src/domain/errors.ts';
import type { OutputPort } from '../../../src/ports/output.ts';
import { formatError } from '../../../src/ui/errors.ts';
import { fitToTerminal } from '../../../src/ui/fitted.ts';
import { fitLine, textWidth } from '../../../src/ui/text.ts';

const LONG = 'the node should stay up: two identities have yet to register, and would miss it';

describe('lines that are longer than the terminal', () => {
  it('are broken between words, below the text of the first', () => {
    const lines = fitLine(`    ! ${LONG}`, 40);
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(40);
    expect(lines[0]).toMatch(/^ {4}! the node/);
    for (const line of lines.slice(1)) expect(line).toMatch(/^ {6}\S/);
    expect(lines.map((line) => line.trim()).join(' ')).toBe(`! ${LONG}`);
  });

  it('keep columns and words that are too long, and count no colour', () => {
    expect(fitLine('post-0001  idle', 15)).toEqual(['post-0001  idle']);
    expect(fitLine('\u001b[31mpost-0001\u001b[0m  idle', 15)).toHaveLength(1);
    expect(fitLine(`at ${'/very/long'.repeat(9)} it is`, 20)).toEqual([
      'at',
      '/very/long'.repeat(9),
      'it is',
    ]);
    expect(fitLine(`a  b ${'c'.repeat(9)}`, 10)).toEqual(['a  b', 'ccccccccc']);
  });

  it('stay whole where they are a command', () => {
    const command = '  → smesh-compose -C /srv/a/long/path keys adopt post-0001 post-0002 --confirm old-host';
    expect(fitLine(command, 40)).toEqual([command]);
  });

  it('are broken on a terminal only, and never where they are what others wrote', () => {
    const written: string[] = [];
    const push = (text: string) => void written.push(text);
    const plain = { result: push, note: push, warn: push, verbatim: push } as unknown as OutputPort;
    const out = fitToTerminal(plain, { stdout: 40 });
    for (const say of [out.result, out.note, out.warn, out.verbatim]) say(LONG);
    expect(written.map((text) => text.includes('\n'))).toEqual([true, false, false, false]);
  });

  it('are broken in the details of a refusal, each with its own indent, and not in a pipe', () => {
    const error = new SmeshError('refused', ExitCode.refused, 'No.', { details: [LONG, `  ${LONG}`] });
    const lines = formatError(error, 50).split('\n');
    for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(50);
    expect(lines.filter((line) => /^ {2}\S/.test(line))).toHaveLength(2);
    expect(lines.filter((line) => /^ {4}\S/.test(line)).length).toBeGreaterThanOrEqual(2);
    expect(formatError(error, Number.POSITIVE_INFINITY).split('\n')).toHaveLength(4);
  });
});
