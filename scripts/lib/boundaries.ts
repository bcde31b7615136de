import { posix } from 'node:path';
import { parseAst } from 'vitest/node';

/** A line of a module that reaches where its layer may not. */
export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

interface Layer {
  /** Layers it may import from, besides itself. */
  readonly layers: readonly string[];
  /** Packages and Node modules it may import; `'*'` is any of them. */
  readonly packages: readonly string[];
  /** No clock, no randomness, no process: everything comes in as an argument. */
  readonly pure: boolean;
}

const PURE_PACKAGES = ['zod', 'yaml', '@noble/hashes', 'bech32'];

/** `cli → app → commands → usecases → ports + domain + ui`, `adapters → ports + domain`, `domain → nothing`. */
const LAYERS: Readonly<Record<string, Layer>> = {
  cli: { layers: ['app', 'version'], packages: ['node:process'], pure: false },
  app: {
    layers: ['commands', 'usecases', 'ports', 'domain', 'ui', 'adapters', 'version'],
    packages: ['node:process', 'node:path'],
    pure: false,
  },
  version: { layers: [], packages: [], pure: true },
  commands: {
    layers: ['usecases', 'ports', 'domain', 'ui', 'version'],
    packages: ['commander', 'node:path'],
    pure: true,
  },
  usecases: {
    layers: ['ports', 'domain', 'ui', 'version'],
    packages: [...PURE_PACKAGES, 'node:path'],
    pure: true,
  },
  ui: { layers: ['domain', 'ports'], packages: ['diff'], pure: true },
  ports: { layers: ['domain'], packages: [], pure: true },
  domain: { layers: [], packages: PURE_PACKAGES, pure: true },
  adapters: { layers: ['ports', 'domain', 'generated', 'version'], packages: ['*'], pure: false },
  generated: { layers: [], packages: [], pure: true },
};

const IMPURE_GLOBALS = [
  'process',
  'console',
  'performance',
  'fetch',
  'crypto',
  'globalThis',
  'require',
  'setTimeout',
  'setInterval',
  'setImmediate',
];

/** Compose and engine are two doors to one house: one endpoint, one way to run a command. */
const SHARED_ADAPTERS: Readonly<Record<string, readonly string[]>> = { 'compose-cli': ['docker'] };

/** What a person sees is made fit for a terminal by the same text functions, whoever draws it. */
const DRAWING_ADAPTERS = ['prompt', 'terminal'];

/** Packages that may be absent at run time, and so are looked for when they are needed. */
const OPTIONAL_PACKAGES = ['libsql', 'node:sqlite'];

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** All nodes below, each with its parent and the key it hangs on. */
function* walk(
  node: Node,
  parent?: Node,
  key = '',
): Generator<{ node: Node; parent: Node | undefined; key: string }> {
  yield { node, parent, key };
  for (const [name, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value])
      if (isNode(child)) yield* walk(child, node, name);
  }
}

function nameOf(value: unknown): string | undefined {
  return isNode(value) && value.type === 'Identifier' && typeof value.name === 'string'
    ? value.name
    : undefined;
}

/** `Date.now` of the expression `Date.now`, whatever is done with it. */
function memberName(node: Node): string | undefined {
  if (node.type !== 'MemberExpression' || node.computed === true) return undefined;
  const [object, property] = [nameOf(node.object), nameOf(node.property)];
  return object === undefined || property === undefined ? undefined : `${object}.${property}`;
}

/** An identifier that stands for a value: no property name, no label of an object, no type. */
function isReference(key: string, parent: Node | undefined): boolean {
  if (parent === undefined || parent.type.startsWith('Import')) return false;
  // `process as Host` uses it; everything else of TypeScript's own only names it.
  if (parent.type.startsWith('TS')) return key === 'expression';
  if (parent.type === 'MemberExpression') return key === 'object' || parent.computed === true;
  if (parent.type === 'Property') return key === 'value' || parent.computed === true;
  return !(/Definition$/.test(parent.type) && key === 'key');
}

const BINDS: Readonly<Record<string, readonly string[]>> = {
  VariableDeclarator: ['id'],
  FunctionDeclaration: ['id', 'params'],
  FunctionExpression: ['id', 'params'],
  ArrowFunctionExpression: ['params'],
  CatchClause: ['param'],
};

/** Names that the module binds itself. One that is also a global's name is taken for the module's everywhere in it. */
function boundNames(program: Node): ReadonlySet<string> {
  const bound = new Set<string>();
  for (const { node } of walk(program)) {
    for (const key of BINDS[node.type] ?? []) {
      for (const pattern of [node[key]].flat()) {
        if (!isNode(pattern)) continue;
        for (const inner of walk(pattern)) {
          const name = nameOf(inner.node);
          if (name !== undefined && inner.key !== 'key') bound.add(name);
        }
      }
    }
  }
  return bound;
}

