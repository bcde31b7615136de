// Builds the images of the stand-ins (test/sim) from what this machine has: no base image is pulled.
//
//   node scripts/build-sim-image.mjs [--force] [--quiet]
//
// One base image holds Node, bash and a few tools with their libraries, as found here; each stand-in adds its
// bundle on top. Both carry a digest of what went into them as a label, so that nothing is done when nothing
// changed.

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
// A folder of its own for each run: two suites may build at the same time, and then both merely do the same work.
const outDir = join(root, 'build/sim', String(process.pid));
const label = 'org.smesh-compose.sim.digest';
const libraryDir = 'usr/local/lib/smesh-sim';
const baseTag = 'smesh-sim/base:latest';
const force = process.argv.includes('--force');
const quiet = process.argv.includes('--quiet');

/** Commands that healthchecks and people use inside the official images, and what the stand-ins need. */
const tools = [
  ...[
    'bash',
    'sh',
    'env',
    'cat',
    'cp',
    'date',
    'head',
    'id',
    'ls',
    'mkdir',
    'mv',
    'rm',
    'sleep',
    'stat',
    'tail',
  ],
  ...['touch', 'true', 'chmod', 'chown', 'echo', 'wc', 'sha256sum', 'grep', 'flock'],
];

/**
 * Name and version of each image as the official one, where its entry point is, and which programs it holds.
 * A program whose source is not there is left out; an image without its own program is not made.
 */
const images = [
  {
    tag: 'smesh-sim/go-spacemesh:v1.7.6',
    entrypoint: '/bin/go-spacemesh',
    workdir: '/',
    programs: [
      { path: 'usr/bin/go-spacemesh', source: 'node', warmUp: ['version'] },
      { path: 'usr/bin/post-service', source: 'post-service', warmUp: ['--version'] },
      { path: 'usr/bin/merge-nodes', source: 'merge-nodes', warmUp: ['--version'] },
    ],
  },
  {
    tag: 'smesh-sim/post-service:v0.8.5',
    entrypoint: '/usr/local/bin/post-service',
    workdir: '/service',
    programs: [{ path: 'usr/local/bin/post-service', source: 'post-service', warmUp: ['--version'] }],
  },
  {
    tag: 'smesh-sim/postcli:v0.12.9',
    entrypoint: '/bin/postcli',
    workdir: '/',
    programs: [{ path: 'usr/bin/postcli', source: 'postcli', warmUp: ['-printConfig'] }],
  },
  {
    tag: 'smesh-sim/poet:v0.10.8',
    entrypoint: '/bin/poet',
    workdir: '/',
    programs: [
      { path: 'usr/bin/poet', source: 'poet', warmUp: ['--help'] },
      { path: 'usr/bin/wget', source: 'wget', warmUp: [] },
    ],
  },
];

/** Node packages with native parts: they cannot be bundled and are copied beside the bundles. */
const nativePackages = nativeSqlitePackages();

function nativeSqlitePackages() {
  const fromHere = createRequire(import.meta.url);
  let entry;
  try {
    entry = fromHere.resolve('libsql');
  } catch {
    throw new Error('libsql is not installed: npm ci (with optional dependencies), then run this again');
  }
  const modules = dirname(dirname(entry));
  const binaries = readdirSync(join(modules, '@libsql')).map((name) => `@libsql/${name}`);
  const fromLibsql = createRequire(entry);
  const folderOf = (name) => {
    const parts = fromLibsql.resolve(name).split('/node_modules/');
    parts.pop();
    return join(parts.join('/node_modules/'), 'node_modules', name);
  };
  return [
    { name: 'libsql', from: join(modules, 'libsql') },
    ...['@neon-rs/load', 'detect-libc'].map((name) => ({ name, from: folderOf(name) })),
    ...binaries.filter((name) => name.includes('-gnu')).map((name) => ({ name, from: join(modules, name) })),
  ];
}

function docker(args, options = {}) {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'inherit'], ...options });
}

