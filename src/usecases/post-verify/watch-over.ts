import { SmeshError } from '../../domain/errors.ts';
import { verifyMoment } from '../../domain/post-verify/moment.ts';
import type { VerifyPlace } from '../../domain/post-verify/report.ts';
import type { Project } from '../../domain/project/types.ts';
import type { Context } from '../context.ts';
import { StopChecking } from './check-labels.ts';
import { clockOf } from './look.ts';
import { whoIsBusy } from './who-is-busy.ts';

const LOOK_EVERY_MS = 10_000;
/** A disk that spins up, or one behind a cable that is pulled and put back, answers within it. */
const ANSWER_MS = 60_000;

/** What is read on one disk, and how to end it. */
export interface DiskAtWork {
  readonly disk: string;
  readonly places: readonly VerifyPlace[];
  stop(reason: StopChecking): void;
}

/**
 * Looks every few seconds, until the signal is aborted, whether the disks may still be read: ends it where the cycle gap is
 * about to open, where a proof is wanted on the disk, and where the disk does not answer any more. An engine that cannot be
 * asked for a moment changes nothing; the containers go with it.
 */
export async function watchOver(
  context: Context,
  project: Project | undefined,
  disks: readonly DiskAtWork[],
  signal: AbortSignal,
): Promise<void> {
  const doubts = new Map<string, number>();
  while (!signal.aborted) {
    await context.clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    stopBeforeGap(context, project, disks);
    await Promise.all([
      stopBusy(context, project, disks, doubts),
      ...disks.map((disk) => stopSilent(context, disk)),
    ]);
  }
}

function stopBeforeGap({ clock }: Context, project: Project | undefined, disks: readonly DiskAtWork[]): void {
  for (const { places, stop } of disks) {
    for (const place of places) {
      const epochs = clockOf(project, place);
      if (epochs === undefined || verifyMoment(epochs, clock.now()).kind === 'free') continue;
      stop(new StopChecking('the cycle gap is about to open, and the disk is for proofs'));
      break;
    }
  }
}

/** One look in which somebody did not answer must not throw away hours. */
const MOST_DOUBTS = 3;

async function stopBusy(
  context: Context,
  project: Project | undefined,
  disks: readonly DiskAtWork[],
  doubts: Map<string, number>,
): Promise<void> {
  try {
    const places = disks.flatMap((one) => one.places);
    const busy = await whoIsBusy(context, project, places, { alone: true });
    for (const { disk, stop } of disks) {
      const there = busy.filter((one) => one.disk === disk);
      const found = there.find(({ sure }) => sure) ?? there[0];
      doubts.set(disk, found === undefined ? 0 : (doubts.get(disk) ?? 0) + 1);
      if (found === undefined) continue;
      if (found.sure || (doubts.get(disk) ?? 0) >= MOST_DOUBTS)
        stop(new StopChecking(`${found.who}: the disk is for proofs`));
    }
  } catch (error) {
    if (error instanceof SmeshError) return;
    // Nobody would see a proof begin: checks can be made again.
    const reason = error instanceof Error ? error.message : String(error);
    for (const { stop } of disks)
      stop(new StopChecking(`nobody can tell whether a proof is wanted: ${reason}`));
  }
}

async function stopSilent({ ports }: Context, { places, stop }: DiskAtWork): Promise<void> {
  const [place] = places;
  if (place === undefined) return;
  const host = await ports.host();
  // That the question could not be asked says nothing about the disk.
  if (await host.answers(place.path, ANSWER_MS).catch(() => true)) return;
  stop(new StopChecking('the disk does not answer any more'));
}
