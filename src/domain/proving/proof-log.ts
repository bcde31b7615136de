/** Nonces per AES group: k2pow is done once for each group (spacemesh.md §3.3). */
const NONCES_PER_GROUP = 16;

/** The nonces that one pass over the data tries; `end` is not one of them. */
export interface NonceRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Where the service is in its proof, as far as the log tells. A log that begins in the middle leaves fields out:
 * nothing is made up for what was not seen.
 */
export type ProofPhase =
  /** No line about a proof since the process began, or since the part of the log that was read begins. */
  | { readonly kind: 'none' }
  /** Asked by the node; builds the RandomX dataset or cache, during which fast mode answers nothing. */
  | { readonly kind: 'preparing'; readonly since?: number }
  | {
      readonly kind: 'k2pow';
      readonly since?: number;
      readonly nonces?: NonceRange;
      /** 1-based, within the pass; only where the log shows groups (`post::prove=debug`). */
      readonly group?: number;
      readonly groups?: number;
    }
  /** The last moment at which a prover can be held before it reads (design §7). */
  | { readonly kind: 'k2pow-finished'; readonly at?: number; readonly nonces?: NonceRange }
  | {
      readonly kind: 'reading';
      readonly since?: number;
      readonly nonces?: NonceRange;
      /** Index of the file that is being read. */
      readonly file?: number;
    }
  /** A pass is over; the next line says whether with a proof. */
  | { readonly kind: 'read'; readonly at?: number; readonly nonces?: NonceRange }
  /** Waits for the node's next question. */
  | { readonly kind: 'found'; readonly at?: number }
  | { readonly kind: 'verifying'; readonly since?: number }
  | { readonly kind: 'valid'; readonly at?: number }
  /** `since` is the first failure of this proof: the node asks again in every layer and gets the same answer. */
  | { readonly kind: 'failed'; readonly since?: number; readonly reason: string };

/** How the service stands to the node, by its last word on it. */
export type NodeConnection =
  | { readonly kind: 'unseen' }
  | { readonly kind: 'connected'; readonly since?: number }
  | { readonly kind: 'lost'; readonly reason: string };

/** A proof that ended with its process. */
export interface InterruptedProof {
  /** When the process that came after it began. */
  readonly at?: number;
  /** Since when it had been worked on. */
  readonly since?: number;
}

/** What a post-service's log tells, folded line by line. */
export interface ProofLog {
  readonly phase: ProofPhase;
  /** When the present or last proof was asked for: its work began then. */
  readonly proofSince?: number;
  /** The last line about any proof: silence since then is evidence that none is made (operators.md d.6). */
  readonly lastProofAt?: number;
  readonly connection: NodeConnection;
  /** Passes over the data of the present proof whose reading has ended. */
  readonly passes: number;
  /** Files that could not be read in this pass: the disk is going, or gone (operators.md d.6). */
  readonly unreadable: readonly string[];
  /** How long reading all data took in the last pass that ended. */
  readonly lastPassMs?: number;
  /** Why the last failed proof failed, also when another one has begun since. */
  readonly lastFailure?: { readonly at?: number; readonly reason: string };
  /** The process before this one ended in the middle of a proof, which began anew: its work is lost (S30). */
  readonly interrupted?: InterruptedProof;
  /** Debug lines of groups in this pass. */
  readonly groupsDone: number;
  /** The pass's first line was seen, so `groupsDone` is all. */
  readonly sawPassStart: boolean;
}

export const EMPTY_PROOF_LOG: ProofLog = {
  phase: { kind: 'none' },
  connection: { kind: 'unseen' },
  passes: 0,
  unreadable: [],
  groupsDone: 0,
  sawPassStart: false,
};

interface Line {
  /** Milliseconds since 1970; the service writes whole seconds. */
  readonly at?: number;
  readonly target: string;
  readonly message: string;
}

/** env_logger's form: `[2026-11-20T12:38:26Z INFO  post::prove] …`. Other lines (panics, libraries) are no events. */
function parseLine(text: string): Line | undefined {
  const match = /^\[(\S+) +[A-Z]+ +([a-z0-9_:]+)\] (.*)$/s.exec(text.trimEnd());
  if (match === null) return undefined;
  const [, time = '', target = '', message = ''] = match;
  const at = Date.parse(time);
  return { ...(Number.isNaN(at) ? {} : { at }), target, message };
}

type Rule = readonly [
  target: string,
  pattern: RegExp,
  apply: (log: ProofLog, line: Line, match: RegExpExecArray) => ProofLog,
];

