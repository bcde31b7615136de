/** What of a round's proof is of use here. */
export interface PoetProofFacts {
  /** Work of the whole round in leaves; the node takes the proof that has most (spacemesh.md §7.2). */
  readonly leaves: number;
}

/** Longest piece that is looked for: `"leaves" : "18446744073709551615"` with some blanks. */
const OVERLAP = 80;

/** In the answer the list of members, tens of megabytes, stands before the number (spacemesh.md §7.3). */
const LEAVES = /"leaves"\s{0,10}:\s{0,10}"?(\d{1,20})(?!\d)["\s,}]/;

/**
 * Reads `GET /v1/proofs/{round}` piece by piece and keeps nothing but the number: a round of a public PoET has hundreds of
 * thousands of members. Texts within the answer are base64, so that the name of the field stands nowhere else.
 */
export class ProofReader {
  #tail = '';
  #begun = false;

  /** The facts as soon as they are known; `no-proof` when the answer does not begin as a PoET's. */
  take(piece: string): PoetProofFacts | 'no-proof' | undefined {
    const text = this.#tail + piece;
    if (!this.#begun) {
      if (text.trimStart().length < '{"proof"'.length) {
        this.#tail = text;
        return undefined;
      }
      if (!/^\s*\{\s*"(proof|pubkey)"/.test(text)) return 'no-proof';
      this.#begun = true;
    }
    const leaves = Number(LEAVES.exec(text)?.[1] ?? Number.NaN);
    this.#tail = text.slice(-OVERLAP);
    return Number.isSafeInteger(leaves) ? { leaves } : undefined;
  }
}

/** Where the proof of a round is: the address with the path added, whatever it ends with. */
export function proofUrl(address: string, round: number): string {
  return `${address.replace(/\/+$/, '')}/v1/proofs/${round}`;
}
