/** What the node keeps about its identities: rows of local.sql on the way to an ATX, and ATXs in state.sql. */
import { createHash } from 'node:crypto';
import type { Databases } from './database.ts';
import type { PostMetadata, PostProof } from './post-connections.ts';

export interface Challenge {
  readonly epoch: number;
  readonly sequence: number;
  readonly poetProofRef: Buffer | undefined;
}

export interface Registration {
  readonly address: string;
  readonly roundId: string;
  readonly hash: Buffer;
}

export interface Atx {
  readonly id: Buffer;
  readonly smesher: Buffer;
  readonly epoch: number;
  readonly sequence: number;
  readonly numUnits: number;
  readonly coinbase: Buffer;
  readonly tickCount: number;
  readonly weight: number;
}

export function digest(...parts: (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

// Parameters always go in as an array: a lone Buffer would be taken for named parameters and end the process.

/** A blob column as Buffer. */
function blob(value: unknown): Buffer {
  return Buffer.from(value as Uint8Array);
}

const none = Buffer.alloc(32);

export class AtxStore {
  readonly #local: Databases['local'];
  readonly #state: Databases['state'];

  constructor(databases: Databases) {
    this.#local = databases.local;
    this.#state = databases.state;
  }

  initialPost(id: Buffer): { nonce: number; indices: Buffer; pow: number; commitment: Buffer } | undefined {
    const row = this.#local.prepare('SELECT * FROM post WHERE id = ?').get([id]) as
      | Record<string, unknown>
      | undefined;
    if (row === undefined) return undefined;
    return {
      nonce: Number(row['post_nonce']),
      indices: blob(row['post_indices']),
      pow: Number(row['post_pow']),
      commitment: blob(row['commit_atx']),
    };
  }

  addInitialPost(id: Buffer, proof: PostProof, meta: PostMetadata): void {
    this.#local
      .prepare('INSERT INTO post VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        id,
        proof.nonce,
        proof.indices,
        Number(proof.pow),
        meta.numUnits,
        meta.commitmentAtxId,
        Number(meta.nonce),
        none,
      );
  }

  challenge(id: Buffer): Challenge | undefined {
    const query = this.#local.prepare('SELECT epoch, sequence, poet_proof_ref FROM challenge WHERE id = ?');
    const row = query.get([id]) as { epoch: number; sequence: number; poet_proof_ref: unknown } | undefined;
    if (row === undefined) return undefined;
    const poetProofRef = row.poet_proof_ref === null ? undefined : blob(row.poet_proof_ref);
    return { epoch: row.epoch, sequence: row.sequence, poetProofRef };
  }

  /** The first challenge of an identity carries its initial proof and is placed on the golden ATX. */
  addChallenge(id: Buffer, epoch: number, golden: Buffer): Challenge {
    const previous = this.latestAtx(id);
    const initial = previous === undefined ? this.initialPost(id) : undefined;
    const sequence = previous === undefined ? 0 : previous.sequence + 1;
    this.#local
      .prepare('INSERT INTO challenge VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)')
      .run(
        id,
        epoch,
        sequence,
        previous?.id ?? none,
        previous?.id ?? golden,
        initial?.commitment ?? null,
        initial?.nonce ?? null,
        initial?.indices ?? null,
        initial?.pow ?? null,
      );
    return { epoch, sequence, poetProofRef: undefined };
  }

  registrations(id: Buffer): Registration[] {
    const query = this.#local.prepare('SELECT address, round_id, hash FROM poet_registration WHERE id = ?');
    return (query.all([id]) as { address: string; round_id: string; hash: unknown }[]).map((row) => ({
      address: row.address,
      roundId: row.round_id,
      hash: blob(row.hash),
    }));
  }

  addRegistration(id: Buffer, registration: Registration, roundEnd: number): void {
    this.#local
      .prepare('INSERT INTO poet_registration VALUES (?, ?, ?, ?, ?)')
      .run(id, registration.hash, registration.address, registration.roundId, Math.floor(roundEnd / 1000));
  }

  setPoetProof(id: Buffer, ref: Buffer, membership: Buffer): void {
    this.#local
      .prepare('UPDATE challenge SET poet_proof_ref = ?, poet_proof_membership = ? WHERE id = ?')
      .run(ref, membership, id);
  }

  hasNipost(id: Buffer): boolean {
    return this.#local.prepare('SELECT 1 AS found FROM nipost WHERE id = ?').get([id]) !== undefined;
  }

  nipostUnits(id: Buffer): number {
    return Number(
      (this.#local.prepare('SELECT num_units FROM nipost WHERE id = ?').get([id]) as Record<string, unknown>)[
        'num_units'
      ],
    );
  }

  addNipost(id: Buffer, proof: PostProof, meta: PostMetadata): void {
    this.#local
      .prepare(
        `INSERT INTO nipost SELECT id, ?, ?, ?, ?, ?, poet_proof_membership, poet_proof_ref, ?
         FROM challenge WHERE id = ?`,
      )
      .run(
        proof.nonce,
        proof.indices,
        Number(proof.pow),
        meta.numUnits,
        Number(meta.nonce ?? 0),
        Number(meta.labelsPerUnit),
        id,
      );
  }

  /** Forgets everything on the way to the next ATX; the initial proof stays. */
  resetBuilder(id: Buffer): void {
    for (const table of ['nipost', 'poet_registration', 'challenge']) {
      this.#local.prepare(`DELETE FROM ${table} WHERE id = ?`).run([id]);
    }
  }

  publish(atx: Atx): void {
    this.#state
      .prepare('INSERT INTO atxs VALUES (?, ?, ?, NULL, NULL, 0, ?, ?, ?, ?, ?, 1, NULL, ?)')
      .run(
        atx.id,
        atx.epoch,
        atx.numUnits,
        atx.tickCount,
        atx.sequence,
        atx.smesher,
        atx.coinbase,
        Date.now() * 1e6,
        atx.weight,
      );
    this.resetBuilder(atx.smesher);
  }

  latestAtx(id: Buffer): Atx | undefined {
    return this.atxs('WHERE pubkey = ? ORDER BY epoch DESC LIMIT 1', id)[0];
  }

  /** @param clause SQL after the table's name */
  atxs(clause: string, ...values: (Buffer | number)[]): Atx[] {
    const rows = this.#state.prepare(`SELECT * FROM atxs ${clause}`).all(values) as Record<string, unknown>[];
    return rows.map((row) => ({
      id: blob(row['id']),
      smesher: blob(row['pubkey']),
      epoch: Number(row['epoch']),
      sequence: Number(row['sequence']),
      numUnits: Number(row['effective_num_units']),
      coinbase: blob(row['coinbase']),
      tickCount: Number(row['tick_count']),
      weight: Number(row['weight']),
    }));
  }

  hasPoetProof(ref: Buffer): boolean {
    return this.#state.prepare('SELECT 1 AS found FROM poets WHERE ref = ?').get([ref]) !== undefined;
  }

  addPoetProof(ref: Buffer, serviceId: Buffer, roundId: string, ticks: number): void {
    const proof = Buffer.alloc(8);
    proof.writeBigUInt64LE(BigInt(ticks));
    this.#state.prepare('INSERT INTO poets VALUES (?, ?, ?, ?)').run(ref, proof, serviceId, roundId);
  }

  /** undefined for a proof that was not stored by this stand-in. */
  poetTicks(ref: Buffer): number | undefined {
    const row = this.#state.prepare('SELECT poet FROM poets WHERE ref = ?').get([ref]) as
      | { poet: unknown }
      | undefined;
    const proof = row === undefined ? undefined : blob(row.poet);
    return proof?.length === 8 ? Number(proof.readBigUInt64LE()) : undefined;
  }

  addReward(smesher: Buffer, coinbase: Buffer, layer: number, total: number, fromLayer: number): void {
    this.#state
      .prepare('INSERT OR REPLACE INTO rewards VALUES (?, ?, ?, ?, ?)')
      .run(smesher, coinbase, layer, total, fromLayer);
  }

  rewards(): { smesher: Buffer; coinbase: Buffer; layer: number; total: number; layerReward: number }[] {
    const rows = this.#state.prepare('SELECT * FROM rewards ORDER BY layer').all() as Record<
      string,
      unknown
    >[];
    return rows.map((row) => ({
      smesher: blob(row['pubkey']),
      coinbase: blob(row['coinbase']),
      layer: Number(row['layer']),
      total: Number(row['total_reward']),
      layerReward: Number(row['layer_reward']),
    }));
  }

  /** What the network has found against an identity stays for ever. */
  cancel(smesher: Buffer): void {
    this.#state
      .prepare('INSERT OR IGNORE INTO identities VALUES (?, ?, ?)')
      .run(smesher, Buffer.alloc(0), Date.now() * 1e6);
  }

  /** In the order in which the node lists them. */
  cancelled(): readonly Buffer[] {
    const rows = this.#state.prepare('SELECT pubkey FROM identities ORDER BY pubkey').all() as {
      pubkey: unknown;
    }[];
    return rows.map(({ pubkey }) => blob(pubkey));
  }
}
