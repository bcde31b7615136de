import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { PromptPort, Question } from '../../ports/prompt.ts';

function inputRequired(question: Question): SmeshError {
  return new SmeshError(
    'input-required',
    ExitCode.usage,
    `Nobody can be asked here (no terminal, CI or --json), and this was not said: ${question.message}`,
    { hint: `Give the answer with ${question.flag}` },
  );
}

/** Questions for whoever is there: a person at a terminal, or an error that names the flag. */
export function createPrompt(interactive: boolean, signal: AbortSignal): PromptPort {
  if (!interactive) {
    const refuse = async (question: Question): Promise<never> => {
      throw inputRequired(question);
    };
    return { input: refuse, secret: refuse, confirm: refuse, select: refuse, multiselect: refuse };
  }
  let prompt: PromptPort | undefined;
  const load = async () => {
    prompt ??= (await import('./enquirer-prompt.ts')).createEnquirerPrompt(signal);
    return prompt;
  };
  return {
    input: async (question) => (await load()).input(question),
    secret: async (question) => (await load()).secret(question),
    confirm: async (question) => (await load()).confirm(question),
    select: async (question) => (await load()).select(question),
    multiselect: async (question) => (await load()).multiselect(question),
  };
}
