import { readLabels } from '../compose/labels.ts';
import type { ObservedContainer } from '../compose/observed.ts';

/** What is to become of one noted service that is down. */
export interface PendingChoice {
  readonly service: string;
  /**
   * - `start`: a prover that the interrupted command left down.
   * - `check-and-start`: anything else that it left down; the node registers keys, so it is looked at anew first.
   * - `wait`: Compose outlives a command that is killed, and may not have stopped the former container yet.
   * - `drop`: it is down by somebody else's hand.
   */
  readonly act: 'start' | 'check-and-start' | 'wait' | 'drop';
  readonly container: ObservedContainer;
}

/** From the note to the last container that a command stops or makes for it; beyond it was somebody else. */
const ACT_TAKES_MS = 5 * 60_000;
/** The engine writes its times by its own clock. */
const CLOCKS_DIFFER_MS = 30_000;

/**
 * Decides for each noted service that is down, the node first. Never a second container beside one that is up: two of one
 * identity would work on the same data.
 *
 * @param pending `noted` has ISO times by service; a note without one tells nothing of who stopped a container
 */
export function choosePending(
  pending: {
    readonly services: readonly string[];
    readonly noted?: Readonly<Record<string, string>> | undefined;
  },
  containers: readonly ObservedContainer[],
): readonly PendingChoice[] {
  const choices = pending.services.flatMap((service): PendingChoice[] => {
    const all = containers.filter((container) => container.service === service && !container.oneOff);
    // One that was stopped to be replaced, and was not, is the one to start again.
    const container =
      all.find(({ state }) => state === 'created') ?? all.find(({ state }) => state === 'exited');
    if (container === undefined) return [];
    if (all.some(({ state }) => ['running', 'paused', 'restarting'].includes(state)))
      return [{ service, act: 'wait', container }];
    if (!isByTheAct(container, pending.noted?.[service])) return [{ service, act: 'drop', container }];
    const isProver = readLabels(container.labels)?.role === 'prover';
    return [{ service, act: isProver ? 'start' : 'check-and-start', container }];
  });
  const isFirst = ({ act }: PendingChoice) => act === 'check-and-start';
  return [...choices.filter(isFirst), ...choices.filter((one) => !isFirst(one))];
}

function isByTheAct({ state, createdAt, finishedAt }: ObservedContainer, noted: string | undefined): boolean {
  const since = Date.parse(noted ?? '');
  if (Number.isNaN(since)) return state === 'created';
  const at = state === 'created' ? createdAt : finishedAt;
  return at !== undefined && at > since - CLOCKS_DIFFER_MS && at < since + ACT_TAKES_MS;
}
