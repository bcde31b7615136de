/** Epochs, layers and PoET rounds in time (spacemesh.md §7.1). All times in milliseconds since 1970. */
import type { NodeConfig } from './config.ts';

/** Longer waits are cut into pieces: a timer counts at most 2^31 ms. */
const longestTimer = 2 ** 30;

export class NetworkClock {
  readonly genesis: number;
  readonly layerDuration: number;
  readonly layersPerEpoch: number;
  readonly #poet: NodeConfig['poet'];

  constructor(config: NodeConfig, genesis: number) {
    this.genesis = genesis;
    this.layerDuration = config.layerDuration;
    this.layersPerEpoch = config.layersPerEpoch;
    this.#poet = config.poet;
  }

  get epochDuration(): number {
    return this.layerDuration * this.layersPerEpoch;
  }

  /** Before genesis: 0. */
  currentLayer(): number {
    return Math.max(0, Math.floor((Date.now() - this.genesis) / this.layerDuration));
  }

  currentEpoch(): number {
    return Math.floor(this.currentLayer() / this.layersPerEpoch);
  }

  layerStart(layer: number): number {
    return this.genesis + layer * this.layerDuration;
  }

  epochStart(epoch: number): number {
    return this.genesis + epoch * this.epochDuration;
  }

  roundStart(round: number): number {
    return this.epochStart(round) + this.#poet.phaseShift;
  }

  roundEnd(round: number): number {
    return this.roundStart(round + 1) - this.#poet.cycleGap;
  }

  /** When the node starts to build and register challenges for the round. */
  windowStart(round: number): number {
    return this.roundStart(round) - this.#poet.gracePeriod;
  }

  /** Latest moment at which a PoET proof for an ATX of this epoch is still asked for. */
  poetProofDeadline(publishEpoch: number): number {
    return this.epochStart(publishEpoch + 1) - this.#poet.cycleGap;
  }
}

/** @throws the signal's reason when it is aborted meanwhile */
export async function sleepUntil(time: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const left = time - Date.now();
    if (left <= 0) return;
    await wait(Math.min(left, longestTimer), signal);
  }
}

export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return sleepUntil(Date.now() + milliseconds, signal);
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', aborted);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', aborted, { once: true });
  });
}
