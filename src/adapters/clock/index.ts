import { setTimeout as delay } from 'node:timers/promises';
import type { ClockPort } from '../../ports/clock.ts';

export const systemClock: ClockPort = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  },
  localOffsetMinutes: (at) => -new Date(at).getTimezoneOffset(),
};
