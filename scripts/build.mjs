// Bundles src/cli.ts into dist/: everything that runs, and the licences of what went in.
//
//   node scripts/build.mjs           writes dist/, keeps chunks of the build before for a while
//   node scripts/build.mjs --clean   removes everything that is not of this build (packing, releases)

import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { basename, join, relative, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** A process that started with the build before still loads its chunks lazily: `status --watch`, a parallel test. */
const STALE_AFTER_MS = 15 * 60 * 1000;

/** Not bundled: a native module, optional, looked up at run time. */
const EXTERNAL = ['libsql'];

/** Loaded on first use only. In the entry's static closure they would be paid for by every `--version`. */
const LAZY_PACKAGES = [
  'dockerode',
  'docker-modem',
  '@grpc/grpc-js',
  'protobufjs',
  'handlebars',
  'enquirer',
  'yaml',
  'age-encryption',
  'zod',
];

const MAX_ENTRY_BYTES = 16 * 1024;

/** dockerode's image builds through BuildKit: never used here, and they would load gRPC for a mere `docker ps`. */
const withoutBuildKit = {
  name: 'without-buildkit',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]dockerode[\\/]lib[\\/](session|buildkit)\.js$/ }, ({ path }) => ({
      loader: 'js',
      contents: `module.exports = () => { throw new Error('dockerode/${basename(path)} is left out of this build'); };`,
    }));
  },
};

/** `debug` takes its colours from this one if it happens to lie about; what lies about must not change what runs. */
const withoutFoundColours = {
  name: 'without-found-colours',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^supports-color$/ }, () => ({ path: 'supports-color', namespace: 'absent' }));
    onLoad({ filter: /.*/, namespace: 'absent' }, () => ({
      loader: 'js',
      contents: 'module.exports = null;',
    }));
  },
};

const startedAt = performance.now();
const result = await build({
  absWorkingDir: root,
  entryPoints: { cli: 'src/cli.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  write: false,
  metafile: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  chunkNames: 'chunks/[name]-[hash]',
  // Names and lines stay readable: a stack in a bug report must mean something. Only dead code goes.
  minifySyntax: true,
  // Their texts are in THIRD-PARTY-LICENSES.txt.
  legalComments: 'none',
  external: EXTERNAL,
  alias: {
    ssh2: './src/adapters/docker/ssh2-stub.ts',
    'cpu-features': './src/adapters/docker/ssh2-stub.ts',
  },
  plugins: [withoutBuildKit, withoutFoundColours],
  define: { SMESH_COMPOSE_VERSION: JSON.stringify(manifest.version) },
  // CommonJS packages call require() for Node's own modules, which an ES module does not have.
  banner: {
    js: "import { createRequire as smeshCreateRequire } from 'node:module'; const require = smeshCreateRequire(import.meta.url);",
  },
  logLevel: 'warning',
  // The faults are printed already, with their lines.
}).catch(() => fail('the sources do not build'));
if (result.warnings.length > 0) fail('the bundler warned (above): a warning is a fault that waits');

const outputs = new Map(
  result.outputFiles.map((file) => [relative(root, file.path).split(sep).join('/'), file.contents]),
);
const entry = 'dist/cli.js';
checkExternals();
checkStartClosure();
write();

const kib = Math.round([...outputs.values()].reduce((sum, contents) => sum + contents.length, 0) / 1024);
const entryKib = (outputs.get(entry).length / 1024).toFixed(1);
console.log(
  `dist: ${outputs.size} files, ${kib} KiB, entry ${entryKib} KiB, in ${Math.round(performance.now() - startedAt)} ms`,
);

function fail(message) {
  console.error(`build: ${message}`);
  process.exit(1);
}

/** Only Node's own modules and the optional native ones may be left to be found at run time. */
function checkExternals() {
  const allowed = new Set([...EXTERNAL, ...builtinModules, ...builtinModules.map((name) => `node:${name}`)]);
  for (const [file, { imports }] of Object.entries(result.metafile.outputs)) {
    for (const { path, external } of imports) {
      if (external && !allowed.has(path) && !path.startsWith('node:'))
        fail(`${file} would look for ${path} at run time`);
    }
  }
}

/** What `node dist/cli.js --version` reads before its first line: keep it next to nothing. */
function checkStartClosure() {
  const seen = new Set();
  const queue = [entry];
  for (const file of queue) {
    if (seen.has(file)) continue;
    seen.add(file);
    const output = result.metafile.outputs[file];
    for (const input of Object.keys(output.inputs)) {
      const name = packageOf(input)?.name;
      if (name !== undefined && LAZY_PACKAGES.includes(name))
        fail(`${name} is loaded at start: import it lazily`);
    }
    for (const { path, kind, external } of output.imports) {
      if (kind === 'import-statement' && !external) queue.push(path);
    }
  }
  const bytes = [...seen].reduce((sum, file) => sum + outputs.get(file).length, 0);
  if (bytes > MAX_ENTRY_BYTES) {
    fail(
      `${bytes} bytes are loaded before anything is parsed (at most ${MAX_ENTRY_BYTES}): ${[...seen].join(', ')}`,
    );
  }
}

/** New chunks first and the entry last, each by rename: whoever starts meanwhile sees the old build or the new one. */
function write() {
  mkdirSync(join(dist, 'chunks'), { recursive: true });
  const texts = [...outputs].filter(([file]) => file !== entry);
  texts.push(['dist/THIRD-PARTY-LICENSES.txt', licences()]);
  texts.push([entry, Buffer.concat([Buffer.from('#!/usr/bin/env node\n'), outputs.get(entry)])]);
  for (const [file, contents] of texts) {
    const path = join(root, file);
    const temporary = `${path}.${process.pid}.tmp`;
    writeFileSync(temporary, contents);
    if (file === entry) chmodSync(temporary, 0o755);
    renameSync(temporary, path);
  }
  removeStale(new Set(texts.map(([file]) => file)));
}

function removeStale(current) {
  const clean = process.argv.includes('--clean');
  for (const name of readdirSync(dist, { recursive: true })) {
    const path = join(dist, name);
    if (current.has(`dist/${name.split(sep).join('/')}`)) continue;
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat?.isFile()) continue;
    if (clean || Date.now() - stat.mtimeMs > STALE_AFTER_MS) rmSync(path, { force: true });
  }
}

