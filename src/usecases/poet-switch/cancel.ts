import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { sameSettings } from '../../domain/poet/switch/target.ts';
import type { Context } from '../context.ts';
import { withProjectLock } from '../project-lock.ts';
import { finishPendingStarts, notePendingStarts } from '../up/pending-starts.ts';
import { NODE, startNode, writeSettings } from './acts.ts';
import { lookAtNode, rowsOf } from './observe.ts';
import { readProject } from './read-project.ts';
import { readSwitchRecord, removeSwitchRecord, type SwitchRecord } from './record.ts';

/**
 * Takes back a change of PoETs that is not finished. As long as nobody is registered with the new ones everything becomes as
 * it was; afterwards the way back is a change of its own.
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
  if (isWritten) {
    const busy = look.identities.filter(({ smesher }) => {
      const rows = rowsOf(look.database, smesher);
      return rows === undefined || (rows !== 'none' && rows.challenge !== undefined);
    });
    if (busy.length > 0)
      throw tooLate(
        busy.map(({ name }) => name),
        record,
      );
    if (look.stand === 'up' && look.container !== undefined) {
      await notePendingStarts(context, project.name, [NODE]);
      await (await context.ports.docker()).stop(look.container.id);
    }
    await writeSettings(context, text, project.poet, record.from);
  }
  if (record.nodeRan) {
    if (isWritten) await startNode(context, timeoutMs);
    else await finishPendingStarts(context, 'The change of PoETs was taken back before it had started');
  }
  await removeSwitchRecord(context);
  return say(
    context,
    'cancelled',
    isWritten
      ? 'Taken back: smesh.yaml names the PoETs that it named before.'
      : 'Taken back. smesh.yaml was not changed.',
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
      hint: 'The way back is a change of its own, in its own window: smesh-compose poet switch --to default --wait',
    },
  );
}
