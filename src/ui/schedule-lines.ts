import type { Decision, ScheduleAct, ScheduleAlarm } from '../domain/schedule/decision.ts';
import type { ScheduleObservation } from '../domain/schedule/observation.ts';
import { printable } from './text.ts';

const DONE: Readonly<Record<ScheduleAct['kind'], string>> = {
  start: 'started',
  stop: 'stopped',
  hold: 'held',
  release: 'released',
  restart: 'restarted',
};

/** `12:04:31  post-0002  started: the node wants a proof, sda is free`; UTC. */
export function actLine(act: ScheduleAct, at: number, would = false): string {
  const done = `${would ? 'would be ' : ''}${DONE[act.kind]}`;
  const ahead = act.kind === 'start' && act.ahead ? ' ahead' : '';
  return line(at, act.name, `${done}${ahead}: ${act.reason}`);
}

export function waitingLine({ name, words }: Decision['waiting'][number], at: number): string {
  return line(at, name, words);
}

function line(at: number, name: string, text: string): string {
  return `${new Date(at).toISOString().slice(11, 19)}Z  ${name}  ${printable(text)}`;
}

export function alarmText({ name, message, next }: ScheduleAlarm): string {
  const subject = name === undefined ? '' : `${name}: `;
  return printable(`${subject}${message}${next === undefined ? '' : `. Next: ${next}`}`);
}

/** One line of `run --json` about an act (docs/reference/json.md). */
export function actDocument(
  act: ScheduleAct,
  at: number,
  outcome: 'done' | 'skipped' | 'failed' | 'pending',
  why?: string,
): object {
  return {
    ...{ schemaVersion: 1, kind: 'act', at: new Date(at).toISOString(), act: act.kind, outcome },
    ...{ name: act.name, smesherId: act.id, containerId: act.containerId, reason: act.reason },
    ...(act.kind === 'start' ? { ahead: act.ahead } : {}),
    ...(act.kind === 'hold' ? { deep: act.deep } : {}),
    ...(act.kind === 'restart' ? { mends: act.mends } : {}),
    ...(why === undefined ? {} : { why }),
  };
}

/** `over`: what it said holds no longer. */
export function alarmDocument(alarm: ScheduleAlarm, at: number, over: boolean): object {
  const { code, id, name, names, message, next } = alarm;
  return {
    ...{ schemaVersion: 1, kind: 'alarm', at: new Date(at).toISOString(), code, message, over },
    ...{ name: name ?? null, smesherId: id ?? null, names: names ?? null, next: next ?? null },
  };
}

export function tickDocument(
  { at, node, provers }: ScheduleObservation,
  { acts, waiting, lookAgainAt }: Decision,
): object {
  const present = provers.flatMap(({ container }) => (container.kind === 'present' ? [container] : []));
  return {
    ...{ schemaVersion: 1, kind: 'tick', at: new Date(at).toISOString(), node },
    running: present.filter(({ state }) => state === 'running').length,
    held: present.filter(({ state, held }) => state === 'running' && held).length,
    wanted: provers.filter(({ wanted }) => wanted === 'proving').length,
    acts: acts.length,
    waiting: waiting.map(({ name, id, why, words }) => ({ name, smesherId: id, why, words })),
    lookAgainAt: new Date(lookAgainAt).toISOString(),
  };
}

/** The last line of `run --json`, when it was ended by a signal. */
export function endDocument(held: readonly string[], at: number): object {
  return { schemaVersion: 1, kind: 'end', at: new Date(at).toISOString(), held };
}
