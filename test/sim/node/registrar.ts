/** One identity and its PoETs: where it is registered, and whose proof it takes (spacemesh.md §6.4, §7.2, §14.7). */
import { note } from '../common/ledger.ts';
import { type AtxStore, type Challenge, digest, type Registration } from './atx-store.ts';
import type { NodeConfig } from './config.ts';
import type { EventLog } from './events.ts';
import { formatTime } from './go-text.ts';
import { type Identity, signerOf } from './identities.ts';
import { log } from './logger.ts';
import { readMisfortunes } from './misfortunes.ts';
import { type NetworkClock, sleepUntil } from './network-clock.ts';
import type { FoundProof, Poets } from './poets.ts';

export interface RegistrarContext {
  readonly config: NodeConfig;
  readonly clock: NetworkClock;
  readonly store: AtxStore;
  readonly events: EventLog;
  readonly poets: Poets;
  /** Aborted when the node stops. */
  readonly signal: AbortSignal;
  /** Ends the process at once: the real one exits 1 after a FATAL line, 2 after a panic. */
  readonly die: (code: number) => never;
}

/** The challenge is of no use any more: forget it and build the next. */
export class ChallengeExpired extends Error {}

/** Timers of an abort signal count no further. */
const longestTimeout = 2 ** 31 - 1;

const addressesOf = (registrations: readonly Registration[]) => registrations.map(({ address }) => address);

export class Registrar {
  readonly #identity: Identity;
  readonly #shared: RegistrarContext;
  readonly #sign: (message: Buffer) => Buffer;
  readonly #logName: string;

  constructor(identity: Identity, shared: RegistrarContext) {
    this.#identity = identity;
    this.#shared = shared;
    this.#sign = signerOf(shared.config.dataFolder, identity);
    this.#logName = identity.id.toString('hex').slice(0, 6);
  }

