import { Document, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { isMapping } from '../is-mapping.ts';
import { JOB_HARDENING, PROVER_HARDENING } from './hardening.ts';
import type { ComposeDocument, ComposeService } from './types.ts';

/** Blocks that are written once, with an anchor, and merged into the services that hold all of them. */
const SHARED = {
  prover: PROVER_HARDENING,
  job: JOB_HARDENING,
} as const satisfies Record<string, object>;

type SharedName = keyof typeof SHARED;

/** Longest list of plain words that still stands on one line. */
const LONGEST_LINE = 600;

type Mapping = { readonly [key: string]: unknown };

/** Compose puts variables in place of `$`; every text of ours means itself, paths above all. */
export function escapeDollars(text: string): string {
  return text.replaceAll('$', '$$$$');
}

/** By identity of the parts: a service that sets one of them apart is written out whole. */
function sharedBlockOf(service: ComposeService): SharedName | undefined {
  return (Object.keys(SHARED) as SharedName[]).find((name) =>
    Object.entries(SHARED[name]).every(([key, value]) => service[key] === value),
  );
}

/**
 * Text of scalars and of lists of scalars, by the YAML library, which knows when to quote. One document serves all, and
 * what was written once is remembered: of 500 services nearly every line is the same.
 */
function createWriter(): (value: unknown) => string {
  // compat: quotes what a YAML 1.1 reader takes for a number, a boolean or a time: 22:22, yes, 0755.
  const document = new Document<YAMLMap>(null, { compat: 'yaml-1.1' });
  const options = {
    lineWidth: 0,
    flowCollectionPadding: false,
    singleQuote: true,
    blockQuote: false,
  } as const;
  const written = new Map<unknown, string>();
  const scalar = (value: unknown) => new Scalar(typeof value === 'string' ? escapeDollars(value) : value);
  return (value) => {
    // Lists by their JSON behind a character that no scalar of a Compose file begins with.
    const known = Array.isArray(value) ? `\0${JSON.stringify(value)}` : value;
    const before = written.get(known);
    if (before !== undefined) return before;
    let node: Scalar | YAMLSeq = scalar(value);
    if (Array.isArray(value)) {
      node = new YAMLSeq();
      node.flow = true;
      node.items = value.map(scalar);
    }
    const line = new YAMLMap();
    line.items.push(new Pair(new Scalar('x'), node));
    document.contents = line;
    const text = document.toString(options).slice('x: '.length, -1);
    written.set(known, text);
    return text;
  };
}

type Writer = ReturnType<typeof createWriter>;

function fitsOneLine(list: readonly unknown[]): boolean {
  let length = 0;
  for (const item of list) length += typeof item === 'object' ? LONGEST_LINE : String(item).length + 2;
  return length < LONGEST_LINE;
}

/** Lines of a mapping, each with its line break. Lists of words stand on one line: a command reads like one. */
function mappingLines(mapping: Mapping, indent: string, write: Writer): string {
  let text = '';
  for (const [key, value] of Object.entries(mapping)) {
    if (value !== undefined) text += `${indent}${write(key)}:${valueText(value, indent, write)}`;
  }
  return text;
}

/** What stands behind a colon: on the same line, or the lines below. */
function valueText(value: unknown, indent: string, write: Writer): string {
  const deeper = `${indent}  `;
  if (isMapping(value)) {
    return Object.keys(value).length === 0 ? ' {}\n' : `\n${mappingLines(value, deeper, write)}`;
  }
  if (!Array.isArray(value) || fitsOneLine(value)) return ` ${write(value)}\n`;
  return `\n${value.map((item: unknown) => listItem(item, deeper, write)).join('')}`;
}

function listItem(item: unknown, indent: string, write: Writer): string {
  if (!isMapping(item)) return `${indent}- ${write(item)}\n`;
  const deeper = `${indent}  `;
  return `${indent}- ${mappingLines(item, deeper, write).slice(deeper.length)}`;
}

function serviceLines(service: ComposeService, write: Writer): string {
  const block = sharedBlockOf(service);
  if (block === undefined) return mappingLines(service, '    ', write);
  const own = Object.entries(service).filter(([key]) => !Object.hasOwn(SHARED[block], key));
  return `    <<: *${block}\n${mappingLines(Object.fromEntries(own), '    ', write)}`;
}

/**
 * YAML text of a Compose document: deterministic, keys in the order of the document, readable by YAML 1.1 and 1.2 readers
 * alike. What all provers have in common is written once and merged in (`<<: *prover`).
 */
export function emitCompose(compose: ComposeDocument): string {
  const write = createWriter();
  const { name, services, ...rest } = compose;
  const blocks = new Set(Object.values(services).map(sharedBlockOf));
  const sections = [mappingLines({ name }, '', write)];
  for (const block of Object.keys(SHARED) as SharedName[]) {
    if (blocks.has(block)) {
      sections.push(`x-${block}: &${block}\n${mappingLines(SHARED[block], '  ', write)}`);
    }
  }
  const list = Object.entries(services).map(
    ([service, definition]) => `  ${write(service)}:\n${serviceLines(definition, write)}`,
  );
  sections.push(`services:\n${list.join('\n')}`);
  for (const [key, value] of Object.entries(rest)) {
    if (value !== undefined) sections.push(mappingLines({ [key]: value }, '', write));
  }
  return sections.join('\n');
}
