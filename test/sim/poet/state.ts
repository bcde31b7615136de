/** What a PoET keeps on disk: its key in `datadir`, members and proofs of its rounds in `dbdir`. All of it outlives a kill. */
import { createHash, createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeKeyPair } from '../common/key-pair.ts';

export interface Member {
  /** Node ID, hex. */
  readonly id: string;
  /** base64. */
  readonly challenge: string;
}

export interface Proof {
  /** All base64. */
  readonly root: string;
  readonly provenLeaves: readonly string[];
  readonly proofNodes: readonly string[];
  readonly members: readonly string[];
  readonly leaves: number;
}

interface Execution {
  /** When its tree was begun, milliseconds since 1970: never later than a moment after the round's start. */
  readonly begun: number;
}

/** Written beside its place, then put there: a kill leaves the old or the new. */
function persist(path: string, value: unknown): void {
  const temporary = `${path}.tmp`;
  const file = openSync(temporary, 'w', 0o600);
  writeSync(file, JSON.stringify(value));
  fsyncSync(file);
  closeSync(file);
  renameSync(temporary, path);
}

function load<T>(path: string): T | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : undefined;
}

export class State {
  readonly #dataDir: string;
  readonly #dbDir: string;

  constructor(dataDir: string, dbDir: string) {
    this.#dataDir = dataDir;
    this.#dbDir = dbDir;
    for (const folder of [dataDir, join(dataDir, 'rounds'), join(dbDir, 'rounds'), join(dbDir, 'proofs')]) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    }
  }

  /**
   * The public key of the one private key that belongs to this data, made or taken from POET_PRIVATE_KEY (base64 of the
   * 64 bytes seed||public key) at the first start. @throws Error as poet words it; the real one prints both keys
   */
  publicKey(privateKey: string | undefined): Buffer {
    const path = join(this.#dataDir, 'state.bin');
    const stored = load<{ PrivKey: string }>(path);
    const given = privateKey === undefined || privateKey === '' ? undefined : decodeKey(privateKey);
    const kept = stored === undefined ? undefined : Buffer.from(stored.PrivKey, 'base64');
    if (kept !== undefined && given !== undefined && !kept.equals(given)) {
      throw new Error('private key mismatch. env: [hidden] != state.bin: [hidden]');
    }
    const key = kept ?? given ?? newKey();
    if (kept === undefined) persist(path, { PrivKey: key.toString('base64') });
    return key.subarray(32);
  }

  powChallenge(): Buffer {
    const path = join(this.#dbDir, 'pow-challenge.json');
    const kept = load<string>(path);
    if (kept !== undefined) return Buffer.from(kept, 'base64');
    const challenge = randomBytes(32);
    persist(path, challenge.toString('base64'));
    return challenge;
  }

  members(round: number): readonly Member[] {
    return load<Member[]>(join(this.#dbDir, 'rounds', `${round}.json`)) ?? [];
  }

  setMembers(round: number, members: readonly Member[]): void {
    persist(join(this.#dbDir, 'rounds', `${round}.json`), members);
  }

  begin(round: number): void {
    persist(join(this.#dataDir, 'rounds', `${round}.json`), { begun: Date.now() } satisfies Execution);
  }

  /** Rounds whose tree was begun, whether or not they have their proof. */
  begunRounds(): readonly number[] {
    return readdirSync(join(this.#dataDir, 'rounds'))
      .filter((name) => name.endsWith('.json'))
      .map((name) => Number(name.slice(0, -5)))
      .sort((a, b) => a - b);
  }

  proof(round: string): Proof | undefined {
    return /^\d+$/.test(round) ? load<Proof>(join(this.#dbDir, 'proofs', `${round}.json`)) : undefined;
  }

  setProof(round: number, proof: Proof): void {
    persist(join(this.#dbDir, 'proofs', `${round}.json`), proof);
    // Each proof's root is the next challenge of the proofs of work.
    persist(join(this.#dbDir, 'pow-challenge.json'), proof.root);
  }
}

function newKey(): Buffer {
  const { seed, publicKey } = makeKeyPair();
  return Buffer.concat([seed, publicKey]);
}

const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex');

function decodeKey(text: string): Buffer {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
    throw new Error('decoding private key: illegal base64 data at input byte 0');
  }
  const key = Buffer.from(text, 'base64');
  if (key.length !== 64) throw new Error(`invalid private key length: ${key.length}`);
  // The second half is taken as it stands; a seed that is none shows here already.
  createPublicKey(
    createPrivateKey({
      key: Buffer.concat([pkcs8Head, key.subarray(0, 32)]),
      format: 'der',
      type: 'pkcs8',
    }),
  );
  return key;
}

/** SHA-256 over all parts. */
export function digest(...parts: (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
