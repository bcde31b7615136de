import type { SmesherId } from '../identity/smesher-id.ts';

export interface Ownership {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Steps that change files. They are journaled, and each can be done twice without harm: a run killed at any point is
 * finished by the next command (design §2).
 */
export type FileStep =
  | ({ readonly kind: 'make-directory'; readonly path: string } & Ownership)
  | ({
      readonly kind: 'write-file';
      readonly path: string;
      readonly content: string;
      /** What the plan says of it: `smesh.yaml`, `generated from smesh.yaml`. */
      readonly what: string;
      /** Where the former content is kept first, when the user's own edits would be overwritten. */
      readonly backup?: string;
      /**
       * Digest of what the step was planned to replace, `null` for nothing. What stands there instead when an interrupted
       * step is finished was written by a person meanwhile, and is kept.
       */
      readonly replaces?: string | null;
    } & Ownership)
  | ({
      readonly kind: 'install-key';
      readonly source: string;
      readonly target: string;
      readonly smesherId: SmesherId;
      /** Consent to drop a trailing newline in the copy; the original stays as it is. */
      readonly repair: boolean;
    } & Ownership)
  | {
      /** A file that was made ready elsewhere on the same disk takes the place of the one that is there, in one step. */
      readonly kind: 'replace-file';
      readonly from: string;
      readonly to: string;
      /** Where what is replaced is kept first; it may be on another disk. */
      readonly keep?: string;
      /** Done where something stands at `to`: what stands at `from` by then was made later. */
      readonly once?: true;
      /** What the plan says of it: `local.sql with the rows of both nodes`. */
      readonly what: string;
    }
  | {
      /** A file that the tool itself put there goes again. One that could be a key stays, whatever it is called. */
      readonly kind: 'remove-file';
      readonly path: string;
      /** What the plan says of it. */
      readonly what: string;
    }
  | {
      readonly kind: 'move-key';
      readonly from: string;
      readonly to: string;
      readonly smesherId: SmesherId;
    }
  | {
      /** A file of a PoST directory goes to another folder of the same file system, as it is, and onto nothing. */
      readonly kind: 'move-data-file';
      readonly from: string;
      readonly to: string;
      /** Bytes. Another file that has taken its place meanwhile is not moved. */
      readonly size: number;
      /** As whose the folder is made where it is not there: only then, because its disk may be away. */
      readonly folder?: Ownership;
      /** What the plan says of it: `files 0–3 of post-0011`. */
      readonly what: string;
    }
  | {
      /** A data file that is being made ends in the middle of a label; that piece is kept and cut off. */
      readonly kind: 'cut-file';
      readonly path: string;
      readonly size: number;
      readonly cutTo: number;
      /** Where the piece is kept: put behind the file again it undoes the step. */
      readonly keep: string;
      /** What the plan says of it. */
      readonly what: string;
    }
  | ({
      /** Beside an installed key: which host and project may start a node with it. */
      readonly kind: 'write-lease';
      readonly path: string;
      readonly content: string;
      readonly smesherId: SmesherId;
      /** What the plan says of it. */
      readonly why: string;
      /** Whether to put in the mark of the folder it is written to; not in one that is another place's. */
      readonly mark: boolean;
    } & Ownership);

/** Steps that change containers. `up` and `down` decide them anew each time from what the engine holds. */
export type ContainerStep =
  | { readonly kind: 'create-service'; readonly service: string; readonly why: string }
  | {
      readonly kind: 'recreate-service';
      readonly service: string;
      readonly why: string;
      readonly cost: string;
      /** Was it up before? Then it is started again. */
      readonly running: boolean;
    }
  | { readonly kind: 'start-service'; readonly service: string; readonly why: string }
  | { readonly kind: 'remove-service'; readonly service: string; readonly why: string; readonly cost: string }
  /** Left alone on purpose. */
  | {
      readonly kind: 'keep-service';
      readonly service: string;
      readonly note?: string;
      /** It runs, or tries to, but does not do its work. */
      readonly unwell?: boolean;
    }
  /** Would be started, but must not be: its disk is away, its data unreadable. */
  | { readonly kind: 'hold-back'; readonly service: string; readonly why: string; readonly next: string }
  /** Would change, but not now: somebody proves. */
  | {
      readonly kind: 'postpone-service';
      readonly service: string;
      readonly why: string;
      readonly next: string;
      /** The node: nothing but the cycle gap keeps it. */
      readonly waitsForGap?: true;
    };

export type Step = FileStep | ContainerStep;

export interface Plan {
  /** `2 identities added, so:` */
  readonly headline: string;
  readonly steps: readonly Step[];
}

/** Whether carrying out the plan would change anything at all. */
export function changesAnything(plan: Plan): boolean {
  return plan.steps.some(
    (step) => step.kind !== 'keep-service' && step.kind !== 'hold-back' && step.kind !== 'postpone-service',
  );
}
