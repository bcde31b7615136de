declare module 'enquirer/lib/keypress.js' {
  export type KeypressHandler = (
    input: string,
    key: { name?: string; ctrl?: boolean },
    ...rest: unknown[]
  ) => void;
  const keypress: {
    listen(options: unknown, onKeypress: KeypressHandler): () => void;
  };
  export default keypress;
}

declare module 'enquirer/lib/utils.js' {
  const utils: {
    /** Registers what is to be done when the process ends; answers how to take that back. */
    onExit(callback: () => void): () => void;
  };
  export default utils;
}

declare module 'enquirer' {
  export interface RunningPrompt {
    run(): Promise<unknown>;
    cancel(error?: unknown): Promise<void>;
  }
  export interface ListPrompt {
    find(name: string): unknown;
    enable(choice: unknown): void;
  }
  export interface PromptOptions {
    readonly message: string;
    readonly initial?: unknown;
    readonly choices?: readonly unknown[];
    readonly limit?: number;
    readonly stdout?: NodeJS.WritableStream;
    readonly hint?: string;
    format?(value: unknown): string;
    /** Before the prompt listens and draws. */
    onRun?(prompt: ListPrompt): void;
    readonly validate?: (value: unknown) => Promise<string | true> | string | true;
  }
  type PromptClass = new (options: PromptOptions) => RunningPrompt;
  const enquirer: {
    readonly Input: PromptClass;
    readonly Password: PromptClass;
    readonly Confirm: PromptClass;
    readonly Select: PromptClass;
    readonly MultiSelect: PromptClass;
  };
  export default enquirer;
}
