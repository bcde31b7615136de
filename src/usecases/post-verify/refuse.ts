import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { currentOrNextGap } from '../../domain/poet/epochs.ts';
import { verifyMoment } from '../../domain/post-verify/moment.ts';
import type { VerifyPlace } from '../../domain/post-verify/report.ts';
import type { Project } from '../../domain/project/types.ts';
import { quoteForShell } from '../../domain/shell-quote.ts';
import { countdown, momentHere } from '../../ui/moments.ts';
import { enumerate } from '../../ui/text.ts';
import type { Context } from '../context.ts';
import { clockOf } from './look.ts';
import { whoIsBusy } from './who-is-busy.ts';

const MOST_NAMED = 8;
const SHORT_EPOCH_MS = 6 * 3_600_000;

/**
 * Refuses (exit 5) what would read a disk that is for proofs: in the cycle gap and shortly before it, while somebody proves
 * or may prove there, while an initialisation or another check is at work there. Says when it is possible.
 *
 * @param command what was typed, without names: `post verify`
 */
export async function refuseNow(
  context: Context,
  project: Project | undefined,
  places: readonly VerifyPlace[],
  command: string,
): Promise<void> {
  if (places.length === 0) return;
  const structure = `Without reading labels:  smesh-compose post verify --structure${wordsOf(project, places)}`;
  refuseInGap(context, project, places, structure);
  const busy = await whoIsBusy(context, project, places);
  if (busy.length === 0) return;
  const disks = [...new Set(busy.map(({ disk }) => disk))];
  const free = places.filter(({ disk }) => !disks.includes(disk)).map(({ name, path }) => name ?? path);
  throw new SmeshError(
    'disk-busy',
    ExitCode.refused,
    `Refused: ${enumerate(disks)} ${disks.length === 1 ? 'is' : 'are'} at work, and a second reader makes both slow. No label was read.`,
    {
      details: busy.map(({ who }) => who),
      hint: [
        ...(free.length === 0
          ? []
          : [`The others:  smesh-compose ${command} ${free.map(quoteForShell).join(' ')}`]),
        ...(project === undefined ? [] : ['When it is done:  smesh-compose status   tells']),
        structure,
      ].join('\n'),
      facts: { disks, busy },
    },
  );
}

/** Without a project there is nothing but what was named; in one, many names would bury the command. */
function wordsOf(project: Project | undefined, places: readonly VerifyPlace[]): string {
  if (project !== undefined && places.length > MOST_NAMED) return '';
  return places.map(({ name, path }) => ` ${quoteForShell(name ?? path)}`).join('');
}

function refuseInGap(
  context: Context,
  project: Project | undefined,
  places: readonly VerifyPlace[],
  structure: string,
): void {
  const now = context.clock.now();
  for (const place of places) {
    const clock = clockOf(project, place);
    const moment = clock === undefined ? undefined : verifyMoment(clock, now);
    if (clock === undefined || moment === undefined || moment.kind === 'free') continue;
    const style = {
      now,
      localOffsetMinutes: (at: number) => context.clock.localOffsetMinutes(at),
      seconds: clock.epoch < SHORT_EPOCH_MS,
    };
    const next = currentOrNextGap(clock, moment.closes);
    throw new SmeshError(
      'cycle-gap',
      ExitCode.refused,
      moment.open
        ? 'Refused: the cycle gap is open, and the disks are for proofs. No label was read.'
        : `Refused: the cycle gap opens ${countdown(moment.opens, now)}, and then the disks are for proofs. No label was read.`,
      {
        details: [
          `possible from ${momentHere(moment.closes, style)} (${countdown(moment.closes, now)}), when all have proved, to ${momentHere(next.opens, style)}`,
        ],
        hint: structure,
        facts: {
          possibleFrom: new Date(moment.closes).toISOString(),
          gapOpens: new Date(moment.opens).toISOString(),
        },
      },
    );
  }
}
