const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `1.5 TiB`, `640 MiB`, `0 B`: one decimal below 100 where there is something to say after the point. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (unit < BINARY_UNITS.length - 1 && Math.round(value * 10) / 10 >= 1024) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit > 0 && value < 99.95 && Math.round(value * 10) % 10 !== 0 ? 1 : 0;
  return `${value.toFixed(digits)} ${BINARY_UNITS[unit]}`;
}

/** Reading speed as disk makers give it: `182 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  const megabytes = bytesPerSecond / 1e6;
  return `${megabytes < 9.95 ? megabytes.toFixed(1) : Math.round(megabytes)} MB/s`;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function twoUnits(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const smallParts = Math.round(ms / small);
  const perLarge = large / small;
  const rest = smallParts % perLarge;
  const first = `${Math.floor(smallParts / perLarge)} ${largeName}`;
  return rest === 0 ? first : `${first} ${rest} ${smallName}`;
}

/** `0.4 s`, `45 s`, `14 min`, `8 h 48 m`, `3 d 4 h`, `12 d`. Negative times count as zero. */
export function formatDuration(ms: number): string {
  if (ms < 9950) return `${(Math.max(ms, 0) / 1000).toFixed(1)} s`;
  if (ms < 59_500) return `${Math.round(ms / 1000)} s`;
  if (ms < HOUR - MINUTE / 2) return `${Math.round(ms / MINUTE)} min`;
  if (ms < DAY - MINUTE / 2) return twoUnits(ms, HOUR, 'h', MINUTE, 'm');
  if (ms < 10 * DAY - HOUR / 2) return twoUnits(ms, DAY, 'd', HOUR, 'h');
  return `${Math.round(ms / DAY)} d`;
}

/** `353,558` */
export function formatCount(count: number | bigint): string {
  return count.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 disk`, `5 disks`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
