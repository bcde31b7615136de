import type { GpuVendor } from '../project/types.ts';
import type { OpenClPlatform } from './clinfo.ts';

export type CardVendor = Exclude<GpuVendor, 'cpu'>;

/** A graphics card of this host, as device nodes, sysfs and the vendor's tools tell. */
export interface HostGpu {
  readonly vendor: CardVendor;
  readonly name: string;
  /** What `init.devices` of smesh.yaml takes: NVIDIA index or UUID, else the render node; absent: it has none. */
  readonly device?: string;
  /** NVIDIA: `GPU-…`, the same after a card was added or taken out. */
  readonly uuid?: string;
  /** Kernel driver that is bound, with NVIDIA's release: `amdgpu`, `nvidia 550.90.07`, `nouveau`. */
  readonly driver?: string;
  readonly memoryBytes?: number;
}

/** What `postcli -printProviders` offers inside a container (spacemesh.md §8.2). */
export interface InsideProvider {
  /** 4294967295 is the CPU. */
  readonly id: number;
  /** As postcli prints it: `[GPU] NVIDIA CUDA/NVIDIA GeForce RTX 3090`. */
  readonly model: string;
  readonly kind: 'gpu' | 'cpu';
}

/** Why a card on the host is not offered inside, or is only by accident; each wrong set-up has its own code. */
export interface GpuFinding {
  readonly code: string;
  readonly severity: 'error' | 'warning' | 'note';
  readonly message: string;
  /** What to type or install. */
  readonly hint?: string;
}

export type InsideLook =
  | {
      readonly kind: 'asked';
      readonly vendor: GpuVendor;
      readonly image: string;
      readonly providers: readonly InsideProvider[];
      /** `clinfo -l` inside, devices of all types; absent where the image has no clinfo. */
      readonly platforms?: readonly OpenClPlatform[];
    }
  /** The container could not be made, or postcli failed in it; `reason` in the engine's or its own words. */
  | { readonly kind: 'failed'; readonly vendor: GpuVendor; readonly image: string; readonly reason: string }
  | {
      readonly kind: 'not-asked';
      readonly why: string;
      readonly vendor?: GpuVendor;
      readonly image?: string;
    };

/** A card on the host with its provider inside, or one of both alone. */
export interface JoinedGpu {
  readonly host?: HostGpu;
  readonly inside?: InsideProvider;
  /** The card is of another vendor than `init.gpu`, or not among `init.devices`. */
  readonly isLeftOut?: true;
}

export interface GpuReport {
  readonly cards: readonly HostGpu[];
  readonly looks: readonly InsideLook[];
  readonly joined: readonly JoinedGpu[];
  readonly findings: readonly GpuFinding[];
  /** Docker could not be asked (exit 4): only the host's part is known. */
  readonly engine?: { readonly code: string; readonly message: string; readonly hint?: string };
}
