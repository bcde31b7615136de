import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import type { NodeEvent } from '../../domain/node/events.ts';
import { epochAt, epochClock } from '../../domain/poet/epochs.ts';
import type { VerifiedRecord } from '../../domain/post-verify/record.ts';
import type { Identity, Project } from '../../domain/project/types.ts';
import type { Known } from '../../domain/proving/identity-progress.ts';
import type { IdentityReport } from '../../domain/proving/status-report.ts';
import {
  type IdentityEvidence,
  known,
  type Learnt,
  type NodeEvidence,
  notLearnt,
  type ProjectEvidence,
} from '../../domain/verification/facts.ts';
import type { Answer, NodeSnapshot } from '../../ports/node-api.ts';
import { serviceWords } from '../../ui/status-words.ts';
import type { Context } from '../context.ts';
import { type Observation, observeProject } from '../observe.ts';
import { loadRecords } from '../post-verify/records.ts';
import { buildReport } from '../status/report.ts';
import { askMachine, scheduleInputs } from '../status/schedule-inputs.ts';
import { readConnections } from './connections.ts';
import { askHistory, type History } from './history.ts';
import { type KeysSeen, readKeys } from './keys.ts';
import { leftToSchedule } from './left-to-schedule.ts';
import { lookAtData } from './look-at-data.ts';

export interface Evidence {
  readonly project: ProjectEvidence;
  readonly identities: readonly IdentityEvidence[];
  /** The engine could not be asked at all. */
  readonly engineFault?: Observation['engineFault'];
}

/** Collects everything about these identities at one moment, all sources at once. Changes nothing, never rejects for what is silent. */
export async function gatherEvidence(
  context: Context,
  project: Project,
  chosen: readonly Identity[],
  timeoutMs: number,
): Promise<Evidence> {
  const { ports, clock } = context;
  const [observation, machine, keys, records, data] = await Promise.all([
    observeProject(ports, project, clock, { timeoutMs }),
    askMachine(context, timeoutMs),
    readKeys(context, project),
    loadRecords(context),
    Promise.all(chosen.map((identity) => lookAtData(context, identity, timeoutMs))),
  ]);
  const inputs = await scheduleInputs(context, project, machine, observation);
  // Who waits for what is worth a word only where somebody ends it.
  const schedule = inputs.runs === true ? inputs : undefined;
  const report = buildReport({
    directory: context.directory,
    project,
    observation,
    ...(schedule === undefined ? {} : { schedule }),
  });
  const epochs = epochClock(project.network, project.poet);
  const epoch = Math.max(0, epochAt(epochs, observation.at));
  const [history, connections] = await Promise.all([
    askHistory(context, project, observation, { epoch, smeshers: chosen.map(({ id }) => id), timeoutMs }),
    readConnections(context, observation, chosen, timeoutMs),
  ]);
  const answers = observation.node.answers;
  return {
    project: {
      now: observation.at,
      clock: epochs,
      poetServers: project.poet.servers.map(({ address }) => address),
      coinbase: project.coinbase,
      node: nodeEvidence(observation, report.node.certainty, report.node.fault),
      strangers: keys.strangers,
      ...(inputs.runs === undefined ? {} : { scheduleRuns: inputs.runs }),
    },
    identities: chosen.flatMap((identity, index): readonly IdentityEvidence[] => {
      const seen = report.identities.find(({ smesher }) => smesher === identity.id);
      const dataHere = data[index];
      if (seen === undefined || dataHere === undefined) return [];
      const left = schedule === undefined ? undefined : leftToSchedule(seen, schedule.history);
      return [
        {
          smesher: identity.id,
          name: identity.name,
          data: identity.data,
          dataHere,
          ...labelsOf(records, identity),
          key: keyOf(keys, identity.id),
          listed: listedBy(answers, identity.id),
          wanted: wantedBy(answers, identity.id),
          state: seen.state,
          doing: doingOf(seen),
          connection: connections.get(identity.id) ?? { service: { kind: 'unseen' } },
          ...(left === undefined ? {} : { leftToSchedule: left }),
          rows: rowsOf(observation, identity.id),
          events: eventsOf(answers, identity.id),
          ...historyOf(history, identity.id),
        },
      ];
    }),
    ...(observation.engineFault === undefined ? {} : { engineFault: observation.engineFault }),
  };
}

