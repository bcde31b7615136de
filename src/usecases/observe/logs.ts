import { SmeshError } from '../../domain/errors.ts';
import { type ProofLog, readProofLog } from '../../domain/proving/proof-log.ts';
import type { ServiceStatus } from '../../domain/proving/service-status.ts';
import type { DockerPort } from '../../ports/docker.ts';
import { type Question, within } from './question.ts';

/**
 * Lines from the end of a log that hold a whole proof but for its reading: two for each nonce group. Without the pass's
 * first line nobody can say how far its k2pow is.
 */
const TAIL_LINES = 200;

/** While reading there is a line per file: so many, at the smallest usual size, since the pass began. */
const USUAL_FILE_BYTES = 2 ** 31;
const MOST_TAIL_LINES = 1500;

/** More logs at once only queue up inside the engine. */
const PARALLEL_LOGS = 16;

export interface LogWish {
  readonly container: string;
  /** The node wants a proof of it. */
  readonly wanted: boolean;
  /** Absent: it was not asked. */
  readonly status: ServiceStatus | undefined;
}

/** The logs of those whose phase `/status` leaves open, by container id, as far as they come in time. */
export async function readLogs(
  {
    ports,
    clock,
    timeoutMs,
  }: Pick<Question, 'clock' | 'timeoutMs'> & {
    readonly ports: Pick<Question['ports'], 'docker'>;
  },
  wishes: readonly LogWish[],
): Promise<ReadonlyMap<string, ProofLog>> {
  const queue = wishes.flatMap(({ container, wanted, status }) => {
    const tail = tailFor(status, wanted);
    return tail === 0 ? [] : [{ container, tail }];
  });
  const logs = new Map<string, ProofLog>();
  if (queue.length === 0) return logs;
  const docker = await ports.docker();
  const deadline = AbortSignal.timeout(timeoutMs);
  const work = async () => {
    for (let next = queue.shift(); next !== undefined && !deadline.aborted; next = queue.shift()) {
      const log = await readTail(docker, next.container, next.tail, deadline);
      if (log !== undefined) logs.set(next.container, log);
    }
  };
  await within(clock, Promise.all(Array.from({ length: PARALLEL_LOGS }, work)), timeoutMs);
  return logs;
}

/** How much of its log is needed to say what `/status` leaves open; 0: nothing. */
function tailFor(status: ServiceStatus | undefined, wanted: boolean): number {
  switch (status?.kind) {
    case 'proving': {
      const files = Math.ceil(status.position / USUAL_FILE_BYTES);
      return Math.min(TAIL_LINES + files, MOST_TAIL_LINES);
    }
    case 'done-proving':
    case 'no-answer':
      return TAIL_LINES;
    case 'idle':
      // Why does it not begin?
      return wanted ? TAIL_LINES : 0;
    case 'refused':
    case 'unreachable':
    case 'malformed':
      // Its log is all that tells then.
      return wanted ? TAIL_LINES : 0;
    default:
      return 0;
  }
}

async function readTail(
  docker: DockerPort,
  container: string,
  tail: number,
  signal: AbortSignal,
): Promise<ProofLog | undefined> {
  const lines: string[] = [];
  try {
    for await (const line of docker.logs(container, { tail, signal })) lines.push(line.text);
  } catch (error) {
    if (error instanceof SmeshError) return undefined;
    throw error;
  }
  // A log that was cut off at its end would tell of a phase that is over.
  return signal.aborted ? undefined : readProofLog(lines);
}
