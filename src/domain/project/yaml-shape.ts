import {
  type Alias,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Scalar,
} from 'yaml';

/** More levels than any project or node configuration has; deeper ones exhaust the stack of whoever reads them. */
const DEEPEST = 50;

export const TOO_DEEP = `nests deeper than ${DEEPEST} levels`;

const MERGE = '<<';

const PLAIN_TAGS: readonly string[] = ['tag:yaml.org,2002:map', 'tag:yaml.org,2002:seq'];

const NOT_PLAIN = 'only texts, numbers, true, false, null, lists and mappings belong here';

export interface ShapeFault {
  readonly offset: number;
  readonly message: string;
}

/**
 * What is legal YAML and yet no tree of plain values: circles, aliases of nothing, lists and mappings as keys, dates and
 * sets, and no end of levels. The library would throw on some of it and hand over the rest, for others to stumble over.
 */
export function faultsOfShape(document: Document): readonly ShapeFault[] {
  const walk = new ShapeWalk();
  walk.visit(document.contents, []);
  return walk.faults;
}

class ShapeWalk {
  readonly faults: ShapeFault[] = [];
  /** An anchor stands before its aliases, and the last one of a name counts. */
  readonly #anchors = new Map<string, Node>();
  /** Levels below each collection. */
  readonly #levels = new Map<Node, number>();

  /** @returns how many levels there are below, this one included */
  visit(node: unknown, above: readonly Node[]): number {
    if (!isNode(node)) return 0;
    if (isAlias(node)) return this.#visitAlias(node, above);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (!isCollection(node)) {
      if (typeof node.value === 'object' && node.value !== null) this.#fault(node, NOT_PLAIN);
      return 0;
    }
    if (above.length >= DEEPEST) {
      this.#fault(node, TOO_DEEP);
      return 0;
    }
    // A set and an ordered map are collections with a tag.
    if (node.tag !== undefined && !PLAIN_TAGS.includes(node.tag)) this.#fault(node, NOT_PLAIN);
    const here = [...above, node];
    let below = 0;
    for (const item of node.items) {
      if (isPair(item)) this.#checkKey(item.key, item.value);
      below = Math.max(below, this.visit(isPair(item) ? item.value : item, here));
    }
    this.#levels.set(node, below + 1);
    return below + 1;
  }

  #visitAlias(alias: Alias, above: readonly Node[]): number {
    const meant = this.#anchors.get(alias.source);
    if (meant === undefined) this.#fault(alias, `nothing before it is called &${alias.source}`);
    else if (above.includes(meant)) this.#fault(alias, `*${alias.source} stands inside of what it repeats`);
    else {
      const below = this.#levels.get(meant) ?? 0;
      if (above.length + below <= DEEPEST) return below;
      this.#fault(alias, TOO_DEEP);
    }
    return 0;
  }

  #checkKey(key: unknown, value: unknown): void {
    if (!isNode(key)) return;
    if (isScalar(key) && key.anchor !== undefined) this.#anchors.set(key.anchor, key);
    if (!isScalar(key) || (typeof key.value === 'object' && key.value !== null)) {
      this.#fault(key, 'only a word can be a key');
    } else if (isMerge(key) && !this.#canMerge(value)) {
      this.#fault(key, `${MERGE} takes a mapping, or a list of mappings`);
    }
  }

  #canMerge(value: unknown): boolean {
    const meant = this.#meantBy(value);
    return isSeq(meant) ? meant.items.every((item) => isMap(this.#meantBy(item))) : isMap(meant);
  }

  #meantBy(value: unknown): unknown {
    return isAlias(value) ? this.#anchors.get(value.source) : value;
  }

  #fault(node: Node, message: string): void {
    this.faults.push({ offset: node.range?.[0] ?? 0, message });
  }
}

/** As the library reads it: plain, in YAML 1.1 as a symbol. */
function isMerge({ value, type }: Scalar): boolean {
  if (typeof value === 'symbol') return value.description === MERGE;
  return value === MERGE && (type === undefined || type === 'PLAIN');
}
