import { NO_HISTORY, type ScheduleHistory } from '../../domain/schedule/history.ts';
import type { Context } from '../context.ts';
import { loadHistory, saveHistory, updateHistory } from './history.ts';

/**
 * The history as the loop uses it: the file, or, where that cannot be written, what is in memory. A full disk must not
 * make the loop forget what it has restarted a moment ago.
 */
export class HistoryKeeper {
  readonly #context: Context;
  #current: ScheduleHistory = NO_HISTORY;
  #broken = false;

  constructor(context: Context) {
    this.#context = context;
  }

  async load(): Promise<ScheduleHistory> {
    if (this.#broken) return this.#current;
    const { history, note } = await loadHistory(this.#context);
    // What is remembered of this run is worth more than a file that somebody has damaged meanwhile.
    if (note === undefined) this.#current = history;
    else this.#context.out.note(`${note}.`);
    return this.#current;
  }

  async update(change: (history: ScheduleHistory) => ScheduleHistory): Promise<ScheduleHistory> {
    const before = this.#current;
    this.#current = change(before);
    try {
      if (this.#broken) await saveHistory(this.#context, this.#current);
      // By the file once more: another command may have written speeds that it has measured.
      else this.#current = await updateHistory(this.#context, change, before);
      this.#broken = false;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      if (!this.#broken) {
        this.#context.out.warn(
          `The history cannot be written (${error.message}): what is remembered is lost with this run.`,
        );
      }
      this.#broken = true;
    }
    return this.#current;
  }
}
