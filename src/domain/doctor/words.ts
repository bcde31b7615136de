export const GIB = 1024 ** 3;

/** `2.3 GiB`, `64 GiB`. */
export function gibibytes(bytes: number): string {
  const value = bytes / GIB;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} GiB`;
}

/** `post-0001, post-0002 and 8 more`: a shelf of disks that is off must not fill the screen. */
export function several(names: readonly string[], most = 4): string {
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most - 1).join(', ')} and ${names.length - most + 1} more`;
}
