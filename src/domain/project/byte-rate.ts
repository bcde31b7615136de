const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** Bytes per second of a speed such as `180MB/s`, `1.2 GB/s` or `170MiB/s`; `undefined` for anything else. */
export function parseByteRate(text: string): number | undefined {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([kmg]?i?b)\/s$/i.exec(text) ?? [];
  const rate = Number(amount) * (UNITS[unit.toLowerCase()] ?? Number.NaN);
  return Number.isFinite(rate) && rate > 0 ? rate : undefined;
}
