import type { ObservedContainer } from '../compose/observed.ts';
import { type StopRisk, UNKNOWN_RISK } from '../proving/stop-risk.ts';
import { describeChange } from './describe-change.ts';
import type { NodeChange } from './node-change.ts';
import { spareDependencies } from './spare-dependencies.ts';
import type { ContainerStep, Plan } from './steps.ts';

export type ServiceRole = 'node' | 'prover' | 'other';

/** One service as Compose defines it now. */
export interface DesiredService {
  readonly name: string;
  /** `other`: from the user's override; treated as plain Compose would. */
  readonly role: ServiceRole;
  /** From `docker compose config --hash`; never computed here (engineering.md §4.3). */
  readonly configHash: string;
  readonly image: string;
  /** Absent: the image is not on this engine and will be pulled. */
  readonly imageId?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What Compose makes before it: `depends_on` and all that implies one. Empty for services of ours (design §5). */
  readonly dependsOn: readonly string[];
}

/** Why a service must not be started now, and what to do about it. */
export interface Hindrance {
  readonly why: string;
  readonly next: string;
}

/** What a schedule does with the project's provers beside `up`, by service. */
export interface ScheduleShare {
  /** `smesh-compose run` is at work. */
  readonly runs: boolean;
  /** Those that it keeps down until they are wanted. */
  readonly keptDown: ReadonlySet<string>;
}

export interface UpFacts {
  readonly desired: readonly DesiredService[];
  /** All of this project, one-off containers left out. */
  readonly containers: readonly ObservedContainer[];
  /** Services that this tool made for identities that are no longer in the project. */
  readonly removed: readonly string[];
  /** Initialisation jobs that are no longer in the project and whose containers have ended. */
  readonly endedJobs?: readonly string[];
  /** By service, provers only. A running prover that is not in here counts as proving. */
  readonly stopRisks: ReadonlyMap<string, StopRisk>;
  /** By service: disk away, data unreadable. */
  readonly hindrances: ReadonlyMap<string, Hindrance>;
  readonly nodeChange: NodeChange;
  /** Continues the price of a node that is recreated now: proposals that may be missed. */
  readonly missedProposals?: string;
  /** Absent: nobody asked. */
  readonly schedule?: ScheduleShare;
  /** As Compose prints it: another version computes other hashes (engineering.md §4.3). */
  readonly composeVersion: string;
}

export interface UpOptions {
  /** Only these; absent: all, and removed identities are taken down. */
  readonly services?: readonly string[];
  /** Proofs in progress and the cycle gap do not hold a step back. Missing disks do. */
  readonly force: boolean;
}

const NODE_COST = 'about 3 min; no proof is lost';

/**
 * What `up` does about each service, with reasons and costs: design §6 and §8. Never recreates, stops or removes a
 * prover that proves, or may prove, unless forced; never stops a running node in the cycle gap before everybody has
 * published and registered, unless forced; never starts a prover whose data are away.
 */
export function decideUp(facts: UpFacts, options: UpOptions): Plan {
  const asked = options.services === undefined ? undefined : new Set(options.services);
  const desired = facts.desired.filter((service) => asked === undefined || asked.has(service.name));
  const containers = byService(facts.containers);
  // The node first: it is what everybody waits for.
  const ordered = [...desired].sort((left, right) => rank(left) - rank(right));
  const decided = ordered.map((service) =>
    decideService(service, containers.get(service.name), facts, options),
  );
  const steps = spareDependencies(decided, facts.desired, findChanged(facts, containers));
  const removals =
    asked === undefined
      ? [
          ...facts.removed.flatMap((name) => decideRemoval(name, containers.get(name), facts, options)),
          ...(facts.endedJobs ?? []).map(removeJob),
        ]
      : [];
  const all = [...steps, ...removals];
  return { headline: describeHeadline(all, facts), steps: all };
}

/** Compose would call it an orphan at each `up`. */
function removeJob(service: string): ContainerStep {
  const why = 'its initialisation has ended and is no longer in smesh.yaml; its data stay';
  return { kind: 'remove-service', service, why, cost: 'nothing' };
}

function rank(service: DesiredService): number {
  return service.role === 'node' ? 0 : 1;
}