function digestOf(tag) {
  const result = spawnSync('docker', ['image', 'inspect', '-f', `{{index .Config.Labels "${label}"}}`, tag], {
    encoding: 'utf8',
  });
  if (result.error) throw result.error;
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** Untags nothing and keeps what a container still uses: only an image that a rebuild has replaced goes. */
function dropReplaced(image) {
  if (image !== undefined) spawnSync('docker', ['image', 'rm', image], { stdio: 'ignore' });
}

function idOf(tag) {
  const result = spawnSync('docker', ['image', 'inspect', '-f', '{{.Id}}', tag], { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

function say(text) {
  if (!quiet) console.log(text);
}

function findTool(name) {
  const found = (process.env['PATH'] ?? '')
    .split(':')
    .concat(['/usr/sbin', '/usr/bin', '/bin'])
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`${name} is needed for the image and not found on this machine`);
  return realpathSync(found);
}

/** All shared libraries of the given programs, each by the path under which the loader looks for it. */
function librariesOf(programs) {
  const found = new Set();
  for (const program of programs) {
    const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
    for (const match of (stdout ?? '').matchAll(/(?:=>\s*)?(\/\S+)\s+\(0x/g)) found.add(match[1]);
  }
  // The resolver of older C libraries loads these by name, unseen by ldd.
  for (const path of [...found]) {
    if (basename(path) !== 'libc.so.6') continue;
    for (const name of ['libnss_dns.so.2', 'libnss_files.so.2', 'libresolv.so.2']) {
      const library = join(dirname(path), name);
      if (existsSync(library)) found.add(library);
    }
  }
  return [...found];
}

function describeBase() {
  const programs = [
    { target: 'usr/local/bin/node', from: realpathSync(process.execPath) },
    ...tools.map((name) => ({ target: `usr/bin/${name}`, from: findTool(name) })),
  ];
  const natives = nativePackages
    .map(({ from }) => join(from, 'index.node'))
    .filter((path) => existsSync(path));
  const libraries = librariesOf([...programs.map((program) => program.from), ...natives]).map((path) => ({
    // On a merged system /lib is a link to /usr/lib; in the image it always is.
    target: path.replace(/^\/(lib\d*)\//, 'usr/$1/').replace(/^\//, ''),
    from: realpathSync(path),
  }));
  return [...programs, ...libraries];
}

function baseDigest(files) {
  const hash = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)));
  for (const { target, from } of files) {
    const { size, mtimeMs } = statSync(from);
    hash.update(`${target} ${from} ${size} ${mtimeMs}\n`);
  }
  for (const { name, from } of nativePackages)
    hash.update(name).update(readFileSync(join(from, 'package.json')));
  return hash.digest('hex');
}

function place(staging, target, from) {
  const path = join(staging, target);
  mkdirSync(dirname(path), { recursive: true });
  copyFileSync(from, path);
  chmodSync(path, 0o755);
}

function buildBase(files, digest) {
  const staging = join(outDir, 'base');
  rmSync(staging, { recursive: true, force: true });
  for (const folder of [
    'etc',
    'root',
    'tmp',
    'var/tmp',
    'service',
    'proc',
    'sys',
    'dev',
    'usr/lib',
    'usr/lib64',
  ]) {
    mkdirSync(join(staging, folder), { recursive: true });
  }
  for (const folder of ['tmp', 'var/tmp']) chmodSync(join(staging, folder), 0o1777);
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) {
    mkdirSync(join(staging, 'usr', name), { recursive: true });
    symlinkSync(`usr/${name}`, join(staging, name));
  }
  writeFileSync(
    join(staging, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/:/bin/sh\n',
  );
  writeFileSync(join(staging, 'etc/group'), 'root:x:0:\nvideo:x:44:\nnogroup:x:65534:\n');
  writeFileSync(join(staging, 'etc/nsswitch.conf'), 'passwd: files\ngroup: files\nhosts: files dns\n');
  writeFileSync(join(staging, 'etc/os-release'), 'ID=smesh-sim\nPRETTY_NAME="smesh-compose stand-in"\n');
  for (const { target, from } of files) place(staging, target, from);
  for (const { name, from } of nativePackages) {
    cpSync(from, join(staging, libraryDir, 'node_modules', name), { recursive: true, dereference: true });
  }
  const archive = join(outDir, 'base.tar');
  execFileSync('tar', ['--numeric-owner', '--owner=0', '--group=0', '-C', staging, '-cf', archive, '.']);
  docker([
    'import',
    ...['--change', 'ENV PATH=/usr/local/bin:/usr/bin:/bin'],
    ...['--change', `LABEL ${label}=${digest}`],
    archive,
    baseTag,
  ]);
  rmSync(archive);
  rmSync(staging, { recursive: true });
}

/** Bundles test/sim/<source>/main.ts; undefined when there is no such program. */
async function bundle(source) {
  const entry = join(root, 'test/sim', source, 'main.ts');
  if (!existsSync(entry)) return undefined;
  const outfile = join(outDir, `${source}.cjs`);
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    minifySyntax: true,
    external: ['libsql'],
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'error',
  });
  const text = result.outputFiles[0].text;
  writeFileSync(outfile, text);
  return { source, outfile, digest: createHash('sha256').update(text).digest('hex') };
}

