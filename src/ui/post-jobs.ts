import type { JobReport } from '../domain/post-init/job-report.ts';
import { diskOf, needsSomebody } from '../domain/post-init/job-report.ts';
import { quoteForShell } from '../domain/shell-quote.ts';
import { type MomentStyle, shortMoment } from './moments.ts';
import { type Column, renderTable } from './table.ts';
import { formatBytes, formatDuration, formatRate, plural } from './units.ts';

/** `2.3 M/s`, `640 k/s`, `52/s`: labels per second. */
export function formatLabelRate(perSecond: number): string {
  if (perSecond >= 999_500) return `${(perSecond / 1e6).toFixed(perSecond < 9.95e6 ? 2 : 1)} M/s`;
  if (perSecond >= 9995) return `${Math.round(perSecond / 1000)} k/s`;
  if (perSecond >= 999.5) return `${(perSecond / 1000).toFixed(1)} k/s`;
  return `${Math.round(perSecond)}/s`;
}

function progressOf({
  state,
}: JobReport): { readonly bytes: number; readonly expectedBytes: number } | undefined {
  return 'progress' in state ? state.progress : undefined;
}

/** `41 %`; never 100 before it is all there. */
export function percentOf(report: JobReport): string {
  const progress = progressOf(report);
  if (progress === undefined || progress.expectedBytes === 0) return '';
  const { bytes, expectedBytes } = progress;
  if (bytes >= expectedBytes) return '100 %';
  const percent = (bytes / expectedBytes) * 100;
  return `${percent < 10 ? Math.floor(percent * 10) / 10 : Math.floor(percent)} %`;
}

/** What a job does, or what it waits for, in a few words. */
export function jobWords(report: JobReport): string {
  const { place, end, state, searches, silentMs } = report;
  switch (place.kind) {
    case 'complete':
      return 'complete';
    case 'runs':
      if (report.container === 'paused') return 'is paused';
      if (silentMs !== undefined) return `has written nothing for ${formatDuration(silentMs)}`;
      return searches === true ? 'runs: looks for a VRF nonce beyond the data' : 'runs';
    case 'waits':
      return place.why;
    case 'stuck':
      return place.why;
    case 'starts':
      if (end !== undefined) return end.why;
      if (state.kind === 'needs-nonce') return 'all labels are there, and no VRF nonce';
      return state.kind === 'not-begun' ? 'not begun' : 'does not run';
  }
}

/** `36 (2.3 TiB)`; of a part its files instead: `files 0–575 (2.3 TiB)`. */
function sizeWords(report: JobReport): string {
  const { job } = report;
  const progress = progressOf(report);
  const what = job.into === undefined ? `${job.units}` : `files ${job.fromFile ?? 0}–${job.toFile ?? 'end'}`;
  return progress === undefined ? what : `${what} (${formatBytes(progress.expectedBytes)})`;
}

/** As `formatRate`, and the processor's few kilobytes, too. */
function formatSpeed(bytesPerSecond: number): string {
  return bytesPerSecond < 100_000 ? `${(bytesPerSecond / 1000).toFixed(1)} kB/s` : formatRate(bytesPerSecond);
}

const COLUMNS: readonly Column[] = [
  { title: 'JOB' },
  { title: 'DISK', flexible: true },
  { title: 'CARD', flexible: true },
  { title: 'UNITS', align: 'right' },
  { title: 'DONE', align: 'right' },
  { title: 'LABELS', align: 'right' },
  { title: 'RATE', align: 'right' },
  { title: 'DONE AT' },
  { title: 'STATE', flexible: true, minWidth: 16 },
];

/** A line per job; `style` tells how the end is written. */
export function renderJobs(reports: readonly JobReport[], width: number, style: MomentStyle): string[] {
  return renderTable(COLUMNS, rowsOf(reports, style), width);
}

function rowsOf(reports: readonly JobReport[], style: MomentStyle): string[][] {
  return reports.map((report) => {
    const { job, pace } = report;
    return [
      job.name,
      diskOf(report),
      report.card,
      sizeWords(report),
      percentOf(report),
      pace === undefined ? '' : formatLabelRate(pace.labelsPerSecond),
      pace === undefined ? '' : formatSpeed(pace.bytesPerSecond),
      pace?.doneAt === undefined ? '' : shortMoment(pace.doneAt, style),
      jobWords(report),
    ];
  });
}

const MOST_WAITING = 3;

/** What is redrawn while jobs run: those that run, how many wait and for what. Of all together at the end, the last one. */
export function renderJobWatch(reports: readonly JobReport[], width: number, style: MomentStyle): string[] {
  const running = reports.filter(({ place }) => place.kind === 'runs' || place.kind === 'starts');
  const waiting = reports.filter(({ place }) => place.kind === 'waits');
  const stuck = reports.filter(({ place }) => place.kind === 'stuck');
  const complete = reports.length - running.length - waiting.length - stuck.length;
  return [
    ...(running.length === 0 ? [] : runningLines(running, width, style)),
    ...waiting.slice(0, MOST_WAITING).map((one) => `  ${one.job.name}  ${jobWords(one)}`),
    ...(waiting.length > MOST_WAITING ? [`  … and ${waiting.length - MOST_WAITING} more wait`] : []),
    ...stuck.map((one) => `! ${one.job.name}  ${jobWords(one)}`),
    ...(complete > 0 ? [`  ${complete} of ${plural(reports.length, 'job')} complete`] : []),
  ];
}

