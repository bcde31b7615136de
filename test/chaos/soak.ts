import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { bundleProgram } from '../e2e/support/bundle.ts';
import { root } from '../helpers/places.ts';
import { ChaosEngine } from './support/engine.ts';
import { openGoals, SOAK_GOALS } from './support/goals.ts';
import { bringImages } from './support/images.ts';
import { EPOCH_MS } from './support/network.ts';
import { renderReport } from './support/report.ts';
import { runChaos } from './support/run-chaos.ts';

const [minutes = '30', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
const epochs = Math.max(1, Math.round((Number(minutes) * 60_000) / EPOCH_MS) - 1);
const record = join(root, 'build/soak-record.json');

const say = (line: string) => process.stdout.write(`${line}\n`);

// A copy of its own: half an hour is long enough for somebody to build anew.
const cli = await bundleProgram('src/cli.ts', 'soak-tool');
const engine = await ChaosEngine.start();
let failed = false;
try {
  const images = await bringImages(engine);
  const journal = await runChaos({
    ...{ engine, images, name: 'soak', identities: 12, seed: Number(seed), log: say, cli },
    course: { epochs, goals: SOAK_GOALS, moreEpochs: 20 },
  });
  mkdirSync(dirname(record), { recursive: true });
  writeFileSync(record, JSON.stringify(journal.record(), withMaps));
  say(`\n${renderReport(journal)}`);
  const faults = journal.faults();
  const missed = openGoals(SOAK_GOALS, journal);
  for (const { kind, text } of faults) say(`FAULT ${kind}: ${text}`);
  for (const goal of missed) say(`NOT SHOWN ${goal}`);
  say(`${faults.length} faults, ${missed.length} goals missed; seed ${seed}`);
  failed = faults.length + missed.length > 0;
} finally {
  await engine.remove();
}
process.exit(failed ? 1 : 0);

function withMaps(_key: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value;
}
