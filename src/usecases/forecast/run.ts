import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { forecast } from '../../domain/forecast/forecast.ts';
import { renderForecast } from '../../ui/forecast.ts';
import { forecastDocument } from '../../ui/forecast-json.ts';
import { momentStyle } from '../../ui/stop-price.ts';
import { plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { timelineOf } from '../lifecycle/judge-look.ts';
import { loadProject } from '../load-project.ts';
import { type ForecastRequest, gatherForecast } from './gather.ts';

/** Above these a forecast takes long enough to say so. */
const MANY = 60;

/** `smesh-compose forecast`: exit 0 when everybody registers in nine of ten runs, else 3. */
export async function runForecast(
  context: Context,
  { runs, ...request }: ForecastRequest & { readonly runs?: number },
): Promise<ExitCode> {
  const { project } = await loadProject(context);
  const input = await gatherForecast(context, project, request);
  if (input.identities.length === 0) {
    if (project.identities.length === 0) {
      throw new SmeshError(
        'no-identities',
        ExitCode.invalid,
        'There is no identity in smesh.yaml to be proved',
        {
          hint: 'smesh-compose add /mnt/d1/post01',
        },
      );
    }
    if (context.json) context.out.json({ schemaVersion: 1, fits: true, identities: [] });
    else context.out.result('Everybody has published in this cycle gap: nothing is left to prove.');
    return ExitCode.ok;
  }
  if (input.identities.length > MANY) {
    context.out.note(
      `Running the schedule of ${plural(input.identities.length, 'identity', 'identities')} with other luck, again and again …`,
    );
  }
  const found = forecast(input, runs === undefined ? {} : { runs });
  const { clock, out, json } = context;
  const now = clock.now();
  if (json) out.json(forecastDocument(found, input, { at: now, project: project.name }));
  else {
    const style = momentStyle(timelineOf(project, now), now, (at) => clock.localOffsetMinutes(at));
    out.result(renderForecast(found, input, { ...style, columns: out.columns }).join('\n'));
  }
  return found.outcome.fits ? ExitCode.ok : ExitCode.invalid;
}
