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

const seed = Number(process.env['SMESH_CHAOS_SEED'] ?? Date.now() % 1_000_000);
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

describe('a tool that looks at one half of the truth only', () => {
  const cases: readonly { mutant: Mutant; faults: readonly string[] }[] = [
    { mutant: 'ignores-status', faults: ['proof-lost'] },
    {
      mutant: 'ignores-post-states',
      faults: ['stopped-while-wanted', 'stopped-on-a-fresh-node', 'not-published'],
    },
  ];

  it.concurrent.each(cases)('$mutant: is found out', async ({ mutant, faults }) => {
    const cli = await buildMutant(mutant);
    const { journal, report } = await unleash({
      ...{ name: mutant, identities: 3, epochs: 2, pace: 4, cli, untilFault: true },
      disturbFirst: ['node-stop', 'half-open', 'node-stop', 'node-stop'],
    });
    const found = journal.judge().faults.map(({ kind }) => kind);
    expect(
      faults.filter((kind) => found.some((one) => one === kind)),
      report,
    ).not.toEqual([]);
  });
});

describe('chaos over six epochs', () => {
  it('loses no proof, runs nobody twice, and everybody publishes who may', async () => {
    const { journal, report } = await unleash({
      ...{ name: 'chaos', identities: 12, epochs: 6, cli: requireBuiltCli() },
      ...{ goals: SHORT_GOALS, moreEpochs: 3 },
    });
    process.stdout.write(`${report}\n`);
    expect(journal.faults(), report).toEqual([]);
    // A tool that refuses everything, or whatever is asked of it, proves nothing.
    expect(openGoals(SHORT_GOALS, journal), report).toEqual([]);
  });
});
