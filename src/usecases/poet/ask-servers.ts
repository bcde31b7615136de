import { type EpochClock, epochClock } from '../../domain/poet/epochs.ts';
import { addressFromHost } from '../../domain/poet/own-poet.ts';
import { finishedRounds, runningRound } from '../../domain/poet/rounds.ts';
import type { Project } from '../../domain/project/types.ts';
import type { PoetAnswer, PoetProofAnswer } from '../../ports/poet-api.ts';
import type { Context } from '../context.ts';

/** What the proof of a round is asked for with: it is large, and comes over a home connection. */
const PROOF_TIMEOUT_MS = 60_000;

export interface AskRequest {
  readonly addresses: readonly string[];
  readonly timeoutMs: number;
  /** How many of the last finished rounds; 0 asks for none, not for the running one either. */
  readonly rounds: number;
}

/** What one server said of a round. */
export interface RoundAnswer {
  readonly round: number;
  /** Running rounds have no proof; one that has is of another network or time. */
  readonly running: boolean;
  readonly answer: PoetProofAnswer;
}

export interface AskedServer {
  readonly address: string;
  readonly info: PoetAnswer;
  /** Empty when it did not answer, or none was asked for. */
  readonly rounds: readonly RoundAnswer[];
}

/** Asks servers for what they are and for the proofs of the last rounds, all at the same time. Never rejects for a server. */
export async function askServers(
  context: Context,
  project: Project,
  { addresses, timeoutMs, rounds }: AskRequest,
): Promise<readonly AskedServer[]> {
  const poetApi = await context.ports.poetApi();
  const clock = epochClock(project.network, project.poet);
  const wanted = rounds === 0 ? [] : roundsToAsk(clock, context.clock.now(), rounds);
  return Promise.all(
    addresses.map(async (address): Promise<AskedServer> => {
      const from = addressFromHost(project.ownPoet, address);
      const info = await poetApi.info(from, timeoutMs);
      if (info.kind !== 'answered') return { address, info, rounds: [] };
      const answers: RoundAnswer[] = [];
      // One after the other: together they would be late together.
      for (const { round, running } of wanted) {
        context.signal.throwIfAborted();
        const answer = await poetApi.proof(from, round, Math.max(PROOF_TIMEOUT_MS, timeoutMs));
        answers.push({ round, running, answer });
      }
      return { address, info, rounds: answers };
    }),
  );
}

/** The running round first: that it has no proof is told in no time. */
function roundsToAsk(
  clock: EpochClock,
  now: number,
  count: number,
): readonly { readonly round: number; readonly running: boolean }[] {
  const running = runningRound(clock, now);
  return [
    ...(running === undefined ? [] : [{ round: running, running: true }]),
    ...finishedRounds(clock, now, count).map((round) => ({ round, running: false })),
  ];
}