/** The package that an input file belongs to, also for nested `node_modules`. */
function packageOf(input) {
  const at = input.lastIndexOf('node_modules/');
  if (at < 0) return undefined;
  const [scopeOrName, rest] = input.slice(at + 'node_modules/'.length).split('/');
  const name = scopeOrName.startsWith('@') ? `${scopeOrName}/${rest}` : scopeOrName;
  return { name, folder: `${input.slice(0, at)}node_modules/${name}` };
}

/** The texts that the licences of the bundled packages ask us to hand on; a package without one stops the build. */
function licences() {
  const folders = new Set();
  for (const input of Object.values(result.metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs),
  )) {
    const [path, { bytesInOutput }] = input;
    const found = packageOf(path);
    if (found !== undefined && bytesInOutput > 0) folders.add(found.folder);
  }
  const sections = [...folders].map((folder) => {
    const { name, version, license, author } = JSON.parse(
      readFileSync(join(root, folder, 'package.json'), 'utf8'),
    );
    const files = readdirSync(join(root, folder)).filter((file) =>
      /^(licen[cs]e|notice|copying)(\..*)?$/i.test(file),
    );
    const texts = files.map((file) => readFileSync(join(root, folder, file), 'utf8').trim());
    if (texts.length === 0) {
      if (typeof license !== 'string')
        fail(`${name} comes without a licence text and without a licence name`);
      const holder = typeof author === 'string' ? author : (author?.name ?? 'its authors');
      texts.push(
        `The package names its licence, ${license}, and its author, ${holder}, and comes without a text.`,
      );
    }
    return { title: `${name} ${version} (${license})`, text: texts.join('\n\n') };
  });
  sections.sort((a, b) => (a.title < b.title ? -1 : 1));
  const rule = '-'.repeat(80);
  return [
    `${manifest.name} ${manifest.version} contains code of these packages.`,
    ...sections.flatMap(({ title, text }) => [rule, title, rule, text]),
    '',
  ].join('\n\n');
}
