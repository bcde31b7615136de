import { infoUrl, parsePoetInfo } from '../../domain/doctor/poet-info.ts';
import { ProofReader, proofUrl } from '../../domain/poet/proof-reader.ts';
import type { PoetAnswer, PoetApiPort, PoetProofAnswer, PoetSilence } from '../../ports/poet-api.ts';
import { version } from '../../version.ts';

/** An answer is some 200 bytes; whatever else is there shall not fill the memory. */
const MOST_BYTES = 64 * 1024;

/** 32 bytes of each member in base64: five million of them. */
const MOST_PROOF_BYTES = 256 * 1024 * 1024;

const HEADERS = { accept: 'application/json', 'user-agent': `smesh-compose/${version}` };

/** PoetApiPort over HTTP. */
export function createPoetApi(): PoetApiPort {
  return {
    async info(address, timeoutMs): Promise<PoetAnswer> {
      const signal = AbortSignal.timeout(timeoutMs);
      const sent = Date.now();
      try {
        const response = await fetch(infoUrl(address), { signal, headers: HEADERS });
        const received = Date.now();
        const body = await readLimited(response);
        if (body === undefined) return { kind: 'malformed', reason: `more than ${MOST_BYTES} bytes` };
        if (!response.ok) return { kind: 'malformed', reason: `HTTP ${response.status}` };
        const info = parsePoetInfo(body);
        if (info === undefined) {
          return { kind: 'malformed', reason: `HTTP ${response.status}, but not what a PoET says` };
        }
        const clock = clockOf(response.headers.get('date'), sent, received);
        return {
          kind: 'answered',
          info,
          elapsedMs: received - sent,
          ...(clock === undefined ? {} : { clock }),
        };
      } catch (error) {
        return silence(error, signal, timeoutMs);
      }
    },

    async proof(address, round, timeoutMs): Promise<PoetProofAnswer> {
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const response = await fetch(proofUrl(address, round), { signal, headers: HEADERS });
        if (response.ok) return await readProof(response);
        await response.body?.cancel().catch(() => undefined);
        return response.status === 404
          ? { kind: 'none' }
          : { kind: 'malformed', reason: `HTTP ${response.status}` };
      } catch (error) {
        return silence(error, signal, timeoutMs);
      }
    },
  };
}

function silence(error: unknown, signal: AbortSignal, timeoutMs: number): PoetSilence {
  if (signal.aborted) return { kind: 'late', afterMs: timeoutMs };
  return { kind: 'unreachable', reason: causeOf(error) };
}

/** Stops as soon as the number is there; what comes after it is the public key, which `/v1/info` tells. */
async function readProof(response: Response): Promise<PoetProofAnswer> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  const proof = new ProofReader();
  let size = 0;
  for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader?.read()) {
    size += next.value.length;
    const facts = proof.take(decoder.decode(next.value, { stream: true }));
    const tooMuch = size > MOST_PROOF_BYTES;
    if (facts === undefined && !tooMuch) continue;
    await reader?.cancel().catch(() => undefined);
    if (facts !== undefined && facts !== 'no-proof') return { kind: 'proof', facts };
    return { kind: 'malformed', reason: tooMuch ? `more than ${MOST_PROOF_BYTES} bytes` : 'not a proof' };
  }
  return { kind: 'malformed', reason: 'an answer without a number of leaves' };
}

/** `undefined` when there is more than anybody should send. */
async function readLimited(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    size += next.value.length;
    if (size > MOST_BYTES) {
      await reader.cancel().catch(() => undefined);
      return undefined;
    }
    chunks.push(next.value);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The header has whole seconds, cut off: the time is half a second later on average. */
function clockOf(
  date: string | null,
  sent: number,
  received: number,
): { readonly offsetMs: number; readonly uncertaintyMs: number } | undefined {
  const theirs = Date.parse(date ?? '');
  if (Number.isNaN(theirs)) return undefined;
  return {
    offsetMs: theirs + 500 - (sent + received) / 2,
    uncertaintyMs: 500 + (received - sent) / 2,
  };
}

/** `fetch` says only "fetch failed"; why is in the cause. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  const code = 'code' in cause ? String(cause.code) : '';
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connection refused',
    ENOTFOUND: 'there is no such host',
    EAI_AGAIN: 'the name cannot be looked up',
    EHOSTUNREACH: 'no way to that host',
    ENETUNREACH: 'no way to that network',
    ECONNRESET: 'connection broken off',
    CERT_HAS_EXPIRED: 'its certificate has expired',
    UND_ERR_SOCKET: 'connection broken off',
  };
  return words[code] ?? (code === '' ? cause.message : `${cause.message} (${code})`);
}
