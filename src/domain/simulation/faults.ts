import type { SmesherId } from '../identity/smesher-id.ts';

/** Something that happens to a farm, at a moment counted from the simulation's start, milliseconds. */
export type Fault =
  /** Its process ends by itself, and the restart policy starts it again. */
  | { readonly kind: 'prover-crashes'; readonly at: number; readonly id: SmesherId }
  /** As the kernel does it where memory is short. */
  | { readonly kind: 'prover-oom'; readonly at: number; readonly id: SmesherId }
  /** `docker restart` by somebody else. */
  | { readonly kind: 'person-restarts'; readonly at: number; readonly id: SmesherId }
  | { readonly kind: 'person-stops'; readonly at: number; readonly id: SmesherId }
  /** `docker compose up -d`: starts all that do not run. */
  | { readonly kind: 'person-starts-all'; readonly at: number }
  | { readonly kind: 'node-restarts'; readonly at: number; readonly downMs: number; readonly idleMs: number }
  /** Data away, and reads fail at once; absent `until`: it stays away. */
  | { readonly kind: 'disk-vanishes'; readonly at: number; readonly until?: number; readonly disk: string }
  /** The proof that it works on then ends with an error that only a restart clears. */
  | { readonly kind: 'proof-fails'; readonly at: number; readonly id: SmesherId }
  /** The proof that is made next is found to be invalid, and the node asks again a layer later. */
  | { readonly kind: 'proof-invalid'; readonly at: number; readonly id: SmesherId }
  /** The service believes that it is connected, and the node has lost it. */
  | { readonly kind: 'half-open'; readonly at: number; readonly id: SmesherId }
  /** The loop does not run. */
  | { readonly kind: 'loop-dead'; readonly at: number; readonly until: number }
  /* What cannot be seen. */
  | { readonly kind: 'service-silent'; readonly at: number; readonly until: number; readonly id: SmesherId }
  | { readonly kind: 'log-missing'; readonly at: number; readonly until: number; readonly id: SmesherId }
  | { readonly kind: 'node-unreachable'; readonly at: number; readonly until: number }
  | { readonly kind: 'engine-unreachable'; readonly at: number; readonly until: number };

export type FaultKind = Fault['kind'];

/** When nothing of it is left, from the start of the simulation; `undefined`: never. */
export function faultEnds(fault: Fault): number | undefined {
  switch (fault.kind) {
    case 'disk-vanishes':
      return fault.until;
    case 'loop-dead':
    case 'service-silent':
    case 'log-missing':
    case 'node-unreachable':
    case 'engine-unreachable':
      return fault.until;
    case 'node-restarts':
      return fault.at + fault.downMs + fault.idleMs;
    default:
      return fault.at;
  }
}
