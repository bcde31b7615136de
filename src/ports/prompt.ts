export interface Choice {
  readonly value: string;
  readonly label: string;
  /** Shown greyed behind the label. */
  readonly hint?: string;
  /** Why it cannot be chosen. */
  readonly disabled?: string;
}

export interface Question {
  /** Short: with the answer behind it it should fit into one line. */
  readonly message: string;
  /** What helps to answer, shown above the question. */
  readonly explanation?: string;
  /** The flag that answers the same; named when nobody can be asked. */
  readonly flag: string;
}

/**
 * Asks a person. Every method rejects with SmeshError `input-required` (exit 2, naming the flag) when nobody can be
 * asked, and with `cancelled` (exit 130) on Ctrl-C, Esc, Ctrl-D or closed input (engineering.md §3.3).
 */
export interface PromptPort {
  input(
    question: Question & {
      readonly initial?: string;
      /** A message when the answer will not do. */
      readonly validate?: (answer: string) => string | undefined | Promise<string | undefined>;
    },
  ): Promise<string>;
  /** What nobody shall read over a shoulder; the answer is not trimmed. */
  secret(
    question: Question & { readonly validate?: (answer: string) => string | undefined },
  ): Promise<string>;
  confirm(question: Question & { readonly initial: boolean }): Promise<boolean>;
  select(
    question: Question & { readonly choices: readonly Choice[]; readonly initial?: string },
  ): Promise<string>;
  multiselect(
    question: Question & { readonly choices: readonly Choice[]; readonly initial: readonly string[] },
  ): Promise<readonly string[]>;
}
