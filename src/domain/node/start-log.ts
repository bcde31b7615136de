/** What a log line of a starting node or post-service tells. */
export type StartSign =
  /** The node has given up, though its container may stay for another 30 s (spacemesh.md §14.2). */
  | { readonly kind: 'failed'; readonly reason: string }
  /** The post-service has found its node and answered for its data (spacemesh.md §14.1). */
  | { readonly kind: 'connected' }
  /** It runs, but cannot do its work. */
  | { readonly kind: 'trouble'; readonly reason: string };

/** Reads one line; most say nothing about the start. */
export function readStartSign(line: string): StartSign | undefined {
  const failed = /\tfailed to start App\t(\{.*\})\s*$/.exec(line)?.[1];
  if (failed !== undefined) return { kind: 'failed', reason: messageIn(failed) };
  const fatal = /\tFATAL\t(?:[^\t]*\t)?([^\t]+)/.exec(line)?.[1];
  if (fatal !== undefined) return { kind: 'failed', reason: fatal };
  const ended = /^(?:Error|error): (.+)$/.exec(line)?.[1];
  if (ended !== undefined) return { kind: 'failed', reason: ended };
  if (line.includes('obtained metadata: ')) return { kind: 'connected' };
  if (line.includes('post service already registered')) {
    return { kind: 'trouble', reason: 'another post-service holds the place of its identity at the node' };
  }
  return undefined;
}

function messageIn(json: string): string {
  try {
    const { errmsg } = JSON.parse(json) as { errmsg?: unknown };
    if (typeof errmsg === 'string') return errmsg;
  } catch {
    // Cut short by the log driver: what is there is still worth showing.
  }
  return json;
}

/**
 * Why a program ended, from the end of its log: its last error with the causes that follow it (`0: …`, `1: …`), or a
 * panic, or its last words.
 */
export function lastWords(lines: readonly string[]): string | undefined {
  const at = lines.findLastIndex((line) => {
    const sign = readStartSign(line);
    return sign?.kind === 'failed' || /^thread '.*' .*panicked at/.test(line);
  });
  if (at < 0) return lines.findLast((line) => line.trim() !== '')?.trim();
  const head = lines[at] ?? '';
  const sign = readStartSign(head);
  if (sign?.kind !== 'failed') return [head, lines[at + 1] ?? ''].join(' ').trim();
  const rest = lines.slice(at + 1, at + 12);
  const causes = rest.flatMap((line) => /^\s+\d+: (.+)$/.exec(line)?.[1] ?? []);
  // The node lists the faults of its configuration below `unmarshal config`.
  const faults = rest.flatMap((line) => /^\* (.+)$/.exec(line)?.[1] ?? []);
  return [sign.reason, ...causes, ...faults].join(': ');
}