/** A service scaled by hand has several containers; the one that runs counts. */
function byService(containers: readonly ObservedContainer[]): ReadonlyMap<string, ObservedContainer> {
  const found = new Map<string, ObservedContainer>();
  for (const container of containers) {
    if (container.service === undefined) continue;
    const known = found.get(container.service);
    if (known === undefined || (!isUp(known) && isUp(container))) found.set(container.service, container);
  }
  return found;
}

/** Services whose container Compose would recreate, asked for or not. */
function findChanged(
  facts: UpFacts,
  containers: ReadonlyMap<string, ObservedContainer>,
): ReadonlySet<string> {
  const changed = facts.desired.filter((service) => {
    const container = containers.get(service.name);
    return container !== undefined && describeChange(service, container, facts.composeVersion) !== undefined;
  });
  return new Set(changed.map(({ name }) => name));
}

/** Its process exists. A container in a restart loop is between two of them. */
function isUp(container: ObservedContainer): boolean {
  return container.state === 'running' || container.state === 'paused';
}

function decideService(
  service: DesiredService,
  container: ObservedContainer | undefined,
  facts: UpFacts,
  options: UpOptions,
): ContainerStep {
  const { name } = service;
  const hindrance = facts.hindrances.get(name);
  if (container === undefined) {
    if (hindrance !== undefined) return { kind: 'hold-back', service: name, ...hindrance };
    const why = service.imageId === undefined ? `pulls ${service.image}` : 'is not there yet';
    return { kind: 'create-service', service: name, why };
  }
  const change = describeChange(service, container, facts.composeVersion);
  const risk = facts.stopRisks.get(name) ?? UNKNOWN_RISK;
  const running = isUp(container);
  if (hindrance !== undefined) {
    // A running container keeps its hold on the disk, and would lose it when recreated (spacemesh.md §14.6).
    if (container.state === 'running' && change === undefined) {
      return { kind: 'keep-service', service: name, note: `runs on, but ${hindrance.why}` };
    }
    return { kind: 'hold-back', service: name, ...hindrance };
  }
  if (change !== undefined) return decideRecreation(service, container, change, risk, facts, options);
  if (container.state === 'paused') {
    // Compose and the engine both refuse to start it (spacemesh.md §14.6); what paused it may have had a reason.
    return {
      kind: 'hold-back',
      service: name,
      why: 'somebody paused it; a paused container cannot be started',
      next: `docker unpause ${container.name}`,
    };
  }
  if (running || container.state === 'restarting') {
    return { kind: 'keep-service', service: name, ...noteOf(service, container, risk) };
  }
  if (options.services === undefined && facts.schedule?.keptDown.has(name) === true) {
    return { kind: 'keep-service', service: name, note: 'is left to the schedule' };
  }
  return { kind: 'start-service', service: name, why: describeStop(container) };
}

function noteOf(
  service: DesiredService,
  container: ObservedContainer,
  risk: StopRisk,
): { note?: string; unwell?: boolean } {
  if (container.state === 'restarting') {
    return { note: 'fails and is restarted again and again', unwell: true };
  }
  if (container.health === 'unhealthy') {
    return { note: 'runs, but its healthcheck fails', unwell: true };
  }
  if (service.role === 'prover' && !risk.safe && risk.proving) return { note: risk.why };
  return {};
}

function describeStop(container: ObservedContainer): string {
  if (container.startError !== undefined) return `could not be started: ${container.startError}`;
  if (container.state === 'created') return 'was created, but never started';
  if (container.oomKilled) return 'was killed: the host ran out of memory';
  return container.exitCode === undefined ? 'is stopped' : `is stopped (exit ${container.exitCode})`;
}

function decideRecreation(
  service: DesiredService,
  container: ObservedContainer,
  change: string,
  risk: StopRisk,
  facts: UpFacts,
  options: UpOptions,
): ContainerStep {
  const { name, role } = service;
  const running = isUp(container);
  if (role === 'prover' && running && !risk.safe && !options.force) {
    return {
      kind: 'postpone-service',
      service: name,
      why: `${change}; but it ${risk.why}`,
      next: `when it is idle: smesh-compose up ${name} --wait (--force: now, its work is lost)`,
    };
  }
  const busy = findBusyRemoved(facts);
  if (role === 'node' && running && busy.length > 0 && !options.force) {
    return {
      kind: 'postpone-service',
      service: name,
      why: `${change}; but ${busy.join(', ')}, whose identity was removed, may still be at a proof, and only this node can fetch it`,
      next: 'when that is done: smesh-compose up --wait (--force: now, that work is lost)',
    };
  }
  if (role === 'node' && running && facts.nodeChange.kind === 'waits' && !options.force) {
    return {
      kind: 'postpone-service',
      service: name,
      why: `${change}: ${NODE_COST}. Waits: ${facts.nodeChange.why}`,
      next: 'when they have: smesh-compose up --wait (--force: now)',
      waitsForGap: true,
    };
  }
  return {
    kind: 'recreate-service',
    service: name,
    why: change,
    cost: costOf(role, running, risk, facts),
    running,
  };
}

