// How long `smesh-compose --version` takes beside a Node.js that does nothing.
//
//   tsx scripts/bench-start.ts            prints the ratio
//   tsx scripts/bench-start.ts --check    exit 1 when it is over the limit

import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { compare, comparisonHeader, comparisonLine } from './lib/bench.ts';

const LIMIT = 1.5;
const cli = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const run = (...args: string[]) => execFileSync(process.execPath, args, { stdio: 'ignore' });

const result = await compare(
  () => run(cli, '--version'),
  () => run('-e', '0'),
  { runs: 21 },
);
console.log(comparisonHeader);
console.log(
  comparisonLine({ subject: '`smesh-compose --version`', reference: '`node -e 0`' }, result, LIMIT),
);
if (process.argv.includes('--check') && result.ratio > LIMIT) {
  console.error(`start time: ${result.ratio.toFixed(2)} times that of an empty Node.js, at most ${LIMIT}`);
  process.exitCode = 1;
}
