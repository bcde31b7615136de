import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { buildFailureFile, root } from './places.ts';

/** Projects of one run each evaluate this file: a variable of it would not tell that another came first. */
const PREPARED = 'SMESH_TESTS_PREPARED';

function run(program: string, args: readonly string[], advice: string): string {
  try {
    return execFileSync(program, args, { cwd: root, encoding: 'utf8', stdio: 'pipe', timeout: 10 * 60_000 });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    const command = [program, ...args].join(' ');
    throw new Error(`${command} failed. ${advice}\n${stdout}${stderr}`.trim());
  }
}

/** A build that fails is kept for the tests that need `dist`; those that do not can still say something. */
function buildCli(): void {
  const built = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, encoding: 'utf8' });
  mkdirSync(dirname(buildFailureFile), { recursive: true });
  if (built.status === 0) rmSync(buildFailureFile, { force: true });
  else writeFileSync(buildFailureFile, built.stdout + built.stderr);
}

/**
 * Before contract, engine and end-to-end suites: an engine that answers, the images of the stand-ins, `dist`. Nothing
 * of it is optional: a suite that cannot reach Docker fails here and says so, it does not skip its tests.
 */
export function setup(): void {
  if (process.env[PREPARED] === String(process.pid)) return;
  run(
    'docker',
    ['version', '--format', '{{.Server.Version}}'],
    'These suites need a Docker engine: scripts/engine brings one.',
  );
  run('docker', ['compose', 'version'], 'These suites need Docker Compose v2: scripts/engine brings it.');
  run(
    process.execPath,
    [join('scripts', 'build-sim-image.mjs')],
    'The images of the stand-ins could not be built.',
  );
  buildCli();
  process.env[PREPARED] = String(process.pid);
}
