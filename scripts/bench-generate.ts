// How long a model of 500 identities takes in this process: read and check smesh.yaml, generate, both together.
//
//   tsx scripts/bench-generate.ts            prints milliseconds: the first time, and the median of the next ones
//   tsx scripts/bench-generate.ts --check    exit 1 when a first time is over its limit

import process from 'node:process';
import { generatedFiles } from '../src/domain/compose/generate.ts';
import { parseSmesherId } from '../src/domain/identity/smesher-id.ts';
import { newProjectText } from '../src/domain/project/new-project.ts';
import { requireProject } from '../src/domain/project/parse.ts';

const IDENTITIES = 500;
const RUNS = 9;
/** Processor time of this process: other programs on the machine do not count. */
const LIMITS = { read: 400, generate: 600 };

const identities = Array.from({ length: IDENTITIES }, (_, index) => {
  const id = parseSmesherId(index.toString(16).padStart(64, '0'));
  if (id === undefined) throw new Error('not an ID');
  const name = `post-${String(index + 1).padStart(4, '0')}`;
  return { id, name, data: `/mnt/disk ${index % 50}/${name}`, user: '1000:1000' };
});
const text = newProjectText({
  network: 'mainnet',
  coinbase: 'sm1qqqqqqp3qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqzpk47y',
  node: { user: '1000:1000' },
  identities,
});

/** Milliseconds: wall clock and processor. */
function measure<T>(act: () => T): { readonly wall: number; readonly cpu: number; readonly result: T } {
  const [start, before] = [performance.now(), process.cpuUsage()];
  const result = act();
  const used = process.cpuUsage(before);
  return { wall: performance.now() - start, cpu: (used.user + used.system) / 1000, result };
}

const runs = Array.from({ length: RUNS }, () => {
  const read = measure(() => requireProject(text, { directory: '/srv/smesh' }).project);
  const generate = measure(() =>
    generatedFiles(read.result, {
      directory: '/srv/smesh',
      toolVersion: '0.0.0',
      postOwners: new Map(),
      rendered: new Map([['runbook.md', '']]),
    }),
  );
  return { read, generate };
});

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
console.log(`${IDENTITIES} identities   first (wall, cpu)   then (median wall)`);
for (const what of ['read', 'generate'] as const) {
  const [first, ...others] = runs.map((run) => run[what]);
  if (first === undefined) throw new Error('no run');
  const then = median(others.map(({ wall }) => wall));
  console.log(
    `${what.padEnd(15)} ${first.wall.toFixed(0)} ms, ${first.cpu.toFixed(0)} ms   ${then.toFixed(0)} ms`,
  );
  if (process.argv.includes('--check') && first.cpu > LIMITS[what]) {
    console.error(`${what}: ${first.cpu.toFixed(0)} ms of processor time, at most ${LIMITS[what]}`);
    process.exitCode = 1;
  }
}
