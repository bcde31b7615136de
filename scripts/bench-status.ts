/**
 * `status --json` of 50 identities beside `docker compose ps --format json`, which asks only the engine; status asks the
 * node and every post-service too. Prints medians and the ratio; never fails on time.
 *
 *   npx tsx scripts/bench-status.ts [identities]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { TestProject } from '../test/engine/support/project.ts';
import { compare, comparisonHeader, comparisonLine } from './lib/bench.ts';

const identities = Number(process.argv[2] ?? 50);
const folder = mkdtempSync(join(tmpdir(), 'smesh-bench-status-'));
const project = await TestProject.make(folder, identities);
const cli = join(import.meta.dirname, '..', 'dist', 'cli.js');

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}

try {
  run('node', [cli, 'up', '--quiet']);
  const answered = JSON.parse(run('node', [cli, 'status', '--json'])) as { identities: unknown[] };
  if (answered.identities.length !== identities) throw new Error('status did not report every identity');
  const comparison = await compare(
    () => run('node', [cli, 'status', '--json']),
    () => run('docker', ['compose', 'ps', '--format', 'json']),
    { runs: 9 },
  );
  console.log(comparisonHeader);
  console.log(
    comparisonLine(
      { subject: `status --json, ${identities} identities`, reference: 'docker compose ps --format json' },
      comparison,
    ),
  );
} finally {
  await project.cleanUp();
  rmSync(folder, { recursive: true, force: true });
}
