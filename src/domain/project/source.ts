import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
} from 'yaml';
import { formatPath } from './diagnostics.ts';
import type { Diagnostic } from './types.ts';
import { faultsOfShape, TOO_DEEP } from './yaml-shape.ts';

/** A YAML file with the way back from values to lines. */
export interface SourceFile {
  readonly name: string;
  readonly document: Document.Parsed<ParsedNode>;
  readonly lines: LineCounter;
  /** Faults of the YAML itself; the values mean nothing while there are any. */
  readonly faults: readonly Diagnostic[];
}

const DUPLICATE_KEY = 'DUPLICATE_KEY';

/** Reads YAML 1.2; syntax errors, duplicate keys and unknown tags become diagnostics with line and column. */
export function readSource(text: string, name: string): SourceFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false });
  const syntax = [...document.errors, ...document.warnings].map((fault): Diagnostic => {
    const { line, col } = lines.linePos(fault.pos[0]);
    const message =
      fault.code === DUPLICATE_KEY
        ? `the key ${JSON.stringify(wordAt(text, fault.pos[0]))} stands here a second time`
        : fault.code === 'RESOURCE_EXHAUSTION'
          ? TOO_DEEP
          : `${fault.message.charAt(0).toLowerCase()}${fault.message.slice(1)}`;
    return { severity: 'error', file: name, line, column: col, message: withoutKeys(message) };
  });
  if (syntax.length > 0) return { name, document, lines, faults: syntax };
  const shape = faultsOfShape(document).map(({ offset, message }): Diagnostic => {
    const { line, col } = lines.linePos(offset);
    return { severity: 'error', file: name, line, column: col, message: withoutKeys(message) };
  });
  return { name, document, lines, faults: shape };
}

function wordAt(text: string, offset: number): string {
  return /^[^\s:,{}[\]]*/.exec(text.slice(offset))?.[0] ?? '';
}

/**
 * The values of the file. A number whose digits would not survive (a smesher ID of digits only, `007`, `1e5`) comes as
 * the text that stands there; below `node.config` values pass through as they are, they are the node's.
 */
export function readValues(source: SourceFile): unknown {
  keepDigits(source.document.contents, []);
  return source.document.toJS();
}

const isNodeConfig = (path: readonly unknown[]) =>
  path.length === 2 && path[0] === 'node' && path[1] === 'config';

function keepDigits(node: unknown, path: readonly unknown[]): void {
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      const here = [...path, isScalar(key) ? key.value : undefined];
      if (!isNodeConfig(here)) keepDigits(value, here);
    }
  } else if (isSeq(node)) {
    for (const item of node.items) keepDigits(item, [...path, undefined]);
  } else if (isScalar(node) && typeof node.value === 'number' && node.source !== undefined) {
    if (String(node.value) !== node.source) node.value = node.source;
  }
}

interface Found {
  readonly node: Node;
  readonly depth: number;
}

/** The node at a path, or the nearest one above it that exists. */
function find(source: SourceFile, path: readonly PropertyKey[], wantKey: boolean): Found | undefined {
  let node: unknown = source.document.contents;
  let found: Found | undefined;
  for (let depth = 0; depth <= path.length; depth += 1) {
    if (isAlias(node)) node = node.resolve(source.document);
    if (!isNode(node)) break;
    found = { node, depth };
    const part = path[depth];
    if (part === undefined) break;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && item.key.value === part);
      if (pair === undefined) break;
      const last = depth === path.length - 1;
      // A key without a value has no place of its own.
      const blank = !isNode(pair.value) || (isScalar(pair.value) && pair.value.source === '');
      if (last && (wantKey || blank) && isNode(pair.key)) return { node: pair.key, depth: path.length };
      node = pair.value;
    } else if (isSeq(node) && typeof part === 'number') {
      node = node.items[part];
    } else if (!isCollection(node)) {
      break;
    }
  }
  return found;
}

/** A diagnostic at the value (or key) of a path; where that does not exist, at what encloses it. */
export function diagnose(
  source: SourceFile,
  severity: Diagnostic['severity'],
  path: readonly PropertyKey[],
  message: string,
  at: 'key' | 'value' = 'value',
): Diagnostic {
  const offset = find(source, path, at === 'key')?.node.range?.[0];
  const shown = withoutKeys(formatPath(path));
  return {
    severity,
    file: source.name,
    ...(offset === undefined ? {} : placeOf(source, offset)),
    ...(shown === '' ? {} : { path: shown }),
    message: withoutKeys(message),
  };
}

/** What is pasted into the wrong place is quoted by its fault, and may be a private key (design §8). */
function withoutKeys(text: string): string {
  return text.replace(/[0-9a-f]{64,}/gi, (digits) => `[${digits.length} hex digits]`);
}

function placeOf(source: SourceFile, offset: number): { line: number; column: number } {
  const { line, col } = source.lines.linePos(offset);
  return { line, column: col };
}
