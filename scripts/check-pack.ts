// What `npm pack` makes: only what runs, and it runs where nothing else is installed.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** A file that matches none of these does not belong into the package. */
const ALLOWED = [
  /^package\.json$/,
  /^(LICENSE|README\.md|CHANGELOG\.md)$/,
  /^dist\/cli\.js$/,
  /^dist\/chunks\/[^/]+\.js$/,
  /^dist\/THIRD-PARTY-LICENSES\.txt$/,
  /^templates\/[^.][^/]*(\/[^.][^/]*)*\.hbs$/,
  /^compose\/init\/[^/]+\.yaml$/,
];
const REQUIRED = [
  'package.json',
  'LICENSE',
  'README.md',
  'CHANGELOG.md',
  'dist/cli.js',
  'dist/THIRD-PARTY-LICENSES.txt',
];
const MAX_UNPACKED_BYTES = 5 * 1024 * 1024;

const root = fileURLToPath(new URL('..', import.meta.url));
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

function npm(cwd: string, ...args: string[]): string {
  return execFileSync('npm', [...args, '--loglevel=error'], { cwd, encoding: 'utf8' });
}

/** What is wrong with the list of files. */
function checkFiles({ files, unpackedSize }: Packed): readonly string[] {
  const paths = files.map(({ path }) => path);
  const faults = [
    ...paths
      .filter((path) => !ALLOWED.some((allowed) => allowed.test(path)))
      .map((path) => `${path} does not belong into it`),
    ...REQUIRED.filter((path) => !paths.includes(path)).map((path) => `${path} is missing`),
  ];
  const cli = files.find(({ path }) => path === 'dist/cli.js');
  if (cli !== undefined && (cli.mode & 0o111) === 0) faults.push('dist/cli.js is not executable');
  if (unpackedSize > MAX_UNPACKED_BYTES)
    faults.push(`${unpackedSize} bytes unpacked, at most ${MAX_UNPACKED_BYTES}`);
  for (const path of paths.filter((candidate) => candidate.startsWith('dist/'))) {
    // A path of the machine it was built on: it would differ from build to build, and break on all others.
    if (readFileSync(join(root, path), 'utf8').includes(root))
      faults.push(`${path} names the folder it was built in`);
  }
  return faults;
}

/** Installs the tarball in an empty folder, without network and without optional parts, and runs it. */
function checkInstalled(folder: string, tarball: string): readonly string[] {
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  npm(folder, 'install', '--offline', '--omit=optional', '--no-audit', '--no-fund', tarball);
  const run = (...args: string[]) =>
    spawnSync('npx', ['--offline', '--no', '--', name, ...args], { cwd: folder, encoding: 'utf8' });
  const faults: string[] = [];
  const shown = run('--version');
  if (shown.status !== 0 || shown.stdout.trim() !== version) {
    faults.push(`npx ${name} --version: exit ${shown.status}, ${shown.stdout}${shown.stderr}`);
  }
  const help = run('--help');
  if (help.status !== 0 || !help.stdout.includes('Usage:'))
    faults.push(`npx ${name} --help: ${help.stdout}${help.stderr}`);
  // Loads adapters and libraries; that nothing is found here is the user's fault, not the package's.
  const scan = run('scan', folder);
  if (scan.status === 1 || scan.status === null)
    faults.push(`npx ${name} scan: ${scan.stdout}${scan.stderr}`);
  return faults;
}

const folder = mkdtempSync(join(tmpdir(), 'smesh-pack-'));
try {
  execFileSync(process.execPath, ['scripts/build.mjs', '--clean'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [packed]: Packed[] = JSON.parse(
    npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', folder),
  );
  if (packed === undefined) throw new Error('npm pack made nothing');
  const faults = checkFiles(packed);
  // What is in it says more than what it does: only a right package is installed.
  const all = faults.length > 0 ? faults : checkInstalled(folder, join(folder, packed.filename));
  for (const fault of all) console.error(`package: ${fault}`);
  const kib = Math.round(packed.unpackedSize / 1024);
  console.log(
    `package: ${packed.filename}, ${packed.files.length} files, ${kib} KiB unpacked, ${all.length} faults`,
  );
  if (all.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
