/** Durations and times as Go reads and writes them: the node's config, logs and messages are made of them. */

const unitNanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Milliseconds of a Go duration text such as `1h30m` or `1.5h`. @throws Error with Go's own message */
export function parseDuration(text: string): number {
  const invalid = () => new Error(`time: invalid duration ${JSON.stringify(text)}`);
  let rest = text.replace(/^[-+]/, '');
  if (rest === '0') return 0;
  if (rest === '') throw invalid();
  let nanoseconds = 0;
  while (rest !== '') {
    const amount = /^(\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (amount === undefined) throw invalid();
    rest = rest.slice(amount.length);
    const unit = /^[^\d.]*/.exec(rest)?.[0] ?? '';
    if (unit === '') throw new Error(`time: missing unit in duration ${JSON.stringify(text)}`);
    const factor = unitNanoseconds[unit];
    if (factor === undefined) {
      throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    }
    nanoseconds += Number(amount) * factor;
    rest = rest.slice(unit.length);
  }
  return (text.startsWith('-') ? -nanoseconds : nanoseconds) / 1e6;
}

/** A duration in milliseconds as Go prints it: `27h0m3.5s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0s';
  const sign = milliseconds < 0 ? '-' : '';
  const absolute = Math.abs(milliseconds);
  if (absolute < 1000) return `${sign}${absolute}ms`;
  const seconds = Math.round(absolute) / 1000;
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = `${Number((seconds % 60).toFixed(3))}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${rest}`;
  return minutes > 0 ? `${sign}${minutes}m${rest}` : `${sign}${rest}`;
}

/** A moment (milliseconds since 1970) as Go prints it: `2026-11-20 13:05:43 +0000 UTC`. */
export function formatTime(milliseconds: number): string {
  const [day, time = ''] = new Date(milliseconds).toISOString().split('T');
  return `${day} ${time.replace(/\.?0*Z$/, '')} +0000 UTC`;
}

/** An address list as Go splits `host:port`. @throws Error with Go's own message */
export function splitHostPort(address: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(address);
  if (match === null) {
    const fault = address.includes(':') ? 'too many colons in address' : 'missing port in address';
    throw new Error(`address ${address}: ${fault}`);
  }
  return { host: match[1] ?? match[2] ?? '', port: Number(match[3]) };
}
