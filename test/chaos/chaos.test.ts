import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireBuiltCli } from '../helpers/run-cli.ts';
import { keepTranscript } from '../helpers/transcripts.ts';
import { ChaosEngine } from './support/engine.ts';
import { openGoals, SHORT_GOALS } from './support/goals.ts';
import { bringImages, type ChaosImages } from './support/images.ts';
import { buildMutant, type Mutant } from './support/mutants.ts';
import { renderReport } from './support/report.ts';
import { type ChaosRun, runChaos } from './support/run-chaos.ts';

/** The same each time: new ones are for the soak. */
const seed = Number(process.env['SMESH_CHAOS_SEED'] ?? 4711);
let engine: ChaosEngine;
let images: ChaosImages;

beforeAll(async () => {
  engine = await ChaosEngine.start();
  images = await bringImages(engine);
});

afterAll(async () => {
  images?.stop();
  await engine?.remove();
});

/** What was done is kept in the transcripts, and shown where it matters: when something is wrong. */
async function unleash(run: Omit<ChaosRun, 'engine' | 'images' | 'log' | 'seed'>) {
  const lines: string[] = [];
  const journal = await runChaos({ ...run, engine, images, seed, log: (line) => lines.push(line) });
  const report = [...lines, renderReport(journal)].join('\n');
  keepTranscript(`chaos ${run.name}`, report);
  return { journal, report };
}

const MUTANTS: readonly { mutant: Mutant; faults: readonly string[] }[] = [
  { mutant: 'ignores-status', faults: ['proof-lost'] },
  { mutant: 'ignores-post-states', faults: ['stopped-while-wanted', 'stopped-on-a-fresh-node'] },
];

describe('a short chaos, aimed at the moments that tell', () => {
  const course = (untilFault: boolean) => ({
    identities: 3,
    pace: 10,
    course: { aimed: true, untilFault } as const,
  });

  it.concurrent.each(MUTANTS)('find out a tool that $mutant', async ({ mutant, faults }) => {
    const cli = await buildMutant(mutant);
    const { journal, report } = await unleash({ name: mutant, cli, ...course(true) });
    const found = journal.judge().faults.map(({ kind }) => kind);
    expect(
      faults.filter((kind) => found.some((one) => one === kind)),
      report,
    ).not.toEqual([]);
  });

  it.concurrent('find nothing against the tool as it is', async () => {
    const { journal, report } = await unleash({ name: 'aimed', cli: requireBuiltCli(), ...course(false) });
    expect(journal.faults(), report).toEqual([]);
    for (const state of ['wanted', 'node-down'] as const) {
      expect(journal.tally.of('refused', state), report).toBeGreaterThanOrEqual(2);
    }
  });
});

describe('chaos over six epochs', () => {
  it('loses no proof, runs nobody twice, and everybody publishes who may', async () => {
    const { journal, report } = await unleash({
      ...{ name: 'chaos', identities: 12, cli: requireBuiltCli() },
      course: { epochs: 6, goals: SHORT_GOALS, moreEpochs: 8 },
    });
    process.stdout.write(`${report}\n`);
    expect(journal.faults(), report).toEqual([]);
    // A tool that refuses everything, or whatever is asked of it, proves nothing.
    expect(openGoals(SHORT_GOALS, journal), report).toEqual([]);
  });
});
