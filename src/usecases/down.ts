import { readLabels } from '../domain/compose/labels.ts';
import type { ObservedContainer } from '../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { ContainerStep, Plan } from '../domain/plan/steps.ts';
import { lookAtMetadata } from '../domain/post/data-access.ts';
import { METADATA_FILE } from '../domain/post/metadata.ts';
import type { Project } from '../domain/project/types.ts';
import { type StopRisk, UNKNOWN_RISK } from '../domain/proving/stop-risk.ts';
import type { ComposeProject } from '../ports/compose.ts';
import { planToJson, renderPlan } from '../ui/plan.ts';
import { plural } from '../ui/units.ts';
import type { Context } from './context.ts';
import { stateFolder } from './journal.ts';
import { loadProject } from './load-project.ts';
import { identitiesFolder } from './node-keys.ts';
import { withProjectLock } from './project-lock.ts';
import { removeServices } from './up/execute.ts';
import { observeProving } from './up/observe-proving.ts';
import { clearPendingStarts } from './up/pending-starts.ts';

export interface DownOptions {
  readonly force: boolean;
  readonly dryRun: boolean;
}

interface PreparedDown {
  readonly composeProject: ComposeProject;
  /** Provers of removed identities: unknown to compose.yaml, so `docker compose down` alone would leave them. */
  readonly removed: readonly string[];
  readonly plan: Plan;
  /** By service: provers that would lose work, or may. */
  readonly losses: ReadonlyMap<string, StopRisk & { readonly safe: false }>;
  readonly kept: readonly Kept[];
}

interface Kept {
  readonly path: string;
  readonly what: string;
}

/**
 * Removes the project's containers and network and nothing else (S43). While a prover proves, or may, it refuses: a stop
 * throws its work away (spacemesh.md §9.1), and so does everybody who cannot be asked.
 */
export async function runDown(context: Context, options: DownOptions): Promise<ExitCode> {
  if (options.dryRun) {
    const prepared = await prepareDown(context);
    show(context, prepared);
    if (!options.force) refuseLosses(prepared);
    context.out.note('Nothing has been changed. Apply with: smesh-compose down');
    return ExitCode.ok;
  }
  const act = async () => {
    const prepared = await prepareDown(context);
    if (!options.force) refuseLosses(prepared);
    if (!context.json) context.out.note(render(context, prepared.plan));
    const compose = await context.ports.compose();
    if (prepared.removed.length > 0) {
      await removeServices(context, prepared.composeProject, prepared.removed);
    }
    await compose.down(prepared.composeProject, { signal: context.signal });
    await clearPendingStarts(context);
    report(context, prepared);
    return ExitCode.ok;
  };
  return withProjectLock(context, 'down', act, { startPending: false });
}

async function prepareDown(context: Context): Promise<PreparedDown> {
  const { project } = await loadProject(context);
  // Compose's version decides nothing here, but without it nothing can be removed either.
  const [docker, compose] = await Promise.all([context.ports.docker(), context.ports.compose()]);
  const [engine, version] = await Promise.allSettled([docker.engine(), compose.version()]);
  for (const answer of [engine, version]) if (answer.status === 'rejected') throw answer.reason;
  const composeProject = { name: project.name, directory: context.directory };
  const [containers, hashes] = await Promise.all([
    docker.containers({ project: project.name }),
    compose.hashes(composeProject),
  ]);
  const all = containers.filter(({ oneOff }) => !oneOff);
  const removed = all.flatMap(({ service, labels }) =>
    service !== undefined && !hashes.has(service) && readLabels(labels)?.role === 'prover' ? [service] : [],
  );
  // Containers of services that are neither in the files nor ours stay, as with plain `docker compose down`.
  const own = all.filter(
    ({ service }) => service !== undefined && (hashes.has(service) || removed.includes(service)),
  );
  const [proving, dataBytes, kept] = await Promise.all([
    observeProving(context, project, own),
    readDataBytes(context, project),
    findKept(context, project),
  ]);
  const risks = proving.stopRisks(dataBytes);
  const losses = new Map(
    own.flatMap((container): [string, StopRisk & { safe: false }][] => {
      if (readLabels(container.labels)?.role !== 'prover' || container.service === undefined) return [];
      const risk = risks.get(container.service) ?? UNKNOWN_RISK;
      return risk.safe ? [] : [[container.service, risk]];
    }),
  );
  const steps = [...own].sort(nodeFirst).flatMap((container) => removal(container, losses));
  const headline =
    steps.length === 0 ? 'There are no containers to remove.' : 'Data and keys stay where they are:';
  return { composeProject, removed, losses, kept, plan: { headline, steps } };
}

