import type { PlaceFacts } from '../domain/doctor/disks.ts';
import type { HostFacts } from '../domain/doctor/host.ts';

/** What a program of this host said. */
export type ProgramAnswer =
  | { readonly kind: 'said'; readonly exitCode: number; readonly text: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'late' };

/** The host's kernel and its own programs. Nothing here changes anything or wakes a sleeping disk. */
export interface HostPort {
  facts(): Promise<HostFacts>;
  /** `undefined` where the kernel does not tell. The path must be a real one. */
  place(realPath: string): Promise<PlaceFacts | undefined>;
  /**
   * Whether what is at a path answers when it is opened, be it by an error. Another process opens it: one that hangs in
   * the kernel (a dead share, a dying disk) holds its thread for ever and would keep this one from ending.
   */
  answers(path: string, timeoutMs: number): Promise<boolean>;
  /** `timedatectl show` */
  timedatectl(timeoutMs: number): Promise<ProgramAnswer>;
  /** `chronyc -n tracking` */
  chronyc(timeoutMs: number): Promise<ProgramAnswer>;
  /** `smartctl` in JSON for one disk (`sda`), which is left asleep. */
  smartctl(disk: string, timeoutMs: number): Promise<ProgramAnswer>;
}
