import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { Invocation } from './command.ts';

function wrongType(name: string, wanted: string): SmeshError {
  return new SmeshError('bad-option', ExitCode.usage, `--${name} wants ${wanted}`);
}

/** commander stores `--private-port` under `privatePort`. */
function optionValue(invocation: Invocation, name: string): unknown {
  return invocation.options[name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())];
}

/** The text given with `--name`, or `undefined`. */
export function textOption(invocation: Invocation, name: string): string | undefined {
  const value = optionValue(invocation, name);
  if (value === undefined) return undefined;
  if (typeof value === 'string') return value;
  throw wrongType(name, 'a text');
}

/** All texts given with a repeatable `--name`. */
export function listOption(invocation: Invocation, name: string): readonly string[] | undefined {
  const value = optionValue(invocation, name);
  if (value === undefined) return undefined;
  if (Array.isArray(value)) return value.map(String);
  if (typeof value === 'string') return [value];
  throw wrongType(name, 'one or more texts');
}

export function flagOption(invocation: Invocation, name: string): boolean {
  return optionValue(invocation, name) === true;
}

/** A whole number within bounds; refuses `12abc`, `1e3` and negative zero alike (exit 2). */
export function integerOption(
  invocation: Invocation,
  name: string,
  range: { readonly min: number; readonly max: number },
): number | undefined {
  const text = textOption(invocation, name);
  if (text === undefined) return undefined;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= range.min && value <= range.max)) {
    throw wrongType(name, `a whole number from ${range.min} to ${range.max}, not ${JSON.stringify(text)}`);
  }
  return value;
}

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** `90s`, `10m`, `1h30m` in milliseconds; a bare number means seconds. */
export function durationOption(invocation: Invocation, name: string): number | undefined {
  const text = textOption(invocation, name);
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text) {
    throw wrongType(name, `a duration such as 90s, 10m or 1h30m, not ${JSON.stringify(text)}`);
  }
  return parts.reduce((sum, part) => sum + Number(part[1]) * (SECONDS[part[2] ?? 's'] ?? 1) * 1000, 0);
}
