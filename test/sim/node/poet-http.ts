/** Questions to one PoET with the patience of the node's HTTP client (spacemesh.md §4, §7.2). */
import * as z from 'zod';
import { sleep } from './network-clock.ts';

/** Milliseconds, except for `max`. */
export interface Patience {
  readonly retryDelay: number;
  /** Further attempts after the first. */
  readonly retryMax: number;
  /** Each attempt waits longer than the one before; without it all wait alike. */
  readonly growing: boolean;
  /** A 404 is worth another try: a proof may be a moment late. */
  readonly retriesNotFound: boolean;
}

export class PoetFault extends Error {
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/**
 * One question, asked again while nobody answers or the server is not well. No limit of its own: a PoET that takes
 * the question and never answers is waited for until `signal` says otherwise. @throws PoetFault as the node words it
 */
export async function ask(
  method: 'GET' | 'POST',
  url: string,
  patience: Patience,
  signal: AbortSignal,
  body?: unknown,
): Promise<unknown> {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await once(method, url, signal, body);
    if (answer.kind === 'answer' && answer.status === 200) return answer.json();
    const again =
      answer.kind === 'unreachable' ||
      answer.status === 429 ||
      (answer.status >= 500 && answer.status !== 501) ||
      (answer.status === 404 && patience.retriesNotFound);
    if (!again || attempt >= patience.retryMax) throw faultOf(method, url, answer, attempt, again);
    const { retryDelay } = patience;
    const pause = retryDelay + Math.random() * retryDelay;
    await sleep(patience.growing ? pause * (attempt + 1) : pause, signal);
  }
}

type Answer =
  | { readonly kind: 'answer'; readonly status: number; readonly text: string; json(): unknown }
  | { readonly kind: 'unreachable'; readonly reason: string };

async function once(method: string, url: string, signal: AbortSignal, body: unknown): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method,
      signal,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { kind: 'answer', status: response.status, text, json: () => parse(text) };
  } catch (error) {
    if (signal.aborted && (signal.reason as Error).name === 'TimeoutError') {
      throw new PoetFault(`doing request: ${method} ${url}: context deadline exceeded`);
    }
    signal.throwIfAborted();
    const { cause } = error as Error;
    return { kind: 'unreachable', reason: reasonOf(cause instanceof Error ? cause : (error as Error)) };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PoetFault(`decoding response body to proto: proto: syntax error: ${(error as Error).message}`);
  }
}

function reasonOf(error: Error): string {
  const { code, address, port, hostname } = error as NodeJS.ErrnoException & {
    address?: string;
    port?: number;
    hostname?: string;
  };
  if (code === 'ECONNREFUSED') return `dial tcp ${address}:${port}: connect: connection refused`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `dial tcp: lookup ${hostname}: no such host`;
  return code === 'ECONNRESET' || code === 'UND_ERR_SOCKET' ? 'EOF' : error.message;
}

function faultOf(method: string, url: string, answer: Answer, attempt: number, again: boolean): PoetFault {
  if (answer.kind === 'unreachable') {
    const verb = `${method[0]}${method.slice(1).toLowerCase()}`;
    const last = `${verb} "${url}": ${answer.reason}`;
    return new PoetFault(
      `doing request: ${method} ${url} giving up after ${attempt + 1} attempt(s): ${last}`,
    );
  }
  const { status, text } = answer;
  if (again) {
    const gaveUp = `${method} ${url} giving up after ${attempt + 1} attempt(s)`;
    return new PoetFault(`doing request: ${gaveUp}`, status);
  }
  const kind = { 400: 'invalid request', 401: 'unauthorized' }[status] ?? 'unrecognized error';
  return new PoetFault(`${kind}: response status code: ${status}, body: ${text}`, status);
}

/** Milliseconds of a duration in protobuf's JSON. */
const duration = z
  .string()
  .regex(/^-?\d+(\.\d+)?s$/)
  .transform((text) => Math.round(Number(text.slice(0, -1)) * 1000));

const bytes = z
  .string()
  .default('')
  .transform((text) => Buffer.from(text, 'base64'));

export const infoAnswer = z.object({ servicePubkey: bytes, phaseShift: duration, cycleGap: duration });

export const powAnswer = z.object({
  powParams: z.object({ difficulty: z.number().default(0), challenge: bytes }),
});

export const submitAnswer = z.object({ roundId: z.string(), roundEnd: duration });

export const proofAnswer = z.object({
  proof: z.object({
    proof: z.object({ root: bytes, provenLeaves: z.array(bytes), proofNodes: z.array(bytes) }),
    members: z.array(bytes).default([]),
    leaves: z.string().transform(Number),
  }),
  pubkey: bytes,
});