/** Strings of post-service v0.7 and v0.8 (spacemesh.md §14.1); the recordings are the proof of them. */
const RULES: readonly Rule[] = [
  // A container's log goes on over a restart, a proof does not.
  ['post_service', /^POST network parameters: /, startOfProcess],
  [
    'post_service::client',
    /^obtained metadata: /,
    (log, { at }) => ({ ...log, connection: { kind: 'connected', ...since(at) } }),
  ],
  [
    'post_service::client',
    /^(?:could not connect to the node|disconnected): (.*)$/s,
    (log, _, [, reason = '']) => ({ ...log, connection: { kind: 'lost', reason: plainReason(reason) } }),
  ],
  [
    'post_service::service',
    /^starting proof generation for challenge /,
    (log, { at }) => ({
      ...startOfProof(log),
      phase: { kind: 'preparing', ...since(at) },
      ...(at === undefined ? {} : { proofSince: at }),
    }),
  ],
  [
    'post::prove',
    /^calculating proof of work for nonces (\d+)\.\.(\d+)$/,
    (log, { at }, [, start, end]) => {
      const nonces = { start: Number(start), end: Number(end) };
      return {
        ...log,
        unreadable: [],
        groupsDone: 0,
        sawPassStart: true,
        phase: { kind: 'k2pow', nonces, ...since(at), ...groupCount(nonces) },
      };
    },
  ],
  [
    'post::prove',
    /^calculating proof of work for nonce group (\d+)$/,
    (log, _, [, group]) => {
      const before = k2powOf(log);
      // Where several groups run at once (remote k2pow) the number that has begun says little.
      const position = log.sawPassStart ? log.groupsDone + 1 : relativeGroup(before.nonces, Number(group));
      return { ...log, phase: { ...before, ...groupAt(position, before.groups) } };
    },
  ],
  [
    'post::prove',
    /^proof of work for nonce group (\d+): /,
    (log, _, [, group]) => {
      const before = k2powOf(log);
      const groupsDone = log.groupsDone + 1;
      const position = log.sawPassStart ? groupsDone + 1 : relativeGroup(before.nonces, Number(group) + 1);
      return { ...log, groupsDone, phase: { ...before, ...groupAt(position, before.groups) } };
    },
  ],
  [
    'post::prove',
    /^finished k2pow in /,
    (log, { at }) => ({ ...log, phase: { kind: 'k2pow-finished', ...moment(at), ...noncesOf(log) } }),
  ],
  [
    'post::prove',
    /^started reading POST data$/,
    (log, { at }) => ({ ...log, phase: { kind: 'reading', ...since(at), ...noncesOf(log) } }),
  ],
  [
    'post::reader',
    /^Reading file: (.*)$/s,
    (log, _, [, path = '']) => {
      const index = /postdata_(\d+)\.bin$/.exec(path)?.[1];
      const before = log.phase.kind === 'reading' ? log.phase : { kind: 'reading' as const };
      return { ...log, phase: { ...before, ...(index === undefined ? {} : { file: Number(index) }) } };
    },
  ],
  [
    'post::reader',
    /^failed to read file:? ?(.*)$/s,
    (log, _, [, what = '']) => ({ ...log, unreadable: [...log.unreadable, what] }),
  ],
  [
    'post::prove',
    /^finished reading POST data in (?:(\d+)m (\d+)s)?/,
    (log, { at }, [, minutes, seconds]) => {
      const { lastPassMs: _, ...rest } = log;
      const began = log.phase.kind === 'reading' ? log.phase.since : undefined;
      const byTimes = at === undefined || began === undefined ? undefined : at - began;
      // Measured by the service; a clock that was set back between two lines would make it a pass in no time.
      const tookMs = minutes === undefined ? byTimes : (Number(minutes) * 60 + Number(seconds)) * 1000;
      return {
        ...rest,
        passes: log.passes + 1,
        ...(tookMs === undefined || tookMs < 0 ? {} : { lastPassMs: tookMs }),
        phase: { kind: 'read', ...moment(at), ...noncesOf(log) },
      };
    },
  ],
  [
    'post::prove',
    /^found proof for nonce: /,
    (log, { at }) => ({ ...log, phase: { kind: 'found', ...moment(at) } }),
  ],
  [
    'post_service::client',
    /^verifying proof$/,
    (log, { at }) => ({ ...log, phase: { kind: 'verifying', ...since(at) } }),
  ],
  [
    'post_service::client',
    /^proof is valid/,
    ({ interrupted: _, ...log }, { at }) => ({ ...log, phase: { kind: 'valid', ...moment(at) } }),
  ],
  ['post_service::client', /^failed to generate proof: (.*)$/s, failed],
  ['post_service::service', /^(proof generation failed.*)$/s, failed],
];

