import { setTimeout as sleep } from 'node:timers/promises';
import { note } from '../common/ledger.ts';
import { isProofValid } from '../common/proof.ts';
import { Panic } from './failure.ts';
import type { Knobs } from './knobs.ts';
import type { Log } from './log.ts';
import { loadMetadata, type PostMetadata } from './metadata.ts';
import { type FinishedProof, generateProof, type Progress } from './prover.ts';
import type { Settings } from './settings.ts';

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly challenge: Buffer }
  | { readonly kind: 'done'; readonly proof: FinishedProof }
  | { readonly kind: 'failed'; readonly error: Error };

export type StatusBody =
  | 'Idle'
  | 'DoneProving'
  | { readonly Proving: { readonly nonces: { start: number; end: number }; readonly position: number } };

/** The state machine of one prover (spacemesh.md §3.2): Idle, Running, Done. It lives and dies with the process. */
export class PostService {
  readonly metadata: PostMetadata;
  readonly #settings: Settings;
  readonly #knobs: Knobs;
  readonly #log: Log;
  readonly #onPanic: (panic: Panic) => void;
  #state: State = { kind: 'idle' };
  #progress: Progress = { start: 0, end: 0, position: 0 };
  #dataset: Promise<void> | undefined;
  #datasetDone: () => void = () => {};

  /** Reads the metadata and nothing else. Throws ServiceFailure. */
  constructor(settings: Settings, knobs: Knobs, log: Log, onPanic: (panic: Panic) => void) {
    this.#settings = settings;
    this.#knobs = knobs;
    this.#log = log;
    this.#onPanic = onPanic;
    this.metadata = loadMetadata(settings.dir);
  }

  /** What `GET /status` answers; waits while the dataset of fast mode is built. */
  async status(): Promise<StatusBody> {
    await this.#dataset;
    if (this.#state.kind === 'idle') return 'Idle';
    if (this.#state.kind !== 'running') return 'DoneProving';
    const { start, end, position } = this.#progress;
    return { Proving: { nonces: { start, end }, position } };
  }

  /**
   * The node's poll: starts a proof, says that it runs (undefined), or hands it out once it is verified.
   * Throws what the node is told as an error. A proof that failed to start sticks until a restart.
   */
  async poll(challenge: Buffer): Promise<FinishedProof | undefined> {
    const state = this.#state;
    switch (state.kind) {
      case 'idle':
        this.#start(challenge);
        return undefined;
      case 'running':
        if (!state.challenge.equals(challenge)) {
          throw new Error('proof generation is in progress for a different challenge');
        }
        return undefined;
      case 'failed':
        this.#log('info', 'post_service::service', 'proof generation is finished');
        throw state.error;
      case 'done':
        this.#log('info', 'post_service::service', 'proof generation is finished');
        return this.#verify(state.proof, challenge);
    }
  }

  #start(challenge: Buffer): void {
    if (challenge.length !== 32) throw new Error('invalid challenge format');
    this.#log(
      'info',
      'post_service::service',
      `starting proof generation for challenge ${challenge.toString('hex').toUpperCase()}`,
    );
    this.#state = { kind: 'running', challenge };
    note('asked', { challenge: challenge.toString('hex').slice(0, 16) });
    const parts = {
      settings: this.#settings,
      knobs: this.#knobs,
      log: this.#log,
      onProgress: (progress: Progress) => {
        notePhase(this.#progress, progress);
        this.#progress = progress;
      },
      onDataset: (building: boolean) => this.#holdStatus(building),
    };
    generateProof(parts, challenge).then(
      (proof) => {
        this.#state = { kind: 'done', proof };
        note('done');
      },
      (error: unknown) => {
        if (error instanceof Panic) this.#onPanic(error);
        else {
          this.#state = { kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) };
          note('failed');
        }
      },
    );
  }

  /** Verification happens inside the poll; idle again before the answer is sent, whatever it is. */
  async #verify(done: FinishedProof, challenge: Buffer): Promise<FinishedProof> {
    this.#log('info', 'post_service::client', 'proof generation finished');
    this.#log('info', 'post_service::client', 'verifying proof');
    const started = performance.now();
    await sleep(this.#knobs.verifyMs);
    this.#state = { kind: 'idle' };
    const isValid = done.valid && isProofValid(challenge, done.metadata.nodeId, done.proof);
    note(isValid ? 'handed-over' : 'invalid');
    if (!isValid) throw new Error('invalid proof');
    const seconds = ((performance.now() - started) / 1000).toFixed(9);
    this.#log('info', 'post_service::client', `proof is valid (verification took: ${seconds}s)`);
    return done;
  }

  #holdStatus(building: boolean): void {
    this.#datasetDone();
    this.#dataset = building
      ? new Promise((resolve) => {
          this.#datasetDone = resolve;
        })
      : undefined;
  }
}

function notePhase(before: Progress, now: Progress): void {
  if (now.end > 0 && (before.end !== now.end || before.position > now.position)) note('k2pow');
  if (now.position > 0 && before.position === 0) note('reading');
}
