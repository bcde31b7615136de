import type { ObservedMount, ObservedPort } from '../compose/observed.ts';
import type { SmesherId } from '../identity/smesher-id.ts';

/** A node, a post-service or something beside them, as somebody else defined or started it. */
export interface FoundProgram {
  /** Of its service or container. */
  readonly name: string;
  /** For people: `service post-a of /srv/farm/compose.yaml`. */
  readonly where: string;
  /** Compose project that it is defined in, running or not. */
  readonly project?: string;
  /** Its container, where the engine has one. */
  readonly container?: FoundContainer;
  /** Program and arguments as far as they are known, shells and variables unrolled. */
  readonly words: readonly string[];
  readonly image?: string;
  /** `name@sha256:…` of the image that runs, where a registry knows it. */
  readonly imageDigest?: string;
  readonly environment: Readonly<Record<string, string>>;
  /** As it was asked for; absent: the image decides. */
  readonly user?: string;
  readonly memoryBytes?: number;
  /** With places on the host. */
  readonly mounts: readonly ObservedMount[];
  /** Published ones. */
  readonly ports: readonly ObservedPort[];
  /** It shares the host's network: what it listens on is the host's port. */
  readonly hostNetwork: boolean;
  /** By which others reach it: service, container, host name, addresses. */
  readonly names: readonly string[];
  /** Of a bare process: folders that its relative paths may count from, likeliest first. */
  readonly folders?: readonly string[];
  /** What a scheduler says whose data it proves. */
  readonly smesherId?: SmesherId;
  /** Everything else that its definition says. */
  readonly rest: readonly Rest[];
}

export interface FoundContainer {
  readonly id: string;
  readonly name: string;
  readonly project?: string;
  readonly service?: string;
  readonly runs: boolean;
}

/** A key of a definition and its value, of which nothing was made yet. */
export interface Rest {
  readonly key: string;
  readonly value: unknown;
}

/** What smesh.yaml cannot say, field by field. */
export interface NotExpressible {
  /** Service, container or file. */
  readonly service: string;
  readonly key: string;
  /** As text; never a secret. */
  readonly value: string;
  /** What becomes of it, and where it can be said instead. */
  readonly meaning: string;
}

/** One who was found and does not come along. */
export interface NotTaken {
  readonly service: string;
  readonly why: string;
}

const LONGEST_VALUE = 90;

/** A value as one line for people. What looks like a secret, by its name or its looks, is not shown. */
export function shownValue(key: string, value: unknown): string {
  if (/key|secret|passw|token|credential/i.test(key) && typeof value === 'string' && !value.startsWith('/'))
    return '(not shown)';
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  // 64 hex digits or more may be half of a private key, wherever they stand.
  const safe = text.replace(/[0-9a-fA-F]{64,}|[A-Za-z0-9+/]{80,}={0,2}/g, '(not shown)');
  return safe.length <= LONGEST_VALUE ? safe : `${safe.slice(0, LONGEST_VALUE - 1)}…`;
}
