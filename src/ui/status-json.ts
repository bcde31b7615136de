import type { Activity } from '../domain/proving/identity-state.ts';
import type { IdentityReport, StatusReport } from '../domain/proving/status-report.ts';
import { deadlineWords } from './deadline-words.ts';
import { serviceWords } from './status-words.ts';

/**
 * `status --json`, schema version 1 (docs/reference/status-json.md). Every field is always there; `null` means that it is
 * not known or does not apply. Times are RFC 3339 in UTC, sizes bytes, smesher IDs 64 hex digits. Fields are only ever
 * added; a change of meaning raises `schemaVersion`.
 */
export function statusDocument(report: StatusReport, exitCode: number): Readonly<Record<string, unknown>> {
  const { timeline, node, counts } = report;
  return {
    schemaVersion: 1,
    at: time(report.at),
    exitCode,
    engineAnswers: report.engineAnswers,
    project: { name: report.project, directory: report.directory, network: report.network },
    node: {
      container: containerFields(node.container),
      certainty: node.certainty,
      version: node.version ?? null,
      synced: node.synced ?? null,
      peers: node.peers ?? null,
      layer: node.layer ?? null,
      epoch: node.epoch ?? null,
      fault: node.fault ?? null,
      freeBytes: node.freeBytes ?? null,
    },
    epoch: {
      number: timeline.epoch,
      layer: timeline.layer,
      startsAt: time(timeline.epochStarts),
      endsAt: time(timeline.epochEnds),
      phase: timeline.phase.kind,
      phaseEndsAt: time(timeline.phase.until),
      gap: {
        opensAt: time(timeline.gap.opens),
        closesAt: time(timeline.gap.closes),
        open: timeline.gap.open,
      },
      publishEpoch: timeline.deadlines.epoch,
      registrationOpensAt: time(timeline.deadlines.registrationOpens),
      registerBy: time(timeline.deadlines.registerBy),
      publishBy: time(timeline.deadlines.publishBy),
    },
    counts: { identities: counts.identities, published: counts.published, registration: counts.registration },
    schedule: scheduleFields(report),
    identities: report.identities.map(identityFields),
    findings: report.findings.map(({ code, severity, smeshers, services, message, next }) => ({
      code,
      severity,
      smeshers,
      services,
      message,
      next: next ?? null,
    })),
  };
}

function scheduleFields(report: StatusReport): Readonly<Record<string, unknown>> {
  const { schedule } = report;
  const memory = schedule?.outlook.memory;
  return {
    runs: schedule?.runs ?? null,
    deadline: deadlineWords(report),
    turns: schedule?.turns ?? [],
    proofs: memory?.proofs ?? null,
    memoryBytes: memory === undefined ? null : Math.round(memory.bytes),
    memoryBudget: memory === undefined ? null : Math.round(memory.budget),
  };
}

function identityFields(identity: IdentityReport): Readonly<Record<string, unknown>> {
  const { state, progress } = identity;
  return {
    smesher: identity.smesher,
    name: identity.name,
    data: identity.data,
    dataSeen: identity.dataSeen,
    disk: identity.disk ?? null,
    units: identity.units ?? null,
    dataBytes: identity.dataBytes ?? null,
    container: containerFields(identity.container),
    wants: state.wants,
    wantedSince: time(progress.wantedSince),
    service: { ...serviceFields(state.activity), held: state.held, words: serviceWords(identity) },
    initialProof: progress.initialProof,
    due: progress.due,
    published: progress.published,
    registered: progress.registered,
    registration: identity.registration,
    waiting:
      identity.waiting === undefined ? null : { why: identity.waiting.why, words: identity.waiting.words },
    expectedAt: time(identity.expectedAt),
    failedAt: time(progress.failedAt),
    cancelled: progress.malfeasance !== undefined,
  };
}

function serviceFields(activity: Activity): Readonly<Record<string, unknown>> {
  const reading = activity.kind === 'reading' ? activity : undefined;
  const k2pow = activity.kind === 'k2pow' ? activity : undefined;
  const nonces = 'nonces' in activity ? activity.nonces : undefined;
  return {
    state: activity.kind,
    reason: 'reason' in activity ? activity.reason : null,
    stuck: activity.kind === 'failed' ? activity.stuck : null,
    since: 'since' in activity ? time(activity.since) : null,
    pass: 'pass' in activity ? (activity.pass ?? null) : null,
    nonces: nonces === undefined ? null : { start: nonces.start, end: nonces.end },
    group: k2pow?.group ?? null,
    groups: k2pow?.groups ?? null,
    position: reading?.position ?? null,
    fraction: reading?.fraction ?? null,
    bytesPerSecond: reading?.rate === undefined ? null : Math.round(reading.rate),
    doneAt: time(reading?.doneAt),
  };
}

function containerFields(container: IdentityReport['container']): Readonly<Record<string, unknown>> | null {
  if (container === undefined) return null;
  const { id, name, state, health, image, restartCount, startedAt, exitCode } = container;
  return {
    id,
    name,
    state,
    health,
    image,
    restartCount,
    startedAt: time(startedAt),
    exitCode: exitCode ?? null,
  };
}

function time(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
