// Builds smesh-sim/postcli-pocl: the stand-in of postcli with OpenCL as postcli's own image has it, that is with pocl,
// which computes on the processor, and clinfo. The packages are those of this machine's distribution (Debian, Ubuntu);
// nothing is installed, they are downloaded once and unpacked.
//
//   node scripts/build-pocl-image.mjs [--force] [--quiet]

import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

export const POCL_IMAGE = 'smesh-sim/postcli-pocl:v0.12.9';
const FROM = 'smesh-sim/postcli:v0.12.9';
const PACKAGES = ['pocl-opencl-icd', 'ocl-icd-libopencl1', 'clinfo'];
const LABEL = 'org.smesh-compose.sim.digest';

/** pocl brings a compiler for kernels; here nobody compiles one. */
const NOT_NEEDED =
  /^(clang|llvm|gcc-|g\+\+|cpp|binutils|lib(asan|atomic|tsan|ubsan|lsan|itm|quadmath|cc1|ctf|gprofng|isl|mpc|mpfr|gomp|objc|crypt|nsl|tirpc)|.*-dev$|linux-libc|libc6-i386|lib32|libclang1|libclang-common|debconf|perl|rpcsvc)/;

const script = fileURLToPath(import.meta.url);
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'smesh-compose-sim');

function run(program, args, options = {}) {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'], ...options });
}

/** What a program says, or that it is not there. */
function ask(program, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', ...options });
  return { isDone: status === 0, stdout: stdout ?? '', words: error?.message ?? stderr.trim() };
}

/** Names of all packages that these need, as if nothing were installed. */
function closure() {
  const asked = ask('apt-get', [
    ...['-o', 'Dir::State::status=/dev/null', '-o', 'Debug::NoLocking=1'],
    ...['-o', 'APT::Install-Recommends=false', '--print-uris', '-qq', '-y', 'install', ...PACKAGES],
  ]);
  const names = [...asked.stdout.matchAll(/^'\S+' ([^\s_]+)_\S+\.deb /gm)].map(([, name]) => name);
  return { ...asked, names: names.filter((name) => !NOT_NEEDED.test(name)) };
}

/** Brings the packages into a folder of its own below, and returns that. */
function download(work) {
  let words = '';
  for (const attempt of ['as-it-is', 'updated']) {
    // A machine that has just been made knows no packages yet, an older one those of which the mirror has newer ones.
    if (attempt === 'updated') ask('apt-get', ['-o', 'Acquire::Retries=3', 'update', '-qq']);
    const found = closure();
    words = found.words;
    if (!found.isDone) continue;
    const folder = join(work, attempt);
    mkdirSync(folder);
    const got = ask('apt-get', ['-o', 'Acquire::Retries=3', 'download', '-qq', ...found.names], {
      cwd: folder,
    });
    if (got.isDone) return folder;
    words = got.words;
  }
  throw new Error(
    `The packages of pocl and clinfo cannot be fetched (${PACKAGES.join(', ')}): they come by apt-get from the sources of this machine, Debian or Ubuntu. As root: apt-get update\n${words}`,
  );
}

/** Unpacks the packages into one archive, once for each version of this script and of the system. */
function archive(digest) {
  const target = join(cache, `pocl-${digest.slice(0, 16)}.tar`);
  if (existsSync(target)) return target;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'work-'));
  try {
    const root = join(work, 'root');
    mkdirSync(root);
    const packages = download(work);
    for (const name of readdirSync(packages).filter((file) => file.endsWith('.deb'))) {
      run('dpkg-deb', ['-x', join(packages, name), root]);
    }
    // In the image, too, /lib is a link to /usr/lib.
    for (const name of ['lib', 'lib64', 'bin', 'sbin']) {
      if (!existsSync(join(root, name))) continue;
      cpSync(join(root, name), join(root, 'usr', name), { recursive: true, verbatimSymlinks: true });
      rmSync(join(root, name), { recursive: true });
    }
    rmSync(join(root, 'usr/share/doc'), { recursive: true, force: true });
    const made = join(work, 'made.tar');
    run('tar', ['--numeric-owner', '--owner=0', '--group=0', '-C', root, '-cf', made, 'etc', 'usr']);
    // Each has a third of a GiB, and only the newest is ever asked for.
    for (const old of readdirSync(cache).filter((name) => /^pocl-\w+\.tar$/.test(name)))
      rmSync(join(cache, old));
    renameSync(made, target);
  } finally {
    rmSync(work, { recursive: true });
  }
  return target;
}

function inspect(tag, format) {
  const result = spawnSync('docker', ['image', 'inspect', '-f', format, tag], { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** Makes the image where it is missing or of another stand-in, and returns its name. */
export function buildPoclImage({ force = false } = {}) {
  const from = inspect(FROM, '{{.Id}}');
  if (from === undefined) throw new Error(`${FROM} is not there: node scripts/build-sim-image.mjs`);
  // Libraries of another release, or of another processor, would not run on what the image below has.
  const system = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const own = createHash('sha256')
    .update(readFileSync(script))
    .update(`${system} ${process.arch}`)
    .digest('hex');
  const digest = createHash('sha256').update(`${own} ${from}`).digest('hex');
  if (!force && inspect(POCL_IMAGE, `{{index .Config.Labels "${LABEL}"}}`) === digest) return POCL_IMAGE;
  const before = inspect(POCL_IMAGE, '{{.Id}}');
  const tar = archive(own);
  const container = run('docker', ['create', FROM]).trim();
  try {
    run('bash', ['-c', 'docker cp - "$1:/" <"$2"', 'bash', container, tar]);
    // What the stand-in is told where there is OpenCL without a GPU.
    const changes = ['ENV SIM_GPUS=', `LABEL ${LABEL}=${digest}`].flatMap((change) => ['--change', change]);
    run('docker', ['commit', ...changes, container, POCL_IMAGE]);
  } finally {
    run('docker', ['rm', '-f', container]);
  }
  if (before !== undefined) spawnSync('docker', ['image', 'rm', before], { stdio: 'ignore' });
  return POCL_IMAGE;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === script) {
  try {
    const tag = buildPoclImage({ force: process.argv.includes('--force') });
    if (!process.argv.includes('--quiet')) console.log(tag);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
