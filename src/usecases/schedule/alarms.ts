import type { ScheduleAlarm } from '../../domain/schedule/decision.ts';
import { alarmDocument, alarmText } from '../../ui/schedule-lines.ts';
import type { Context } from '../context.ts';

/** Says each alarm once for as long as it holds, and when it is over. */
export class Alarms {
  readonly #context: Context;
  #said: ReadonlyMap<string, ScheduleAlarm> = new Map();

  constructor(context: Context) {
    this.#context = context;
  }

  /** @param alarms all that hold now */
  tell(alarms: readonly ScheduleAlarm[], at: number): void {
    const now = new Map(alarms.map((alarm) => [`${alarm.code} ${alarm.id ?? ''}`, alarm]));
    for (const [key, alarm] of now) {
      if (this.#said.get(key)?.message !== alarm.message) this.#say(alarm, at, false);
    }
    for (const [key, alarm] of this.#said) if (!now.has(key)) this.#say(alarm, at, true);
    this.#said = now;
  }

  #say(alarm: ScheduleAlarm, at: number, over: boolean): void {
    const { out, json } = this.#context;
    if (json) out.verbatim(JSON.stringify(alarmDocument(alarm, at, over)));
    if (over) out.note(`Over: ${alarmText({ code: alarm.code, message: alarm.message, ...named(alarm) })}`);
    else out.warn(alarmText(alarm));
  }
}

function named({ name }: ScheduleAlarm): { readonly name?: string } {
  return name === undefined ? {} : { name };
}
