/** The port of the Network Time Protocol. */
const NTP_PORT = 123;

/** Public servers that answer anybody; the first stands for thousands. */
export const DEFAULT_TIME_SERVERS = ['pool.ntp.org', 'time.cloudflare.com', 'time.google.com'] as const;

/** `HOST`, `HOST:PORT`, `[2001:db8::1]:123` or a bare IPv6 address; `undefined` for anything else. */
export function parseTimeServer(text: string): { readonly host: string; readonly port: number } | undefined {
  const bracketed = /^\[([0-9a-fA-F:.]+)\](?::(\d{1,5}))?$/.exec(text);
  const plain = /^([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::(\d{1,5}))?$/.exec(text);
  const bare = /^(?=.*:.*:)[0-9a-fA-F:.]+$/.test(text) ? [text, text, undefined] : undefined;
  const [, host, digits] = bracketed ?? plain ?? bare ?? [];
  if (host === undefined) return undefined;
  const port = digits === undefined ? NTP_PORT : Number(digits);
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}
