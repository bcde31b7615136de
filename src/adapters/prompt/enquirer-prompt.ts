import enquirer, { type PromptOptions, type RunningPrompt } from 'enquirer';
import keypress from 'enquirer/lib/keypress.js';
import utils from 'enquirer/lib/utils.js';
import { cancelled } from '../../domain/errors.ts';
import type { Choice, PromptPort } from '../../ports/prompt.ts';

/** Called by the patched listener when the terminal says that nobody will answer any more. */
let cancelRunning: (() => void) | undefined;

/**
 * enquirer's listener has two faults that would end the tool wrongly (engineering.md §3.3): on Node 24 its clean-up
 * throws ERR_USE_AFTER_CLOSE out of reach of any handler, and Ctrl-D closes the input without settling the prompt, so
 * that the process ends with 0 as if all had been answered.
 */
function patchListener(): void {
  const listen = keypress.listen;
  keypress.listen = (options, onKeypress) => {
    const off = listen(options, (input, key, ...rest) => {
      if (key.ctrl === true && key.name === 'd') cancelRunning?.();
      else onKeypress(input, key, ...rest);
    });
    return () => {
      try {
        off();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ERR_USE_AFTER_CLOSE') throw error;
      }
    };
  };
}

/** enquirer ends the process at SIGTERM and SIGINT by itself; here signals cancel the question, and the tool ends. */
function patchSignals(): void {
  utils.onExit = (callback) => {
    process.once('exit', callback);
    return () => void process.off('exit', callback);
  };
}

patchListener();
patchSignals();

/** Without what stands in brackets for the moment of asking. */
function questionOf(message: string): string {
  return message.replace(/\s*\(.*$/, '').replace(/[?.]$/, '');
}

async function run(
  signal: AbortSignal,
  make: (options: Partial<PromptOptions>) => RunningPrompt,
  what: string,
): Promise<unknown> {
  signal.throwIfAborted();
  // Results go to stdout; questions are no result, so `smesh-compose … > file` stays usable.
  const prompt = make({ stdout: process.stderr });
  const before = process.exitCode;
  // An event loop that drains while a question is open must never look like success.
  process.exitCode = 130;
  const stop = () => void prompt.cancel();
  cancelRunning = stop;
  process.stdin.once('end', stop);
  process.stdin.once('close', stop);
  // A SIGTERM, or a Ctrl-C that came before the question took the terminal.
  signal.addEventListener('abort', stop);
  try {
    return await prompt.run();
  } catch (error) {
    if (error === undefined || error === '' || error === null) throw cancelled(questionOf(what));
    throw error;
  } finally {
    process.exitCode = before;
    cancelRunning = undefined;
    process.stdin.off('end', stop);
    process.stdin.off('close', stop);
    signal.removeEventListener('abort', stop);
    // A paused terminal does not keep the process alive after the last answer.
    process.stdin.pause();
  }
}

function toEnquirerChoice(choice: Choice): unknown {
  const label = choice.hint === undefined ? choice.label : `${choice.label}  ${choice.hint}`;
  return {
    name: choice.value,
    message: choice.disabled === undefined ? label : `${label}  (${choice.disabled})`,
    ...(choice.disabled === undefined ? {} : { disabled: true }),
  };
}

const VISIBLE_CHOICES = 15;

/** Questions on a real terminal; only ever loaded when there is one. An abort cancels the question that is open. */
export function createEnquirerPrompt(signal: AbortSignal): PromptPort {
  return {
    async input(question) {
      const answer = await run(
        signal,
        (options) =>
          new enquirer.Input({
            ...options,
            message: question.message,
            ...(question.initial === undefined ? {} : { initial: question.initial }),
            validate: async (value) => (await question.validate?.(String(value).trim())) ?? true,
          }),
        question.message,
      );
      return String(answer).trim();
    },

    async confirm(question) {
      const answer = await run(
        signal,
        (options) =>
          new enquirer.Confirm({ ...options, message: question.message, initial: question.initial }),
        question.message,
      );
      return answer === true;
    },

    async select(question) {
      const initial = question.choices.findIndex((choice) => choice.value === question.initial);
      const answer = await run(
        signal,
        (options) =>
          new enquirer.Select({
            ...options,
            message: question.message,
            choices: question.choices.map(toEnquirerChoice),
            limit: VISIBLE_CHOICES,
            ...(initial < 0 ? {} : { initial }),
          }),
        question.message,
      );
      return String(answer);
    },

    async multiselect(question) {
      const answer = await run(
        signal,
        (options) =>
          new enquirer.MultiSelect({
            ...options,
            message: question.message,
            hint: '(space: choose, a: all, enter: done)',
            choices: question.choices.map(toEnquirerChoice),
            initial: [...question.initial],
            limit: VISIBLE_CHOICES,
          }),
        question.message,
      );
      return Array.isArray(answer) ? answer.map(String) : [];
    },
  };
}
