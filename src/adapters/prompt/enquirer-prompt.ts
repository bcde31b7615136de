import enquirer, { type PromptOptions, type RunningPrompt } from 'enquirer';
import keypress from 'enquirer/lib/keypress.js';
import utils from 'enquirer/lib/utils.js';
import { cancelled } from '../../domain/errors.ts';
import type { Choice, PromptPort, Question } from '../../ports/prompt.ts';
import { cutText, printable } from '../../ui/text.ts';

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

/** What enquirer wants done when the process ends: it shows the cursor again. */
const atExit = new Set<() => void>();

/**
 * enquirer ends the process at SIGTERM and SIGINT by itself; here signals cancel the question, and the tool ends. It
 * asks anew at every key, so that one listener serves them all.
 */
function patchSignals(): void {
  process.once('exit', () => {
    for (const act of atExit) act();
  });
  utils.onExit = (callback) => {
    atExit.add(callback);
    return () => void atExit.delete(callback);
  };
}

patchListener();
patchSignals();

/** How long a cancelled question has to clean up after itself. */
const SETTLE_MS = 300;

async function run(
  signal: AbortSignal,
  make: (options: Partial<PromptOptions>) => RunningPrompt,
  question: Question,
): Promise<unknown> {
  signal.throwIfAborted();
  // Not in the question itself: enquirer redraws a line at every key, and one that wraps piles up.
  if (question.explanation !== undefined) process.stderr.write(`${question.explanation}\n`);
  // Results go to stdout; questions are no result, so `smesh-compose … > file` stays usable.
  const prompt = make({ stdout: process.stderr });
  const before = process.exitCode;
  // An event loop that drains while a question is open must never look like success.
  process.exitCode = 130;
  let abandon: (() => void) | undefined;
  const abandoned = new Promise<never>((_, reject) => {
    abandon = () => reject(undefined);
  });
  const stop = () => {
    prompt.cancel().catch(() => {});
    // enquirer puts the terminal right and settles; nobody waits for it when it does not.
    setTimeout(() => abandon?.(), SETTLE_MS);
  };
  cancelRunning = stop;
  process.stdin.once('end', stop);
  process.stdin.once('close', stop);
  // A SIGTERM, or a Ctrl-C that came before the question took the terminal.
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([prompt.run(), abandoned]);
  } catch (error) {
    if (error === undefined || error === '' || error === null)
      throw cancelled(question.message.replace(/[?.:]$/, ''));
    throw error;
  } finally {
    process.exitCode = before;
    cancelRunning = undefined;
    process.stdin.off('end', stop);
    process.stdin.off('close', stop);
    signal.removeEventListener('abort', stop);
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    // A paused terminal does not keep the process alive after the last answer.
    process.stdin.pause();
  }
}

/** What enquirer puts around a label: a sign before it, and behind one that cannot be chosen a word. */
const AROUND_LABEL = ' ✔  (disabled) '.length;

function toEnquirerChoice(choice: Choice): unknown {
  const { label, hint, disabled } = choice;
  const text = [label, ...(hint === undefined ? [] : [hint]), ...(disabled === undefined ? [] : [disabled])];
  const width = Math.max((process.stderr.columns ?? 80) - AROUND_LABEL, 20);
  return {
    name: choice.value,
    message: cutText(printable(text.join('  ')), width),
    ...(disabled === undefined ? {} : { disabled: true }),
  };
}

const VISIBLE_CHOICES = 15;

/** What a list prompt knows of itself when it writes its answer down. */
interface ListState {
  readonly state: { readonly submitted: boolean; readonly cancelled: boolean };
  readonly selected: readonly unknown[];
}

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
        question,
      );
      return String(answer).trim();
    },

    async secret(question) {
      const answer = await run(
        signal,
        (options) =>
          new enquirer.Password({
            ...options,
            message: question.message,
            validate: (value) => question.validate?.(String(value)) ?? true,
          }),
        question,
      );
      return String(answer);
    },

    async confirm(question) {
      const answer = await run(
        signal,
        (options) =>
          new enquirer.Confirm({
            ...options,
            message: question.message,
            initial: question.initial,
            format: (value) => (value === true ? 'yes' : 'no'),
          }),
        question,
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
        question,
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
            hint: '(space, a: all, enter)',
            choices: question.choices.map(toEnquirerChoice),
            // Not as `initial`: enquirer would draw the list once before it listens, and a Ctrl-D typed then is lost.
            onRun(prompt) {
              for (const value of question.initial) prompt.enable(prompt.find(value));
            },
            limit: VISIBLE_CHOICES,
            // All names of 150 identities would scroll what matters away.
            format(this: ListState) {
              if (!this.state.submitted || this.state.cancelled) return '';
              return `${this.selected.length} of ${question.choices.length} chosen`;
            },
          }),
        question,
      );
      return Array.isArray(answer) ? answer.map(String) : [];
    },
  };
}
