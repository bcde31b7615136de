/** Where results and messages go (design: stdout is for results, stderr for the rest). */
export interface OutputPort {
  /** Width and colour of the place that results go to; pure renderers get them passed in. */
  readonly columns: number;
  readonly color: boolean;
  /** A person is there: stdin and stdout are terminals, no CI, no --json (peers.md §4). */
  readonly interactive: boolean;
  /** A result, to stdout, with a newline. */
  result(text: string): void;
  /** What another program or a file says, to stdout, never broken into lines: logs, differences, JSON by the line. */
  verbatim(text: string): void;
  /** One JSON document to stdout. */
  json(value: unknown): void;
  /** Anything else, to stderr. Silent with --quiet. */
  note(text: string): void;
  warn(text: string): void;
  /**
   * Lines that are redrawn in place on a terminal and appear only when they change elsewhere. `done` leaves the last state.
   */
  live(): LiveArea;
}

export interface LiveArea {
  update(lines: readonly string[]): void;
  done(): void;
}
