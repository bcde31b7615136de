import { SmeshError } from '../../domain/errors.ts';
import type { Project } from '../../domain/project/types.ts';
import type { ClockPort } from '../../ports/clock.ts';
import type { Ports } from '../../ports/index.ts';

export type ObservePorts = Pick<
  Ports,
  'files' | 'scanner' | 'docker' | 'nodeApi' | 'postApi' | 'localDatabase'
>;

/** What every part of a look needs. */
export interface Question {
  readonly ports: ObservePorts;
  readonly project: Project;
  readonly clock: ClockPort;
  /** For each thing that is asked. */
  readonly timeoutMs: number;
}

/** `undefined` when it takes too long, or when the system refuses; the question itself goes on unheard. */
export async function within<T>(
  clock: ClockPort,
  question: Promise<T>,
  timeoutMs: number,
): Promise<T | undefined> {
  const answered = new AbortController();
  const late = clock.sleep(timeoutMs, answered.signal).then(
    () => undefined,
    () => undefined,
  );
  const answer = question.catch((error: unknown) => {
    // Errors of the system say nothing about the project; everything else is for the caller.
    if (error instanceof Error && 'code' in error && !(error instanceof SmeshError)) return undefined;
    throw error;
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    // Else the process would wait for the end of the time.
    answered.abort();
  }
}
