/** Lines as the node writes them: time, level, module, message and one JSON object, with tabs between. */

export type Level = 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL';

export type Logger = (
  level: Level,
  module: string,
  message: string,
  fields?: Record<string, unknown>,
) => void;

/** Writes to stdout at once: a line that is lost in a buffer when the process dies is the one that matters. */
export const log: Logger = (level, module, message, fields) => {
  const time = new Date().toISOString().replace('Z', '+0000');
  const parts = [time, level, ...(module === '' ? [] : [module]), message];
  if (fields !== undefined) parts.push(toGoJson(fields));
  process.stdout.write(`${parts.join('\t')}\n`);
};

/** JSON with a space behind colons and commas, as the node's console encoder writes it. */
function toGoJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toGoJson).join(', ')}]`;
  if (value !== null && typeof value === 'object') {
    const fields = Object.entries(value).map(([key, field]) => `${JSON.stringify(key)}: ${toGoJson(field)}`);
    return `{${fields.join(', ')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** The last words of a command that failed. */
export function printError(message: string): void {
  process.stderr.write(`Error: ${message}\n`);
}
