import { cancelled, ExitCode, SmeshError } from '../../domain/errors.ts';
import { nodeAwayMs } from '../../domain/plan/node-moment.ts';
import { epochClock } from '../../domain/poet/epochs.ts';
import { decideCancel } from '../../domain/poet/switch/cancel.ts';
import { sameSettings } from '../../domain/poet/switch/target.ts';
import type { Project } from '../../domain/project/types.ts';
import { costLines, hinderedLines } from '../../ui/poet-switch.ts';
import type { Context } from '../context.ts';
import { withProjectLock } from '../project-lock.ts';
import { finishPendingStarts, notePendingStarts } from '../up/pending-starts.ts';
import { NODE, startNode, writeSettings } from './acts.ts';
import { lookAtNode, type NodeLook, rowsOf, stagesBy } from './observe.ts';
import { readProject } from './read-project.ts';
import { readSwitchRecord, removeSwitchRecord, type SwitchRecord } from './record.ts';

/**
 * Takes back a change of PoETs that is not finished. As long as nobody is registered with the new ones everything becomes as
 * it was; afterwards the way back is a change of its own. What the way back costs is asked about.
 */
export function cancelSwitch(context: Context, options: { readonly timeoutMs: number }): Promise<ExitCode> {
  return withProjectLock(context, 'poet switch', () => cancel(context, options.timeoutMs), {
    startPending: false,
  });
}

async function cancel(context: Context, timeoutMs: number): Promise<ExitCode> {
  const record = await readSwitchRecord(context);
  const { project, text } = await readProject(context);
  if (record === undefined) return say(context, 'nothing', 'No change of PoETs is under way.');
  const look = await lookAtNode(context, project);
  const isWritten = sameSettings(project.poet, record.to);
  if (isWritten) await takeBack(context, { project, text, record, look });
  // One that ran with the new PoETs was stopped just now, whoever had started it.
  if (isWritten && (record.nodeRan || look.stand === 'up')) await startNode(context, timeoutMs);
  else if (record.nodeRan)
    await finishPendingStarts(context, 'The change of PoETs was taken back before it had started');
  await removeSwitchRecord(context);
  return say(
    context,
    'cancelled',
    isWritten
      ? 'Taken back: smesh.yaml names the PoETs that it named before.'
      : 'Taken back. smesh.yaml was not changed.',
  );
}

interface Written {
  readonly project: Project;
  readonly text: string;
  readonly record: SwitchRecord;
  readonly look: NodeLook;
}

/** Stops the node and writes the former PoETs, where nothing is lost by it or that was agreed to. */
async function takeBack(context: Context, written: Written): Promise<void> {
  const { project, text, record, look } = written;
  if (look.stand === 'unknown') throw notToBeTold();
  await demandWayBack(context, written);
  if (look.stand === 'up' && look.container !== undefined) {
    await notePendingStarts(context, project.name, [NODE]);
    await (await context.ports.docker()).stop(look.container.id);
    const names = busyIn(await lookAtNode(context, project));
    if (names.length > 0) {
      await finishPendingStarts(context, 'It was not taken back after all, for which had been stopped');
      throw tooLate(names, record);
    }
  }
  await writeSettings(context, text, project.poet, record.from);
}

function busyIn({ identities, database }: NodeLook): readonly string[] {
  return identities.flatMap(({ smesher, name }) => {
    const rows = rowsOf(database, smesher);
    return rows === undefined || (rows !== 'none' && rows.challenge !== undefined) ? [name] : [];
  });
}

async function demandWayBack(context: Context, { project, record, look }: Written): Promise<void> {
  const { network } = project;
  const now = context.clock.now();
  const rhythms = { from: epochClock(network, record.from), to: epochClock(network, record.to) };
  const decision = decideCancel(
    {
      rhythms,
      busy: busyIn(look),
      // By the rows alone: one that fails answers nothing, and is to be taken back all the more.
      identities: stagesBy({ ...look, stand: 'down' }, rhythms.to, now),
      leadMs: nodeAwayMs({ layerMs: network.layerSeconds * 1000 }),
    },
    now,
  );
  if (decision.kind === 'registered') throw tooLate(decision.names, record);
  // One that ends again and again registers nobody: there is nothing to be late for.
  if (decision.kind === 'late' && look.stand === 'up') throw justNow(hinderedLines(decision.hindered));
  const lost = decision.kind === 'back' ? decision.outcome.lostEpochs.length : 0;
  if (decision.kind !== 'back' || lost === 0 || context.yes) return;
  const agreed = await context.ports.prompt.confirm({
    message: 'Give that up and take it back?',
    explanation: costLines({
      from: record.to,
      to: record.from,
      outcome: decision.outcome,
      epochSeconds: rhythms.to.epoch / 1000,
    })
      .join('\n')
      .replace('the new PoETs', 'the former PoETs'),
    flag: '--yes',
    initial: false,
  });
  if (!agreed) throw cancelled('smesh-compose poet switch --cancel');
}

function justNow(details: readonly string[]): SmeshError {
  return new SmeshError(
    'outside-window',
    ExitCode.refused,
    'The change of PoETs cannot be taken back just now. Nothing was changed.',
    { details, hint: 'Go on with it: smesh-compose poet switch --wait' },
  );
}

function notToBeTold(): SmeshError {
  return new SmeshError(
    'node-unknown',
    ExitCode.refused,
    'There is more than one container of the node, or it is paused: nobody can say what it does. Nothing was changed.',
    { hint: 'docker ps -a   and then, with one node that runs or none: smesh-compose poet switch --cancel' },
  );
}

function say(context: Context, outcome: string, words: string): ExitCode {
  if (context.json) context.out.json({ schemaVersion: 1, outcome });
  else context.out.result(words);
  return ExitCode.ok;
}

function tooLate(names: readonly string[], { targetName }: SwitchRecord): SmeshError {
  return new SmeshError(
    'registered-already',
    ExitCode.refused,
    `The node has registered with the PoETs of ${targetName} already, or it could not be learnt (${names.slice(0, 4).join(', ')}): taken back now, that registration would be lost. Nothing was changed.`,
    {
      hint: 'The way back is a change of its own, in its own window: finish this one (smesh-compose poet switch), then smesh-compose poet switch --to …   with the former PoETs',
    },
  );
}
