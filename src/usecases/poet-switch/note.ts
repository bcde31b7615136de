import { epochClock, openRoundAt, roundStart } from '../../domain/poet/epochs.ts';
import { sameSettings } from '../../domain/poet/switch/target.ts';
import type { Context } from '../context.ts';
import { readProject } from './read-project.ts';
import { readSwitchRecord } from './record.ts';

/** What other commands say while PoETs are being changed; nothing that they do undoes it, for smesh.yaml changes in the act alone. */
export interface SwitchNote {
  readonly message: string;
  readonly next: string;
}

/** `undefined` where no change is under way. Reads only. */
export async function switchNote(
  context: Pick<Context, 'ports' | 'directory' | 'clock'>,
): Promise<SwitchNote | undefined> {
  const record = await readSwitchRecord(context);
  if (record === undefined) return undefined;
  const { project } = await readProject(context);
  const next = 'smesh-compose poet switch --wait   goes on with it; --cancel takes it back';
  const to = `PoETs are being changed to ${record.targetName}`;
  if (sameSettings(project.poet, record.to)) {
    const clock = epochClock(project.network, record.to);
    const round = openRoundAt(clock, context.clock.now());
    const begins = new Date(roundStart(clock, round)).toISOString().replace(/\.\d+Z$/, 'Z');
    return {
      message: `${to}: smesh.yaml names them, and the node registers before round ${round} begins (${begins})`,
      next,
    };
  }
  return {
    message: record.nodeRan
      ? `${to}, and it was interrupted after the node was stopped; smesh.yaml names the present ones`
      : `PoETs are to be changed to ${record.targetName} in the next window; until then the present ones stay`,
    next,
  };
}
