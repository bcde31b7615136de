import type { JudgedKey } from '../../domain/identity/lease-findings.ts';
import { shortId } from '../../domain/identity/smesher-id.ts';
import type { PublishedAtx } from '../../domain/node/answers.ts';
import type { Project } from '../../domain/project/types.ts';
import type { LocalDatabaseFacts } from '../../ports/local-database.ts';
import type { Context } from '../context.ts';

const ASK_TIMEOUT_MS = 3000;

/**
 * What this side knows of identities that are about to be taken over: whether their history came along in the node's
 * local.sql, and the last ATX that the node here has of each (spacemesh.md §6.2, §5.6). One line per fact; what could not
 * be learnt says so.
 */
export async function adoptionFacts(
  context: Context,
  project: Project,
  keys: readonly JudgedKey[],
): Promise<readonly string[]> {
  const [history, atxs] = await Promise.all([
    readHistory(context, project.node.data),
    readActivations(context, project, keys),
  ]);
  return [...historyLines(history, keys), ...atxLines(atxs, keys)];
}

async function readHistory(context: Context, nodeData: string): Promise<LocalDatabaseFacts> {
  const path = `${nodeData}/local.sql`;
  if (!(await context.ports.files.exists(path))) return { kind: 'absent' };
  return (await context.ports.localDatabase()).read(path);
}

function historyLines(history: LocalDatabaseFacts, keys: readonly JudgedKey[]): readonly string[] {
  if (history.kind === 'unknown') return [`The history in local.sql cannot be read: ${history.reason}.`];
  if (history.kind === 'absent')
    return ['There is no local.sql here: their history did not come along (3. must hold by the last ATX).'];
  const rows = new Map(history.identities.map((row) => [row.smesherId, row]));
  return keys.map(({ name, smesherId }) => {
    const row = rows.get(smesherId);
    const who = `${name} (${shortId(smesherId)})`;
    if (row === undefined) return `${who}: no history in this node's local.sql.`;
    if (row.challenge === undefined)
      return `${who}: its history is in this node's local.sql; nothing is under way.`;
    const { publishEpoch } = row.challenge;
    return row.nipost
      ? `${who}: its history is here, with a finished proof for epoch ${publishEpoch} that may have been published by the other node. If it was, wait until epoch ${publishEpoch} is over.`
      : `${who}: its history is here, with a challenge for epoch ${publishEpoch}.`;
  });
}

async function readActivations(
  context: Context,
  project: Project,
  keys: readonly JudgedKey[],
): Promise<readonly PublishedAtx[] | undefined> {
  const docker = await context.ports.docker();
  const containers = await docker.containers({ project: project.name });
  if (!containers.some(({ service, state }) => service === 'node' && state === 'running')) return undefined;
  const api = await context.ports.nodeApi();
  const { publicApi, privateApi } = project.node.ports;
  const { activations } = await api.snapshot(
    { publicApi: `127.0.0.1:${publicApi}`, privateApi: `127.0.0.1:${privateApi}` },
    {
      timeoutMs: ASK_TIMEOUT_MS,
      activationsOf: keys.map(({ smesherId }) => smesherId),
      withoutEvents: true,
    },
  );
  return activations.ok ? activations.value : undefined;
}

function atxLines(atxs: readonly PublishedAtx[] | undefined, keys: readonly JudgedKey[]): readonly string[] {
  if (atxs === undefined)
    return ['The node here does not run or answer: it cannot be asked for their last ATX.'];
  return keys.map(({ name, smesherId }) => {
    const last = atxs
      .filter(({ smesher }) => smesher === smesherId)
      .reduce((most, { publishEpoch }) => Math.max(most, publishEpoch), -1);
    const known =
      last < 0
        ? 'the node here knows of no ATX in this epoch and the last; is it synced, and has it published there?'
        : `the node here knows its ATX of epoch ${last}.`;
    return `${name} (${shortId(smesherId)}): ${known}`;
  });
}
