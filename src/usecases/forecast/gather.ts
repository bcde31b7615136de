import { ExitCode, SmeshError } from '../../domain/errors.ts';
import {
  assumedPoetDelay,
  type ForecastIdentity,
  type ForecastInput,
  type RateSource,
} from '../../domain/forecast/input.ts';
import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import { unitBytes } from '../../domain/node/networks.ts';
import { currentOrNextGap, cycleGap, epochClock } from '../../domain/poet/epochs.ts';
import type { Identity, Project } from '../../domain/project/types.ts';
import { schedulePolicy } from '../../domain/schedule/default-policy.ts';
import { measuredRates, type ScheduleHistory } from '../../domain/schedule/history.ts';
import { provingSettings } from '../../domain/schedule/proving-settings.ts';
import type { Context } from '../context.ts';
import { progressOf, timelineOf } from '../lifecycle/judge-look.ts';
import { askNode } from '../observe/ask-node.ts';
import { lookAtAllData } from '../observe/data.ts';
import { within } from '../observe/question.ts';
import { loadHistory } from '../schedule/history.ts';
import { askMachine } from '../status/schedule-inputs.ts';

export interface ForecastRequest {
  readonly gap: 'next' | 'current';
  /** Instead of what smesh.yaml says, for all. */
  readonly nonces?: number;
  readonly threads?: number;
  /** Identities whose data is not made yet, with what it will be. */
  readonly planned?: ReadonlyMap<SmesherId, { readonly units: number; readonly disk: string }>;
}

const ASK_MS = 2500;

/**
 * What the forecast goes by: metadata on the disks, budgets from smesh.yaml or the machine, rates from smesh.yaml, the
 * history, or the stated defaults. Needs no engine; with one it is the engine's host that counts.
 */
export async function gatherForecast(
  context: Context,
  project: Project,
  { gap: which, nonces, threads, planned }: ForecastRequest,
): Promise<ForecastInput> {
  const { ports, clock } = context;
  const now = clock.now();
  const times = epochClock(project.network, project.poet);
  const gap = currentOrNextGap(times, now);
  if (which === 'current' && !gap.open) {
    throw new SmeshError(
      'no-gap',
      ExitCode.usage,
      'No cycle gap is open now: --gap current has nothing to say',
      {
        hint: 'The next one: smesh-compose forecast',
      },
    );
  }
  const epoch = which === 'next' && gap.open ? gap.epoch + 1 : gap.epoch;
  const [machine, { history }, looks, left] = await Promise.all([
    askMachine(context, ASK_MS),
    loadHistory(context),
    lookAtAllData({ ports, project, clock, timeoutMs: ASK_MS }),
    which === 'current' ? unpublished(context, project, now) : project.identities,
  ]);
  const policy = schedulePolicy(project, machine, history);
  const known = looks.flatMap(({ units }) => units ?? []);
  const plannedOf = (id: SmesherId) => planned?.get(id);
  const usual =
    known.length === 0 ? project.network.post.minUnits : known.reduce((a, b) => a + b, 0) / known.length;
  const wanted = new Set(left);
  const identities = project.identities.flatMap((identity, index): ForecastIdentity[] => {
    if (!wanted.has(identity)) return [];
    const look = looks[index];
    const units = plannedOf(identity.id)?.units ?? look?.units ?? Math.max(Math.round(usual), 1);
    return [
      {
        id: identity.id,
        name: identity.name,
        // A disk that is away has no name any more.
        disk: plannedOf(identity.id)?.disk ?? look?.disk ?? history.diskOf.get(identity.id) ?? identity.data,
        units,
        bytes: units * unitBytes(project.network.post),
        settings: {
          ...provingSettings(identity),
          ...(nonces === undefined ? {} : { nonces }),
          ...(threads === undefined ? {} : { threads }),
        },
        ...(look?.units === undefined && plannedOf(identity.id) === undefined
          ? { unitsGuessed: true as const }
          : {}),
      },
    ];
  });
  return {
    identities,
    policy,
    clock: times,
    epoch,
    from: Math.max(which === 'current' ? now : 0, cycleGap(times, epoch).opens),
    // In an open gap the node has it already.
    poetDelayMs: which === 'current' ? 0 : assumedPoetDelay(times),
    sources: sourcesOf(project, history, identities),
    remoteHashesPerSecond: policy.rates.hashesPerSecond,
  };
}

function sourcesOf(
  { schedule: { rates } }: Project,
  history: ScheduleHistory,
  identities: readonly ForecastIdentity[],
): ForecastInput['sources'] {
  const measured = measuredRates(history);
  const sourceOf = (configured: unknown, seen: unknown): RateSource =>
    configured !== undefined ? 'configured' : seen !== undefined ? 'measured' : 'default';
  return {
    k2pow: sourceOf(rates.hashesPerSecond, measured.hashesPerSecond),
    disks: new Map(
      identities.map(({ disk }) => [
        disk,
        sourceOf(rates.diskBytesPerSecond[disk], measured.diskBytesPerSecond.get(disk)),
      ]),
    ),
  };
}

/** Those that have yet to prove in the open gap, as far as the node or its database tells. */
async function unpublished(
  { ports, clock }: Context,
  project: Project,
  now: number,
): Promise<readonly Identity[]> {
  const database = await ports.localDatabase();
  const [snapshot, facts] = await Promise.all([
    // Whoever listens there: ATXs of these identities are theirs, and without an answer the database has to do.
    askNode(ports, project, undefined, ASK_MS),
    within(clock, database.read(`${project.node.data}/local.sql`), ASK_MS),
  ]);
  const world = { project, snapshot, database: facts, timeline: timelineOf(project, now) };
  return project.identities.filter(({ id }) => {
    const { published, registered, due } = progressOf(world, id);
    return published !== 'yes' && registered !== 'yes' && due !== 'no';
  });
}
