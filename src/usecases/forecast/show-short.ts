import { SmeshError } from '../../domain/errors.ts';
import { forecast } from '../../domain/forecast/forecast.ts';
import type { Project } from '../../domain/project/types.ts';
import { renderShortForecast } from '../../ui/forecast.ts';
import { momentStyle } from '../../ui/stop-price.ts';
import type { Context } from '../context.ts';
import { timelineOf } from '../lifecycle/judge-look.ts';
import { type ForecastRequest, gatherForecast } from './gather.ts';

/** Private networks, whose gap lasts minutes: there the starts of containers take longer than the proofs. */
const LEAST_GAP_SECONDS = 30 * 60;

const RUNS = 20;
/** Above these nobody waits for more than the plain answer. */
const MANY = 120;

/**
 * What `init` and `add` say before they write: whether everybody will be proved in time, and who not. It only speaks, and
 * on stderr: nothing is held up by what it says, or by its not being able to say it.
 *
 * @param added names of the identities that are new
 * @param planned of those whose data is not made yet, what it will be
 */
export async function showForecast(
  context: Context,
  project: Project,
  added: readonly string[],
  planned?: ForecastRequest['planned'],
): Promise<void> {
  if (project.poet.cycleGap < LEAST_GAP_SECONDS) return;
  const { clock, out } = context;
  try {
    const input = await gatherForecast(context, project, {
      gap: 'next',
      ...(planned === undefined ? {} : { planned }),
    });
    const many = input.identities.length > MANY;
    const found = forecast(input, {
      runs: many ? RUNS / 2 : RUNS,
      check: false,
      remedies: many ? 'none' : 'quick',
    });
    const now = clock.now();
    const style = momentStyle(timelineOf(project, now), now, (at) => clock.localOffsetMinutes(at));
    const text = ['', ...renderShortForecast(found, new Set(added), style)].join('\n');
    if (found.outcome.fits) out.note(text);
    else out.warn(text);
  } catch (error) {
    // A smesh.yaml that cannot be forecast is judged elsewhere.
    if (!(error instanceof SmeshError)) throw error;
  }
}
