/** A TCP socket that waits for connections. */
export interface Listener {
  /** `127.0.0.1`, `0.0.0.0`, or IPv6 as eight groups; IPv4 in IPv6 as IPv4. */
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

/** State of a listening socket in /proc/net/tcp. */
const LISTEN = '0A';

/** Reads /proc/net/tcp or /proc/net/tcp6. */
export function parseListeners(table: string): readonly Listener[] {
  return table.split('\n').flatMap((line) => {
    const columns = line.trim().split(/\s+/);
    const [, local = '', , state] = columns;
    const [, address, port] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(local) ?? [];
    const inode = columns[9];
    if (state !== LISTEN || address === undefined || port === undefined || inode === undefined) return [];
    return [{ address: parseAddress(address), port: Number.parseInt(port, 16), inode }];
  });
}

/** Whether somebody who listens there is in the way of one who wants this address and port. */
export function isInTheWay(listener: Listener, port: number, address: string): boolean {
  if (listener.port !== port) return false;
  return isAny(listener.address) || isAny(address) || listener.address === address;
}

/** The kernel writes each group of four bytes in its own byte order, which on all our platforms is little-endian. */
function parseAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) =>
    (word.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).reverse(),
  );
  if (bytes.length === 4) return bytes.join('.');
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  if (mapped) return bytes.slice(12).join('.');
  if (bytes.every((byte) => byte === 0)) return '::';
  if (bytes.slice(0, 15).every((byte) => byte === 0) && bytes[15] === 1) return '::1';
  return bytes
    .flatMap((byte, index) => (index % 2 === 0 ? [((byte << 8) | (bytes[index + 1] ?? 0)).toString(16)] : []))
    .join(':');
}

function isAny(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}
