import type { EpochTimeline } from '../../domain/poet/epochs.ts';
import { longMoment } from '../../ui/moments.ts';

/** Epochs that last minutes are told in seconds. */
const SHORT_EPOCH_MS = 6 * 3_600_000;

/** When a service that is stopped, and not wanted now, has to be there again. */
export function neededFrom({ gap, epochStarts, epochEnds }: EpochTimeline, published: boolean): string {
  const epoch = epochEnds - epochStarts;
  const moment = (at: number) =>
    `${longMoment(at, { now: at, localOffsetMinutes: () => 0, seconds: epoch < SHORT_EPOCH_MS })} UTC`;
  if (gap.open && !published) return `the cycle gap is open until ${moment(gap.closes)}`;
  return `the next cycle gap opens ${moment(gap.open ? gap.opens + epoch : gap.opens)}`;
}

/** More names than these are no command that anybody types. */
const NAMES_TO_TYPE = 3;

export function startThem(services: readonly string[]): string {
  return ['smesh-compose up', ...(services.length > NAMES_TO_TYPE ? [] : services)].join(' ');
}
