import { Interface } from 'node:readline';
import { PassThrough } from 'node:stream';
import enquirer from 'enquirer';
import keypress from 'enquirer/lib/keypress.js';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createPrompt } from '../../../src/adapters/prompt/index.ts';

describe('questions where nobody can be asked', () => {
  it('name the flag that answers (exit 2)', async () => {
    const prompt = createPrompt(false, new AbortController().signal);
    const question = { message: 'Coinbase', flag: '--coinbase ADDRESS' };
    for (const asked of [
      prompt.input(question),
      prompt.confirm({ ...question, initial: true }),
      prompt.select({ ...question, choices: [] }),
      prompt.multiselect({ ...question, choices: [], initial: [] }),
    ]) {
      await expect(asked).rejects.toMatchObject({
        code: 'input-required',
        exitCode: 2,
        hint: expect.stringContaining('--coinbase ADDRESS'),
      });
    }
  });
});

describe('the prompt library, patched', () => {
  /** A terminal that throws when it is closed twice, as Node 24's does. */
  function terminal(): { stdin: NodeJS.ReadStream; stdout: NodeJS.WriteStream } {
    const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin });
    const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
    stdout.resume();
    return { stdin: stdin as unknown as NodeJS.ReadStream, stdout: stdout as unknown as NodeJS.WriteStream };
  }

  it('survives the clean-up that throws ERR_USE_AFTER_CLOSE on Node 24, and only that', async () => {
    await import('../../../src/adapters/prompt/enquirer-prompt.ts');
    for (const [code, thrown] of [
      ['ERR_USE_AFTER_CLOSE', false],
      ['EIO', true],
    ] as const) {
      const { stdin, stdout } = terminal();
      const off = keypress.listen({ stdin, stdout }, () => {});
      const pause = vi.spyOn(Interface.prototype, 'pause').mockImplementation(() => {
        throw Object.assign(new Error(code), { code });
      });
      onTestFinished(() => pause.mockRestore());
      if (thrown) expect(off).toThrow(code);
      else expect(off).not.toThrow();
      expect(pause).toHaveBeenCalled();
      pause.mockRestore();
    }
  });

  it('registers no handler that would end the process at a signal', async () => {
    await import('../../../src/adapters/prompt/enquirer-prompt.ts');
    const before = process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');
    const { stdin, stdout } = terminal();
    const prompt = new enquirer.Input({ message: 'x', stdin, stdout } as never);
    const answer = prompt.run();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(process.listenerCount('SIGTERM') + process.listenerCount('SIGINT')).toBe(before);
    await prompt.cancel();
    await expect(answer).rejects.toBe('');
  });
});
