import { readFileSync } from 'node:fs';
import { availableParallelism, freemem, hostname, totalmem } from 'node:os';
import process from 'node:process';
import type { SystemPort } from '../../ports/system.ts';
import { readHostMark } from './host-mark.ts';
import { findPortOwner } from './port-owner.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** SystemPort of the machine that this process runs on. */
export function createSystem(env: Environment): SystemPort {
  const uid = process.getuid?.() ?? 0;
  const sudoUser = uid === 0 ? userOfSudo(env) : undefined;
  return {
    cpus: availableParallelism(),
    totalMemoryBytes: totalmem(),
    get availableMemoryBytes() {
      return availableMemory();
    },
    hostname: hostname(),
    pid: process.pid,
    user: { uid, gid: process.getgid?.() ?? 0 },
    ...(sudoUser === undefined ? {} : { sudoUser }),
    host: () => readHostMark(),
    portOwner: findPortOwner,
  };
}

/** Memory that can be had without swapping; caches count as free. */
function availableMemory(): number {
  try {
    const [, kibibytes] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8')) ?? [];
    if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  } catch {
    // No /proc.
  }
  return freemem();
}

function userOfSudo(env: Environment): { readonly uid: number; readonly gid: number } | undefined {
  const [uid, gid] = [env['SUDO_UID'], env['SUDO_GID']];
  if (uid === undefined || gid === undefined || !/^\d{1,10}$/.test(uid) || !/^\d{1,10}$/.test(gid))
    return undefined;
  return { uid: Number(uid), gid: Number(gid) };
}
