import { cycleGap } from '../poet/epochs.ts';
import type { SchedulePolicy } from '../schedule/policy.ts';
import type { Farm } from '../simulation/farm.ts';
import { type ForecastInput, scanRate } from './input.ts';

/** The farm that the simulator is given, which is exactly as the schedule believes it to be. */
export function farmOf(input: ForecastInput): Farm {
  const { identities, policy, clock } = input;
  const { rates } = policy;
  const disks = [...new Set(identities.map(({ disk }) => disk))];
  const addresses = new Set(identities.flatMap(({ settings }) => settings.remoteK2pow ?? []));
  const opens = cycleGap(clock, input.epoch).opens;
  return {
    identities: identities.map((identity) => ({ ...identity, demand: 'gap' as const })),
    disks: new Map(
      disks.map((disk) => [
        disk,
        {
          bytesPerSecond: rates.diskBytesPerSecond.get(disk) ?? rates.defaultBytesPerSecond,
          // There is never more than one reader, so it makes no difference.
          spinning: true,
        },
      ]),
    ),
    host: {
      cores: policy.cores,
      hashesPerSecond: rates.hashesPerSecond,
      hashesPerUnitGroup: rates.hashesPerUnitGroup,
      scanBytesPerCore: scanRate(Math.max(16, ...identities.map(({ settings }) => settings.nonces))),
      datasetMs: rates.datasetMs,
      // The schedule keeps within its budget; what is beyond it is not forecast.
      physicalBytes: Number.MAX_SAFE_INTEGER,
      remote: new Map(
        [...addresses].map((address) => [
          address,
          { hashesPerSecond: input.remoteHashesPerSecond, datasetMs: rates.datasetMs },
        ]),
      ),
      deepHeldAnswers: true,
    },
    node: {
      clock,
      startsAt: Math.max(input.from, opens),
      poetDelayMs: input.poetDelayMs,
      tellsProgress: true,
    },
  };
}

/** A look every few seconds changes nothing in a gap of hours but the time that a forecast takes. */
export function coarse(policy: SchedulePolicy, gapMs: number): SchedulePolicy {
  return { ...policy, lookEveryMs: Math.max(policy.lookEveryMs, Math.min(gapMs / 240, 5 * 60_000)) };
}
