import { isUp, rolesIn } from '../domain/compose/container-role.ts';
import { readLabels } from '../domain/compose/labels.ts';
import type { ObservedContainer } from '../domain/compose/observed.ts';
import { ExitCode, SmeshError } from '../domain/errors.ts';
import type { ContainerStep, Plan } from '../domain/plan/steps.ts';
import { OWN_POET, PAUSED_ROUND } from '../domain/poet/own-poet.ts';
import type { Project } from '../domain/project/types.ts';
import type { ComposeProject } from '../ports/compose.ts';
import type { MomentStyle } from '../ui/moments.ts';
import { planToJson, renderPlan } from '../ui/plan.ts';
import { proposalsCost } from '../ui/proposals.ts';
import { type Loss, momentStyle } from '../ui/stop-price.ts';
import { plural } from '../ui/units.ts';
import type { Context } from './context.ts';
import { stateFolder } from './journal.ts';
import { releaseLeases } from './leases/release-leases.ts';
import { actWhenSafe, type SafetyOptions } from './lifecycle/act-when-safe.ts';
import { lookAtProvers, unsafeOf } from './lifecycle/look-at-provers.ts';
import { findMissed } from './lifecycle/proposals.ts';
import { type Blocked, isBlocked, lossOf, refusal, type TypedCommand } from './lifecycle/refuse.ts';
import { loadProject } from './load-project.ts';
import { identitiesFolder } from './node-keys.ts';
import { isJobContainer, jobsGoOn } from './post-init/job-containers.ts';
import { withProjectLock } from './project-lock.ts';
import { removeServices } from './up/execute.ts';
import { clearPendingStarts } from './up/pending-starts.ts';

export interface DownOptions extends SafetyOptions {
  readonly dryRun: boolean;
}

interface PreparedDown {
  readonly composeProject: ComposeProject;
  /** Provers of removed identities: unknown to compose.yaml, so `docker compose down` alone would leave them. */
  readonly removed: readonly string[];
  readonly plan: Plan;
  /** Of the files, and provers that are no longer in them. */
  readonly services: ReadonlySet<string>;
  readonly blocked: Blocked;
  readonly style: MomentStyle;
  readonly project: Project;
  readonly kept: readonly Kept[];
  /** Initialisation jobs that run and are left alone. */
  readonly goOn: readonly string[];
}

interface Kept {
  readonly path: string;
  readonly what: string;
}

const COMMAND: TypedCommand = 'smesh-compose down';

/**
 * Removes the project's containers and network and nothing else (S43). While a prover proves, or may, or the cycle gap
 * needs the node, it refuses or waits: first all are stopped, each in its safe moment and the node last, then removed.
 */
