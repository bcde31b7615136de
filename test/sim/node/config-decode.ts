/** Decoding of a config file over the values of a preset, by the node's rules (spacemesh.md §1.1). */

import type { Kind, Shape } from './config-shape.ts';
import { parseDuration } from './go-text.ts';

export type Tree = { [key: string]: unknown };

/** All faults of one file, in the node's wording. */
export class DecodeError extends Error {
  constructor(faults: readonly string[]) {
    const lines = [...faults].sort().map((fault) => `* ${fault}`);
    super(`unmarshal config: ${faults.length} error(s) decoding:\n\n${lines.join('\n')}`);
  }
}

export function isTree(value: unknown): value is Tree {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

/** All keys in lower case, whole depth: the reader of the file does not distinguish case. */
export function lowerKeys(value: unknown): unknown {
  if (!isTree(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key.toLowerCase(), lowerKeys(field)]),
  );
}

/**
 * The values of `input` laid over those of `base`: sections field by field, lists and maps as a whole.
 * @throws DecodeError naming every unknown key and every value of the wrong type
 */
export function decodeOver(base: Tree, input: Tree, shape: Record<string, Shape>): Tree {
  const faults: string[] = [];
  const result = decodeSection(base, dropEmptySections(input), shape, '', faults);
  if (faults.length > 0) throw new DecodeError(faults);
  return result;
}

/** The reader of the file knows only leaves: a section without any is not there, known or not. */
function dropEmptySections(input: Tree): Tree {
  const kept = Object.entries(input)
    .map(([key, field]): [string, unknown] => [key, isTree(field) ? dropEmptySections(field) : field])
    .filter(([, field]) => !isTree(field) || Object.keys(field).length > 0);
  return Object.fromEntries(kept);
}

function decodeSection(
  base: Tree,
  input: Tree,
  shape: Record<string, Shape>,
  path: string,
  faults: string[],
): Tree {
  const result: Tree = { ...base };
  const unknown: string[] = [];
  for (const [key, value] of Object.entries(input)) {
    const field = shape[key];
    if (field === undefined) {
      unknown.push(key);
      continue;
    }
    const fieldPath = path === '' ? key : `${path}.${key}`;
    result[key] = decodeField(result[key], value, field, fieldPath, faults);
  }
  if (unknown.length > 0) faults.push(`'${path}' has invalid keys: ${unknown.sort().join(', ')}`);
  return result;
}

function decodeField(base: unknown, value: unknown, shape: Shape, path: string, faults: string[]): unknown {
  if (typeof shape === 'string') {
    if (value === null && shape !== 'deprecated') return zeroOf(shape);
    try {
      return decodeLeaf(value, shape, path);
    } catch (error) {
      faults.push((error as Error).message);
      return undefined;
    }
  }
  if ('list' in shape) {
    const items = value === null ? [] : Array.isArray(value) ? value : [value];
    const element = shape.list as Shape;
    return items.map((item, index) => decodeField({}, lowerKeys(item), element, `${path}[${index}]`, faults));
  }
  if (!isTree(value)) {
    if (value !== null) faults.push(`'${path}' expected a map, got '${goKindOf(value)}'`);
    return {};
  }
  if ('map' in shape) {
    const element = shape.map as Shape;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        decodeField(undefined, item, element, `${path}[${key}]`, faults),
      ]),
    );
  }
  return decodeSection(isTree(base) ? base : {}, value, shape as Record<string, Shape>, path, faults);
}

function zeroOf(kind: Kind): unknown {
  if (kind === 'bool') return false;
  if (kind === 'strings' || kind === 'ints' || kind === 'numbers') return [];
  return kind === 'string' || kind === 'time' || kind === 'hex32' || kind === 'base64' ? '' : 0;
}

function decodeLeaf(value: unknown, kind: Kind, path: string): unknown {
  const mismatch = (expected: string) =>
    new Error(
      `'${path}' expected type '${expected}', got unconvertible type '${goKindOf(value)}', value: '${value}'`,
    );
  const hookFault = (message: string) => new Error(`error decoding '${path}': ${message}`);
  switch (kind) {
    case 'deprecated':
      throw hookFault('use of deprecated config field');
    case 'string':
      if (typeof value === 'string') return value;
      if (typeof value === 'number') return String(value);
      if (typeof value === 'boolean') return value ? '1' : '0';
      throw mismatch('string');
    case 'bool':
      if (typeof value === 'boolean') return value;
      if (typeof value === 'number') return value !== 0;
      if (typeof value === 'string') return parseGoBool(value, path);
      throw mismatch('bool');
    case 'int':
    case 'uint':
    case 'float':
      return decodeNumber(value, kind, path, mismatch);
    case 'duration':
      if (typeof value === 'number') return value / 1e6;
      if (typeof value !== 'string') throw mismatch('time.Duration');
      try {
        return parseDuration(value);
      } catch (error) {
        throw hookFault((error as Error).message);
      }
    case 'time': {
      if (typeof value !== 'string') throw mismatch('config.Genesis');
      if (
        !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value) ||
        Number.isNaN(Date.parse(value))
      ) {
        throw hookFault(
          `parsing time "${value}" as "2006-01-02T15:04:05Z07:00": cannot parse "${value}" as "2006"`,
        );
      }
      return value;
    }
    case 'hex32':
      if (typeof value !== 'string') throw mismatch('activation.PowDifficulty');
      if (value.length !== 64) throw hookFault(`expected hex encoded length 64 but got ${value.length}`);
      if (!/^[0-9a-f]*$/i.test(value)) throw hookFault('encoding/hex: invalid byte');
      return value;
    case 'base64':
      if (typeof value !== 'string') throw mismatch('types.Base64Enc');
      if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value)) {
        throw hookFault('illegal base64 data at input byte 0');
      }
      return value;
    case 'provider':
      if (typeof value !== 'number') throw hookFault('smeshing-opts-provider: expected a number');
      return value;
    case 'strings':
      if (typeof value === 'string') return value === '' ? [] : value.split(',');
      if (Array.isArray(value))
        return value.map((item, index) => decodeLeaf(item, 'string', `${path}[${index}]`));
      throw mismatch('[]string');
    case 'ints':
    case 'numbers':
      if (Array.isArray(value))
        return value.map((item, index) => decodeLeaf(item, 'int', `${path}[${index}]`));
      return [decodeLeaf(value, 'int', path)];
  }
}

function decodeNumber(
  value: unknown,
  kind: 'int' | 'uint' | 'float',
  path: string,
  mismatch: (expected: string) => Error,
): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number') throw mismatch(kind);
  if (typeof value === 'string' && (value.trim() === '' || Number.isNaN(number))) {
    const parser = kind === 'float' ? 'ParseFloat' : kind === 'int' ? 'ParseInt' : 'ParseUint';
    throw new Error(
      `cannot parse '${path}' as ${kind}: strconv.${parser}: parsing "${value}": invalid syntax`,
    );
  }
  if (kind === 'uint' && number < 0) throw new Error(`cannot parse '${path}', ${number} overflows uint`);
  return kind === 'float' ? number : Math.trunc(number);
}

function parseGoBool(text: string, path: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['', '0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  throw new Error(`cannot parse '${path}' as bool: strconv.ParseBool: parsing "${text}": invalid syntax`);
}

function goKindOf(value: unknown): string {
  if (value === null) return 'nil';
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'object') return 'map[string]interface {}';
  return typeof value === 'number' ? 'float64' : typeof value === 'boolean' ? 'bool' : 'string';
}