/** A record of other data that lay there says nothing. */
function labelsOf(
  records: readonly VerifiedRecord[],
  { id, data }: Identity,
): Pick<IdentityEvidence, 'labels'> {
  const record = records.find(({ path, smesherId }) => path === data && smesherId === id);
  if (record === undefined) return {};
  const { at, fraction, wrong } = record;
  return { labels: { at, fraction, wrongIn: wrong.map(({ file }) => file) } };
}

function nodeEvidence(
  { node, engineFault }: Observation,
  certainty: NodeEvidence['certainty'],
  fault: string | undefined,
): NodeEvidence {
  const { container, answers } = node;
  const state =
    container?.state === 'running' ? 'running' : container === undefined ? 'absent' : 'not-running';
  const status = answers?.status;
  return {
    certainty,
    container: engineFault === undefined ? state : 'unknown',
    ...(engineFault === undefined ? {} : { engineFault: engineFault.message }),
    ...(container?.startedAt === undefined ? {} : { startedAt: container.startedAt }),
    ...(fault === undefined ? {} : { fault }),
    ...(status?.ok ? { synced: status.value.synced, appliedLayer: status.value.verifiedLayer } : {}),
    ...(answers?.coinbase.ok ? { coinbase: answers.coinbase.value } : {}),
  };
}

/** Which phase it is in needs more room than the column of `status` has; a pass's nonces do not matter here. */
function doingOf(seen: IdentityReport): string {
  return `status: ${serviceWords(seen).replace(/ {2}nonces .*$/, '')}`;
}

function keyOf(keys: KeysSeen, id: SmesherId): IdentityEvidence['key'] {
  if (keys.installed.kind === 'unknown') return keys.installed;
  const file = keys.installed.value.get(id);
  return file === undefined ? { kind: 'absent' } : { kind: 'installed', file };
}

function listedBy(answers: NodeSnapshot | undefined, id: SmesherId): Known {
  if (answers?.smesherIds.ok !== true) return 'unknown';
  return answers.smesherIds.value.includes(id) ? 'yes' : 'no';
}

function wantedBy(answers: NodeSnapshot | undefined, id: SmesherId): IdentityEvidence['wanted'] {
  if (answers?.postStates.ok !== true) return 'unknown';
  return answers.postStates.value.find(({ smesher }) => smesher === id)?.state ?? 'unlisted';
}

function rowsOf({ localDatabase }: Observation, id: SmesherId): IdentityEvidence['rows'] {
  switch (localDatabase.kind) {
    case 'absent':
      return notLearnt('there is none in the data folder of the node');
    case 'unknown':
      return notLearnt(localDatabase.reason);
    case 'read':
      return known(localDatabase.identities.find(({ smesherId }) => smesherId === id) ?? 'none');
  }
}

function eventsOf(answers: NodeSnapshot | undefined, id: SmesherId): Learnt<readonly NodeEvent[]> {
  const concerns = (event: NodeEvent) => ('smesher' in event ? event.smesher === id : true);
  return learn(answers?.events, (events) => events.filter(concerns));
}

function historyOf(history: History, id: SmesherId) {
  const ofThis = ({ smesher }: { readonly smesher: SmesherId }) => smesher === id;
  return {
    atxs: learn(history.atxs, (atxs) => atxs.filter(ofThis).sort((a, b) => a.publishEpoch - b.publishEpoch)),
    rewards: learn(history.rewards, (rewards) => rewards.filter(ofThis).sort((a, b) => a.layer - b.layer)),
    malfeasance: learn(history.malfeasance, (proofs) => proofs.find(ofThis) ?? ('none' as const)),
  };
}

/** Absent: the node was not asked, because its container does not run. */
function learn<T, R>(answer: Answer<T> | undefined, read: (value: T) => R): Learnt<R> {
  if (answer === undefined) return notLearnt('the node does not run');
  if (answer.ok) return known(read(answer.value));
  const { kind, message } = answer.error;
  if (kind === 'unreachable') return notLearnt('the node does not answer');
  return notLearnt(kind === 'timeout' ? 'no answer in time' : message);
}
