import { hashesPerUnitGroup } from '../../domain/bench/expected-hashes.ts';
import { type K2powSource, k2powRate, k2powRuns } from '../../domain/bench/k2pow-rate.ts';
import { rolesIn } from '../../domain/compose/container-role.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Identity } from '../../domain/project/types.ts';
import { k2powBenchDocument, renderK2powBench } from '../../ui/bench.ts';
import type { Context } from '../context.ts';
import { idOf } from '../lifecycle/judge-look.ts';
import { loadProject } from '../load-project.ts';
import { lookAtAllData } from '../observe/data.ts';
import { keepK2powRate } from './keep-rates.ts';

const LOOK_MS = 3000;

/** Lines of a log that hold several proofs; files that were read take one each. */
const LOG_LINES = 20_000;

/** k2pow so easy takes no time: private networks. */
const TRIVIAL_HASHES = 100;

/**
 * How fast this host does k2pow, from the logs of its provers: groups × units × expected hashes, by the time that took.
 * Nothing in the images computes RandomX without a node that asks for a proof, so without a finished k2pow there is no
 * measurement, and it says so (exit 0 all the same: nothing is wrong).
 */
export async function runK2powBench(context: Context): Promise<ExitCode> {
  const { project } = await loadProject(context);
  const { ports, clock } = context;
  const docker = await ports.docker();
  const engine = await docker.engine();
  const roleOf = rolesIn(project);
  const provers = (await docker.containers({ project: project.name })).filter(
    (one) => roleOf(one) === 'prover',
  );
  const looks = await lookAtAllData({ ports, project, clock, timeoutMs: LOOK_MS });
  const unitsOf = new Map(project.identities.map(({ id }, index) => [id, looks[index]?.units]));
  const sources: K2powSource[] = [];
  for (const container of provers) {
    const identity = project.identities.find(({ id }) => id === idOf(container, project));
    // What a k2pow-service elsewhere does says nothing about this host; light mode is slower by far.
    if (identity === undefined || identity.remoteK2pow !== undefined || identity.randomx !== 'fast') continue;
    const units = unitsOf.get(identity.id);
    sources.push({
      service: identity.name,
      ...(units === undefined ? {} : { units }),
      share: coresOf(identity, engine.cpus) / engine.cpus,
      runs: k2powRuns(await readLog(context, container)),
    });
  }
  const expected = hashesPerUnitGroup(project.network.post.powDifficulty);
  const result = k2powRate(sources, expected);
  const kept = await keepK2powRate(context, result);
  const report = { at: clock.now(), result, kept, trivial: expected < TRIVIAL_HASHES };
  if (context.json) context.out.json(k2powBenchDocument(report));
  else context.out.result(renderK2powBench(report).join('\n'));
  return ExitCode.ok;
}

/** Cores that a prover uses at most; 0 threads are all. */
function coresOf({ threads, pinnedCores }: Identity, cores: number): number {
  const wanted = pinnedCores?.length ?? threads ?? 0;
  return wanted === 0 ? cores : Math.min(wanted, cores);
}

async function readLog(
  { ports, signal }: Context,
  { id }: ObservedContainer,
): Promise<readonly { at: number; text: string }[]> {
  const docker = await ports.docker();
  const lines: { at: number; text: string }[] = [];
  try {
    for await (const { at, text } of docker.logs(id, { tail: LOG_LINES, signal })) lines.push({ at, text });
  } catch (error) {
    // Removed meanwhile: it has no log any more.
    if (!(error instanceof SmeshError)) throw error;
  }
  return lines;
}