/** Runs the program once in the image's own base, so that the code cache fits the Node that will read it. */
function writeCodeCache(bundled, warmUp) {
  const cache = `${bundled.outfile}.cache`;
  rmSync(cache, { force: true });
  const launcher = join(root, 'test/sim/image/launch.cjs');
  spawnSync(
    process.execPath,
    ['-e', 'require(process.argv[1])(process.argv[2])', launcher, bundled.outfile, ...warmUp],
    {
      env: { ...process.env, SIM_WRITE_CODE_CACHE: cache, NODE_PATH: join(root, 'node_modules') },
      stdio: 'ignore',
      timeout: 10_000,
    },
  );
  return existsSync(cache) ? cache : undefined;
}

function buildImage(image, programs, digest) {
  const staging = join(outDir, 'image');
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  place(staging, `${libraryDir}/launch.cjs`, join(root, 'test/sim/image/launch.cjs'));
  for (const program of programs) {
    place(staging, `${libraryDir}/${program.source}.cjs`, program.bundled.outfile);
    const cache = writeCodeCache(program.bundled, program.warmUp);
    if (cache !== undefined) place(staging, `${libraryDir}/${program.source}.cjs.cache`, cache);
    const wrapper = join(staging, program.path);
    mkdirSync(dirname(wrapper), { recursive: true });
    const start = `require('/${libraryDir}/launch.cjs')('/${libraryDir}/${program.source}.cjs');`;
    writeFileSync(wrapper, `#!/usr/local/bin/node\n${start}\n`);
    chmodSync(wrapper, 0o755);
  }
  const archive = execFileSync(
    'tar',
    ['--numeric-owner', '--owner=0', '--group=0', '-C', staging, '-c', 'usr'],
    {
      maxBuffer: 1 << 30,
    },
  );
  const container = docker(['create', baseTag, 'true']).trim();
  try {
    docker(['cp', '-', `${container}:/`], { input: archive });
    docker([
      'commit',
      ...['--change', `ENTRYPOINT ["${image.entrypoint}"]`],
      ...['--change', 'CMD []'],
      ...['--change', `WORKDIR ${image.workdir}`],
      ...['--change', `LABEL ${label}=${digest}`],
      container,
      image.tag,
    ]);
  } finally {
    docker(['rm', '-f', container]);
  }
  rmSync(staging, { recursive: true });
}

/** Makes what is missing or out of date; returns the tags of all images that there are afterwards. */
export async function buildSimImages() {
  mkdirSync(outDir, { recursive: true });
  try {
    return await buildWhatChanged();
  } finally {
    rmSync(outDir, { recursive: true });
  }
}

async function buildWhatChanged() {
  const files = describeBase();
  const base = baseDigest(files);
  if (force || digestOf(baseTag) !== base) {
    say(`building ${baseTag} from this machine's Node ${process.version}`);
    buildBase(files, base);
  }
  const sources = [...new Set(images.flatMap((image) => image.programs.map((program) => program.source)))];
  const bundles = new Map(
    (await Promise.all(sources.map(bundle))).filter(Boolean).map((one) => [one.source, one]),
  );
  const launcher = readFileSync(join(root, 'test/sim/image/launch.cjs'));
  const tags = [];
  for (const image of images) {
    const programs = image.programs
      .map((program) => ({ ...program, bundled: bundles.get(program.source) }))
      .filter((program) => program.bundled !== undefined);
    if (!programs.some((program) => `/${program.path}`.endsWith(image.entrypoint))) continue;
    const digest = createHash('sha256')
      .update(base)
      .update(launcher)
      .update(programs.map((program) => `${program.path} ${program.bundled.digest}`).join('\n'))
      .digest('hex');
    if (force || digestOf(image.tag) !== digest) {
      say(`building ${image.tag}`);
      const replaced = idOf(image.tag);
      buildImage(image, programs, digest);
      dropReplaced(replaced);
    }
    tags.push(image.tag);
  }
  return tags;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const tag of await buildSimImages()) say(tag);
}
