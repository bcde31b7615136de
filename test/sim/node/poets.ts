/** The PoETs of a node: the one inside it, or those of the config over HTTP. */
import type { Knobs } from './knobs.ts';
import { readMisfortunes } from './misfortunes.ts';
import { type NetworkClock, sleep } from './network-clock.ts';
import { poetProofOf } from './poet.ts';

export interface Submission {
  /** The smesher ID and its challenge, 32 bytes each. */
  readonly id: Buffer;
  readonly challenge: Buffer;
  readonly sign: (message: Buffer) => Buffer;
  /** The round that the node means; a PoET answers with the one that it has open. */
  readonly round: number;
  /** Milliseconds: a proof that comes later is of no use. */
  readonly deadline: number;
  /** Aborted when the round starts: nobody can join it any more. */
  readonly signal: AbortSignal;
}

export interface FoundProof {
  /** Challenge of the proofs of space that follow. */
  readonly ref: Buffer;
  readonly ticks: number;
  readonly poetKey: Buffer;
  /** Challenges that the proof is for; undefined: all that were ever submitted. */
  readonly members: readonly Buffer[] | undefined;
}

export interface Poets {
  /** Once, before the ports open. */
  greet(signal: AbortSignal): Promise<void>;
  /** @throws Error when the challenge was not taken in time */
  submit(
    address: string,
    submission: Submission,
  ): Promise<{ readonly roundId: string; readonly roundEnd: number }>;
  /** One download for all identities. @throws Error when there is none yet */
  proof(address: string, roundId: string, signal: AbortSignal): Promise<FoundProof>;
}

/** The PoET in the node takes everything, and has the proof of a round as soon as it is over. */
export class InProcessPoet implements Poets {
  readonly #clock: NetworkClock;
  readonly #key: Buffer;
  readonly #dataFolder: string;
  readonly #startDelay: number;

  constructor(clock: NetworkClock, key: Buffer, dataFolder: string, { startDelay }: Knobs) {
    this.#clock = clock;
    this.#key = key;
    this.#dataFolder = dataFolder;
    this.#startDelay = startDelay;
  }

  /** The real node asks for its parameters in vain here: the server is up only after the ports. */
  greet(signal: AbortSignal): Promise<void> {
    return sleep(this.#startDelay, signal);
  }

  async submit(
    _address: string,
    { round }: Submission,
  ): Promise<{ readonly roundId: string; readonly roundEnd: number }> {
    return { roundId: String(round), roundEnd: this.#clock.roundEnd(round) };
  }

  async proof(_address: string, roundId: string, signal: AbortSignal): Promise<FoundProof> {
    const round = Number(roundId);
    while (readMisfortunes(this.#dataFolder).lateRounds.includes(round)) await sleep(200, signal);
    return { ...poetProofOf(this.#clock, round), poetKey: this.#key, members: undefined };
  }
}