/** That they run everybody sees; the room is for names. */
function runningLines(running: readonly JobReport[], width: number, style: MomentStyle): string[] {
  if (
    running.some(
      ({ searches, silentMs, container }) => searches || silentMs !== undefined || container === 'paused',
    )
  )
    return renderJobs(running, width, style);
  const rows = rowsOf(running, style).map((row) => row.slice(0, -1));
  return renderTable(COLUMNS.slice(0, -1), rows, width);
}

/** Where nothing can be redrawn: one line per running job, now and then. */
export function plainJobLine(report: JobReport, now: number): string {
  const { job, pace } = report;
  const progress = progressOf(report);
  const size = progress === undefined ? '' : ` of ${formatBytes(progress.expectedBytes)}`;
  const speed =
    pace === undefined
      ? ''
      : `, ${formatLabelRate(pace.labelsPerSecond)} labels, ${formatSpeed(pace.bytesPerSecond)}`;
  const left = pace?.doneAt === undefined ? '' : `, done in ${formatDuration(pace.doneAt - now)}`;
  return `${new Date(now).toISOString().slice(11, 19)} ${job.name}  ${report.card}  ${percentOf(report)}${size}${speed}${left}`;
}

/** For each that needs somebody: why, and what to type. */
export function adviceLines(reports: readonly JobReport[]): readonly string[] {
  const groups = new Map<
    string,
    { readonly names: string[]; readonly mark: string; readonly next: string }
  >();
  for (const report of reports) {
    const next = nextOf(report);
    if (next === undefined) continue;
    const why = report.end?.why ?? jobWords(report);
    // A toolkit that is missing is missing for all of them.
    const group = groups.get(`${why}\n${next}`);
    if (group !== undefined) group.names.push(report.job.name);
    else {
      const mark = needsSomebody(report) ? '!' : ' ';
      groups.set(`${why}\n${next}`, { names: [report.job.name], mark, next });
    }
  }
  return [...groups].flatMap(([key, { names, mark, next }]) => [
    `${mark} ${names.join(', ')}: ${key.slice(0, key.indexOf('\n'))}`,
    `    ${next}`,
  ]);
}

/** What to type next for one job; `undefined`: nothing. */
export function nextOf({ state, place, end, silentMs, job, container }: JobReport): string | undefined {
  if (place.kind === 'runs' && container === 'paused') return `docker compose unpause ${job.name}`;
  if (silentMs !== undefined) {
    return `Does its card hang (sudo dmesg | grep -i -e Xid -e amdgpu -e i915), or its disk? End it and begin again: smesh-compose post stop ${job.name}   smesh-compose post init --resume`;
  }
  if (place.kind === 'complete' || place.kind === 'runs' || place.kind === 'waits') return undefined;
  if (end !== undefined) return end.next;
  switch (state.kind) {
    case 'away':
      return state.next;
    case 'refused':
      return state.hint;
    case 'odd-size':
      return 'Cut that piece off (less than 16 bytes, kept in .smesh/cut) and go on: smesh-compose post init --resume --repair';
    case 'needs-nonce':
      return state.searching
        ? 'Go on looking for one beyond the data: smesh-compose post init --resume'
        : `Was it lost with the metadata? Look in the data: smesh-compose post verify --search-nonce ${quoteForShell(job.data)}   Else beyond it: smesh-compose post init --resume`;
    default:
      return place.kind === 'stuck' ? 'Make room there, then: smesh-compose post init --resume' : undefined;
  }
}

/** The same as data; stable names, see the reference. */
export function jobToJson(report: JobReport): Readonly<Record<string, unknown>> {
  const { job, state, place, pace, end } = report;
  const progress = progressOf(report);
  const next = nextOf(report);
  return {
    name: job.name,
    identity: job.identity ?? null,
    id: job.id,
    data: job.data,
    into: job.into ?? null,
    units: job.units,
    fromFile: job.fromFile ?? null,
    toFile: job.toFile ?? null,
    disk: diskOf(report),
    card: report.card,
    state: state.kind,
    queue: place.kind,
    container: report.container ?? null,
    bytes: progress?.bytes ?? null,
    expectedBytes: progress?.expectedBytes ?? null,
    freeBytes: report.freeBytes ?? null,
    labelsPerSecond: pace?.labelsPerSecond ?? null,
    bytesPerSecond: pace?.bytesPerSecond ?? null,
    doneAt: pace?.doneAt === undefined ? null : new Date(pace.doneAt).toISOString(),
    silentSeconds: report.silentMs === undefined ? null : Math.round(report.silentMs / 1000),
    searchesNonce: report.searches === true,
    code: end?.code ?? (state.kind === 'refused' ? state.code : null),
    why: end?.why ?? ('why' in place ? place.why : null),
    next: next ?? null,
    needsSomebody: needsSomebody(report),
  };
}
