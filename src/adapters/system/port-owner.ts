import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { PortOwner } from '../../ports/system.ts';
import { isInTheWay, type Listener, parseListeners } from './listeners.ts';

const UNKNOWN: PortOwner = { description: 'another process' };

/** See SystemPort.portOwner. Looks without touching the port; only where there is no /proc it tries to bind it. */
export async function findPortOwner(port: number, address: string): Promise<PortOwner | undefined> {
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map(readIfThere));
  if (tables.every((table) => table === undefined))
    return (await canBind(port, address)) ? undefined : UNKNOWN;
  const inTheWay = tables
    .flatMap((table) => parseListeners(table ?? ''))
    .filter((listener) => isInTheWay(listener, port, address));
  if (inTheWay.length === 0) return undefined;
  return (await ownerOf(inTheWay)) ?? UNKNOWN;
}

async function ownerOf(listeners: readonly Listener[]): Promise<PortOwner | undefined> {
  const sockets = new Set(listeners.map((listener) => `socket:[${listener.inode}]`));
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of processes) {
    // Processes end while we look, and those of others are hidden without root.
    const handles = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const targets = await Promise.all(
      handles.map((handle) => readlink(`/proc/${pid}/fd/${handle}`).catch(() => '')),
    );
    if (!targets.some((target) => sockets.has(target))) continue;
    const name = (await readIfThere(`/proc/${pid}/comm`))?.trim() || 'process';
    return { description: `${name} (pid ${pid})`, pid: Number(pid) };
  }
  return undefined;
}

async function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

function canBind(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
