const UNITS = [
  ['g', 1024 ** 3],
  ['m', 1024 ** 2],
  ['k', 1024],
] as const;

/** Bytes as Compose reads them, in the largest unit that divides them: `3g`, `768m`. */
export function memoryText(bytes: number): string {
  const unit = UNITS.find(([, size]) => bytes % size === 0);
  return unit === undefined ? `${bytes}b` : `${bytes / unit[1]}${unit[0]}`;
}

/** `uid:gid` of a numeric user; a number alone has group 0 for Docker. Names only the image knows. */
export function numericUser(user: string | undefined): string | undefined {
  if (user === undefined) return undefined;
  if (user === 'root' || user === 'root:root') return '0:0';
  const [, uid, gid = '0'] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(user) ?? [];
  return uid === undefined ? undefined : `${uid}:${gid}`;
}