/** The layer of a path below `src/`: the folder's name, or the file's for those that lie at the top. */
function layerOf(path: string): string {
  const [first = '', ...rest] = path.split('/');
  return rest.length === 0 ? first.replace(/\.ts$/, '') : first;
}

function packageName(specifier: string): string {
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}

function checkImport(path: string, specifier: string, dynamic: boolean): string | undefined {
  const name = layerOf(path);
  const layer = LAYERS[name];
  if (layer === undefined) return undefined;
  if (!specifier.startsWith('.')) {
    const wanted = packageName(specifier);
    if (dynamic && !OPTIONAL_PACKAGES.includes(wanted)) {
      // In the bundle such an import of a CommonJS package has only `default`, in tests it has all names.
      return `imports ${wanted} dynamically: import it statically in a module of its own, and that one dynamically`;
    }
    if (layer.packages.includes('*') || layer.packages.includes(wanted)) return undefined;
    return `${name} may not import ${wanted}`;
  }
  const target = posix.join(posix.dirname(path), specifier);
  if (target.startsWith('..')) return `imports ${specifier}, outside src`;
  const targetLayer = layerOf(target);
  if (targetLayer === name) {
    const [folder = '', otherFolder = ''] = [path.split('/')[1], target.split('/')[1]];
    if (name === 'adapters' && folder !== otherFolder && !SHARED_ADAPTERS[folder]?.includes(otherFolder)) {
      return `the ${folder} adapter may not import the ${otherFolder} adapter: app.ts brings them together`;
    }
    return undefined;
  }
  const drawing =
    name === 'adapters' && targetLayer === 'ui' && DRAWING_ADAPTERS.includes(path.split('/')[1] ?? '');
  return drawing || layer.layers.includes(targetLayer) ? undefined : `${name} may not import ${targetLayer}`;
}

/** What a node does that a pure layer may not. */
function impurity(
  node: Node,
  parent: Node | undefined,
  key: string,
  bound: ReadonlySet<string>,
): string | undefined {
  const member = memberName(node);
  if (member === 'Date.now' || member === 'Math.random') return member;
  if (
    node.type === 'NewExpression' &&
    nameOf(node.callee) === 'Date' &&
    [node.arguments].flat().length === 0
  ) {
    return 'new Date()';
  }
  if (node.type === 'MetaProperty' && parent?.type !== 'ImportExpression') return 'import.meta';
  const name = nameOf(node);
  if (name === undefined || !IMPURE_GLOBALS.includes(name) || bound.has(name)) return undefined;
  return isReference(key, parent) ? name : undefined;
}

/** Texts that the module's own constants hold, by name: `const optional = 'libsql'`. */
function constantTexts(program: Node): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  for (const { node } of walk(program)) {
    if (node.type !== 'VariableDeclarator' || !isNode(node.init) || typeof node.init.value !== 'string')
      continue;
    const name = nameOf(node.id);
    if (name !== undefined) texts.set(name, node.init.value);
  }
  return texts;
}

/** The specifier of an import, export-from or dynamic import; `undefined` where it is computed. */
function importedBy(
  node: Node,
  texts: ReadonlyMap<string, string>,
): { readonly specifier: string | undefined; readonly dynamic: boolean } | undefined {
  const dynamic = node.type === 'ImportExpression';
  if (!dynamic && !/^(Import|ExportNamed|ExportAll)Declaration$/.test(node.type)) return undefined;
  if (!isNode(node.source)) return undefined;
  const { value } = node.source;
  return { specifier: typeof value === 'string' ? value : texts.get(nameOf(node.source) ?? ''), dynamic };
}

/**
 * Checks one module against the dependency directions and the purity of its layer.
 * `path` is relative to `src/`, with `/`.
 */
export function checkModule(path: string, source: string): readonly Violation[] {
  const file = `src/${path}`;
  const layer = LAYERS[layerOf(path)];
  if (layer === undefined) return [{ file, line: 1, message: `${layerOf(path)} is no layer of the design` }];
  const program = parseAst(source, { lang: 'ts' }) as unknown as Node;
  const bound = boundNames(program);
  const texts = constantTexts(program);
  const found: Violation[] = [];
  const add = (node: Node, message: string | undefined) => {
    if (message !== undefined)
      found.push({ file, line: source.slice(0, node.start).split('\n').length, message });
  };
  for (const { node, parent, key } of walk(program)) {
    const imported = importedBy(node, texts);
    if (imported !== undefined && imported.specifier === undefined)
      add(node, 'imports a computed path: neither the bundle nor this check can follow it');
    else if (imported?.specifier !== undefined)
      add(node, checkImport(path, imported.specifier, imported.dynamic));
    const impure = layer.pure ? impurity(node, parent, key, bound) : undefined;
    if (impure !== undefined)
      add(node, `${layerOf(path)} may not use ${impure}: it comes in through a port or an argument`);
  }
  return found;
}
