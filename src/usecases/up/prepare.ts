import { isUp } from '../../domain/compose/container-role.ts';
import { COMPOSE_PATH } from '../../domain/compose/generate.ts';
import { readLabels } from '../../domain/compose/labels.ts';
import type { ObservedContainer } from '../../domain/compose/observed.ts';
import { decideUp, type ScheduleShare } from '../../domain/plan/decide-up.ts';
import { describeChange } from '../../domain/plan/describe-change.ts';
import type { Finding } from '../../domain/plan/findings.ts';
import type { FileStep, Plan, Step } from '../../domain/plan/steps.ts';
import type { Project } from '../../domain/project/types.ts';
import { COMPOSE_OVERRIDES, type ComposeProject } from '../../ports/compose.ts';
import { proposalsCost } from '../../ui/proposals.ts';
import { momentStyle } from '../../ui/stop-price.ts';
import type { Context } from '../context.ts';
import { type GeneratePlan, planGenerate } from '../generate.ts';
import { planRenewal } from '../leases/check-leases.ts';
import { lookAtProvers, type ProverLooks } from '../lifecycle/look-at-provers.ts';
import { findMissed } from '../lifecycle/proposals.ts';
import { loadProject } from '../load-project.ts';
import { preflight } from '../preflight.ts';
import { resolveServices } from '../resolve-services.ts';
import { keylessNode } from './check-keys.ts';
import { checkPoets } from './check-poets.ts';
import { type EngineObservation, observeEngine } from './observe-engine.ts';
import { scheduleShare } from './schedule-share.ts';

export interface UpRequest {
  /** Names of services or smesher IDs (eight digits or more); empty: all. */
  readonly services: readonly string[];
  readonly force: boolean;
}

/** Everything that `plan` shows and `up` carries out, decided from one look at the world. */
export interface PreparedUp {
  readonly project: Project;
  readonly generate: GeneratePlan;
  readonly observation: EngineObservation;
  readonly findings: readonly Finding[];
  readonly plan: Plan;
  /** What it was decided by. */
  readonly looks: ProverLooks;
  readonly schedule: ScheduleShare;
}

/**
 * Observes and decides; changes nothing. Where generated files are out of date it decides by what they will say, because
 * `up` writes them first.
 */
export async function prepareUp(context: Context, request: UpRequest): Promise<PreparedUp> {
  const { project } = await loadProject(context);
  const generate = await planGenerate(context, { project, keyPlaces: [], repairKeys: false, force: false });
  const composeProject = { name: project.name, directory: context.directory };
  const observation = await withPreview(context, composeProject, generate, (preview) =>
    observeEngine(context, preview),
  );
  const names = observation.desired.map(({ name }) => name);
  const services = resolveServices(request.services, project, names);
  const [looks, schedule, checked] = await Promise.all([
    lookAtProvers(context, project, observation.own),
    scheduleShare(context, project, observation.own),
    preflight(context, observation, project, findToStart(observation, services), generate.installedIds),
  ]);
  const decided = decideUp(
    {
      desired: observation.desired,
      containers: observation.own,
      removed: observation.removed,
      endedJobs: endedJobs(project, observation.own),
      stopRisks: new Map([...looks.provers].map(([service, { risk }]) => [service, risk])),
      hindrances: checked.data.hindrances,
      nodeChange: looks.nodeChange,
      schedule,
      ...missedProposals(context, project, looks),
      composeVersion: observation.composeVersion,
    },
    { force: request.force, ...(services === undefined ? {} : { services }) },
  );
  const starts = startsNode(decided.steps, observation);
  const renewals = starts ? await planRenewal(context, project) : [];
  const poets = starts ? await checkPoets(context, project, request.force) : [];
  const files: readonly FileStep[] = [...generate.steps, ...renewals];
  return {
    project,
    generate: { ...generate, steps: files },
    observation: { ...observation, composeProject },
    findings: [
      ...(services?.includes('node') === false ? [] : keylessNode(project, generate.installedIds)),
      ...generate.leaseFindings,
      ...checked.findings,
      ...poets,
    ],
    plan: { headline: decided.headline, steps: [...files, ...decided.steps] },
    looks,
    schedule,
  };
}

/** One that goes on writes data, and is nobody's to remove. */
function endedJobs(project: Project, own: readonly ObservedContainer[]): readonly string[] {
  const jobs = new Set(project.initialisation?.jobs.map(({ name }) => name));
  const ofJobs = own.filter(({ labels }) => readLabels(labels)?.role === 'initialisation');
  const live = new Set(ofJobs.filter(isUp).map(({ service }) => service));
  const names = ofJobs.flatMap(({ service }) =>
    service === undefined || jobs.has(service) || live.has(service) ? [] : [service],
  );
  return [...new Set(names)].sort();
}

function missedProposals(context: Context, project: Project, looks: ProverLooks) {
  const missed = findMissed(project, looks);
  if (missed === undefined) return {};
  const style = momentStyle(looks.timeline, looks.at, (at) => context.clock.localOffsetMinutes(at));
  return { missedProposals: proposalsCost(missed, style) };
}

function startsNode(steps: readonly Step[], { desired }: EngineObservation): boolean {
  const nodes = new Set(desired.filter(({ role }) => role === 'node').map(({ name }) => name));
  return steps.some(
    (step) =>
      (step.kind === 'create-service' ||
        step.kind === 'start-service' ||
        (step.kind === 'recreate-service' && step.running)) &&
      nodes.has(step.service),
  );
}

/**
 * Compose reads files, so what `up` is going to write to compose.yaml is put into a temporary one. Config hashes depend on
 * the project directory and not on the file's place (engineering.md §4.3).
 */
async function withPreview<T>(
  context: Context,
  project: ComposeProject,
  generate: GeneratePlan,
  use: (project: ComposeProject) => Promise<T>,
): Promise<T> {
  const pending = generate.steps.find(
    (step) => step.kind === 'write-file' && step.path === `${context.directory}/${COMPOSE_PATH}`,
  );
  if (pending?.kind !== 'write-file') return use(project);
  const { files, system } = context.ports;
  const folder = context.env['TMPDIR'] || '/tmp';
  const preview = `${folder}/smesh-compose-${system.pid}-${context.clock.now()}.yaml`;
  await files.writeNew(preview, pending.content, { mode: 0o600 });
  try {
    const override = await findOverride(context);
    return await use({ ...project, files: [preview, ...override] });
  } finally {
    await files.removeOwn(preview);
  }
}

async function findOverride(context: Context): Promise<readonly string[]> {
  for (const name of COMPOSE_OVERRIDES) {
    const path = `${context.directory}/${name}`;
    if (await context.ports.files.exists(path)) return [path];
  }
  return [];
}

/** Provers that may be started by this run, whatever else is decided about them. */
function findToStart(
  observation: EngineObservation,
  services: readonly string[] | undefined,
): ReadonlySet<string> {
  const toStart = observation.desired.filter((service) => {
    if (service.role !== 'prover') return false;
    if (services !== undefined && !services.includes(service.name)) return false;
    const container = observation.own.find((one) => one.service === service.name);
    if (container === undefined || container.state !== 'running') return true;
    return describeChange(service, container, observation.composeVersion) !== undefined;
  });
  return new Set(toStart.map(({ name }) => name));
}
