import process from 'node:process';
import { describe, expect, it } from 'vitest';
import { keys, startInPty } from '../../helpers/pty.ts';

/** Asks twice with the same words, in colour, and says how wide its terminal is. */
const PROGRAM = `
  const { createInterface } = require('node:readline');
  const lines = createInterface({ input: process.stdin });
  const ask = () => process.stdout.write('\\x1b[32mna\\x1b[1mme?\\x1b[0m ');
  let asked = 0;
  lines.on('line', (line) => {
    process.stdout.write('hello ' + line + '\\n');
    asked += 1;
    if (asked === 2) process.exit(process.stdout.columns);
    ask();
  });
  ask();
`;

describe('startInPty', () => {
  it('finds text through colours, each time after the last match, and reports the exit code', async () => {
    const run = startInPty(process.execPath, ['-e', PROGRAM], { columns: 77 });
    await run.waitFor('name?');
    run.type(`ann${keys.enter}`);
    expect(await run.waitFor(/hello \w+/)).toBe('hello ann');
    await run.waitFor('name?');
    run.type(`bob${keys.enter}`);
    await run.waitFor('hello bob');
    expect(await run.exit).toEqual({ code: 77, signal: undefined });
    await expect(run.waitFor('name?', 500)).rejects.toThrow('the program ended with 77');
  });

  it('says what is there when the text does not come', async () => {
    const run = startInPty(process.execPath, ['-e', PROGRAM]);
    await expect(run.waitFor('password?', 700)).rejects.toThrow(/not within 700 ms.*name\?/s);
    run.kill('SIGKILL');
    expect((await run.exit).signal).toBe(9);
  });
});
