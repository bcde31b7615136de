// How long the built program takes on a project of 500 identities in which nothing is new, beside what others need for
// the same look: `init` beside find over the same directories, `generate` beside Compose reading the same compose.yaml.
//
//   tsx scripts/bench-init.ts            prints both
//   tsx scripts/bench-init.ts --check    exit 1 when one takes longer than it may

import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { compare, comparisonHeader, comparisonLine } from './lib/bench.ts';
import { makeBenchProject } from './lib/bench-project.ts';

const IDENTITIES = 500;
const RUNS = 5;
const LIMITS_MS = { init: 2000, generate: 1000 };

const project = makeBenchProject(IDENTITIES);
try {
  const quiet = { stdio: 'ignore' as const };
  const init = await compare(
    () => project.run('init', '--yes', '--data', project.data),
    () => execFileSync('find', [project.data, '-printf', '%s %p\\n'], quiet),
    { runs: RUNS },
  );
  const generate = await compare(
    () => project.run('generate'),
    () => execFileSync('docker', ['compose', 'config', '-q'], { cwd: project.directory, ...quiet }),
    { runs: RUNS },
  );
  console.log(`${IDENTITIES} identities, nothing new`);
  console.log(comparisonHeader);
  console.log(comparisonLine({ subject: '`smesh-compose init`', reference: '`find -printf`' }, init));
  console.log(
    comparisonLine(
      { subject: '`smesh-compose generate`', reference: '`docker compose config -q`' },
      generate,
    ),
  );
  for (const [name, { subject }] of Object.entries({ init, generate })) {
    const limit = LIMITS_MS[name as keyof typeof LIMITS_MS];
    if (process.argv.includes('--check') && subject.median > limit) {
      console.error(`${name}: ${subject.median.toFixed(0)} ms, at most ${limit}`);
      process.exitCode = 1;
    }
  }
} finally {
  project.remove();
}
