import type { ScheduleHistory } from '../../domain/schedule/history.ts';
import { NO_HISTORY } from '../../domain/schedule/history.ts';
import { readHistory, writeHistory } from '../../domain/schedule/history-file.ts';
import type { Context } from '../context.ts';
import { stateFolder } from '../journal.ts';
import { projectOwner } from '../owners.ts';

function historyPath(directory: string): string {
  return `${directory}/.smesh/history`;
}

export interface LoadedHistory {
  readonly history: ScheduleHistory;
  /** Why what is there counts as nothing. */
  readonly note?: string;
}

/** What is remembered of this project. Never rejects: one that cannot be read harms nobody and counts as none. */
export async function loadHistory({ ports, directory }: Context): Promise<LoadedHistory> {
  const path = historyPath(directory);
  let text: string | undefined;
  try {
    text = await ports.files.readTextIfPresent(path);
  } catch (error) {
    return { history: NO_HISTORY, note: `${path} cannot be read (${(error as Error).message})` };
  }
  const reading = readHistory(text);
  return reading.kind === 'read'
    ? { history: reading.history }
    : { history: reading.history, note: `${path} cannot be read (${reading.reason}): begun anew` };
}

/** Replaces it whole. Rejects with the system's error: the caller decides whether that matters. */
export async function saveHistory(context: Context, history: ScheduleHistory): Promise<void> {
  const { ports, directory } = context;
  const owner = (await projectOwner(context)) ?? {};
  await ports.files.makeDirectory(stateFolder(directory), { mode: 0o700, ...owner });
  await ports.files.writeAtomic(historyPath(directory), writeHistory(history), { mode: 0o644, ...owner });
}

/**
 * Changes it: reads what is there, so that what another command has written meanwhile stays, and writes where the change
 * makes a difference. Answers what is remembered now.
 *
 * @param known what counts where the file is damaged or cannot be read
 */
export async function updateHistory(
  context: Context,
  change: (history: ScheduleHistory) => ScheduleHistory,
  known: ScheduleHistory = NO_HISTORY,
): Promise<ScheduleHistory> {
  const { history: read, note } = await loadHistory(context);
  const history = note === undefined ? read : known;
  const next = change(history);
  if (next !== history && writeHistory(next) !== writeHistory(history)) await saveHistory(context, next);
  return next;
}
