import { join } from 'node:path';
import { keepTranscript } from '../../helpers/transcripts.ts';
import { aimedChaos } from './aimed.ts';
import { Chaos, type ChaosSettings } from './chaos.ts';
import type { ChaosEngine } from './engine.ts';
import type { ChaosImages } from './images.ts';
import { Journal } from './journal.ts';
import { ChaosProject } from './project.ts';
import { Random } from './random.ts';
import { World } from './world.ts';

export interface ChaosRun {
  /** Over so many epochs, or aimed at the two moments that tell a mutant. */
  readonly course: ChaosSettings | { readonly aimed: true; readonly untilFault: boolean };
  readonly engine: ChaosEngine;
  readonly images: ChaosImages;
  /** Of the project; unique on the engine. */
  readonly name: string;
  readonly identities: number;
  readonly seed: number;
  /** How many times longer than usual their work takes. */
  readonly pace?: number;
  /** The program under test. */
  readonly cli: string;
  readonly log: (line: string) => void;
}

/** Lets chaos loose on a project of its own, and hands back everything that was done and found. */
export async function runChaos(run: ChaosRun): Promise<Journal> {
  const { engine, images, name, identities, cli, log, seed } = run;
  const project = await ChaosProject.make(join(engine.folder, name), name, {
    identities,
    nodeImage: images.nodes[0] ?? '',
    proverImage: images.provers[0] ?? '',
    startWithinMs: 10_000,
    pace: run.pace ?? 1,
  });
  const world = new World(engine, images, project);
  const journal = new Journal(world, cli, log);
  const { course } = run;
  const length = 'aimed' in course ? 'aimed' : `${course.epochs} epochs`;
  journal.say(`${name}: ${identities} identities, ${length}; again with SMESH_CHAOS_SEED=${seed}`);
  try {
    const random = new Random(seed);
    if ('aimed' in course) await aimedChaos(journal, random, course.untilFault);
    else await new Chaos(journal, random, course).run();
    return journal;
  } finally {
    world.unfollow();
    await keepContainers(world);
  }
}

/** Logs, environment and arguments, to be searched for private keys; the containers go. */
async function keepContainers({ engine, project }: World): Promise<void> {
  const label = `label=com.docker.compose.project=${project.name}`;
  const ids = (await engine.docker('ps', '-aq', '--filter', label)).split('\n').filter((id) => id !== '');
  for (const id of ids) {
    keepTranscript(`chaos: logs of ${id}`, await engine.everythingOf('logs', id));
    keepTranscript(`chaos: inspect of ${id}`, await engine.everythingOf('inspect', id));
  }
  if (ids.length > 0) await engine.docker('rm', '-f', ...ids);
}
