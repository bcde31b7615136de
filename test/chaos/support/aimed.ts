import type { Journal } from './journal.ts';
import { Moves } from './moves.ts';
import type { Random } from './random.ts';

/** Longer than a proof of these takes to begin, on whatever machine. */
const COMES_WITHIN_MS = 60_000;

/**
 * A short chaos that waits for the two telling moments instead of meeting them by chance: an idle prover whose proof the
 * node has wanted for long and cannot ask for, and provers that work while the node is down. Everything else is as in the
 * long one. Work takes so long here that no machine is too slow for it.
 *
 * @param untilFault ends at the first fault: of a mutant no more has to be known
 */
export async function aimedChaos(journal: Journal, random: Random, untilFault: boolean): Promise<void> {
  const { world } = journal;
  const moves = new Moves(journal, random);
  const isOver = () => untilFault && journal.faults().length > 0;
  const [unreached = '', ...others] = moves.services;
  world.follow();
  journal.excuse(moves.services, 'not yet started');
  await moves.halfOpen([unreached]);
  await moves.restore();
  const steps = [
    async () => {
      await world.until(() => (world.wantedFor(unreached) ?? 0) > 5000, COMES_WITHIN_MS);
      await moves.tryOn(unreached, 'stop');
    },
    async () => moves.tryOn(unreached, 'restart'),
    async () => {
      await world.until(() => moves.withWork().length === others.length, COMES_WITHIN_MS);
      await moves.stopNode();
      for (const service of random.shuffle(others)) {
        if (!isOver()) await moves.tryOn(service);
      }
      await moves.startNode();
    },
    async () => moves.onEverybody(),
    async () => moves.restore(),
  ];
  for (const step of steps) if (!isOver()) await step();
  world.unfollow();
}
