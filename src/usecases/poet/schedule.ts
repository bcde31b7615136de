import { dirname } from 'node:path';
import { hours } from '../../domain/doctor/poet.ts';
import { ExitCode, SmeshError } from '../../domain/errors.ts';
import { defaultPoet, MAINNET, TESTNET } from '../../domain/node/networks.ts';
import { CALENDAR_PRODUCT, isSameCalendar, renderCalendar } from '../../domain/poet/calendar.ts';
import { type EpochClock, epochClock } from '../../domain/poet/epochs.ts';
import { POET_PRESETS, poetPreset } from '../../domain/poet/presets.ts';
import { faultOfTimes, type ScheduleRow, scheduleRows } from '../../domain/poet/schedule.ts';
import type { Network, PoetSettings } from '../../domain/project/types.ts';
import { renderPoetSchedule } from '../../ui/poet-schedule.ts';
import type { Context } from '../context.ts';
import { loadProjectIfPresent } from '../load-project.ts';

export interface ScheduleRequest {
  readonly epochs: number;
  /** Instead of the project's; without a project the default is mainnet. */
  readonly network?: 'mainnet' | 'testnet';
  readonly preset?: string;
  /** Seconds, each instead of what preset, project or network say. */
  readonly phaseShift?: number;
  readonly cycleGap?: number;
  readonly gracePeriod?: number;
  /** Absolute path, or `-` for stdout. */
  readonly ics?: string;
  readonly alarmMs?: number;
}

/** `poet schedule`: what is due when, for the project's PoETs or any other rhythm. Writes nothing but the calendar file. */
export async function showSchedule(context: Context, request: ScheduleRequest): Promise<number> {
  if (request.ics === '-' && context.json) {
    throw new SmeshError('bad-option', ExitCode.usage, '--ics - and --json both want stdout', {
      hint: 'Nothing was changed. Name a file for the calendar, or leave one of the two out.',
    });
  }
  const { network, times } = await networkAndTimes(context, request);
  const clock = epochClock(network, times);
  const fault = faultOfTimes(clock);
  if (fault !== undefined) {
    throw new SmeshError('bad-option', ExitCode.usage, `These times do not fit ${network.name}: ${fault}`, {
      hint: 'Give them as in: smesh-compose poet schedule --phase-shift 240h --cycle-gap 12h --grace 1h',
    });
  }
  const now = context.clock.now();
  const rows = scheduleRows(clock, now, request.epochs);
  const calendar = renderCalendar({
    network: network.name,
    clock,
    rows,
    now,
    ...(request.alarmMs === undefined ? {} : { alarmMs: request.alarmMs }),
  });
  if (request.ics === '-') {
    context.out.verbatim(calendar.replace(/\r\n$/, '\r'));
    return ExitCode.ok;
  }
  const written = request.ics === undefined ? undefined : await writeCalendar(context, request.ics, calendar);
  if (context.json) {
    context.out.json({
      schemaVersion: 1,
      network: network.name,
      phaseShiftSeconds: times.phaseShift,
      cycleGapSeconds: times.cycleGap,
      gracePeriodSeconds: times.gracePeriod,
      epochs: rows.map(rowToJson),
      ...(request.ics === undefined ? {} : { ics: { path: request.ics, written } }),
    });
    return ExitCode.ok;
  }
  context.out.result(
    `${network.name}, phase shift ${hours(times.phaseShift)}, cycle gap ${hours(times.cycleGap)}, grace period ${hours(times.gracePeriod)}; times in UTC\n`,
  );
  const table = renderPoetSchedule({
    rows,
    localOffsetMinutes: (at) => context.clock.localOffsetMinutes(at),
    seconds: network.layerSeconds < 60,
    columns: context.out.columns,
  });
  context.out.result(table.join('\n'));
  context.out.note(legend(clock));
  if (request.ics !== undefined)
    context.out.result(
      written === true ? `\nWritten to ${request.ics}` : `\n${request.ics} says the same already.`,
    );
  return ExitCode.ok;
}

function legend({ gracePeriod }: EpochClock): string {
  return `\nProve and publish from OPENS on; who registers before ROUND STARTS (the node does it in the last ${hours(gracePeriod / 1000)}) keeps two epochs, who publishes by the end of epoch GAP (PUBLISH BY) still earns in the next.`;
}

type Times = Pick<PoetSettings, 'phaseShift' | 'cycleGap' | 'gracePeriod'>;

async function networkAndTimes(
  context: Context,
  request: ScheduleRequest,
): Promise<{ readonly network: Network; readonly times: Times }> {
  const loaded = request.network === undefined ? await loadProjectIfPresent(context) : undefined;
  const named = request.network === 'testnet' ? TESTNET : MAINNET;
  const network = loaded?.project.network ?? named;
  if (loaded === undefined && request.network === undefined)
    context.out.note(`No project in ${context.directory}: this is mainnet.`);
  const base: Times = presetTimes(request.preset) ?? loaded?.project.poet ?? defaultPoet(network);
  return {
    network,
    times: {
      phaseShift: request.phaseShift ?? base.phaseShift,
      cycleGap: request.cycleGap ?? base.cycleGap,
      gracePeriod: request.gracePeriod ?? base.gracePeriod,
    },
  };
}

function presetTimes(name: string | undefined): Times | undefined {
  if (name === undefined) return undefined;
  const preset = poetPreset(name);
  if (preset !== undefined) return preset.times;
  throw new SmeshError('unknown-preset', ExitCode.usage, `There is no preset ${JSON.stringify(name)}`, {
    details: POET_PRESETS.map((one) => `${one.name}: ${one.summary}`),
  });
}

/** Overwrites a calendar of its own only; answers whether anything was written. */
async function writeCalendar(context: Context, path: string, calendar: string): Promise<boolean> {
  const { files } = context.ports;
  const place = await files.facts(path);
  // Only a plain file is replaced: a folder cannot be, and a pipe or device would never be read to its end.
  if (place !== undefined && place.kind !== 'file') throw badCalendarPlace(`${path} is no file`);
  if ((await files.facts(dirname(path)))?.kind !== 'directory')
    throw badCalendarPlace(`${dirname(path)} is no folder`);
  const present = await files.readTextIfPresent(path);
  if (present !== undefined && isSameCalendar(present, calendar)) return false;
  if (present !== undefined && !present.includes(`PRODID:${CALENDAR_PRODUCT}`)) {
    throw new SmeshError(
      'foreign-file',
      ExitCode.refused,
      `${path} is not of smesh-compose's making, and would be overwritten`,
      { hint: 'Nothing was changed. Name another file, or - to print it.' },
    );
  }
  await files.writeAtomic(path, calendar, { mode: 0o644 });
  return true;
}

function badCalendarPlace(message: string): SmeshError {
  return new SmeshError(
    'bad-option',
    ExitCode.usage,
    `--ics: ${message}, so that no calendar can be written`,
    {
      hint: 'Nothing was changed. Name a file in a folder that is there, or - to print it.',
    },
  );
}

function rowToJson(row: ScheduleRow): Readonly<Record<string, unknown>> {
  const { epoch, ...moments } = row;
  return {
    epoch,
    ...Object.fromEntries(
      Object.entries(moments).map(([key, at]) => [key, new Date(at).toISOString()] as const),
    ),
  };
}
