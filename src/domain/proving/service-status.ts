/** What a post-service says about its work (`GET /status`, spacemesh.md §3.2), or why it says nothing. */
export type ServiceStatus =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'proving';
      /** Range of this pass; `0..0` for an instant at the start. */
      readonly nonces: { readonly start: number; readonly end: number };
      /** Bytes read in this pass; 0 during k2pow. */
      readonly position: number;
    }
  /** A proof not yet fetched, or one that failed: only time tells (spacemesh.md §3.2). */
  | { readonly kind: 'done-proving' }
  /** Takes the connection and stays silent: builds its RandomX dataset, is paused or held (spacemesh.md §14.1). */
  | { readonly kind: 'no-answer' }
  /** Nobody listens: not started, or crashed. */
  | { readonly kind: 'refused' }
  /** No way to it from here; says nothing about the service. */
  | { readonly kind: 'unreachable'; readonly reason: string }
  | { readonly kind: 'malformed'; readonly reason: string };

/** A status is at most about a hundred bytes; more is something else that listens there. */
const LONGEST_BODY = 4096;

/**
 * Reads the body of `GET /status`. Never throws: whatever is not exactly one of the three known answers is
 * `malformed`, because a wrong `idle` would let a proof in progress be stopped.
 */
export function parseServiceStatus(body: string): ServiceStatus {
  if (body.length > LONGEST_BODY) return malformed(`${body.length} characters`);
  // Byte for byte what the program sends: whatever merely means the same comes from something else.
  if (body === '"Idle"') return { kind: 'idle' };
  if (body === '"DoneProving"') return { kind: 'done-proving' };
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return malformed(`not JSON: ${excerpt(body)}`);
  }
  const proving = onlyField(answer, 'Proving');
  const nonces = field(proving, 'nonces');
  const start = wholeNumber(field(nonces, 'start'));
  const end = wholeNumber(field(nonces, 'end'));
  const position = wholeNumber(field(proving, 'position'));
  if (start === undefined || end === undefined || position === undefined || end < start) {
    return malformed(excerpt(body));
  }
  return { kind: 'proving', nonces: { start, end }, position };
}

function malformed(reason: string): ServiceStatus {
  return { kind: 'malformed', reason };
}

function excerpt(text: string): string {
  const line = JSON.stringify(text.slice(0, 60));
  return text.length > 60 ? `${line}…` : line;
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function onlyField(value: unknown, name: string): unknown {
  const inner = field(value, name);
  return inner !== undefined && Object.keys(value as object).length === 1 ? inner : undefined;
}

function wholeNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
