/** The user events of AdminService.EventsStream: texts and fields as the node sends them (spacemesh.md §5.4). */

export interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}

export interface UserEvent {
  readonly timestamp: Timestamp;
  readonly failure: boolean;
  readonly help: string;
  readonly [detail: string]: unknown;
}

export function toTimestamp(milliseconds: number): Timestamp {
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanos: Math.round((milliseconds - seconds * 1000) * 1e6) };
}

const help = {
  beacon: 'Node computed randomness beacon, which will be used to determine consensus eligibility.',
  postStart: 'Node started PoST execution using the challenge from PoET.',
  postComplete: 'Node finished PoST execution using PoET challenge.',
  postFailure: 'Node failed PoST execution.',
  postInvalid: 'Node generated invalid POST proof. Please verify your POST data.',
  waitRound:
    'Node is waiting for PoET registration window in current epoch to open. ' +
    'After this it will submit challenge and wait until PoET round ends in publish epoch.',
  registered: 'Registered in PoET.',
  waitProof:
    "Node is waiting for PoET to complete. After it's complete, the node will fetch the PoET proof, " +
    'generate a PoST proof, and finally publish an ATX to establish eligibility for rewards in the target epoch.',
  downloaded: 'Downloaded proof from PoET.',
  selected: 'Best PoET proof selected.',
  published:
    'Node published activation for the current epoch. ' +
    'It now needs to wait until the target epoch when it will be eligible for rewards.',
  eligibilities:
    'Node computed eligibilities for the epoch. ' +
    'Rewards will be received after successfully publishing proposals at specified layers. ' +
    'The rewards actually received will be based on the number of other participants in each layer.',
  malfeasance: 'Node committed malicious behavior. Identity will be canceled.',
  proposal: 'Node published proposal. Rewards will be received once proposal is included in the block.',
} as const;

/** A stream gets the last hundred events first; nothing outlives the process. */
const ringSize = 100;

export class EventLog {
  readonly #ring: UserEvent[] = [];
  readonly #listeners = new Set<(event: UserEvent) => void>();

  /** Replays the ring, then passes on every new event. Returns the way to stop it. */
  subscribe(listener: (event: UserEvent) => void): () => void {
    for (const event of this.#ring) listener(event);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #emit(text: string, detail: Record<string, unknown>, failure = false): void {
    const event: UserEvent = { timestamp: toTimestamp(Date.now()), failure, help: text, ...detail };
    this.#ring.push(event);
    if (this.#ring.length > ringSize) this.#ring.shift();
    for (const listener of this.#listeners) listener(event);
  }

  beacon(epoch: number, beacon: Buffer): void {
    this.#emit(help.beacon, { beacon: { epoch, beacon } });
  }

  postStart(smesher: Buffer, challenge: Buffer): void {
    this.#emit(help.postStart, { postStart: { challenge, smesher } });
  }

  postComplete(smesher: Buffer, challenge: Buffer): void {
    this.#emit(help.postComplete, { postComplete: { challenge, smesher } });
  }

  postFailure(smesher: Buffer): void {
    this.#emit(help.postFailure, { postComplete: { smesher } }, true);
  }

  postInvalid(smesher: Buffer): void {
    this.#emit(help.postInvalid, { postComplete: { smesher } }, true);
  }

  /** Both kinds of the same fact: the older one is deprecated and still sent. */
  waitForRegistrationWindow(smesher: Buffer, current: number, publish: number, until: number): void {
    const wait = toTimestamp(until - Date.now());
    this.#emit(help.waitRound, {
      poetWaitRound: { current, publish, wait, until: toTimestamp(until), smesher },
    });
    this.#emit(help.waitRound, {
      waitingForPoetRegistrationWindow: { current, publish, roundEnd: toTimestamp(until), smesher },
    });
  }

  registeredInPoet(smesher: Buffer, url: string, roundId: string): void {
    this.#emit(help.registered, { registeredInPoet: { url, smesher, roundId } });
  }

  waitForRoundEnd(smesher: Buffer, publish: number, until: number): void {
    const target = publish + 1;
    const wait = toTimestamp(until - Date.now());
    this.#emit(help.waitProof, {
      poetWaitProof: { publish, target, wait, until: toTimestamp(until), smesher },
    });
    this.#emit(help.waitProof, {
      waitingForPoetRoundEnd: { publish, target, roundEnd: toTimestamp(until), smesher },
    });
  }

  proofDownloaded(url: string, roundId: string, ticks: number): void {
    this.#emit(help.downloaded, { proofDownloadedFromPoet: { url, roundId, ticks } });
  }

  bestProofSelected(smesher: Buffer, url: string, roundId: string, ticks: number): void {
    this.#emit(help.selected, { bestProofSelected: { url, roundId, ticks, smesher } });
  }

  atxPublished(smesher: Buffer, id: Buffer, publish: number, until: number): void {
    const wait = toTimestamp(until - Date.now());
    this.#emit(help.published, {
      atxPublished: { current: publish, target: publish + 1, id, wait, until: toTimestamp(until), smesher },
    });
  }

  eligibilities(detail: {
    readonly epoch: number;
    readonly beacon: Buffer;
    readonly atx: Buffer;
    readonly activeSetSize: number;
    readonly eligibilities: readonly { readonly layer: number; readonly count: number }[];
    readonly smesher: Buffer;
  }): void {
    this.#emit(help.eligibilities, { eligibilities: detail });
  }

  proposal(smesher: Buffer, layer: number, proposal: Buffer): void {
    this.#emit(help.proposal, { proposal: { layer, proposal, smesher } });
  }

  /** Not marked as a failure: the node only passes on what was proved against its own identity. */
  malfeasance(smesher: Buffer, layer: number): void {
    const proof = {
      smesherId: { id: smesher },
      layer: { number: layer },
      kind: 'MALFEASANCE_ATX',
      debugInfo: `generate_epoch_1: smesher ${smesher.toString('hex')}`,
    };
    this.#emit(help.malfeasance, { malfeasance: { proof } });
  }
}
