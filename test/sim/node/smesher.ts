/**
 * One identity on its way from the initial proof to ATX after ATX (spacemesh.md §7.1, §7.2): the order of steps,
 * rows and events is that of the real node.
 */
import { note } from '../common/ledger.ts';
import { isProofValid } from '../common/proof.ts';
import { type Challenge, digest } from './atx-store.ts';
import type { Identity } from './identities.ts';
import { log } from './logger.ts';
import { sleep, sleepUntil } from './network-clock.ts';
import { poetProofOf } from './poet.ts';
import {
  type PostConnections,
  type PostMetadata,
  type PostProof,
  PostServiceClosed,
} from './post-connections.ts';
import type { PostStates } from './post-states.ts';
import { ChallengeExpired, Registrar, type RegistrarContext } from './registrar.ts';

export interface SmesherContext extends RegistrarContext {
  readonly connections: PostConnections;
  readonly states: PostStates;
  readonly golden: Buffer;
  readonly coinbase: Buffer;
  /** Fulfilled when the node knows the ATXs of the network. */
  readonly synced: Promise<void>;
}

const zeroChallenge = Buffer.alloc(32);
/** Between two looks for a post-service that is not connected; every tenth is logged. */
const connectionInterval = 2000;

export class Smesher {
  readonly #identity: Identity;
  readonly #shared: SmesherContext;
  readonly #registrar: Registrar;
  readonly #logName: string;

  constructor(identity: Identity, shared: SmesherContext) {
    this.#identity = identity;
    this.#shared = shared;
    this.#registrar = new Registrar(identity, shared);
    this.#logName = identity.id.toString('hex').slice(0, 6);
  }