/** The order in which people think of them: the node, then the provers by their numbers. */
function nodeFirst(a: ObservedContainer, b: ObservedContainer): number {
  const rank = ({ labels }: ObservedContainer) => (readLabels(labels)?.role === 'node' ? 0 : 1);
  return rank(a) - rank(b) || natural.compare(a.service ?? '', b.service ?? '');
}

const natural = new Intl.Collator('en', { numeric: true });

function removal(
  container: ObservedContainer,
  losses: ReadonlyMap<string, StopRisk & { safe: false }>,
): ContainerStep[] {
  if (container.service === undefined) return [];
  const loss = losses.get(container.service);
  return [
    {
      kind: 'remove-service',
      service: container.service,
      why: 'stops and removes its container',
      cost: loss === undefined ? 'no work' : `its work: it ${loss.why}`,
    },
  ];
}

/** Sizes for the percentages; a directory that is away has none. */
async function readDataBytes(context: Context, project: Project): Promise<ReadonlyMap<string, number>> {
  const sizes = await Promise.all(
    project.identities.map(async ({ name, data }): Promise<[string, number][]> => {
      const text = await context.ports.files.readText(`${data}/${METADATA_FILE}`).catch(() => undefined);
      const look = text === undefined ? undefined : lookAtMetadata(text);
      return look?.kind === 'readable' && look.dataBytes !== undefined ? [[name, look.dataBytes]] : [];
    }),
  );
  return new Map(sizes.flat());
}

/** What stays, named so that nobody has to wonder; only what is there. */
async function findKept(context: Context, project: Project): Promise<readonly Kept[]> {
  const state = stateFolder(context.directory);
  const places: readonly Kept[] = [
    { path: `${context.directory}/smesh.yaml`, what: 'the project' },
    { path: `${context.directory}/compose.yaml`, what: 'docker compose up -d starts it again' },
    { path: identitiesFolder(project), what: 'installed keys' },
    { path: project.node.data, what: "the node's databases" },
    { path: `${state}/retired`, what: 'keys that left the node' },
    { path: `${state}/backups`, what: 'backups' },
  ];
  const present = await Promise.all(places.map(({ path }) => context.ports.files.exists(path)));
  return [
    ...places.filter((_, index) => present[index]),
    ...project.identities.map(({ name, data }) => ({ path: data, what: `PoST data of ${name}` })),
  ];
}

function refuseLosses({ losses }: PreparedDown): void {
  if (losses.size === 0) return;
  const names = [...losses.keys()];
  const subject = names.length === 1 ? names[0] : plural(names.length, 'post-service');
  throw new SmeshError(
    'would-lose-proofs',
    ExitCode.refused,
    `Refused: ${subject} ${names.length === 1 ? 'proves or may prove' : 'prove or may prove'}, and a stop throws that work away. Nothing was changed.`,
    {
      details: [...losses].map(([service, { why }]) => `${service} ${why}`),
      hint: 'Wait until they are done (smesh-compose status), or do it anyway: smesh-compose down --force',
    },
  );
}

function render(context: Context, plan: Plan): string {
  const { columns, color } = context.out;
  return renderPlan(plan, { columns, color, directory: context.directory });
}

function show(context: Context, prepared: PreparedDown): void {
  if (context.json) {
    context.out.json({ schemaVersion: 1, ...planToJson(prepared.plan), kept: prepared.kept });
  } else {
    context.out.result([render(context, prepared.plan), ...keptLines(prepared)].join('\n'));
  }
}

function report(context: Context, prepared: PreparedDown): void {
  const removed = prepared.plan.steps.length;
  if (context.json) {
    context.out.json({ schemaVersion: 1, removed, kept: prepared.kept });
    return;
  }
  const first =
    removed === 0 ? 'Nothing to remove.' : `${plural(removed, 'container')} and the network removed.`;
  context.out.result([first, ...keptLines(prepared)].join('\n'));
}

/** Hundreds of directories are not listed one by one; their number and the first of them say enough. */
const LISTED_DIRECTORIES = 12;

function keptLines({ kept }: PreparedDown): readonly string[] {
  const data = kept.filter(({ what }) => what.startsWith('PoST data'));
  const others = kept.filter((one) => !data.includes(one));
  const shown = data.slice(0, LISTED_DIRECTORIES);
  const width = Math.min(Math.max(0, ...[...others, ...shown].map(({ path }) => path.length)), 60);
  return [
    'Kept:',
    ...[...others, ...shown].map(({ path, what }) => `  ${path.padEnd(width)}  ${what}`),
    ...(data.length > shown.length ? [`  … and ${data.length - shown.length} more PoST directories`] : []),
  ];
}