  /**
   * Registers at every PoET of the config that does not have the challenge yet, while its round may be joined; one is
   * enough. Registrations at others stay where they are and count for nothing.
   */
  async register(challenge: Challenge): Promise<readonly Registration[]> {
    const { clock, store, config } = this.#shared;
    const { id } = this.#identity;
    const start = clock.roundStart(challenge.epoch - 1);
    const configured = config.poetServers.map((server) => server.address);
    const present = store.registrations(id);
    const listed = present.filter((registration) => configured.includes(registration.address));
    const foreign = present.filter((registration) => !configured.includes(registration.address));
    if (foreign.length > 0) {
      const warning =
        'Found existing registrations for poets not listed in the config. Will not fetch proof from them.';
      const fields = { registrations_addresses: addressesOf(foreign), smesherID: this.#logName };
      log('WARN', 'node.nipostBuilder', warning, fields);
    }
    const missing = configured.filter((address) => !addressesOf(listed).includes(address));
    if (missing.length === 0) return listed;
    if (Date.now() >= start) {
      if (listed.length === 0) this.#refuseLate(start, present, configured);
      return listed;
    }
    const unstable = (why: string) =>
      new Error(`build NIPost: submitting to poets: poet service is unstable: ${why}`);
    if (readMisfortunes(config.dataFolder).unregistered.includes(id.toString('hex'))) {
      throw unstable('failed to submit challenge to any PoET');
    }
    await Promise.all(missing.map((address) => this.#submit(address, challenge, start, listed)));
    if (listed.length > 0) return listed;
    if (Date.now() < start) throw unstable('failed to submit challenge to any PoET');
    throw new ChallengeExpired('build NIPost: submitting to poets: builder: atx expired');
  }

  /** The round has begun, and nobody whom the config names has the challenge. */
  #refuseLate(start: number, present: readonly Registration[], configured: readonly string[]): void {
    if (present.length > 0) {
      const mismatch = 'None of the poets listed in the config matches the existing registrations.';
      log('FATAL', 'node.nipostBuilder', `${mismatch} Verify your config and local database state.`, {
        smesherID: this.#logName,
        registrations: addressesOf(present),
        configured_poets: configured,
      });
      this.#shared.die(1);
    }
    const moments = `${formatTime(start)} (now: ${formatTime(Date.now())} m=+${process.uptime().toFixed(9)})`;
    const started = `poet round has already started at ${moments}`;
    throw new ChallengeExpired(`build NIPost: submitting to poets: builder: atx expired: ${started}`);
  }

  async #submit(address: string, challenge: Challenge, start: number, listed: Registration[]): Promise<void> {
    const { clock, store, events, poets, signal } = this.#shared;
    const { id } = this.#identity;
    const { epoch, sequence } = challenge;
    const hash = digest('challenge', id, String(epoch), String(sequence));
    const left = Math.min(Math.max(start - Date.now(), 0), longestTimeout);
    try {
      const { roundId, roundEnd } = await poets.submit(address, {
        ...{ id, challenge: hash, sign: this.#sign, round: epoch - 1 },
        deadline: clock.poetProofDeadline(epoch),
        signal: AbortSignal.any([signal, AbortSignal.timeout(left)]),
      });
      note('registered', { id: id.toString('hex'), round: Number(roundId), poet: address });
      const registration = { address, roundId, hash };
      store.addRegistration(id, registration, roundEnd);
      const fields = { poet: address, smesherID: this.#logName, round: roundId };
      log('INFO', 'node.nipostBuilder', 'challenge submitted to poet proving service', fields);
      events.registeredInPoet(id, address, roundId);
      listed.push(registration);
    } catch (error) {
      signal.throwIfAborted();
      const why = `failed to submit challenge to poet service (${(error as Error).message})`;
      log('WARN', 'node.nipostBuilder', 'failed to submit challenge to poet', {
        error: `poet service is unstable: ${why}`,
        smesherID: this.#logName,
      });
    }
  }

  /** Waits for the round's end, asks all at which it is registered, and takes the proof with the most ticks. */
  async fetchProof(challenge: Challenge, registrations: readonly Registration[]): Promise<Buffer> {
    const { clock, store, events, signal, config } = this.#shared;
    const { id } = this.#identity;
    const round = challenge.epoch - 1;
    if (Date.now() > clock.poetProofDeadline(challenge.epoch)) {
      const exceeded = `deadline to query poet proof for pub epoch ${challenge.epoch} exceeded`;
      throw new ChallengeExpired(`build NIPost: builder: atx expired: ${exceeded}`);
    }
    const end = clock.roundEnd(round);
    events.waitForRoundEnd(id, challenge.epoch, end);
    // Not all nodes of a network at the same instant: 0.02 to 0.04 % of the cycle gap.
    await sleepUntil(end + (0.0002 + Math.random() * 0.0002) * config.poet.cycleGap, signal);
    const found = await Promise.all(registrations.map((registration) => this.#download(registration)));
    const [best] = found.flat().sort((a, b) => b.proof.ticks - a.proof.ticks);
    if (best === undefined) {
      const none = "getBestProof failed (builder: didn't receive any poet proof)";
      throw new Error(`build NIPost: poet service is unstable: ${none}`);
    }
    const { proof, registration } = best;
    events.bestProofSelected(id, registration.address, registration.roundId, proof.ticks);
    store.setPoetProof(id, proof.ref, Buffer.concat([Buffer.from([4]), registration.hash, Buffer.from([0])]));
    return proof.ref;
  }

  async #download(
    registration: Registration,
  ): Promise<{ readonly proof: FoundProof; readonly registration: Registration }[]> {
    const { store, events, signal, config, poets, die } = this.#shared;
    const { address, roundId, hash } = registration;
    if (config.poetServers.find((server) => server.address === address)?.pubkey === '') {
      // The real node shortens the key for its log, whatever its length (spacemesh.md §7.2).
      process.stderr.write(
        'panic: runtime error: slice bounds out of range [:5] with capacity 0\n\ngoroutine 1 [running]:\n',
      );
      die(2);
    }
    const fields = { smesherID: this.#logName, poet_address: address, round: roundId };
    try {
      const proof = await poets.proof(address, roundId, signal);
      if (proof.members?.some((member) => member.equals(hash)) === false) {
        const error = 'challenge is not a member of the proof';
        log('WARN', 'node.nipostBuilder', 'failed to construct merkle proof', { ...fields, error });
        return [];
      }
      if (!store.hasPoetProof(proof.ref)) {
        store.addPoetProof(proof.ref, proof.poetKey, roundId, proof.ticks);
        events.proofDownloaded(address, roundId, proof.ticks);
      }
      return [{ proof, registration }];
    } catch (error) {
      signal.throwIfAborted();
      const reason = `getting proof: getting proof: ${(error as Error).message}`;
      log('WARN', 'node.nipostBuilder', 'failed to get proof from poet', { ...fields, error: reason });
      return [];
    }
  }
}
