import process from 'node:process';

/** One line as merge-nodes logs it: seconds in Go's notation of floats, level, place, message, fields; on stderr. */
export function log(level: 'info' | 'error', place: string, message: string, fields?: object): void {
  const seconds = (Date.now() / 1000).toExponential().replace(/e\+(\d)$/, 'e+0$1');
  const parts = [seconds, level, place, message, ...(fields === undefined ? [] : [goJson(fields)])];
  process.stderr.write(`${parts.join('\t')}\n`);
}

function goJson(fields: object): string {
  return `{${Object.entries(fields)
    .map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`)
    .join(', ')}}`;
}
