// How long `smesh-compose up`, with all its checks, takes beside `docker compose up -d --wait` for 50 post-services.
//
//   tsx scripts/bench-up.ts [--identities N] [--runs N] [--check]
//
// Both start the same project from nothing and wait until everything is healthy; taking it down in between is not
// counted. With --check it ends with 1 when the ratio is over the limit.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { TestProject } from '../test/engine/support/project.ts';
import { comparisonHeader, comparisonLine, spread, time } from './lib/bench.ts';

const LIMIT = 1.3;
const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const { values } = parseArgs({
  options: {
    identities: { type: 'string', default: '50' },
    runs: { type: 'string', default: '3' },
    check: { type: 'boolean', default: false },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'smt-bench-up-'));
const project = await TestProject.make(folder, Number(values.identities));
const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
const down = () => run('docker', 'compose', 'down', '--timeout', '1');

const contestants = {
  subject: () => run(process.execPath, cli, 'up'),
  reference: () => run('docker', 'compose', 'up', '-d', '--wait'),
};
const times = { subject: [] as number[], reference: [] as number[] };

try {
  run(process.execPath, cli, 'generate');
  // The first pair warms up the page cache and is not counted; who goes first alternates.
  for (let pair = 0; pair <= Number(values.runs); pair += 1) {
    const order = pair % 2 === 0 ? (['subject', 'reference'] as const) : (['reference', 'subject'] as const);
    for (const name of order) {
      const taken = await time(contestants[name]);
      if (pair > 0) times[name].push(taken);
      down();
    }
  }
} finally {
  await project.cleanUp();
  rmSync(folder, { recursive: true, force: true });
}

const [subject, reference] = [spread(times.subject), spread(times.reference)];
const ratio = subject.median / reference.median;
const names = {
  subject: `\`smesh-compose up\`, ${values.identities} identities`,
  reference: '`docker compose up -d --wait`',
};
console.log(comparisonHeader);
console.log(comparisonLine(names, { subject, reference, ratio, runs: times.subject.length }, LIMIT));
if (values.check && ratio > LIMIT) {
  console.error(`up: ${ratio.toFixed(2)} times what docker compose takes, at most ${LIMIT}`);
  process.exitCode = 1;
}
