import { Alias, Document, isMap, isScalar, isSeq, type Node, Pair, Scalar, YAMLMap } from 'yaml';
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

/** Compose puts variables in place of `$`; every text of ours means itself, paths above all. */
export function escapeDollars(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$');
  if (Array.isArray(value)) return value.map(escapeDollars);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, escapeDollars(entry)]));
  }
  return value;
}

/** By identity of the parts: a service that sets one of them apart is written out whole. */
function sharedBlockOf(service: ComposeService): SharedName | undefined {
  return (Object.keys(SHARED) as SharedName[]).find((name) =>
    Object.entries(SHARED[name]).every(([key, value]) => service[key] === value),
  );
}

/** Lists of words stand on one line: a command reads like one. */
function putListsOnOneLine(node: unknown): void {
  if (isMap(node)) {
    for (const { value } of node.items) putListsOnOneLine(value);
  } else if (isSeq(node)) {
    let length = 0;
    for (const item of node.items) length += isScalar(item) ? String(item.value).length + 2 : LONGEST_LINE;
    if (length < LONGEST_LINE) node.flow = true;
    else node.items.forEach(putListsOnOneLine);
  }
}

/**
 * YAML text of a Compose document: deterministic, keys in the order of the document, readable by YAML 1.1 and 1.2 readers
 * alike. What all provers have in common is written once and merged in (`<<: *prover`).
 */
export function emitCompose(compose: ComposeDocument): string {
  // compat: quotes what a YAML 1.1 reader takes for a number, a boolean or a time: 22:22, yes, 0755.
  const document = new Document<Node>(null, {
    compat: 'yaml-1.1',
    merge: true,
    aliasDuplicateObjects: false,
  });
  const node = (value: unknown): Node => {
    const made = document.createNode(escapeDollars(value));
    putListsOnOneLine(made);
    return made;
  };
  const root = new YAMLMap<Scalar<string>, Node>();
  const add = (map: YAMLMap<Scalar<string>, Node>, key: string, value: Node, apart = true): void => {
    const name = new Scalar(key);
    name.spaceBefore = apart && map.items.length > 0;
    map.items.push(new Pair(name, value));
  };

  const { name, services, ...rest } = compose;
  add(root, 'name', node(name));
  const blocks = new Set(Object.values(services).map(sharedBlockOf));
  for (const block of Object.keys(SHARED) as SharedName[]) {
    if (!blocks.has(block)) continue;
    const shared = node(SHARED[block]) as YAMLMap;
    shared.anchor = block;
    add(root, `x-${block}`, shared);
  }

  const list = new YAMLMap<Scalar<string>, Node>();
  for (const [service, definition] of Object.entries(services)) {
    const block = sharedBlockOf(definition);
    const own = new YAMLMap<Scalar<string>, Node>();
    if (block !== undefined) add(own, '<<', new Alias(block), false);
    for (const [key, value] of Object.entries(definition)) {
      if (block === undefined || !Object.hasOwn(SHARED[block], key)) add(own, key, node(value), false);
    }
    add(list, service, own);
  }
  add(root, 'services', list);
  for (const [key, value] of Object.entries(rest)) if (value !== undefined) add(root, key, node(value));
  document.contents = root;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false, singleQuote: true });
}
