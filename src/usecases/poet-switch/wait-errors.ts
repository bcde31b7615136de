import { ExitCode, SmeshError } from '../../domain/errors.ts';
import type { Judged } from './session.ts';

/** By `--cancel`, or by a change to other PoETs, of which one at a time is under way. */
export function takenBack(): SmeshError {
  return new SmeshError(
    'taken-back',
    ExitCode.cancelled,
    'Another command has taken this change of PoETs back, or begun another one. Nothing was changed by this one.',
    { hint: 'smesh-compose status   says which is under way' },
  );
}

/** The time of `--wait` is over. */
export function timedOut({ decision }: Judged): SmeshError {
  const registering = decision.kind === 'watch';
  return new SmeshError(
    'no-window',
    ExitCode.unhealthy,
    registering
      ? 'The node runs with the new PoETs, and not everybody was registered within the time of --wait'
      : 'The window did not come within the time of --wait. Nothing was changed',
    { hint: 'Go on: smesh-compose poet switch --wait' },
  );
}
