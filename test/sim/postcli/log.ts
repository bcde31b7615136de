/** The two logs of postcli: Go's standard log on stderr, zap's console encoding on stdout. */

const LEVELS = ['debug', 'info', 'warn', 'error', 'dpanic', 'panic', 'fatal'] as const;
export type Level = (typeof LEVELS)[number];
export type Fields = Readonly<Record<string, string | number>>;

/** Progress of the library, filtered by `-logLevel`. */
export type Log = (level: Level, message: string, fields?: Fields) => void;

export function asLevel(text: string): Level | undefined {
  return LEVELS.find((level) => level === text.toLowerCase());
}

export function createLog(threshold: Level): Log {
  return (level, message, fields) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(threshold)) return;
    const parts = [new Date().toISOString(), level.toUpperCase(), message];
    if (fields !== undefined) parts.push(spaced(fields));
    process.stdout.write(`${parts.join('\t')}\n`);
  };
}

/** What the command itself says. */
export function say(...words: readonly (string | number)[]): void {
  const now = new Date().toISOString();
  process.stderr.write(`${now.slice(0, 10).replaceAll('-', '/')} ${now.slice(11, 19)} ${words.join(' ')}\n`);
}

function spaced(fields: Fields): string {
  const entries = Object.entries(fields).map(([key, value]) => `"${key}": ${JSON.stringify(value)}`);
  return `{${entries.join(', ')}}`;
}