/** Adds one line of a post-service's log to what is known; lines that mean nothing leave it as it is. */
export function readProofLine(log: ProofLog, text: string): ProofLog {
  const line = parseLine(text);
  if (line === undefined) return log;
  for (const [target, pattern, apply] of RULES) {
    if (target !== line.target) continue;
    const match = pattern.exec(line.message);
    if (match === null) continue;
    const next = apply(log, line, match);
    // Lines about the connection, and the start of a process, leave the phase as it is or empty.
    const tellsOfProof = next.phase !== log.phase && next.phase.kind !== 'none';
    const repeats = next.lastFailure !== undefined && next.lastFailure !== log.lastFailure;
    return line.at !== undefined && (tellsOfProof || repeats) ? { ...next, lastProofAt: line.at } : next;
  }
  return log;
}

export function readProofLog(lines: Iterable<string>): ProofLog {
  let log = EMPTY_PROOF_LOG;
  for (const line of lines) log = readProofLine(log, line);
  return log;
}

/** Groups of 16 nonces in a range. */
export function groupsOf(nonces: NonceRange): number {
  return Math.ceil((nonces.end - nonces.start) / NONCES_PER_GROUP);
}

function failed(log: ProofLog, { at }: Line, [, reason = '']: RegExpExecArray): ProofLog {
  // The node asks with an old challenge while a proof runs: that proof goes on (spacemesh.md §3.2).
  if (/in progress for a different challenge/.test(reason)) return log;
  const plain = plainReason(reason);
  const phase =
    log.phase.kind === 'failed' ? log.phase : { kind: 'failed' as const, ...since(at), reason: plain };
  return { ...log, phase, lastFailure: { ...moment(at), reason: plain } };
}

function startOfProof(log: ProofLog): ProofLog {
  const { connection, lastFailure, interrupted } = log;
  return {
    ...EMPTY_PROOF_LOG,
    connection,
    ...(lastFailure === undefined ? {} : { lastFailure }),
    ...(interrupted === undefined ? {} : { interrupted }),
  };
}

/** What the log still holds of the process before says whether a proof ended with it. */
function startOfProcess({ phase, proofSince, interrupted }: ProofLog, { at }: Line): ProofLog {
  const worked = !['none', 'valid', 'failed'].includes(phase.kind);
  if (worked) {
    const began = proofSince === undefined ? {} : since(proofSince);
    return { ...EMPTY_PROOF_LOG, interrupted: { ...moment(at), ...began } };
  }
  // Restarted again before the node has asked it anew.
  return phase.kind === 'none' && interrupted !== undefined
    ? { ...EMPTY_PROOF_LOG, interrupted }
    : EMPTY_PROOF_LOG;
}

function k2powOf(log: ProofLog): Extract<ProofPhase, { kind: 'k2pow' }> {
  return log.phase.kind === 'k2pow' ? log.phase : { kind: 'k2pow' };
}

function noncesOf(log: ProofLog): { readonly nonces?: NonceRange } {
  const nonces = 'nonces' in log.phase ? log.phase.nonces : undefined;
  return nonces === undefined ? {} : { nonces };
}

function groupCount(nonces: NonceRange): { readonly groups?: number } {
  const groups = groupsOf(nonces);
  return groups > 0 ? { groups } : {};
}

/** Groups are numbered over all passes. */
function relativeGroup(nonces: NonceRange | undefined, group: number): number | undefined {
  if (nonces === undefined) return undefined;
  return group - Math.floor(nonces.start / NONCES_PER_GROUP) + 1;
}

function groupAt(position: number | undefined, groups: number | undefined): { readonly group?: number } {
  if (position === undefined) return {};
  return { group: groups === undefined ? position : Math.min(position, groups) };
}

function since(at: number | undefined): { readonly since?: number } {
  return at === undefined ? {} : { since: at };
}

function moment(at: number | undefined): { readonly at?: number } {
  return at === undefined ? {} : { at };
}

/** The telling part of tonic's and anyhow's debug output, on one line. */
function plainReason(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  const known =
    /post service already registered|connection not allowed: [^"]*|InvalidCertificate\([^)]*\)/.exec(line);
  if (known !== null) return known[0];
  const inner = /message: "([^"]+)"|lookup address information: ([^"]+)"|ConnectError\("([^"]+)"/.exec(line);
  const reason = inner?.[1] ?? inner?.[2] ?? inner?.[3] ?? line;
  return reason.length > 160 ? `${reason.slice(0, 159)}…` : reason;
}
