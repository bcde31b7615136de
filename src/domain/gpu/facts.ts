/** What a vendor's tool said; `late`: it was given up after its time. */
export type ToolSaid =
  | { readonly kind: 'said'; readonly exitCode: number; readonly stdout: string; readonly stderr: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'late' };

/** A device node below /dev, as `stat` tells. */
export interface DeviceNode {
  /** `/dev/dri/renderD128` */
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** Permission bits. */
  readonly mode: number;
}

/** A device of class display (03…), or an accelerator of AMD's, on the PCI bus: /sys/bus/pci/devices. */
export interface PciCard {
  /** `0000:01:00.0` */
  readonly address: string;
  /** Four hex digits, as in pci.ids: `10de`. */
  readonly vendorId: string;
  readonly deviceId: string;
  /** Kernel driver that is bound; absent: none. */
  readonly kernelDriver?: string;
  /** Its nodes in /dev/dri: `card0`, `renderD128`. */
  readonly drm: readonly string[];
  /** What amdgpu says of it: `product_name`. */
  readonly productName?: string;
  /** What pci.ids says of it: `Navi 21 [Radeon RX 6800/6800 XT / 6900 XT]`. */
  readonly listedName?: string;
  /** amdgpu: `mem_info_vram_total`. */
  readonly memoryBytes?: number;
}

/** A node of /sys/class/kfd: what ROCm computes on. */
export interface KfdNode {
  /** Number behind `renderD`. */
  readonly renderMinor: number;
  /** `gfx1030`: the name that OpenCL gives to the card. */
  readonly target: string;
}

/** /proc/driver/nvidia/gpus/<address>/information. */
export interface NvidiaCard {
  readonly address: string;
  readonly model: string;
  readonly uuid?: string;
}

/** All that this host tells of its graphics cards, before anything is concluded. */
export interface GpuFacts {
  readonly cards: readonly PciCard[];
  readonly nodes: readonly DeviceNode[];
  readonly kfd: readonly KfdNode[];
  readonly nvidiaCards: readonly NvidiaCard[];
  /** Text of /proc/driver/nvidia/version: the kernel module that is loaded. */
  readonly nvidiaModule?: string;
  readonly nvidiaSmi: ToolSaid;
  /** Text of /etc/group. */
  readonly groups: string;
}
