const UNITS: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Bytes of a Compose amount such as `3g` or `768mb`. */
export function memoryBytes(text: string): number {
  const [, amount = '', unit = ''] = /^([\d.]+)([bkmg])/i.exec(text) ?? [];
  return Number(amount) * (UNITS[unit.toLowerCase()] ?? Number.NaN);
}
