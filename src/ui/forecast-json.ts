import type { Forecast } from '../domain/forecast/forecast.ts';
import type { ForecastInput } from '../domain/forecast/input.ts';
import type { Outcome } from '../domain/forecast/outcome.ts';
import type { Remedy } from '../domain/forecast/remedies.ts';
import { scanning } from '../domain/forecast/scanning.ts';

const time = (moment: number) =>
  Number.isFinite(moment) ? new Date(Math.round(moment)).toISOString() : null;
const part = (share: number) => Math.round(share * 1000) / 1000;

/** The document of `forecast --json` (docs/reference/json.md). */
export function forecastDocument(
  forecast: Forecast,
  input: ForecastInput,
  { at, project }: { readonly at: number; readonly project: string },
): unknown {
  const { gap, outcome, check } = forecast;
  const { policy, sources } = input;
  return {
    schemaVersion: 1,
    at: time(at),
    project,
    fits: outcome.fits,
    gap: { epoch: gap.epoch, opens: time(gap.opens), closes: time(gap.closes) },
    begins: time(forecast.begins),
    registerBy: time(forecast.registerBy),
    publishBy: time(forecast.publishBy),
    bound: time(forecast.bound),
    ...outcomeToJson(outcome),
    runs: forecast.runs,
    check:
      check === undefined
        ? null
        : { runs: check.runs, identities: check.identities, ratio: part(check.ratio) },
    identities: forecast.identities.map(
      ({ id, name, disk, units, unitsGuessed, doneP50, doneP90, registers, publishes }) => ({
        id,
        name,
        disk,
        units,
        unitsGuessed: unitsGuessed === true,
        doneP50: time(doneP50),
        doneP90: time(doneP90),
        registers: part(registers),
        publishes: part(publishes),
      }),
    ),
    disks: forecast.disks.map(({ disk, bytesPerSecond, source, units, bytes, lane }) => ({
      disk,
      bytesPerSecond: Math.round(bytesPerSecond),
      source,
      units,
      bytes,
      lane: lane.map(({ name, spans, doneAt }) => ({
        name,
        doneAt: time(doneAt),
        spans: spans.map(({ kind, from, to }) => ({ kind, from: time(from), to: time(to) })),
      })),
    })),
    remedies: forecast.remedies.map(remedyToJson),
    assumptions: {
      hashesPerSecond: Math.round(policy.rates.hashesPerSecond),
      hashesPerSecondSource: sources.k2pow,
      defaultBytesPerSecond: policy.rates.defaultBytesPerSecond,
      datasetSeconds: policy.rates.datasetMs / 1000,
      poetDelaySeconds: input.poetDelayMs / 1000,
      k2powSlots: policy.k2powSlots,
      memoryBytes: policy.memoryBytes,
      cores: policy.cores,
      scanBytesPerSecond: Math.round(scanning(input).possible),
    },
  };
}

function outcomeToJson({ missing, missingEpoch, doneP50, doneP90, peakMemoryBytes, mostAtOnce }: Outcome) {
  return {
    missRegistration: part(missing),
    missEpoch: part(missingEpoch),
    doneP50: time(doneP50),
    doneP90: time(doneP90),
    peakMemoryBytes: Math.round(peakMemoryBytes),
    mostAtOnce,
  };
}

function remedyToJson({ outcome, ...remedy }: Remedy): unknown {
  return { ...remedy, fits: outcome.fits, ...outcomeToJson(outcome) };
}
