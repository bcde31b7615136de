import type { Invocation } from './command.ts';
import { durationOption } from './options.ts';

/** `--since`: how long ago, or a moment with its zone, in milliseconds since 1970. */
export function readSince(text: string | undefined, invocation: Invocation, now: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))) {
    return Date.parse(text);
  }
  const ago = durationOption(invocation, 'since');
  return ago === undefined ? undefined : now - ago;
}
