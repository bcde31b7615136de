import type { Forecast, ForecastOfIdentity } from '../domain/forecast/forecast.ts';
import type { ForecastInput } from '../domain/forecast/input.ts';
import type { Outcome } from '../domain/forecast/outcome.ts';
import type { Remedy } from '../domain/forecast/remedies.ts';
import { scanning } from '../domain/forecast/scanning.ts';
import { type MomentStyle, momentHere, shortMoment } from './moments.ts';
import { enumerate } from './text.ts';
import { formatBytes, formatCount, formatDuration, formatRate, plural } from './units.ts';

/** Above this part of the runs somebody counts as missing it, below as at risk. */
const HALF = 0.5;
const SURE = 0.9;

function missesRegistration({ identities }: Forecast): readonly ForecastOfIdentity[] {
  return identities.filter(({ registers }) => registers < HALF);
}

function risksRegistration({ identities }: Forecast): readonly ForecastOfIdentity[] {
  return identities.filter(({ registers }) => registers >= HALF && registers < SURE);
}

/** All who miss it or may, in the order of smesh.yaml. */
export function notSure({ identities }: Forecast): readonly ForecastOfIdentity[] {
  return identities.filter(({ registers }) => registers < SURE);
}

/** `Next cycle gap: Sun 22 Nov 20:00 UTC (21:00 here), 12 h.` */
export function gapSentence({ gap }: Forecast, style: MomentStyle): string {
  const open = gap.opens <= style.now && style.now < gap.closes;
  const length = formatDuration(gap.closes - gap.opens);
  return open
    ? `This cycle gap: open since ${momentHere(gap.opens, style)}, for ${formatDuration(gap.closes - style.now)} more.`
    : `Next cycle gap: ${momentHere(gap.opens, style)}, ${length}.`;
}

/** `2 proofs at a time (16 GiB of memory), one per disk: last one done after 9 h 40 m (p90 10 h 55 m).` */
export function courseSentence({ outcome, gap, identities }: Forecast): string {
  const after = (moment: number) => formatDuration(moment - gap.opens);
  const memory = formatBytes(outcome.peakMemoryBytes);
  const subject =
    identities.length === 1
      ? `1 proof (${memory} of memory): done`
      : `${plural(outcome.mostAtOnce, 'proof')} at a time at most (${memory} of memory), one reads per disk: last one done`;
  return `${subject} after ${after(outcome.doneP50)} (p90 ${after(outcome.doneP90)}).`;
}

/** Who will be in time, who will not; one line each. */
export function fateLines(forecast: Forecast, style: MomentStyle): readonly string[] {
  const { outcome, registerBy, publishBy, identities } = forecast;
  const by = momentHere(registerBy, style);
  const misses = missesRegistration(forecast);
  const risks = risksRegistration(forecast);
  const late = identities.filter(({ publishes }) => publishes < SURE);
  const names = (all: readonly ForecastOfIdentity[]) => enumerate(all.map(({ name }) => name));
  if (misses.length === 0 && risks.length === 0) {
    return [
      outcome.fits
        ? `Everybody registers by ${by}.`
        : `! Each of them alone makes it by ${by}, but in more than one of ten runs somebody does not.`,
    ];
  }
  const count = Math.round(outcome.missing);
  const likely = [
    ...(misses.length === 0 ? [] : [`most likely ${names(misses)}`]),
    ...(risks.length === 0 ? [] : [`perhaps ${names(risks)}`]),
  ].join('; ');
  return [
    count === 0
      ? `! Not everybody may register by ${by}: ${likely}`
      : `! ${count} of ${identities.length} ${count === 1 ? 'misses' : 'miss'} the registration at ${by}: ${likely}`,
    ...(late.length === 0
      ? [
          `  All publish by ${momentHere(publishBy, style)}, so the next epoch is paid; who misses the registration loses the one after, and has nothing to prove in the gap after this: with too much to prove they take turns by themselves.`,
        ]
      : [
          `! ${late.length} may not publish by ${momentHere(publishBy, style)} and lose the next epoch, too: ${names(late)}`,
        ]),
  ];
}

/** What a change is, without what it brings. */
export function remedyWords(remedy: Remedy): string {
  switch (remedy.kind) {
    case 'nonces':
      return `${remedy.nonces} nonces for all (defaults → nonces)`;
    case 'threads':
      return 'all cores for every post-service (threads: 0)';
    case 'memory':
      return `${formatBytes(remedy.bytes)} of memory for proofs`;
    case 'second-phase':
      return `${plural(remedy.moved.length, 'identity', 'identities')} in a second project on a PoET of another phase`;
    case 'fewer-units':
      return fewerUnits(remedy.disks);
    case 'faster-disk':
      return fasterDisks(remedy.disks);
    case 'remote-k2pow':
      return `k2pow on another machine as fast as this one (${formatCount(Math.round(remedy.hashesPerSecond))} hashes/s)`;
  }
}

