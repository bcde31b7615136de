import { formatDuration } from './units.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** How moments are written for one reader. */
export interface MomentStyle {
  readonly now: number;
  /** Minutes east of UTC at a moment, where the reader is. */
  localOffsetMinutes(at: number): number;
  /** Seconds too: for networks whose epochs last minutes. */
  readonly seconds?: boolean;
}

function clockTime(at: number, seconds: boolean): string {
  return new Date(at).toISOString().slice(11, seconds ? 19 : 16);
}

function day(at: number): string {
  return DAYS[new Date(at).getUTCDay()] ?? '';
}

function isFar(at: number, now: number): boolean {
  return Math.abs(at - now) > 6 * DAY;
}

/** `Mon 01:25`, and `Mon 23 Nov 01:25` when the weekday alone could be another week's. In UTC. */
export function shortMoment(at: number, style: MomentStyle): string {
  return isFar(at, style.now) ? longMoment(at, style) : `${day(at)} ${clockTime(at, style.seconds ?? false)}`;
}

/** `Sun 22 Nov 23:12`, in UTC. */
export function longMoment(at: number, style: MomentStyle): string {
  const date = new Date(at);
  const month = MONTHS[date.getUTCMonth()] ?? '';
  return `${day(at)} ${date.getUTCDate()} ${month} ${clockTime(at, style.seconds ?? false)}`;
}

/** `Mon 08:00 UTC (09:00 here)`; the local day is named where it is another. Who lives in UTC reads it once. */
export function momentHere(at: number, style: MomentStyle): string {
  const utc = `${shortMoment(at, style)} UTC`;
  const offset = style.localOffsetMinutes(at);
  if (offset === 0) return utc;
  const local = at + offset * MINUTE;
  const otherDay = Math.floor(local / DAY) === Math.floor(at / DAY) ? '' : `${day(local)} `;
  return `${utc} (${otherDay}${clockTime(local, style.seconds ?? false)} here)`;
}

/** `in 8 h 48 m`, `3 d 4 h ago`, `now`. */
export function countdown(at: number, now: number): string {
  const left = at - now;
  if (Math.abs(left) < 1000) return 'now';
  return left > 0 ? `in ${formatDuration(left)}` : `${formatDuration(-left)} ago`;
}
