import type { Forecast } from '../domain/forecast/forecast.ts';
import type { ForecastInput } from '../domain/forecast/input.ts';
import { diskBars } from './forecast-bars.ts';
import {
  assumptionLines,
  courseSentence,
  fateLines,
  gapSentence,
  notSure,
  outcomeWords,
  remedyWords,
} from './forecast-words.ts';
import type { MomentStyle } from './moments.ts';
import { enumerate, fitLine } from './text.ts';

export type ForecastView = MomentStyle & { readonly columns: number };

const MOST_REMEDIES = 5;

/** `forecast` as text: the sentence first, then the disks as bars, who misses it, what would help, what it rests on. */
export function renderForecast(
  forecast: Forecast,
  input: ForecastInput,
  view: ForecastView,
): readonly string[] {
  const remedies = forecast.remedies
    .slice(0, MOST_REMEDIES)
    .flatMap((remedy) => [
      `  ${remedyWords(remedy)}`,
      `    ${outcomeWords(remedy.outcome, forecast.gap.opens)}`,
    ]);
  const sentences = (lines: readonly string[]) => lines.flatMap((line) => fitLine(line, view.columns));
  return [
    ...sentences([gapSentence(forecast, view), courseSentence(forecast), ...fateLines(forecast, view)]),
    '',
    ...diskBars(forecast, view).flatMap((line) =>
      line.startsWith('░ k2pow') ? fitLine(line, view.columns) : [line],
    ),
    '',
    ...(forecast.outcome.fits
      ? []
      : [
          ...(remedies.length === 0
            ? ['Nothing that was tried makes it better.']
            : ['What would help, each by itself:', ...sentences(remedies)]),
          '',
        ]),
    ...sentences(assumptionLines(forecast, input, view).map((line) => `· ${line}`)),
  ];
}

/**
 * The short form for `init` and `add`: a question, a sentence, and, where it does not fit, who misses it and what helps
 * best.
 *
 * @param added names of the new identities
 */
export function renderShortForecast(
  forecast: Forecast,
  added: ReadonlySet<string>,
  style: MomentStyle,
): readonly string[] {
  const head = [`Will it fit? ${gapSentence(forecast, style)}`, `  ${courseSentence(forecast)}`];
  if (forecast.outcome.fits) return head;
  const late = notSure(forecast);
  const [best] = forecast.remedies;
  const news = late.filter(({ name }) => added.has(name)).length;
  // Where all are new, that says nothing.
  const hasOld = forecast.identities.some(({ name }) => !added.has(name));
  const whose = hasOld && news < late.length ? ' (not only new ones)' : hasOld ? ' (new ones)' : '';
  const count = Math.max(Math.round(forecast.outcome.missing), 1);
  const who =
    late.length === 0
      ? '! In more than one of ten runs somebody misses the registration.'
      : `! ${count} of ${forecast.identities.length} will probably miss the registration, among ${enumerate(late.map(({ name }) => name))}${whose}`;
  return [
    ...head,
    who,
    ...(best === undefined
      ? []
      : [`  It would help: ${remedyWords(best)}: ${outcomeWords(best.outcome, forecast.gap.opens)}`]),
    '  All of it: smesh-compose forecast',
  ];
}