function fewerUnits(disks: Extract<Remedy, { kind: 'fewer-units' }>['disks']): string {
  const [first] = disks;
  if (first === undefined) return 'fewer units';
  const alike = disks.every(({ units, of }) => units === first.units && of === first.of);
  if (alike)
    return `at most ${first.units} of ${first.of} units ${disks.length === 1 ? `on ${first.disk}` : `per disk on ${enumerate(disks.map(({ disk }) => disk))}`}`;
  const shown = disks.slice(0, 3).map(({ disk, units, of }) => `${disk} ${units} of ${of}`);
  return `at most so many units: ${shown.join(', ')}${disks.length > 3 ? ', …' : ''}`;
}

function fasterDisks(disks: Extract<Remedy, { kind: 'faster-disk' }>['disks']): string {
  const rates = disks.map(({ bytesPerSecond }) => bytesPerSecond);
  const [least, most] = [Math.min(...rates), Math.max(...rates)];
  const rate = most - least < 1e6 ? formatRate(most) : `${formatRate(least)} to ${formatRate(most)}`;
  return `${enumerate(disks.map(({ disk }) => disk))} at ${rate}`;
}

/** `everybody registers, last one done after 9 h 20 m (p90 10 h)` */
export function outcomeWords(outcome: Outcome, gapOpens: number): string {
  const after = (moment: number) => formatDuration(moment - gapOpens);
  const who = outcome.fits
    ? 'everybody registers'
    : outcome.missing < 0.5
      ? 'sometimes one misses it'
      : `${Math.round(outcome.missing)} ${Math.round(outcome.missing) === 1 ? 'misses' : 'miss'} it`;
  return `${who}, last one done after ${after(outcome.doneP50)} (p90 ${after(outcome.doneP90)})`;
}

/** What the forecast rests on. */
export function assumptionLines(
  forecast: Forecast,
  input: ForecastInput,
  style: MomentStyle,
): readonly string[] {
  const { disks, runs, check, bound, gap, identities } = forecast;
  const { policy, sources, poetDelayMs } = input;
  const unmeasured = disks.filter(({ source }) => source === 'default');
  const rate =
    unmeasured.length === 0
      ? 'Disks as measured or set.'
      : `${unmeasured.length === disks.length ? 'No disk is' : `${enumerate(unmeasured.map(({ disk }) => disk))} ${unmeasured.length === 1 ? 'is not' : 'are not'}`} measured: ${formatRate(policy.rates.defaultBytesPerSecond)} assumed (measure: smesh-compose bench disk).`;
  const hashes = `${formatCount(Math.round(policy.rates.hashesPerSecond))} RandomX hashes/s`;
  const k2pow =
    sources.k2pow === 'default'
      ? `k2pow is not measured: ${hashes} assumed (see: smesh-compose bench k2pow).`
      : `k2pow: ${hashes}, ${sources.k2pow}.`;
  const { wanted, possible, share } = scanning(input);
  const guessed = identities.filter(({ unitsGuessed }) => unitsGuessed === true);
  return [
    rate,
    k2pow,
    ...(share === 1
      ? []
      : [
          `Disks that are read at once give ${formatRate(wanted)}, and ${plural(policy.cores, 'core')} scan about ${formatRate(possible)} with these nonces (assumed): the disks are taken as ${Math.round((1 - share) * 100)} % slower.`,
        ]),
    ...(guessed.length === 0
      ? []
      : [
          `The metadata of ${enumerate(guessed.map(({ name }) => name))} cannot be read: as many units as the others assumed.`,
        ]),
    ...(poetDelayMs > 0
      ? [`The node has the PoET proof ${formatDuration(poetDelayMs)} after the gap opens.`]
      : []),
    `No schedule ends before ${shortMoment(bound, style)} UTC, ${formatDuration(bound - gap.opens)} after the gap opens.`,
    `${plural(runs, 'draw')} of luck${check === undefined ? '' : `; the schedule itself was run on ${plural(check.runs, 'draw')}${check.identities === identities.length ? '' : ` for ${check.identities} of the identities`}, and the times are set by it (${percent(check.ratio - 1)})`}.`,
  ];
}

function percent(part: number): string {
  return `${part < 0 ? '−' : '+'}${Math.abs(part * 100).toFixed(1)} %`;
}
