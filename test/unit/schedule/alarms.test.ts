import { describe, expect, it } from 'vitest';
import type { ScheduleAlarm } from '../../../src/domain/schedule/decision.ts';
import type { Context } from '../../../src/usecases/context.ts';
import { Alarms } from '../../../src/usecases/schedule/alarms.ts';

function listen() {
  const said: string[] = [];
  const say = (text: string) => said.push(text.replace(/\s+/g, ' '));
  const out = { note: say, warn: say, verbatim: say };
  const alarms = new Alarms({ out, json: false } as unknown as Context);
  return { said, tell: (...some: ScheduleAlarm[]) => alarms.tell(some, 0) };
}

const late = (...names: string[]): ScheduleAlarm => ({
  code: 'misses-registration',
  names,
  message: `late: ${names.join(', ')}`,
});

describe('alarms', () => {
  it('are said once for as long as they hold, and once when they are over', () => {
    const { said, tell } = listen();
    const alarm: ScheduleAlarm = { code: 'node-down', message: 'the node is down' };
    tell(alarm);
    tell(alarm);
    tell();
    tell();
    expect(said).toHaveLength(2);
    expect(said[1]).toMatch(/^Over: .*the node is down/);
  });

  it('are said again for somebody new, not for fewer, nor for one who is on the edge', () => {
    const { said, tell } = listen();
    tell(late('a', 'b'));
    tell(late('a'));
    tell(late('a', 'b'));
    expect(said).toHaveLength(1);
    tell(late('a', 'b', 'c'));
    expect(said).toHaveLength(2);
  });
});