  /** Works until the node stops. */
  async run(): Promise<void> {
    const { signal, synced, clock } = this.#shared;
    try {
      while (!(await this.#hasInitialPost()))
        await sleepUntil(clock.layerStart(clock.currentLayer() + 1), signal);
      await synced;
      for (;;) await this.#publishOrRetry();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #publishOrRetry(): Promise<void> {
    const { clock, store, states, signal } = this.#shared;
    const { id } = this.#identity;
    try {
      await this.#publish();
    } catch (error) {
      signal.throwIfAborted();
      log('WARN', 'node.atxBuilder', 'failed to publish atx', {
        error: `create ATX: ${(error as Error).message}`,
      });
      if (error instanceof ChallengeExpired) {
        store.resetBuilder(id);
        note('expired', { id: id.toString('hex') });
        states.set(id, 'IDLE');
        return;
      }
      await sleepUntil(clock.layerStart(clock.currentLayer() + 1), signal);
    }
  }

  async #hasInitialPost(): Promise<boolean> {
    const { store, events, config, golden } = this.#shared;
    const { id } = this.#identity;
    if (store.initialPost(id) !== undefined || store.latestAtx(id) !== undefined) return true;
    log('INFO', 'node.atxBuilder', 'creating initial post');
    try {
      const { proof, meta } = await this.#prove(zeroChallenge);
      if (meta.nonce === undefined) {
        log('ERROR', 'node.atxBuilder', 'initial PoST is invalid: missing VRF nonce. Check your PoST data');
        return false;
      }
      const knownCommitment =
        meta.commitmentAtxId.equals(golden) || store.atxs('WHERE id = ?', meta.commitmentAtxId)[0];
      const { minNumUnits, maxNumUnits, labelsPerUnit } = config.post;
      const fits =
        meta.numUnits >= minNumUnits &&
        meta.numUnits <= maxNumUnits &&
        Number(meta.labelsPerUnit) === labelsPerUnit;
      if (!isProofValid(zeroChallenge, id, proof) || !knownCommitment || !fits) {
        events.postInvalid(id);
        log('ERROR', 'node.atxBuilder', 'initial POST is invalid', { smesherID: this.#logName });
        return false;
      }
      store.addInitialPost(id, proof, meta);
      log('INFO', 'node.atxBuilder', 'created the initial post');
      return true;
    } catch (error) {
      const { signal } = this.#shared;
      const reason = signal.aborted ? 'post execution: context canceled' : (error as Error).message;
      log('ERROR', 'node.atxBuilder', 'failed to generate initial proof:', { error: reason });
      if (signal.aborted)
        log('ERROR', 'node.atxBuilder', 'failed to build initial post:', { error: 'context canceled' });
      signal.throwIfAborted();
      return false;
    }
  }

  /** One challenge from its building to the published ATX. */
  async #publish(): Promise<void> {
    const { clock, store, events, signal, coinbase } = this.#shared;
    const { id } = this.#identity;
    const challenge = await this.#buildChallenge();
    const { epoch } = challenge;
    const time = (milliseconds: number) => new Date(milliseconds).toISOString();
    log('INFO', 'node.nipostBuilder', 'building nipost', {
      smesherID: this.#logName,
      'poet round start': time(clock.roundStart(epoch - 1)),
      'poet round end': time(clock.roundEnd(epoch - 1)),
      'publish epoch end': time(clock.epochStart(epoch + 1)),
      'publish epoch': epoch,
    });
    const registrations = await this.#registrar.register(challenge);
    const ref = challenge.poetProofRef ?? (await this.#registrar.fetchProof(challenge, registrations));
    if (!store.hasNipost(id)) await this.#addNipost(epoch, ref);
    await sleep(50, signal);
    const ticks = store.poetTicks(ref) ?? poetProofOf(clock, epoch - 1).ticks;
    const numUnits = store.nipostUnits(id);
    const atx = digest('atx', id, String(epoch), String(challenge.sequence), ref);
    store.publish({
      id: atx,
      smesher: id,
      epoch,
      sequence: challenge.sequence,
      numUnits,
      coinbase,
      tickCount: ticks,
      weight: numUnits * ticks,
    });
    log('INFO', 'node.atxBuilder', 'atx published', { atx_id: atx.toString('hex').slice(0, 10), size: 1024 });
    note('published', { id: id.toString('hex'), epoch });
    events.atxPublished(id, atx, epoch, clock.epochStart(epoch + 1));
  }

  /** The kept challenge, or a new one as soon as its registration window opens. */
  async #buildChallenge(): Promise<Challenge> {
    const { clock, store, events, golden, signal } = this.#shared;
    const { id } = this.#identity;
    const current = clock.currentEpoch();
    const kept = store.challenge(id);
    if (kept !== undefined) {
      if (kept.epoch >= current) return kept;
      log('WARN', 'node.atxBuilder', 'atx nipost challenge is stale - resetting state', {
        smesherID: this.#logName,
      });
      store.resetBuilder(id);
    }
    let round = Math.max(current, store.latestAtx(id)?.epoch ?? 0);
    if (Date.now() >= clock.roundStart(round)) round += 1;
    const window = clock.windowStart(round);
    if (Date.now() < window) {
      events.waitForRegistrationWindow(id, current, round + 1, window);
      await sleepUntil(window, signal);
    }
    return store.addChallenge(id, round + 1, golden);
  }

  async #addNipost(epoch: number, challenge: Buffer): Promise<void> {
    const { clock, store, events, signal } = this.#shared;
    const { id } = this.#identity;
    const deadline = clock.epochStart(epoch + 1);
    const expired = () => {
      const exceeded = `deadline to publish ATX for pub epoch ${epoch} exceeded`;
      return new ChallengeExpired(`build NIPost: builder: atx expired: ${exceeded}`);
    };
    if (Date.now() >= deadline) throw expired();
    log('INFO', 'node.nipostBuilder', 'starting post execution', { challenge: challenge.toString('base64') });
    const tooLate = new AbortController();
    const ending = sleepUntil(deadline, AbortSignal.any([signal, tooLate.signal])).then(
      () => tooLate.abort(expired()),
      () => undefined,
    );
    try {
      const { proof, meta } = await this.#prove(challenge, AbortSignal.any([signal, tooLate.signal]));
      if (!isProofValid(challenge, id, proof)) {
        events.postInvalid(id);
        throw new Error('failed to verify NIPost: invalid proof');
      }
      store.addNipost(id, proof, meta);
      log('INFO', 'node.nipostBuilder', 'finished post execution');
    } finally {
      tooLate.abort();
      await ending;
    }
  }

  /** PROVING from the moment the proof is wanted, whoever is connected, until it is there. */
  async #prove(
    challenge: Buffer,
    signal = this.#shared.signal,
  ): Promise<{ readonly proof: PostProof; readonly meta: PostMetadata }> {
    const { connections, events, states } = this.#shared;
    const { id } = this.#identity;
    states.set(id, 'PROVING');
    let started = false;
    let retries = 0;
    for (;;) {
      const connection = connections.of(id);
      if (connection === undefined) {
        try {
          await sleep(connectionInterval, signal);
        } catch (error) {
          if (started) events.postFailure(id);
          throw error;
        }
        retries += 1;
        if (retries % 10 === 0) {
          log('WARN', 'node.nipostBuilder', 'post service not connected - waiting for reconnection', {
            smesherID: id.toString('hex'),
            error: 'post service not registered',
          });
        }
        continue;
      }
      if (!started) events.postStart(id, challenge);
      started = true;
      retries = 0;
      try {
        const result = await connection.prove(challenge, signal);
        events.postComplete(id, challenge);
        states.set(id, 'IDLE');
        return result;
      } catch (error) {
        if (error instanceof PostServiceClosed) continue;
        events.postFailure(id);
        throw error;
      }
    }
  }
}