export async function runDown(context: Context, options: DownOptions): Promise<ExitCode> {
  if (options.dryRun) {
    const prepared = await prepareDown(context);
    // With --json the refusal is the document.
    if (context.json) refuseLosses(prepared, options);
    show(context, prepared);
    refuseLosses(prepared, options);
    context.out.note(`Nothing has been changed. Apply with: ${COMMAND}`);
    return ExitCode.ok;
  }
  const act = async () => {
    const prepared = await prepareDown(context);
    if (options.wait === undefined) refuseLosses(prepared, options);
    if (!context.json) context.out.note(render(context, prepared.plan));
    const [docker, compose] = await Promise.all([context.ports.docker(), context.ports.compose()]);
    const roleOf = rolesIn(prepared.project);
    // Those that somebody makes or starts meanwhile, too: Compose would end them unasked.
    const choose = (containers: readonly ObservedContainer[]) =>
      containers.filter(
        (one) =>
          isUp(one) &&
          one.service !== undefined &&
          (prepared.services.has(one.service) || roleOf(one) === 'prover'),
      );
    const stopAll = () =>
      actWhenSafe(
        context,
        prepared.project,
        {
          verb: 'stop',
          done: 'stopped',
          command: COMMAND,
          choose,
          nodeLast: true,
          // The plan has said it just now.
          isPriced: options.wait === undefined && !context.json,
          act: async ({ id }) => void (await docker.stop(id)),
        },
        options,
      );
    // One more look right before Compose removes them.
    while ((await stopAll()).length > 0) context.signal.throwIfAborted();
    try {
      if (prepared.removed.length > 0) {
        await removeServices(context, prepared.composeProject, prepared.removed);
      }
      await compose.down(prepared.composeProject, { signal: context.signal });
    } catch (error) {
      if (!context.signal.aborted) throw error;
      throw new SmeshError(
        'cancelled',
        ExitCode.cancelled,
        'Cancelled. All containers are stopped, not all are removed; data and keys stay.',
        { hint: `Go on with: ${COMMAND}   or start again: smesh-compose up` },
      );
    }
    await clearPendingStarts(context);
    await releaseLeases(context, prepared.project);
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
  const containers = await docker.containers({ project: project.name });
  const jobs = containers.filter(isJobContainer);
  // One that runs makes data for days, and ends by `post stop` alone.
  const goOn = jobs.filter(isUp).flatMap(({ service }) => service ?? []);
  const composeProject = {
    name: project.name,
    directory: context.directory,
    // Left behind it would hold on to a network that is gone, and could not be started again.
    ...(project.ownPoet === undefined ? {} : { profiles: [OWN_POET] }),
  };
  const hashes = await compose.hashes(composeProject);
  const all = containers.filter(({ oneOff }) => !oneOff);
  const provers = all.flatMap(({ service, labels }) =>
    service !== undefined && !hashes.has(service) && readLabels(labels)?.role === 'prover' ? [service] : [],
  );
  const endedJobs = jobs.filter((one) => !isUp(one)).flatMap(({ service }) => service ?? []);
  const removed = [...provers, ...endedJobs.filter((service) => !goOn.includes(service))];
  // Containers of services that are neither in the files nor ours stay, as with plain `docker compose down`.
  const own = all.filter(
    ({ service }) => service !== undefined && (hashes.has(service) || removed.includes(service)),
  );
  const [looks, kept] = await Promise.all([lookAtProvers(context, project, own), findKept(context, project)]);
  const losses = unsafeOf(looks, looks.provers.keys()).map(lossOf);
  const node = looks.nodeChange.kind === 'waits' ? looks.nodeChange : undefined;
  const style = momentStyle(looks.timeline, looks.at, (at) => context.clock.localOffsetMinutes(at));
  const missed = findMissed(project, looks);
  const proposals = missed === undefined ? undefined : proposalsCost(missed, style);
  const steps = [...own].sort(nodeFirst).flatMap((one) => removal(one, losses, node, proposals));
  const headline =
    steps.length === 0 ? 'There are no containers to remove.' : 'Data and keys stay where they are:';
  return {
    project,
    composeProject,
    removed,
    services: new Set([...hashes.keys(), ...removed]),
    blocked: { losses, ...(node === undefined ? {} : { node }) },
    style,
    kept,
    goOn,
    plan: { headline, steps },
  };
}

/** The order in which people think of them: the node, then the provers by their numbers. */
function nodeFirst(a: ObservedContainer, b: ObservedContainer): number {
  const rank = ({ labels }: ObservedContainer) => (readLabels(labels)?.role === 'node' ? 0 : 1);
  return rank(a) - rank(b) || natural.compare(a.service ?? '', b.service ?? '');
}

const natural = new Intl.Collator('en', { numeric: true });

function removal(
  container: ObservedContainer,
  losses: readonly Loss[],
  node: Blocked['node'],
  proposals: string | undefined,
): ContainerStep[] {
  if (container.service === undefined) return [];
  const loss = losses.find(({ service }) => service === container.service);
  const role = readLabels(container.labels)?.role;
  const isNode = role === 'node';
  const isPoet = role === 'poet' && isUp(container);
  const missing = isNode && node !== undefined ? `registrations: ${node.why}` : undefined;
  const cost = missing ?? (loss === undefined ? 'no work' : `its work: it ${loss.why}`);
  return [
    {
      kind: 'remove-service',
      service: container.service,
      why: 'stops and removes its container',
      cost: isPoet ? PAUSED_ROUND : isNode && proposals !== undefined ? `${cost}; ${proposals}` : cost,
    },
  ];
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

function refuseLosses({ blocked, style }: PreparedDown, { force }: SafetyOptions): void {
  if (!force && isBlocked(blocked)) throw refusal(blocked, 'stop', COMMAND, style);
}

function render(context: Context, plan: Plan): string {
  const { columns, color } = context.out;
  return renderPlan(plan, { columns, color, directory: context.directory });
}

function show(context: Context, prepared: PreparedDown): void {
  if (context.json) {
    context.out.json({ schemaVersion: 1, ...planToJson(prepared.plan), kept: prepared.kept });
  } else {
    context.out.result(
      [render(context, prepared.plan), ...keptLines(prepared), ...jobsGoOn(prepared.goOn)].join('\n'),
    );
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
  context.out.result([first, ...keptLines(prepared), ...jobsGoOn(prepared.goOn)].join('\n'));
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
