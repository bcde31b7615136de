/** PoETs that the node only knows by their addresses: what it asks them, when, and how long it waits (spacemesh.md §7.2). */

import { leadingZeroBits, powHash } from '../common/poet-work.ts';
import { digest } from './atx-store.ts';
import type { NodeConfig } from './config.ts';
import { log } from './logger.ts';
import { sleep } from './network-clock.ts';
import {
  ask,
  infoAnswer,
  type Patience,
  PoetFault,
  powAnswer,
  proofAnswer,
  submitAnswer,
} from './poet-http.ts';
import type { FoundProof, Poets, Submission } from './poets.ts';

/** Answers to `/v1/info` and `/v1/pow_params` are good for that long (milliseconds). */
const answersLast = 5 * 60_000;

interface Kept<T> {
  readonly value: T;
  readonly until: number;
}

export class ExternalPoets implements Poets {
  readonly #config: NodeConfig;
  readonly #startDelay: number;
  readonly #genesisId: Buffer;
  readonly #die: (code: number) => never;
  readonly #answers = new Map<string, Kept<unknown>>();
  readonly #proofs = new Map<string, Promise<FoundProof>>();

  constructor(config: NodeConfig, startDelay: number, genesisId: Buffer, die: (code: number) => never) {
    this.#config = config;
    this.#startDelay = startDelay;
    this.#genesisId = genesisId;
    this.#die = die;
  }

  /**
   * One after the other. Who cannot be reached costs all its attempts and a warning; another phase shift than the
   * config's ends the node.
   */
  async greet(signal: AbortSignal): Promise<void> {
    await sleep(this.#startDelay, signal);
    for (const { address } of this.#config.poetServers) {
      try {
        await this.#checkPhaseShift(address, 'failed to create poet service', signal);
      } catch (error) {
        signal.throwIfAborted();
        log('WARN', 'node.poet', 'failed to fetch poet phase shift', {
          poet: address,
          error: `getting poet info: getting poet info: ${(error as Error).message}`,
        });
      }
    }
  }

  async #checkPhaseShift(address: string, words: string, signal: AbortSignal): Promise<void> {
    const info = await this.#once(`info ${address}`, async () =>
      infoAnswer.parse(await ask('GET', join(address, '/v1/info'), this.#patience(), signal)),
    );
    if (info.phaseShift === this.#config.poet.phaseShift) return;
    log('FATAL', 'node.poet', words, { poet: address });
    this.#die(1);
  }

  #patience(changes: Partial<Patience> = {}): Patience {
    const { retryDelay, retryMax } = this.#config.poet;
    return { retryDelay, retryMax, growing: true, retriesNotFound: true, ...changes };
  }

  async #once<T>(key: string, fetchIt: () => Promise<T>): Promise<T> {
    const kept = this.#answers.get(key);
    if (kept !== undefined && Date.now() < kept.until) return kept.value as T;
    const value = await fetchIt();
    this.#answers.set(key, { value, until: Date.now() + answersLast });
    return value;
  }

  async submit(
    address: string,
    { id, challenge, sign, deadline, signal }: Submission,
  ): Promise<{ readonly roundId: string; readonly roundEnd: number }> {
    await this.#checkPhaseShift(address, 'failed to submit challenge', signal);
    const { powParams } = await this.#once(`pow ${address}`, async () =>
      powAnswer.parse(await ask('GET', join(address, '/v1/pow_params'), this.#patience(), signal)),
    );
    let nonce = 0n;
    while (leadingZeroBits(powHash(powParams.challenge, id, challenge, nonce)) < powParams.difficulty)
      nonce += 1n;
    // What is signed says of which network and what kind it is.
    const prefix = Buffer.concat([this.#genesisId, Buffer.from([2])]);
    const body = {
      nonce: String(nonce),
      powParams: { difficulty: powParams.difficulty, challenge: powParams.challenge.toString('base64') },
      prefix: prefix.toString('base64'),
      challenge: challenge.toString('base64'),
      pubkey: id.toString('base64'),
      signature: sign(Buffer.concat([prefix, challenge])).toString('base64'),
      deadline: new Date(deadline).toISOString(),
    };
    // Until the round starts, however often it takes.
    const endless = this.#patience({
      retryMax: Number.POSITIVE_INFINITY,
      growing: false,
      retriesNotFound: false,
    });
    try {
      const answer = submitAnswer.parse(
        await ask('POST', join(address, '/v1/submit'), endless, signal, body),
      );
      return { roundId: answer.roundId, roundEnd: Date.now() + answer.roundEnd };
    } catch (error) {
      // The challenge of the proofs of work changes with every round: next time with the new one.
      if (error instanceof PoetFault && error.status === 400) this.#answers.delete(`pow ${address}`);
      throw error;
    }
  }

  async proof(address: string, roundId: string, signal: AbortSignal): Promise<FoundProof> {
    const key = `${address} ${roundId}`;
    const running = this.#proofs.get(key);
    if (running !== undefined) return running;
    const found = this.#fetchProof(address, roundId, signal);
    this.#proofs.set(key, found);
    // Only what was found is kept: the others ask anew.
    found.catch(() => this.#proofs.delete(key));
    return found;
  }

  async #fetchProof(address: string, roundId: string, signal: AbortSignal): Promise<FoundProof> {
    const { requestTimeout } = this.#config.poet;
    const limited =
      requestTimeout > 0 ? AbortSignal.any([signal, AbortSignal.timeout(requestTimeout)]) : signal;
    const url = join(address, `/v1/proofs/${encodeURIComponent(roundId)}`);
    const { proof, pubkey } = proofAnswer.parse(await ask('GET', url, this.#patience(), limited));
    return {
      ref: digest('poet proof', pubkey, roundId, proof.proof.root),
      ticks: proof.leaves,
      poetKey: pubkey,
      members: proof.members,
    };
  }
}

function join(address: string, path: string): string {
  const withScheme = /^[a-z]+:\/\//.test(address) ? address : `http://${address}`;
  return `${withScheme.replace(/\/+$/, '')}${path}`;
}
