import type { K2powResult } from '../domain/bench/k2pow-rate.ts';
import type { DiskResult } from '../domain/bench/result.ts';
import { renderTable } from './table.ts';
import { enumerate, printable } from './text.ts';
import { formatBytes, formatCount, formatDuration, formatRate, plural } from './units.ts';

export interface DiskBenchReport {
  readonly at: number;
  readonly results: readonly DiskResult[];
  readonly left: readonly { readonly path: string; readonly reason: string }[];
  /** Written to `.smesh/history`. */
  readonly kept: boolean;
  readonly together: boolean;
}

/** `bench disk` as a table with what to know of it below. */
export function renderDiskBench(
  { results, left, kept, together }: DiskBenchReport,
  { columns }: { readonly columns: number },
): readonly string[] {
  const rows = results.map((result) =>
    result.kind === 'failed'
      ? [result.disk, enumerate(result.services), '–', '', '']
      : [
          result.disk,
          enumerate(result.services),
          formatRate(result.rate.bytesPerSecond),
          `${formatRate(result.rate.slowest)} … ${formatRate(result.rate.fastest)}`,
          formatBytes(result.rate.bytes),
        ],
  );
  const table = renderTable(
    [
      { title: 'DISK', flexible: true },
      { title: 'DATA OF', flexible: true, minWidth: 10 },
      { title: 'RATE', align: 'right' },
      { title: 'SLOWEST … FASTEST' },
      { title: 'READ', align: 'right' },
    ],
    rows,
    columns,
  );
  const notes = results.flatMap((result) =>
    result.kind === 'failed'
      ? [`! ${result.disk}: ${printable(result.reason)}`]
      : result.why === undefined
        ? []
        : [`· ${result.disk}: ${result.why}; the forecast does not use it`],
  );
  const others = left.map(({ path, reason }) => `! ${printable(path)}: ${reason}`);
  const measured = results.filter((result) => result.kind === 'measured');
  const slowed =
    measured.length > 1 && !together
      ? ['· One at a time: together they may be slower, where a controller or a cable is shared.']
      : [];
  const closing = kept ? ['', 'Kept for the forecast. See: smesh-compose forecast'] : [];
  return [...table, ...indentedBy('', [...notes, ...others, ...slowed]), ...closing];
}

function indentedBy(blank: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [blank, ...lines];
}

/** The same for `--json`. */
export function diskBenchDocument({ at, results, left, kept, together }: DiskBenchReport): unknown {
  return {
    schemaVersion: 1,
    at: new Date(at).toISOString(),
    together,
    kept,
    disks: results.map((result) => ({
      disk: result.disk,
      services: result.services,
      ...(result.kind === 'failed'
        ? { bytesPerSecond: null, reason: result.reason }
        : {
            bytesPerSecond: Math.round(result.rate.bytesPerSecond),
            slowest: Math.round(result.rate.slowest),
            fastest: Math.round(result.rate.fastest),
            bytesRead: result.rate.bytes,
            direct: result.direct,
            counts: result.counts,
            ...(result.why === undefined ? {} : { reason: result.why }),
          }),
    })),
    notRead: left,
  };
}

export interface K2powBenchReport {
  readonly at: number;
  readonly result: K2powResult;
  readonly kept: boolean;
  /** Words for who is asked next, where there is nothing. */
  readonly trivial: boolean;
}

/** `bench k2pow` in sentences. */
export function renderK2powBench({ result, kept, trivial }: K2powBenchReport): readonly string[] {
  if (result.kind === 'none') {
    return [
      'There is no measurement of k2pow yet.',
      trivial
        ? "This network's k2pow is so easy that it takes no time; nothing needs to be measured."
        : [
            'Only a proof measures it: its images hold nothing that computes RandomX by itself. The logs of a first proof',
            '(a new identity makes one as soon as the node is synced) or of the last cycle gap tell it, as long as those',
            'containers are there; run this again then.',
          ].join(' '),
      ...(trivial
        ? []
        : ['A rehearsal does not tell it: k2pow on its private network is too easy to take any time.']),
    ];
  }
  const { hashesPerSecond, passes, services, hashes, busyMs, leftOut } = result;
  return [
    `${formatCount(Math.round(hashesPerSecond))} RandomX hashes/s on all cores, from ${plural(passes, 'k2pow', 'k2pows')} in the logs of ${enumerate(services)}.`,
    `  about ${formatCount(Math.round(hashes))} hashes were to be expected, ${formatDuration(busyMs)} of work; luck alone varies it by ±${result.errorPercent} %`,
    ...(leftOut === 0
      ? []
      : [
          `  ${plural(leftOut, 'k2pow', 'k2pows')} left out: held or restarted in the middle, or its units are not known`,
        ]),
    ...(kept ? ['', 'Kept for the forecast. See: smesh-compose forecast'] : []),
  ];
}

export function k2powBenchDocument({ at, result, kept, trivial }: K2powBenchReport): unknown {
  const dated = { schemaVersion: 1, at: new Date(at).toISOString(), kept, trivial };
  if (result.kind === 'none') return { ...dated, hashesPerSecond: null };
  const { kind: _, hashesPerSecond, hashes, busyMs, ...rest } = result;
  return {
    ...dated,
    hashesPerSecond: Math.round(hashesPerSecond),
    hashes: Math.round(hashes),
    busySeconds: Math.round(busyMs / 1000),
    ...rest,
  };
}
