import { status } from '@grpc/grpc-js';
import type { Answer, NodeFault } from '../../ports/node-api.ts';

interface ServiceError {
  readonly code?: unknown;
  readonly details?: unknown;
  readonly message?: unknown;
}

const KINDS: Readonly<Record<number, NodeFault['kind']>> = {
  [status.UNAVAILABLE]: 'unreachable',
  [status.DEADLINE_EXCEEDED]: 'timeout',
  [status.UNIMPLEMENTED]: 'not-served',
};

/** What a failed call means. */
export function faultOf(error: unknown): NodeFault {
  const { code, details, message } = (error ?? {}) as ServiceError;
  const text = typeof details === 'string' && details !== '' ? details : String(message ?? error);
  const kind = typeof code === 'number' ? KINDS[code] : undefined;
  // grpc-js reports a message that it cannot decode as INTERNAL with this text.
  if (/error (parsing|deserializing)/i.test(text)) return { kind: 'malformed', message: text };
  return { kind: kind ?? 'refused', message: kind === 'unreachable' ? shorten(text) : text };
}

export function failed(fault: NodeFault): Answer<never> {
  return { ok: false, error: fault };
}

/** `No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:9092. Resolution note: …` */
function shorten(text: string): string {
  return /connect \w+(?: \S+:\d+)?/.exec(text)?.[0] ?? text;
}
