/** An error that ends the real program with exit 1 and eyre's report. */
export class ServiceFailure extends Error {
  readonly causes: readonly string[];
  readonly location: string;

  constructor(message: string, location: string, causes: readonly string[] = []) {
    super(message);
    this.causes = causes;
    this.location = location;
  }

  /** What stands on stderr; the causes are numbered as soon as there are two. */
  report(): string {
    const numbered = this.causes.map((cause, at) =>
      this.causes.length > 1 ? `${String(at).padStart(4)}: ${cause}` : `    ${cause}`,
    );
    const causes = numbered.length === 0 ? '' : `\nCaused by:\n${numbered.join('\n')}\n`;
    return `Error: ${this.message}\n${causes}\nLocation:\n    ${this.location}\n`;
  }
}

/** A Rust panic: exit 101. */
export class Panic extends Error {
  readonly location: string;

  constructor(message: string, location: string) {
    super(message);
    this.location = location;
  }

  report(): string {
    return `\nthread 'main' (7) panicked at ${this.location}:\n${this.message}\nnote: run with \`RUST_BACKTRACE=1\` environment variable to display a backtrace\n`;
  }
}

const OS_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory (os error 2)',
  EACCES: 'Permission denied (os error 13)',
  EPERM: 'Operation not permitted (os error 1)',
  ENOTDIR: 'Not a directory (os error 20)',
  EISDIR: 'Is a directory (os error 21)',
  EIO: 'Input/output error (os error 5)',
};

/** An operating system error as Rust prints it. */
export function osErrorText(error: unknown): string {
  const code = errorCode(error);
  return (code !== undefined && OS_ERRORS[code]) || (error instanceof Error ? error.message : String(error));
}

/** Node's error code, `ENOENT` and the like. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
