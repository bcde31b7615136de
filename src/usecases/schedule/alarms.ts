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
      const before = this.#said.get(key);
      if (isNews(before, alarm)) this.#say(alarm, at, false);
      now.set(key, withNames(alarm, before?.names));
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

function isNews(before: ScheduleAlarm | undefined, { message, names }: ScheduleAlarm): boolean {
  if (before === undefined) return true;
  if (names === undefined) return before.message !== message;
  return names.some((name) => before.names?.includes(name) !== true);
}

/** Somebody who is on the edge of a deadline is told once, however often estimates cross it. */
function withNames(alarm: ScheduleAlarm, before: readonly string[] = []): ScheduleAlarm {
  return alarm.names === undefined ? alarm : { ...alarm, names: [...new Set([...before, ...alarm.names])] };
}

function named({ name }: ScheduleAlarm): { readonly name?: string } {
  return name === undefined ? {} : { name };
}
