import type { ScheduleRow } from '../domain/poet/schedule.ts';
import { renderTable } from './table.ts';

export interface ShownSchedule {
  readonly rows: readonly ScheduleRow[];
  /** Minutes east of UTC at a moment, where the reader is. */
  localOffsetMinutes(at: number): number;
  /** Seconds too, and no year: for networks whose epochs last minutes. */
  readonly seconds: boolean;
  readonly columns: number;
}

const MINUTE = 60_000;

/** `poet schedule` as a table of at most 80 columns: a line in UTC per epoch, and one below it where the reader is. */
export function renderPoetSchedule({ rows, localOffsetMinutes, seconds, columns }: ShownSchedule): string[] {
  const moments = ({ gapOpens, registrationOpens, roundStarts, publishBy }: ScheduleRow) => [
    gapOpens,
    registrationOpens,
    roundStarts,
    publishBy,
  ];
  const abroad = rows.flatMap(moments).some((at) => localOffsetMinutes(at) !== 0);
  const cells = rows.flatMap((row) => [
    [`${row.epoch}`, ...moments(row).map((at) => written(at, seconds))],
    ...(abroad
      ? [['here', ...moments(row).map((at) => written(at + localOffsetMinutes(at) * MINUTE, seconds))]]
      : []),
  ]);
  return renderTable(
    [
      { title: 'GAP', align: 'right' },
      { title: 'OPENS' },
      { title: 'REGISTER FROM' },
      { title: 'ROUND STARTS' },
      { title: 'PUBLISH BY' },
    ],
    cells,
    columns,
  );
}

/** `2026-11-22 20:00`, or `11-22 20:00:30`. */
function written(at: number, seconds: boolean): string {
  const iso = new Date(at).toISOString();
  return seconds ? iso.slice(5, 19).replace('T', ' ') : iso.slice(0, 16).replace('T', ' ');
}