/** Provers of removed identities that work on a proof, or may: without its key the node would not fetch it any more. */
function findBusyRemoved({ removed, containers, stopRisks }: UpFacts): readonly string[] {
  return removed.filter((name) => {
    const risk = stopRisks.get(name) ?? UNKNOWN_RISK;
    const isRunning = containers.some((container) => container.service === name && isUp(container));
    return isRunning && !risk.safe && risk.nobodyAsks !== true;
  });
}

function costOf(
  role: ServiceRole,
  running: boolean,
  risk: StopRisk,
  { nodeChange, missedProposals }: UpFacts,
): string {
  if (!running) return 'nothing: it is not running';
  if (role === 'node') {
    const cost = missedProposals === undefined ? NODE_COST : `${NODE_COST}; ${missedProposals}`;
    if (nodeChange.kind === 'free') return cost;
    return `${cost}, but ${nodeChange.why}, and who is late earns nothing in the epoch after the next`;
  }
  if (role === 'other') return 'restarts it';
  return risk.safe ? 'nothing: it is idle' : `its work: it ${risk.why}`;
}

function decideRemoval(
  name: string,
  container: ObservedContainer | undefined,
  facts: UpFacts,
  options: UpOptions,
): readonly ContainerStep[] {
  if (container === undefined) return [];
  const why = 'its identity is no longer in smesh.yaml; its data stay';
  const risk = facts.stopRisks.get(name) ?? UNKNOWN_RISK;
  if (!isUp(container)) return [{ kind: 'remove-service', service: name, why, cost: 'nothing' }];
  if (risk.safe) return [{ kind: 'remove-service', service: name, why, cost: 'nothing: it is idle' }];
  if (risk.nobodyAsks === true) {
    const cost = 'a proof that nobody fetches: the node no longer has its key';
    return [{ kind: 'remove-service', service: name, why, cost }];
  }
  if (options.force) {
    return [{ kind: 'remove-service', service: name, why, cost: `its work: it ${risk.why}` }];
  }
  return [
    {
      kind: 'postpone-service',
      service: name,
      why: `${why}; but it ${risk.why}`,
      next: 'when it is idle: smesh-compose up --wait (--force: now, its work is lost)',
    },
  ];
}

function describeHeadline(steps: readonly ContainerStep[], facts: UpFacts): string {
  const roles = new Map(facts.desired.map((service) => [service.name, service.role]));
  const count = (kind: ContainerStep['kind'], role?: ServiceRole) =>
    steps.filter((step) => step.kind === kind && (role === undefined || roles.get(step.service) === role))
      .length;
  const exists = facts.containers.some((container) => container.service !== undefined);
  if (!exists) {
    const others = count('create-service', 'other');
    const parts = [
      ...(count('create-service', 'node') > 0 ? ['the node'] : []),
      plural(count('create-service', 'prover'), 'post-service', 'post-services'),
      ...(others > 0 ? [plural(others, 'other service', 'other services')] : []),
    ];
    return `First start of ${parts.join(' and ')}:`;
  }
  const removed = steps.filter((step) => facts.removed.includes(step.service)).length;
  const reasons = [
    ...say(count('create-service', 'prover'), 'identity added', 'identities added'),
    ...say(removed, 'identity removed', 'identities removed'),
    ...say(count('start-service'), 'service is down', 'services are down'),
    ...say(count('hold-back'), 'service is held back', 'services are held back'),
  ];
  const changed = count('recreate-service') + count('create-service') + count('postpone-service') - removed;
  if (reasons.length > 0) return `${reasons.join(', ')}, so:`;
  return changed > 0 ? 'The project has changed, so:' : 'Everything runs as smesh.yaml wants it:';
}

function say(count: number, one: string, many: string): string[] {
  return count === 0 ? [] : [plural(count, one, many)];
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
