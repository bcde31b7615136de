import type { HostMark } from '../domain/identity/lease.ts';

/** The host and this process. */
export interface SystemPort {
  readonly cpus: number;
  readonly totalMemoryBytes: number;
  readonly availableMemoryBytes: number;
  readonly hostname: string;
  readonly pid: number;
  readonly user: { readonly uid: number; readonly gid: number };
  /** Who called sudo (SUDO_UID, SUDO_GID), if anybody did. */
  readonly sudoUser?: { readonly uid: number; readonly gid: number };
  /** What tells this machine from others, as digests; the same for every user of it. */
  host(): Promise<HostMark>;
  /** Who listens on a TCP port of this host, as far as /proc tells; `undefined` when it is free. */
  portOwner(port: number, address: string): Promise<PortOwner | undefined>;
}

export interface PortOwner {
  /** `nginx (pid 812)`, or `another process` where /proc hides it. */
  readonly description: string;
  readonly pid?: number;
}
